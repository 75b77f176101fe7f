"""Tests from a simulated reference distribution: pbkrtest's numbers, and where we differ from it."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from twolevel.bootstrap.likelihood_ratio_tests import COLUMNS, bootstrap_tests
from twolevel.inference.compare import added_random_effects

FOLDER = Path(__file__).resolve().parents[1] / "reference"
# Rscript tests/reference/pbkrtest_summary.R: summary() of PBmodcomp objects with these reference distributions.
PBKRTEST = json.loads((FOLDER / "pbkrtest_summary.json").read_text(encoding="utf-8"))
CASES = PBKRTEST["cases"]

SIMULATED = pd.read_csv(FOLDER / "simulated_random_coefficients.csv").query("simulated_from == 'random_intercept'")
MINORITY = (SIMULATED["random_intercept_ml_criterion"] - SIMULATED["random_intercept_minority_ml_criterion"]).to_numpy()
SLOPE = (SIMULATED["random_intercept_criterion"] - SIMULATED["criterion"]).to_numpy()
REFERENCES = {
    "minority": MINORITY,
    "minority_observed": MINORITY,
    "minority_stretched": 1.2 * MINORITY,
    "slope": SLOPE,
    "slope_with_zeros": np.maximum(2 * SLOPE - 1, 0),
}


def summary_of(name: str, reference: np.ndarray, *, added: int = 0) -> pd.DataFrame:
    return bootstrap_tests(CASES[name]["statistic"], CASES[name]["df"], [reference], added).set_index("test")


def pbkrtest_of(name: str) -> pd.DataFrame:
    return pd.DataFrame(CASES[name]["tests"]).set_index("test").astype(float)


@pytest.mark.parametrize("name", CASES)
def test_pbkrtest_gives_the_same_from_the_statistics_that_it_keeps(name) -> None:
    reference = REFERENCES[name]
    assert (reference > 0).sum() == CASES[name]["positive"]
    ours, theirs = summary_of(name, reference[reference > 0]), pbkrtest_of(name)
    rows = ["LRT", "PBtest", "Gamma", "Bartlett"]
    # One formula in two languages. R takes 1 - p, which loses what is below 1e-16.
    np.testing.assert_allclose(ours.loc[rows, "p_value"], theirs.loc[rows, "p.value"], rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(ours.loc[rows, "statistic"], theirs.loc[rows, "stat"], rtol=1e-12)
    np.testing.assert_array_equal(ours.loc[rows, "df"].astype(float), theirs.loc[rows, "df"])
    assert ours.loc["F", "statistic"] == pytest.approx(theirs.loc["F", "stat"], rel=1e-12)


def test_the_f_approximation_is_pbkrtest_s_for_one_degree_of_freedom() -> None:
    ours, theirs = summary_of("minority_stretched", REFERENCES["minority_stretched"]), pbkrtest_of("minority_stretched")
    np.testing.assert_allclose(ours.loc["F", ["ddf", "p_value"]], theirs.loc["F", ["ddf", "p.value"]], rtol=1e-10)


def test_the_f_approximation_has_the_mean_of_what_is_compared_with_it() -> None:
    name = "slope_with_zeros"
    positive = REFERENCES[name][REFERENCES[name] > 0]
    ours = summary_of(name, positive).loc["F"]
    # F with the ddf from the mean divided by df, computed in R; pbkrtest does not divide by df = 2.
    assert ours["ddf"] == pytest.approx(CASES[name]["f"]["ddf"], rel=1e-10)
    assert ours["p_value"] == pytest.approx(CASES[name]["f"]["p_value"], rel=1e-10)
    assert stats.f(2, ours["ddf"]).mean() == pytest.approx(positive.mean() / 2, rel=1e-10)
    assert pbkrtest_of(name).loc["F", "ddf"] != pytest.approx(ours["ddf"], rel=0.1)


def test_where_the_mean_is_below_that_of_any_f_there_is_no_f() -> None:
    assert MINORITY.mean() < 1
    ours = summary_of("minority", MINORITY).loc["F"]
    assert ours[["ddf", "p_value", "monte_carlo_error"]].isna().all()
    assert np.isnan(pbkrtest_of("minority").loc["F", "p.value"])


def test_zeros_belong_to_the_distribution() -> None:
    name = "slope_with_zeros"
    reference = REFERENCES[name]
    extreme = (reference > CASES[name]["statistic"]).sum()
    assert (reference == 0).sum() > 20
    # pbkrtest: (1 + extreme) / (1 + positive); all n = 200 samples were drawn, and count here.
    assert pbkrtest_of(name).loc["PBtest", "p.value"] == pytest.approx((1 + extreme) / (1 + (reference > 0).sum()))
    assert summary_of(name, reference).loc["PBtest", "p_value"] == pytest.approx((1 + extreme) / 201, rel=1e-15)


def test_a_statistic_of_zero_is_not_significant_whatever_its_rounding() -> None:
    reference = np.array([0.0, 3e-9, -2e-9, 1e-10, 2.0])
    ours = bootstrap_tests(1e-9, 2, [reference]).set_index("test")
    assert ours.loc["PBtest", "p_value"] == 1
    assert ours.loc["LRT", "p_value"] == 1
    pd.testing.assert_frame_equal(ours, bootstrap_tests(-1e-9, 2, [reference]).set_index("test"))


def test_failed_replicates_do_not_count() -> None:
    with_failures = np.insert(MINORITY, [0, 50, 200], np.nan)
    pd.testing.assert_frame_equal(summary_of("minority", with_failures), summary_of("minority", MINORITY))
    with pytest.raises(ValueError, match="no replicate gave a statistic"):
        bootstrap_tests(1.0, 1, [np.array([np.nan])])


@pytest.mark.parametrize("reference", [[2.0], [0.0, 0.0, 0.0], [0.3] * 19])
def test_without_a_spread_there_are_no_approximations(reference) -> None:
    ours = bootstrap_tests(1.0, 1, [np.array(reference)]).set_index("test")
    assert ours.loc[["Gamma", "Bartlett", "F"], ["p_value", "monte_carlo_error"]].isna().all(axis=None)
    assert np.isfinite(ours.loc["PBtest", "p_value"])


# ------------------------------------------------------------------------------------------------------- mixture


def test_the_mixture_is_that_of_one_added_random_effect() -> None:
    # Stram & Lee 1994, case 3: q = 1 random effect in the null model, half chi-square(1), half chi-square(2).
    ours = summary_of("slope", SLOPE, added=1)
    expected = (stats.chi2(1).sf(3.9) + stats.chi2(2).sf(3.9)) / 2
    assert ours.loc["mixture", "p_value"] == pytest.approx(expected, rel=1e-12)
    assert ours.index.tolist() == ["LRT", "mixture", "PBtest", "Gamma", "Bartlett", "F"]
    assert ours.reset_index().columns.tolist() == COLUMNS
    for added in (0, 2):
        assert "mixture" not in summary_of("slope", SLOPE, added=added).index


def test_lme4_s_statistics_under_the_null_hypothesis_follow_the_mixture() -> None:
    # Kolmogorov-Smirnov, 200 statistics. The p value is below 0.05 in one of twenty sets; this one is stored.
    def mixture(x):
        return (stats.chi2(1).cdf(x) + stats.chi2(2).cdf(x)) / 2

    assert stats.kstest(SLOPE, mixture).pvalue > 0.05
    assert stats.kstest(SLOPE, stats.chi2(2).cdf).pvalue < 0.05


def test_on_the_boundary_bartlett_s_correction_is_no_correction() -> None:
    # The mixture itself, by its quantiles, and its own upper 1 % point, 8.27: what each test makes of it.
    half = (np.arange(5000) + 0.5) / 5000
    reference = np.concatenate([stats.chi2(1).ppf(half), stats.chi2(2).ppf(half)])
    ours = bootstrap_tests(8.2733, 2, [reference], added=1).set_index("test")["p_value"]
    assert ours["mixture"] == pytest.approx(0.01, abs=1e-6)
    # 10,000 quantiles stand for the distribution to one of them or two.
    assert ours["PBtest"] == pytest.approx(0.01, abs=2.5e-4)
    # exp(-8.2733 / 1.5): the mean of the mixture is 1.5, and chi-square(2) has the tail exp(-x / 2).
    assert ours["Bartlett"] == pytest.approx(np.exp(-8.2733 / 1.5), rel=0.01)
    assert ours["Bartlett"] < 0.5 * ours["mixture"]


def test_added_random_effects_are_counted_from_the_designs(models) -> None:
    intercept, slope, both = (
        models[name].design for name in ("random_intercept", "random_coefficients", "random_coefficients_minority")
    )
    assert added_random_effects(intercept, intercept) == 0
    assert added_random_effects(intercept, slope) == 1
    assert added_random_effects(intercept, both) == 2


# --------------------------------------------------------------------------------------------- Monte Carlo error


def test_the_monte_carlo_error_is_the_spread_of_the_p_value_over_reference_distributions() -> None:
    rng = np.random.default_rng(3)
    repeats, n = 400, 500
    tables = [
        bootstrap_tests(6.0, 2, [1.3 * rng.chisquare(2, n)]).set_index("test")[["p_value", "monte_carlo_error"]]
        for _ in range(repeats)
    ]
    p_values = pd.DataFrame([table["p_value"] for table in tables])
    errors = pd.DataFrame([table["monte_carlo_error"] for table in tables])
    for test in ("PBtest", "Gamma", "Bartlett", "F"):
        # A standard deviation of 400 values is known to 1 / sqrt(800) = 3.5 %; the bound is four of those.
        assert errors[test].mean() == pytest.approx(p_values[test].std(), rel=0.14), test
    assert errors["LRT"].isna().all()


@pytest.mark.needs_r
def test_pbkrtest_still_gives_the_same(rscript, tmp_path) -> None:
    made = tmp_path / "summary.json"
    subprocess.run([rscript, FOLDER / "pbkrtest_summary.R", made], check=True)
    again = json.loads(made.read_text(encoding="utf-8"))
    if again["software"]["pbkrtest"] != PBKRTEST["software"]["pbkrtest"]:
        pytest.skip(f"the values are of pbkrtest {PBKRTEST['software']['pbkrtest']}")
    for name, case in again["cases"].items():
        kept = pd.DataFrame(CASES[name]["tests"])
        # The same numbers from the same file; 1e-10 for other releases of R.
        pd.testing.assert_frame_equal(pd.DataFrame(case["tests"]), kept, rtol=1e-10)
