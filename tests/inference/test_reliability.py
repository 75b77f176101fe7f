"""Reliability, the chi-square test of each variance component, plausible values: as the HLM program has them."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from twolevel.fitting.fit import fit_model
from twolevel.inference.reliability import variance_components
from twolevel.likelihood.crossproducts import cross_products
from twolevel.model.formula import build_design

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests/reference"
# Rscript tests/reference/variance_components.R: lm in each school, at lme4's estimates.
REFERENCE = json.loads((FOLDER / "variance_components.json").read_text(encoding="utf-8"))

# lme4's and our theta agree to about 1e-6; p values in the far tail magnify that by some hundred.
RTOL = 1e-6


def of(fitted) -> pd.DataFrame:
    return variance_components(fitted.design, fitted.data, fitted.reml)


@pytest.fixture(scope="module")
def small() -> pd.DataFrame:
    """Twelve groups of eight; x does not vary in the first two; w is a level-2 predictor."""
    rng = np.random.default_rng(7)
    group = np.repeat(np.arange(12), 8)
    x, w = rng.normal(size=96), rng.normal(size=12)[group]
    x[group < 2] = x.mean()
    u = rng.normal(size=(12, 2))[group]
    y = 3 + u[:, 0] + (1 + u[:, 1]) * x + rng.normal(size=96)
    return pd.DataFrame({"g": group.astype(str), "x": x, "w": w, "y": y})


def fitted_small(formula: str, table: pd.DataFrame) -> tuple:
    design = build_design(formula, table)
    data = cross_products(design)
    return design, data, fit_model(design, data, reml=True, random_starts=1, seed=1)


@pytest.mark.parametrize("name", REFERENCE)
def test_each_school_s_own_regression_in_r_gives_the_same(name, models) -> None:
    ours, theirs = of(models[name]), REFERENCE[name]
    np.testing.assert_array_equal(ours.usable_groups, theirs["usable_groups"][0])
    np.testing.assert_array_equal(ours.df, theirs["df"])
    np.testing.assert_allclose(ours.reliability, theirs["reliability"], rtol=RTOL)
    np.testing.assert_allclose(ours.chi_square, theirs["chi_square"], rtol=RTOL)
    np.testing.assert_allclose(ours.p_value, theirs["p_value"], rtol=1e3 * RTOL)


@pytest.mark.parametrize(
    ("name", "reliability", "chi_square", "df"),
    [
        # Computed before this module was written, by least squares in each school. HLM 6 prints a reliability of 0.901
        # for the first (stats.oarc.ucla.edu, annotated HLM output, unconditional model).
        ("one_way_anova", [0.90138], [1660.2318], 159),
        ("random_coefficients", [0.90756, 0.26367], [1771.0132, 213.4572], 159),
        ("intercepts_and_slopes", [0.73262, 0.05092], [605.0066, 162.2209], 157),
    ],
)
def test_the_values_known_beforehand(name, reliability, chi_square, df, models) -> None:
    ours = of(models[name])
    # As many decimals as they were given with.
    np.testing.assert_allclose(ours.reliability, reliability, atol=5.1e-6)
    np.testing.assert_allclose(ours.chi_square, chi_square, atol=5.1e-5)
    assert set(ours.df) == {df}


def test_plausible_values_are_those_of_the_variance(models) -> None:
    ours = of(models["random_coefficients"])
    # Raudenbush & Bryk 2002, p. 78: 12.64 +- 1.96 sqrt(8.68) = (6.87, 18.41), 2.19 +- 1.96 sqrt(0.68) = (0.57, 3.81),
    # from variances that they round; ours differ by 0.02 at most.
    np.testing.assert_allclose(ours.plausible_lower, [6.87, 0.57], atol=0.02)
    np.testing.assert_allclose(ours.plausible_upper, [18.41, 3.81], atol=0.02)


def test_predicted_coefficients_have_no_plausible_values(models) -> None:
    ours = of(models["intercepts_and_slopes"])
    assert ours[["mean", "plausible_lower", "plausible_upper"]].isna().all(axis=None)


def test_a_group_without_variation_is_not_usable(small) -> None:
    ours = variance_components(*fitted_small("y ~ x + w + (x | g)", small))
    assert ours.usable_groups.tolist() == [10, 10]
    # The intercept has a predictor, w, the slope has none: 10 - 2 and 10 - 1.
    assert ours.df.tolist() == [8, 9]
    assert np.isnan(ours["mean"][0])
    assert np.isfinite(ours["mean"][1])


def test_units_and_distance_from_zero_do_not_matter(small) -> None:
    # x in other units; a group is usable or not whatever they are. 1e-6: the two searches end 1e-8 apart in theta.
    one, other = (
        variance_components(*fitted_small("y ~ x + (x | g)", table))
        for table in (small, small.assign(x=1e5 * small["x"]))
    )
    assert one.usable_groups.tolist() == other.usable_groups.tolist() == [10, 10]
    np.testing.assert_allclose(one.chi_square, other.chi_square, rtol=1e-6)
    np.testing.assert_allclose(one.reliability, other.reliability, rtol=1e-6)
    # About its mean, the slope stays what it is; the intercept is another coefficient.
    years = variance_components(*fitted_small("y ~ x + (x | g)", small.assign(x=2000 + small["x"])))
    assert years.usable_groups.tolist() == [10, 10]
    np.testing.assert_allclose(one.chi_square[1], years.chi_square[1], rtol=1e-6)


def test_a_slope_that_varies_around_nothing_has_no_mean(small) -> None:
    ours = variance_components(*fitted_small("y ~ 1 + (x | g)", small))
    # No fixed effect predicts the slope, so none costs a degree of freedom.
    assert ours.df.tolist() == [9, 10]
    assert np.isnan(ours["mean"][1])


def test_without_usable_groups_nothing_is_claimed(small) -> None:
    # Random effect of a level-2 predictor: no group can estimate it alone.
    ours = variance_components(*fitted_small("y ~ x + w + (w | g)", small))
    assert ours.usable_groups.tolist() == [0, 0]
    assert ours.df.tolist() == [0, 0]
    assert ours[["reliability", "chi_square", "p_value"]].isna().all(axis=None)


@pytest.mark.slow
def test_under_the_null_hypothesis_the_statistic_is_chi_square() -> None:
    # No slope variance, gamma and sigma nearly known (80 groups of 30): H has mean df and variance 2 df. The bound is
    # four standard errors of the mean of 50.
    rng = np.random.default_rng(11)
    group = np.repeat(np.arange(80), 30)
    statistics = []
    for _ in range(50):
        x = rng.normal(size=len(group))
        y = rng.normal(size=80)[group] + x + rng.normal(size=len(group))
        table = pd.DataFrame({"g": group.astype(str), "x": x, "y": y})
        statistics.append(variance_components(*fitted_small("y ~ x + (x | g)", table)).chi_square[1])
    assert np.mean(statistics) == pytest.approx(79, abs=4 * np.sqrt(2 * 79 / 50))


def test_the_table_has_a_row_for_each_random_effect(models) -> None:
    fitted = models["random_coefficients_minority"]
    table = of(fitted)
    assert table["term"].tolist() == ["(Intercept)", "cses", "minorityYes"]
    assert table["usable_groups"].tolist() == [136] * 3
    np.testing.assert_allclose(table["sd"] ** 2, np.diag(fitted.reml.covariance), rtol=1e-14)


@pytest.mark.needs_r
def test_r_still_gives_the_same(rscript, tmp_path) -> None:
    made = tmp_path / "components.json"
    snapshot = ROOT / "data/hsb_snapshot.csv"
    subprocess.run([rscript, FOLDER / "variance_components.R", snapshot, made], check=True)
    again = json.loads(made.read_text(encoding="utf-8"))
    assert again.keys() == REFERENCE.keys()
    for name, kept in REFERENCE.items():
        for key in ("usable_groups", "reliability", "chi_square", "df", "p_value"):
            # The same arithmetic on the same files; p values of 1e-248 magnify rounding by some hundred.
            np.testing.assert_allclose(again[name][key], kept[key], rtol=1e-9)
        assert again[name]["shares"] == pytest.approx(kept["shares"], rel=1e-9)
