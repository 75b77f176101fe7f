"""The reference values made with lme4: they belong to this configuration and data, and R still gives them."""

import csv
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from reference import simulate

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "tests/reference"
SNAPSHOT = ROOT / "data/hsb_snapshot.csv"
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
LME4 = json.loads((REFERENCE / "lme4_reference.json").read_text(encoding="utf-8"))
OPTIMISERS = json.loads((REFERENCE / "lme4_optimisers.json").read_text(encoding="utf-8"))
FORMULAS = {name: entry["formula"] for name, entry in CONFIG["models"].items()}
SIMULATED = pd.read_csv(REFERENCE / "simulated_random_coefficients.csv")


def test_the_models_are_those_of_the_configuration() -> None:
    assert {name: entry["formula"] for name, entry in LME4["models"].items()} == FORMULAS


def test_the_r_script_names_the_same_models() -> None:
    script = (REFERENCE / "lme4_reference.R").read_text(encoding="utf-8")
    assert dict(re.findall(r'^ {2}(\w+) =\s+"(.+ ~ .+)"', script, flags=re.MULTILINE)) == FORMULAS


@pytest.mark.parametrize("name", CONFIG["comparisons"])
def test_the_comparisons_are_those_of_the_configuration(name: str) -> None:
    configured = CONFIG["comparisons"][name]
    null, alternative = LME4["comparisons"][name]["rows"]
    said = {value for key, value in configured.items() if key != "title"}
    assert {null["model"], alternative["model"], configured["estimator"]} == said
    # The rows are made from the models' own fits by the estimator that the configuration names.
    for row in (null, alternative):
        # Both come from the same fitted object, printed to 15 significant digits.
        fit = LME4["models"][row["model"]][configured["estimator"]]
        assert row["deviance"] == pytest.approx(fit["criterion"], rel=1e-13)


def test_the_expanded_form_is_the_same_model() -> None:
    for estimator in ("REML", "ML"):
        crossed, expanded = (
            LME4["models"][name][estimator] for name in ("intercepts_and_slopes", "intercepts_and_slopes_expanded")
        )
        # Two searches for one optimum, each of which knows the criterion to some 1e-10.
        assert crossed["criterion"] == pytest.approx(expanded["criterion"], abs=1e-8)


def test_lme4s_default_optimiser_stops_at_the_point_that_the_vignette_prints() -> None:
    published = csv.DictReader((ROOT / "studies/hsb/published.csv").read_text(encoding="utf-8").splitlines())
    printed = {(row["quantity"], row["term"]): row for row in published if row["section"] == "8.2.3"}
    stopped = LME4["default_optimiser"]["random_coefficients_minority"]
    best = LME4["models"]["random_coefficients_minority"]["REML"]
    assert f"{stopped['criterion']:.1f}" == printed["REML criterion", ""]["printed"]
    for effect in stopped["fixed_effects"]:
        assert f"{effect['estimate']:.4f}" == printed["fixed effect estimate", effect["term"]]["printed"]
    assert (stopped["singular"], best["singular"]) == (True, False)
    assert stopped["criterion"] - best["criterion"] == pytest.approx(8.2495, abs=1e-4)


def test_of_lme4s_own_five_optimisers_only_the_default_stops_above_an_optimum() -> None:
    """What the report says of them: it is not the bounds alone that stop a search, but the default one of them."""
    assert set(OPTIMISERS["models"]) == set(FORMULAS)
    above = {
        (model, name): end["above_optimum"]
        for model, ends in OPTIMISERS["models"].items()
        for name, end in ends.items()
    }
    assert len(above) == 10 * 5
    assert above.pop(("random_coefficients_minority", "nloptwrap_bobyqa")) == pytest.approx(8.2495, abs=1e-4)
    # They stop by their own tolerances: nlminbwrap at 1.5e-6, the others nearer.
    assert max(above.values()) < 2e-6
    assert min(above.values()) > -1e-9
    ends = OPTIMISERS["models"]["random_coefficients_minority"]
    assert {name for name, end in ends.items() if end["singular"]} == {"nloptwrap_bobyqa"}


# ---------------------------------------------------------------------------------------- simulated data sets


def test_the_simulated_data_sets_are_the_ones_that_lme4_fitted() -> None:
    """A change of NumPy's random stream shows here, and is not taken for a failure of the optimiser."""
    schools = simulate.read_schools(SNAPSHOT)
    for row in SIMULATED.itertuples():
        y = simulate.simulated_response(schools, row.simulated_from, row.data_set)
        # The file has 15 significant digits; y_mean and y_sd add rounding of sums.
        np.testing.assert_allclose([y[0], y[-1]], [row.y_first, row.y_last], rtol=1e-13, atol=1e-13)
        np.testing.assert_allclose([y.mean(), y.std(ddof=1)], [row.y_mean, row.y_sd], rtol=1e-12)


def test_the_truth_is_the_reml_estimate_rounded() -> None:
    for model, truth in simulate.TRUTH.items():
        fit = LME4["models"][model]["REML"]
        estimates = [effect["estimate"] for effect in fit["fixed_effects"]]
        # Rounded to four decimals.
        np.testing.assert_allclose(truth.fixed_effects, estimates, atol=5.1e-5)
        np.testing.assert_allclose(truth.covariance, fit["random_effects_covariance"], atol=5.1e-5)
        assert truth.sigma == pytest.approx(fit["sigma"], abs=5.1e-5)


def test_the_simulated_fits_are_complete_and_nested() -> None:
    counts = SIMULATED.groupby("simulated_from").size()
    assert counts.to_dict() == {"random_coefficients": 200, "random_intercept": 200}
    assert not SIMULATED.isna().any(axis=None)
    # A wider model cannot fit worse; 1e-7 is what two optima may disagree by.
    assert (SIMULATED["random_intercept_criterion"] - SIMULATED["criterion"] > -1e-7).all()
    widened = SIMULATED["random_intercept_ml_criterion"] - SIMULATED["random_intercept_minority_ml_criterion"]
    assert (widened > -1e-7).all()


def test_half_of_the_data_sets_without_a_slope_variance_are_on_the_boundary() -> None:
    """Where the slope variance is zero, about half of the optima are: the fixture holds the hard cases."""
    without = SIMULATED[SIMULATED["simulated_from"] == "random_intercept"]
    # Half of 200 with a standard error of 7; the bounds are three of those.
    assert 79 <= without["singular"].sum() <= 121


# ------------------------------------------------------------------------------------------- made again by R

# How far two runs of R may be apart, on another machine or with another release of lme4. The criterion is
# flat at the optimum and is known best; covariance parameters and all that hangs on them move by the square
# root of its error.
RELATIVE = 1e-5
ABSOLUTE = {
    "criterion": 1e-6,
    "log_likelihood": 1e-6,
    "aic": 1e-6,
    "bic": 1e-6,
    "deviance": 1e-6,
    "chisq": 1e-6,
}


def differences(here: Any, there: Any, path: str = "") -> list[str]:
    """Name every place where two trees of JSON differ by more than the tolerances; text is not compared."""
    key = path.rpartition(".")[2]
    if key in ("about", "software", "summary_text", "text"):
        return []
    if isinstance(here, dict) and isinstance(there, dict) and here.keys() == there.keys():
        return [line for name in here for line in differences(here[name], there[name], f"{path}.{name}")]
    if isinstance(here, list) and isinstance(there, list) and len(here) == len(there):
        return [line for pair in zip(here, there, strict=True) for line in differences(*pair, path)]
    if isinstance(here, float) and isinstance(there, float | int):
        near = (
            pytest.approx(here, abs=ABSOLUTE[key]) if key in ABSOLUTE else pytest.approx(here, rel=RELATIVE, abs=1e-7)
        )
        return [] if there == near else [f"{path}: {here} and {there}"]
    return [] if here == there else [f"{path}: {here} and {there}"]


def test_differences_are_found() -> None:
    """The comparison below can fail."""
    one = {"REML": {"criterion": 10.0, "theta": [1.0, 2.0], "singular": False}}
    assert differences(one, {"REML": {"criterion": 10.0000005, "theta": [1.000001, 2.0], "singular": False}}) == []
    assert len(differences(one, {"REML": {"criterion": 10.000002, "theta": [1.0001, 2.0], "singular": True}})) == 3
    assert len(differences(one, {"REML": {"criterion": 10.0, "theta": [1.0]}})) == 1


@pytest.mark.slow
@pytest.mark.needs_r
def test_lme4_still_gives_the_reference_values(tmp_path: Path, rscript: str) -> None:
    made = tmp_path / "lme4_reference.json"
    subprocess.run([rscript, REFERENCE / "lme4_reference.R", SNAPSHOT, made], check=True)
    again = json.loads(made.read_text(encoding="utf-8"))
    assert differences(LME4, again) == []
    if again["software"] == LME4["software"]:  # other releases lay their summaries out in other ways
        assert {name: entry["summary_text"] for name, entry in again["models"].items()} == {
            name: entry["summary_text"] for name, entry in LME4["models"].items()
        }


@pytest.mark.slow
@pytest.mark.needs_r
def test_lme4s_optimisers_still_end_there(tmp_path: Path, rscript: str) -> None:
    """Where a search stops may differ between machines by its tolerance; what it misses does not."""
    made = tmp_path / "lme4_optimisers.json"
    subprocess.run([rscript, REFERENCE / "lme4_optimisers.R", SNAPSHOT, made], check=True)
    again = json.loads(made.read_text(encoding="utf-8"))["models"]
    for model, ends in OPTIMISERS["models"].items():
        for name, end in ends.items():
            assert again[model][name]["criterion"] == pytest.approx(end["criterion"], abs=1e-5), (model, name)
            assert again[model][name]["singular"] == end["singular"]


@pytest.mark.slow
@pytest.mark.needs_r
def test_lme4_still_gives_the_simulated_optima(tmp_path: Path, rscript: str) -> None:
    """Two data sets of each kind: all of them take R twenty minutes."""
    simulate.main(SNAPSHOT, tmp_path)
    made = tmp_path / "simulated.csv"
    subprocess.run([rscript, REFERENCE / "simulated_200.R", SNAPSHOT, tmp_path, made, "2"], check=True)
    again = pd.read_csv(made)
    kept = SIMULATED[SIMULATED["data_set"] <= 2].reset_index(drop=True)
    # theta is of the order 0.01 to 0.5, and known to about 1e-6 where it is not polished (on the boundary).
    pd.testing.assert_frame_equal(again, kept, rtol=1e-9, atol=1e-5)
