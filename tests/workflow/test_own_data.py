"""Any two-level table through config.yaml alone: other names, other units, other nouns, hostile text."""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import NOT_COPIED, ROOT, snakemake

pytestmark = pytest.mark.slow

DRUG = 'new $x_1$ <b>drug</b> & "more"'
CONFIG = f"""
data:
  name: trial
  title: A trial in health centres
  mode: trial.csv
  group: clinic
  group_noun: {{singular: health centre, plural: health centres}}
  observation_noun: {{singular: patient, plural: patients}}
  columns:
    clinic: {{type: identifier}}
    arm: {{type: factor, levels: [placebo, '{DRUG}']}}
    age: {{type: number, label: age in years}}
    cost: {{type: number}}
derive: {{}}
models:
  base: {{formula: cost ~ age + (1 | clinic)}}
  slopes: {{formula: cost ~ age*arm + (age | clinic), baseline: base}}
optimiser: {{random_starts: 3, seed: 1}}
comparisons:
  arm_and_slopes: {{null_model: base, alternative_model: slopes, estimator: ML}}
bootstrap: {{replicates: 200, parts: 2, seed: 1}}
intervals: {{level: 0.9}}
calibration: {{data_sets: 5, replicates: 99, parts: 1, seed: 1, models: [slopes]}}
figures:
  lines: {{kind: group_lines, x: age, y: cost, sample: 10, seed: 1}}
  qq: {{kind: qq_level2, model: slopes, term: age}}
  searches: {{kind: optimiser_audit}}
optimiser_audit: {{methods: [bfgs]}}
report: {{narrative: null}}
"""


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with patients in clinics, costs near 100,000 and names full of markup; the pipeline has run."""
    project = tmp_path_factory.mktemp("own") / "my trial"
    shutil.copytree(ROOT, project, ignore=NOT_COPIED)
    rng = np.random.default_rng(1)
    clinic = np.repeat(np.arange(25), rng.integers(5, 40, 25))
    age, treated = rng.normal(50, 10, len(clinic)), rng.integers(0, 2, len(clinic))
    slope = 100 + rng.normal(0, 30, 25)[clinic]
    cost = 1e5 + rng.normal(0, 5e3, 25)[clinic] + slope * age + 2000 * treated + rng.normal(0, 8e3, len(clinic))
    names = [f"<i>Clinic {j}</i>" for j in clinic]
    arm = np.where(treated == 1, DRUG, "placebo")
    pd.DataFrame({"clinic": names, "arm": arm, "age": age, "cost": cost}).to_csv(project / "trial.csv", index=False)
    (project / "config.yaml").write_text(CONFIG, encoding="utf-8")
    run = snakemake(project, "--cores", "2", "--config", "data={}", "--", "all", "audit")
    assert run.returncode == 0, run.stdout + run.stderr
    return project / "results"


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
def test_the_report_speaks_of_these_data_only(calibrated: bool, trial: Path, tmp_path: Path) -> None:
    if calibrated:
        project = shutil.copytree(trial.parent, tmp_path / "my trial", symlinks=True)
        run = snakemake(project, "--cores", "2", "--config", "data={}", "--", "calibration")
        assert run.returncode == 0, run.stdout + run.stderr
        trial = project / "results"
    page = "".join((trial / name).read_text(encoding="utf-8") for name in ("report.html", "appendix.html"))
    assert ("How far the tests can be trusted</h2>" in page) == calibrated
    text = re.sub(r"data:[^\"')]+", "", page)
    for word in ("school", "student", "HSB", "High School", "vignette", "minority", "Catholic", "Raudenbush"):
        assert word not in text, word
    assert "health centres" in text
    assert "What other searches find</h3>" in text
    assert "<b>drug" not in text
    assert "<i>Clinic" not in text
    assert "&lt;b&gt;drug" in text
