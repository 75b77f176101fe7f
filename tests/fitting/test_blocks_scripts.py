"""The scripts, from the table to the tables of tests and intervals, with independent random effects: sleepstudy."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import audit_optimisers
import calibrate_intervals
import calibrate_tests
import compare_models
import fit_model
import gather_intervals
import gather_tests
import jsonschema
import numpy as np
import pandas as pd
import pytest
import simulate_replicates
import yaml
from _job import read_arrays
from fitted import SUPPLEMENTS
from independent import REFERENCE, sleepstudy

ROOT = Path(__file__).resolve().parents[2]
FORMULAS = {
    "one": "Reaction ~ Days + (1 | Subject)",
    "independent": "Reaction ~ Days + (Days || Subject)",
    "correlated": "Reaction ~ Days + (Days | Subject)",
}
REPLICATES = 400


def paths(folder: Path, **names: str) -> SimpleNamespace:
    folder.mkdir(exist_ok=True)
    return SimpleNamespace(**{key: folder / name for key, name in names.items()})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the models, their comparisons, and the bootstrap of both."""
    folder = tmp_path_factory.mktemp("run")
    sleepstudy().to_parquet(folder / "table.parquet")
    for name, text in FORMULAS.items():
        fit_one(folder, name, text)
    for null, alternative in (("one", "independent"), ("independent", "correlated")):
        compare(folder, null, alternative)
    audit(folder)
    calibrate(folder)
    return folder


def fit_one(folder: Path, name: str, text: str) -> None:
    kinds = ("fixed_effects", "random_effects", "variance_components", "group_effects", "influence", *SUPPLEMENTS)
    names = {kind: f"{kind}.csv" for kind in kinds} | {"fit": "fit.json", "constrained": "constrained.json"}
    names |= {"residuals": "residuals.parquet", "experiment": "experiment.npz", "summary": "summary.txt"}
    output = paths(folder / name, **names)
    settings = {"random_starts": 4, "seed": 2002}
    fit_model.main(name, str(folder / "table.parquet"), output, text, "Subject", settings, "sleepstudy")
    part = folder / name / "part.npz"
    simulate_replicates.main(str(output.experiment), str(part), "1-of-1", 1, REPLICATES, 7)
    files = SimpleNamespace(
        fit=output.fit, fixed_effects=output.fixed_effects, experiment=output.experiment, parts=[part]
    )
    tables = paths(folder / name, replicates="bootstrap.parquet", intervals="intervals.csv")
    gather_intervals.main(files, tables, replicates=REPLICATES, seed=7, level=0.95)


def compare(folder: Path, null: str, alternative: str) -> None:
    output = paths(
        folder / f"{null}-{alternative}", comparison="comparison.json", table="table.csv", experiment="experiment.npz",
        reference="reference.parquet", tests="tests.csv", part="part.npz",
    )  # fmt: skip
    settings = {"null_model": null, "alternative_model": alternative, "estimator": "ML"}
    fits = [str(folder / name / "fit.json") for name in (null, alternative)]
    compare_models.main("c", str(folder / "table.parquet"), fits, output, settings)
    simulate_replicates.main(str(output.experiment), str(output.part), "1-of-1", 1, REPLICATES, 7)
    files = SimpleNamespace(comparison=output.comparison, experiment=output.experiment, parts=[output.part])
    gather_tests.main(files, output, replicates=REPLICATES, seed=7)


def audit(folder: Path) -> None:
    output = paths(folder / "independent", trials="trials.csv", seconds="seconds.csv")
    table, fit = str(folder / "table.parquet"), str(folder / "independent" / "fit.json")
    audit_optimisers.main("independent", table, fit, output, ["bfgs", "lbfgs"])


def calibrate(folder: Path) -> None:
    settings = {"part": "1-of-1", "data_sets": 6, "replicates": 19, "seed": 3}
    files = SimpleNamespace(
        experiment=folder / "one-independent" / "experiment.npz",
        comparison=folder / "one-independent" / "comparison.json",
        table=folder / "table.parquet",
        fits=[folder / name / "fit.json" for name in ("one", "independent")],
    )
    calibrate_tests.main(files, str(folder / "rejections.npz"), **settings)
    files = SimpleNamespace(
        experiment=folder / "independent" / "experiment.npz",
        fit=folder / "independent" / "fit.json",
        table=folder / "table.parquet",
    )
    calibrate_intervals.main(files, str(folder / "coverage.npz"), level=0.95, **settings)


def read(folder: Path, name: str, file: str) -> Any:
    return json.loads((folder / name / file).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", FORMULAS)
def test_the_json_is_as_its_schema_says(name: str, run: Path) -> None:
    for kind in ("fit", "constrained"):
        schema = yaml.safe_load((ROOT / f"workflow/schemas/{kind}.schema.yaml").read_text(encoding="utf-8"))
        jsonschema.validate(read(run, name, f"{kind}.json"), schema)
    assert read(run, name, "fit.json")["blocks"] == {"one": [1], "independent": [1, 1], "correlated": [2]}[name]


def test_the_fit_is_lme4s_and_has_no_correlation_between_blocks(run: Path) -> None:
    fit, theirs = read(run, "independent", "fit.json"), REFERENCE["models"]["sleep"]
    assert fit["criterion"] == pytest.approx(theirs["REML"]["criterion"], abs=1e-6)
    assert fit["ml"]["criterion"] == pytest.approx(theirs["ML"]["criterion"], abs=1e-6)
    assert fit["npar"] == fit["ml"]["npar"] == 5
    assert fit["random_effects_correlation"] == [[1.0, None], [None, 1.0]]
    assert fit["random_effects_covariance"][0][1] == 0.0
    assert len(fit["theta"]) == 2
    # lme4's bounded search has no wall to meet here, and ends at the optimum.
    assert read(run, "independent", "constrained.json")["face"] == []
    assert fit["optimiser"]["defaults"]["lme4_bounds"]["criterion"] == pytest.approx(fit["criterion"], abs=1e-6)


def test_intervals_have_a_row_for_each_free_parameter(run: Path) -> None:
    table = pd.read_csv(run / "independent" / "intervals.csv")
    theirs = REFERENCE["models"]["sleep"]["intervals"]
    profile = table.query("method == 'profile'").set_index("parameter")
    assert profile.index.tolist() == [row["parameter"] for row in theirs]
    assert profile["label"].tolist()[:2] == ["SD of (Intercept)", "SD of Days"]
    for row in theirs:
        # lme4's spline (test_blocks_lme4.py).
        width = row["upper"] - row["lower"]
        assert profile.loc[row["parameter"], "lower"] == pytest.approx(row["lower"], abs=2e-5 * width)
    assert not table[["lower", "upper"]].isna().any(axis=None)


def test_comparisons_have_the_rows_that_hold(run: Path) -> None:
    theirs = REFERENCE["comparison"]
    rows = {}
    for k, (null, alternative) in enumerate((("one", "independent"), ("independent", "correlated")), start=1):
        found = read(run, f"{null}-{alternative}", "comparison.json")
        assert found["statistic"] == pytest.approx(theirs["chisq"][k], abs=2e-6)
        assert found["df"] == 1
        assert found["added_random_effects"] == (1 if null == "one" else 0)
        assert found["on_boundary"] == (null == "one")
        rows[null] = pd.read_csv(run / f"{null}-{alternative}" / "tests.csv").set_index("test")["p_value"]
    # Half chi-square(0), half chi-square(1); and for a covariance no mixture.
    assert rows["one"]["mixture"] == pytest.approx(theirs["p_value"][1] / 2, rel=1e-5)
    assert "mixture" not in rows["independent"]
    assert rows["independent"]["LRT"] == pytest.approx(theirs["p_value"][2], rel=1e-5)
    # The bootstrap of 400 against chi-square(1), which holds for a covariance: four standard errors.
    assert rows["independent"]["PBtest"] == pytest.approx(theirs["p_value"][2], abs=4 * 0.4 / np.sqrt(REPLICATES))
    reference = pd.read_parquet(run / "one-independent" / "reference.parquet")
    # Half of the statistics are zero in large samples; 18 groups are few, hence 0.5 to 0.7.
    assert 0.45 < (reference["statistic"] < 1e-6).mean() < 0.7


def test_mixedlm_keeps_the_zeros_in_every_trial_of_the_audit(run: Path) -> None:
    trials = pd.read_csv(run / "independent" / "trials.csv").set_index(["method", "start"])
    # With a covariance it would come below the optimum, by the 0.06 that the test of the covariance gives.
    assert (trials["above_optimum"] > -1e-6).all()
    assert trials.loc[("bfgs", "optimum"), "above_optimum"] == pytest.approx(0, abs=1e-6)
    assert trials.loc[("unbounded", "identity"), "above_optimum"] == pytest.approx(0, abs=1e-6)


def test_calibration_analyses_every_data_set(run: Path) -> None:
    p_values = read_arrays(run / "rejections.npz")["found p_values"]
    assert p_values.shape == (6, 5)
    assert not np.isnan(p_values[:, :3]).any()
    covers = read_arrays(run / "coverage.npz")["found covers"]
    assert covers.shape == (6, 5, 5)  # data sets, methods, parameters
    assert np.isin(covers[:, :4], (0.0, 1.0)).all()
