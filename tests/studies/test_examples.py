"""The models of the studies beside HSB are lme4's, and a study with value labels runs from its file to the report."""

import json
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import ROOT, snakemake
from fitted import confirmed
from twolevel.data.columns import check_columns
from twolevel.data.source import read_file, suffix_of
from twolevel.likelihood.crossproducts import cross_products
from twolevel.model.derive import derive
from twolevel.model.design import Design
from twolevel.model.formula import build_design
from twolevel.output.results import random_effects_table

# Rscript tests/reference/studies.R
REFERENCE = json.loads((ROOT / "tests/reference/studies.json").read_text(encoding="utf-8"))["studies"]
MODELS = [
    pytest.param(study, model, marks=[pytest.mark.slow] if study == "star" else [])
    for study, models in REFERENCE.items()
    for model in models
]


def configuration(study: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / "studies" / study / "config.yaml").read_text(encoding="utf-8"))


@cache
def prepared(study: str) -> pd.DataFrame:
    """The study's table as the pipeline prepares it."""
    config = configuration(study)
    data, recipes = config["data"], config.get("derive", {})
    file = ROOT / "studies" / study / data["mode"]
    raw = read_file(file.read_bytes(), suffix_of(file.name), file.name).table
    checked = check_columns(raw, data["columns"], data["group"], keep=recipes, name=file.name, missing="leave_out")
    return derive(checked, data["group"], recipes)


@cache
def design_of(study: str, model: str) -> Design:
    return build_design(REFERENCE[study][model]["formula"], prepared(study))


@pytest.mark.parametrize("study", REFERENCE)
def test_the_reference_is_of_the_configuration_s_models(study: str) -> None:
    theirs = {name: model["formula"] for name, model in REFERENCE[study].items()}
    assert theirs == {name: model["formula"] for name, model in configuration(study)["models"].items()}


@pytest.mark.parametrize("estimator", ["REML", "ML"])
@pytest.mark.parametrize(("study", "model"), MODELS)
def test_estimates_are_lme4_s(study: str, model: str, estimator: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if study == "star" and model != "growth_differs":
        # Of 24,613 rows statsmodels searches from the optimum of one model, and computes the others' criterion there.
        monkeypatch.setattr("twolevel.fitting.mixedlm.SEARCHED", 10_000)
    design, theirs = design_of(study, model), REFERENCE[study][model][estimator]
    data = cross_products(design)
    ours = confirmed(design, data, reml=estimator == "REML", random_starts=1, seed=1)
    assert ours.trustworthy, ours.doubts
    assert (ours.n_obs, len(design.group_labels), ours.npar) == tuple(theirs[k] for k in ("n_obs", "n_groups", "npar"))
    assert list(design.fixed_terms) == theirs["terms"]
    # lme4's optimum, polished, is known to about 1e-6 in theta (tests/reference/README.md), and its criterion better.
    assert ours.criterion == pytest.approx(theirs["criterion"], abs=1e-6)
    errors = np.array(theirs["std_errors"])
    np.testing.assert_allclose(ours.beta / errors, theirs["fixed_effects"] / errors, rtol=0, atol=1e-5)
    np.testing.assert_allclose(np.sqrt(np.diag(ours.beta_covariance)), errors, rtol=1e-5)
    np.testing.assert_allclose(random_effects_table(design, ours)["sdcor"], theirs["sdcor"], rtol=1e-5, atol=1e-5)


@pytest.mark.slow
def test_a_study_with_labels_runs_to_its_report(tmp_path: Path) -> None:
    folder = tmp_path / "exam"
    shutil.copytree(ROOT / "studies/exam", folder, ignore=shutil.ignore_patterns("results", "logs", ".snakemake"))
    run = snakemake(ROOT, "--cores", "2", "--directory", str(folder), "--config", "bootstrap={'replicates': 99}")
    assert run.returncode == 0, run.stderr[-3000:]
    fixed = pd.read_csv(folder / "results/models/slopes_as_outcomes/fixed_effects.csv").set_index("term")
    theirs = REFERENCE["exam"]["slopes_as_outcomes"]["REML"]
    np.testing.assert_allclose(fixed.loc[theirs["terms"], "estimate"], theirs["fixed_effects"], rtol=0, atol=1e-6)
    page = (folder / "results/report.html").read_text(encoding="utf-8")
    assert "boy against girl" in page
    assert "<td>school gender</td>" in page
