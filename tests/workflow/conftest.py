"""A small study that shares nothing with HSB, run once for all tests that look at it."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import NOT_COPIED, ROOT, made_once, snakemake

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
calibration: {{data_sets: 6, replicates: 99, parts: 2, seed: 1, models: [base, slopes]}}
figures:
  lines: {{kind: group_lines, x: age, y: cost, sample: 10, seed: 1}}
  qq: {{kind: qq_level2, model: slopes, term: age}}
  searches: {{kind: optimiser_audit}}
optimiser_audit: {{methods: [bfgs]}}
report: {{narrative: null}}
"""


def make_trial(project: Path) -> None:
    """Patients in clinics, costs near 100,000 and names full of markup: all of the pipeline but the calibration."""
    shutil.copytree(ROOT, project, ignore=NOT_COPIED, dirs_exist_ok=True)
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


@pytest.fixture(scope="session")
def trial_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of the trial, in which the pipeline has run."""
    return made_once(tmp_path_factory, "my trial", make_trial)


@pytest.fixture(scope="session")
def calibrated_run(trial_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of it in which the calibration has run too."""

    def calibrate(project: Path) -> None:
        shutil.copytree(trial_run, project, symlinks=True, dirs_exist_ok=True)
        run = snakemake(project, "--cores", "2", "--config", "data={}", "--", "calibration", plain=True)
        assert run.returncode == 0, run.stdout + run.stderr

    return made_once(tmp_path_factory, "my calibrated trial", calibrate)
