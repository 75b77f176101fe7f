"""Any two-level table through config.yaml alone: other names, other units, other nouns, hostile text."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.slow

DRUG = 'new $x_1$ <b>drug</b> & "more"'


@pytest.fixture(scope="module")
def trial(trial_run: Path) -> Path:
    """The results of patients in clinics (conftest.py)."""
    return trial_run / "results"


def test_files_bear_the_names_of_the_data(trial: Path) -> None:
    assert (trial / "data/trial.parquet").is_file()
    assert len(pd.read_csv(trial / "data/health_centres.csv")) == 25
    effects = pd.read_csv(trial / "models/slopes/health_centre_effects.csv")
    assert effects["group"].nunique() == 25


def test_estimates_agree_with_statsmodels(trial: Path) -> None:
    # An independent route: MixedLM on standardised age, from its own start, by its most careful optimiser here.
    from statsmodels.regression.mixed_linear_model import MixedLM, MixedLMParams

    table = pd.read_parquet(trial / "data/trial.parquet")
    treated = (table["arm"] == DRUG).to_numpy(float)
    age = ((table["age"] - 50) / 10).to_numpy()
    x = np.column_stack([np.ones(len(age)), age, treated, age * treated])
    start = MixedLMParams.from_components(fe_params=np.zeros(4), cov_re=0.1 * np.eye(2))
    model = MixedLM(table["cost"].to_numpy() / 1e4, x, table["clinic"], x[:, :2])
    fit = model.fit(reml=True, start_params=start, method=["bfgs"])
    ours = pd.read_csv(trial / "models/slopes/fixed_effects.csv").set_index("term")["estimate"]
    assert ours.index.tolist() == ["(Intercept)", "age", f"arm{DRUG}", f"age:arm{DRUG}"]
    assert fit.fe_params[1] * 1e3 == pytest.approx(ours["age"], rel=1e-3)
    assert fit.fe_params[3] * 1e3 == pytest.approx(ours[f"age:arm{DRUG}"], rel=1e-2)


@pytest.mark.parametrize("calibrated", [False, True])
def test_the_report_speaks_of_these_data_only(calibrated: bool, trial_run: Path, calibrated_run: Path) -> None:
    results = (calibrated_run if calibrated else trial_run) / "results"
    page = "".join((results / name).read_text(encoding="utf-8") for name in ("report.html", "appendix.html"))
    assert ("How far the tests can be trusted</h2>" in page) == calibrated
    text = re.sub(r"data:[^\"')]+", "", page)
    for word in ("school", "student", "HSB", "High School", "vignette", "minority", "Catholic", "Raudenbush"):
        assert word not in text, word
    assert "health centres" in text
    assert "What other searches find</h3>" in text
    assert "<b>drug" not in text
    assert "<i>Clinic" not in text
    assert "&lt;b&gt;drug" in text
