"""A model whose results are by ML, with predictions, in a run beside one by REML."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import ROOT, run_snakemake
from factors_and_levels import MODELS
from scipy import stats

pytestmark = pytest.mark.slow

STUDY = ROOT / "studies/sleepstudy"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of the sleep study with its last model by ML."""
    folder = tmp_path_factory.mktemp("by ML")
    shutil.copytree(STUDY / "data", folder / "data")
    config = yaml.safe_load((STUDY / "config.yaml").read_text(encoding="utf-8"))
    del config["models"]["random_slope"]["baseline"]
    config["models"]["random_slope"] |= {"estimator": "ML", "predict": [{"Days": [0, 5]}]}
    config |= {"bootstrap": {"replicates": 99, "parts": 1}, "intervals": {"level": 0.9}, "figures": {}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    done = run_snakemake(folder, "--cores", "1", "--snakefile", str(ROOT / "Snakefile"))
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "results"


def test_its_results_are_by_ml_and_those_by_reml_stand_beside_them(run: Path) -> None:
    fit = json.loads((run / "models/random_slope/fit.json").read_text(encoding="utf-8"))
    assert (fit["estimator"], fit["reml"]["estimator"]) == ("ML", "REML")
    # R: -2 * logLik(lmer(Reaction ~ Days + (Days | Subject), sleepstudy, REML = FALSE)), and with REML = TRUE
    assert fit["criterion"] == pytest.approx(1751.93934, abs=1e-5)
    assert fit["reml"]["criterion"] == pytest.approx(1743.62827, abs=1e-5)
    assert fit["aicc"] == pytest.approx(MODELS["sleepstudy"]["ML"]["aicc"], abs=1e-6)
    effects = pd.read_csv(run / "models/random_slope/fixed_effects.csv")
    assert effects["df"].notna().all()
    assert effects["kr_df"].isna().all()  # Kenward and Roger's method is of REML
    assert set(pd.read_csv(run / "models/random_slope/term_tests.csv")["method"]) == {"satterthwaite"}


def test_the_bootstrap_fits_by_ml(run: Path) -> None:
    """The mean of the simulated criteria is near the criterion by ML, which is eight below that by REML."""
    replicates = pd.read_parquet(run / "models/random_slope/bootstrap.parquet")
    from_optimum = replicates["criterion"].mean() - 1751.94
    assert abs(from_optimum) < 4 * replicates["criterion"].std() / len(replicates) ** 0.5 + 6  # 6 parameters


def test_a_comparison_has_its_own_estimator(run: Path) -> None:
    # R: anova(m1, m2, refit = FALSE) of both by REML
    found = json.loads((run / "comparisons/slope_variance/comparison.json").read_text(encoding="utf-8"))
    assert found["statistic"] == pytest.approx(42.8369, abs=1e-4)


def test_predictions_are_the_fixed_effects_(run: Path) -> None:
    # R: fixef(m) %*% c(1, 5), and its standard error from vcov(m), of the fit by ML
    found = pd.read_csv(run / "models/random_slope/predictions.csv").set_index("at")
    assert found["estimate"]["Days = 5"] == pytest.approx(251.40510 + 5 * 10.46729, abs=1e-4)
    assert found["std_error"]["Days = 0"] == pytest.approx(6.63227, abs=1e-4)


def test_intervals_beside_a_model_have_the_level_of_the_configuration(run: Path) -> None:
    tables = [pd.read_csv(run / f"models/random_slope/{table}.csv") for table in ("predictions", "robust")]
    for table, std_error in zip(tables, ("std_error", "cr2_std_error"), strict=True):
        reach = stats.t.ppf(0.95, table["df"]) * table[std_error]  # of 90 %
        np.testing.assert_allclose(table["upper"] - table["estimate"], reach, rtol=1e-9)
        np.testing.assert_allclose(table["estimate"] - table["lower"], reach, rtol=1e-9)
    assert "90&nbsp;% interval" in (run / "appendix.html").read_text(encoding="utf-8")


def test_the_report_names_the_estimator_of_each_model(run: Path) -> None:
    text = (run / "report.html").read_text(encoding="utf-8")
    assert "Random slope: estimates by ML." in text
    assert "Random intercept: estimates by REML." in text
    assert "estimates by REML, of “Random slope” by ML, standard errors in brackets" in text
    assert "REML = FALSE" in text
