"""Replicates as tables: in the units of the data, complete, and equivariant."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from simulated import SEED, experiment, explicit_responses, unbalanced_table, with_response
from twolevel.bootstrap.parts import run_part
from twolevel.bootstrap.replicate_tables import check_statistics, reference_table, replicate_table, simulated_values
from twolevel.bootstrap.replicates import Replicates
from twolevel.errors import UserError
from twolevel.fitting.search import search, starts
from twolevel.inference.intervals import bootstrap_intervals
from twolevel.likelihood.crossproducts import cross_products
from twolevel.likelihood.deviance import factor, profile
from twolevel.model.formula import build_design
from twolevel.model.parameters import parameter_values, parameters

FORMULA = "y ~ x + t + (x | g)"


def bootstrapped(
    table: pd.DataFrame, formula: str = FORMULA, replicates: int = 99
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Replicate table and intervals of a model, as the pipeline makes them."""
    design = build_design(formula, table)
    data = cross_products(design)
    at = profile(search(data, True, starts(data, 4, 1)).best.theta, data, True)
    lower = factor(search(data, True, starts(data, 4, 1)).best.theta, data.blocks)
    of = experiment((design,), (lower,), at.sigma, reml=True)
    listed = parameters(design.random_terms, design.fixed_terms, design.blocks)
    (fits,) = run_part(of, SEED, range(1, 100)).fits
    replicated = replicate_table(fits, data, at.beta, listed)
    estimates = parameter_values(data.own_units(lower), at.sigma, at.beta, data.blocks)
    return replicated, bootstrap_intervals(listed, estimates, simulated_values(replicated, listed), 0.95)


def test_rows_are_fits_to_responses_in_the_units_of_the_data() -> None:
    # Each row against the fit to a response written out, fixed part included.
    design = build_design(FORMULA, unbalanced_table().assign(x=lambda table: 300 + 20 * table["x"]))
    data = cross_products(design)
    lower, beta = np.array([[0.9, 0.0], [0.3, 0.4]]), np.array([100.0, 2.0, -3.0])
    of = experiment((design,), (lower,), 1.5, reml=True)
    (fits,) = run_part(of, SEED, range(1, 11)).fits
    listed = parameters(design.random_terms, design.fixed_terms, design.blocks)
    table = replicate_table(fits, data, beta, listed)
    assert list(table["replicate"]) == list(range(1, 11))
    for row, y in zip(table.to_dict("records"), explicit_responses((design,), of, range(1, 11)), strict=True):
        with_y = with_response(design, design.x @ beta + y)
        best = search(with_y, True, starts(with_y, 3, 1)).best
        at, own = profile(best.theta, with_y, True), with_y.own_units(factor(best.theta, (2,)))
        assert row["criterion"] == pytest.approx(best.criterion, abs=1e-8)
        assert [row[f"theta_{i}"] for i in (1, 2, 3)] == pytest.approx(own[[0, 1, 1], [0, 0, 1]], rel=1e-5, abs=1e-6)
        # SDs are (L L')'s diagonal, the correlation its off-diagonal element, in the response's units.
        covariance = at.sigma**2 * own @ own.T
        sds = np.sqrt(np.diag(covariance))
        expected = [sds[0], covariance[0, 1] / sds.prod(), sds[1], at.sigma, *at.beta]
        found = [row[parameter.name] for parameter in listed]
        # An intercept 300 units from the data has 1e-5 of its own error where the optimum is known to 1e-7.
        assert found == pytest.approx(expected, rel=1e-5)
        assert row["optimum_found"]


CHANGES: dict[str, Any] = {
    # The change, and what it makes of SD of the intercept, SD of x, residual SD, effect of x, effect of t.
    "dollars": ({"x": lambda table: 20_000 * table["x"]}, [1, 1 / 20_000, 1, 1 / 20_000, 1]),
    "a response near 1e8": ({"y": lambda table: 1e8 + table["y"]}, [1, 1, 1, 1, 1]),
    "a response in other units": ({"y": lambda table: 1e8 + 1e3 * table["y"]}, [1e3] * 5),
    "a fixed effect in years": ({"t": lambda table: 2000 + 10 * table["t"]}, [1, 1, 1, 1, 0.1]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_other_units_give_the_same_intervals_in_those_units(change: str) -> None:
    # The same seed, so the same replicates: only the optima's own precision is allowed, 1e-6.
    columns, factors = CHANGES[change]
    table = unbalanced_table()
    _, before = bootstrapped(table)
    _, after = bootstrapped(table.assign(**{name: make(table) for name, make in columns.items()}))
    compared = dict(zip([".sig01", ".sig03", ".sigma", "x", "t"], factors, strict=True))
    for name, times in compared.items():
        one, other = (of[of["parameter"] == name][["lower", "upper", "bias"]] for of in (before, after))
        scale = times * one["upper"].abs().max()
        np.testing.assert_allclose(other, times * one, rtol=0, atol=1e-6 * abs(scale), err_msg=name)
    ours, theirs = (of[of["parameter"] == ".sig02"][["lower", "upper"]] for of in (before, after))
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=2e-6)


def test_a_random_effect_in_years_is_the_same_model() -> None:
    # Its intercept is another one, that of the year 0; slopes and residuals are not.
    table = unbalanced_table()
    _, before = bootstrapped(table)
    _, after = bootstrapped(table.assign(x=2000 + 10 * table["x"]))
    for name, times in {".sig03": 0.1, ".sigma": 1, "x": 0.1, "t": 1}.items():
        one, other = (of[of["parameter"] == name][["lower", "upper"]] for of in (before, after))
        np.testing.assert_allclose(other, times * one, rtol=2e-6, err_msg=name)


def test_a_nearly_collinear_predictor_is_bootstrapped() -> None:
    # 1e-6 of its variation is its own: what the data say of x's and t's sum does not change; t's own effect is
    # 1e6 times as uncertain as before.
    table = unbalanced_table()
    formula = "y ~ x + t + (1 | g)"
    before, _ = bootstrapped(table, formula)
    after, _ = bootstrapped(table.assign(t=table["x"] + 1e-6 * table["t"]), formula)
    assert after["optimum_found"].all()
    np.testing.assert_allclose(after[".sigma"], before[".sigma"], rtol=1e-6)
    np.testing.assert_allclose(1e-6 * after["t"], before["t"], rtol=0, atol=1e-5 * before["t"].abs().max())
    # The sum of two effects of a million each is known to 1e-16 of a million times the condition of the design.
    np.testing.assert_allclose(after["x"] + after["t"], before["x"], rtol=0, atol=1e-3)


def replicates(criterion: list[float], theta: list[list[float]], found: list[bool] | None = None) -> Replicates:
    n = len(criterion)
    return Replicates(
        criterion=np.array(criterion),
        theta=np.array(theta),
        delta=np.full((n, 2), 0.1),
        sigma=np.full(n, 2.0),
        evaluations=np.full(n, 6),
        found=np.array([True] * n if found is None else found),
    )


def test_a_replicate_without_an_optimum_is_counted_and_not_used() -> None:
    design = build_design("y ~ x + (1 | g)", unbalanced_table())
    data, listed = cross_products(design), parameters(design.random_terms, design.fixed_terms, design.blocks)
    table = replicate_table(replicates([10.0, 11.0], [[0.5], [0.6]], [True, False]), data, np.zeros(2), listed)
    assert list(table["optimum_found"]) == [True, False]
    names = [parameter.name for parameter in listed]
    assert table.loc[0, names].notna().all()
    assert table.loc[1, names].isna().all()
    assert list(table["criterion"]) == [10.0, 11.0]


def test_a_singular_replicate_is_marked_and_its_correlation_missing() -> None:
    design = build_design("y ~ x + (x | g)", unbalanced_table())
    data, listed = cross_products(design), parameters(design.random_terms, design.fixed_terms, design.blocks)
    # The basis of Z is z s^-1: a slope of zero variance in its own units is one in the basis too.
    fits = replicates([1.0, 2.0, 3.0], [[0.5, 0.1, 0.3], [0.5, 0.2, 0.0], [0.0, 0.0, 0.0]])
    table = replicate_table(fits, data, np.zeros(2), listed)
    assert list(table["singular"]) == [False, True, True]
    assert abs(table.loc[1, ".sig02"]) == pytest.approx(1)
    assert np.isnan(table.loc[2, ".sig02"])
    assert table.loc[2, ".sig01"] == table.loc[2, ".sig03"] == 0


def test_statistics_are_falls_of_the_criterion_and_missing_where_a_search_failed() -> None:
    null = replicates([10.0, 10.0, 10.0, 10.0, 10.0], [[0.5]] * 5, [True, True, False, True, True])
    ends = [8.5, 10.0 + 1e-9, 8.0, 8.0, 10.5]
    alternative = replicates(ends, [[0.5, 0.0, 0.0]] * 5, [True, True, True, False, True])
    table = reference_table(null, alternative, ((1,), (2,)))
    # A rise within rounding is no fall; one beyond it is a search that missed, since the null model is within reach.
    assert list(table["statistic"].iloc[:2]) == [1.5, 0.0]
    assert table["statistic"].iloc[2:].isna().all()
    assert list(table["optimum_found"]) == [True, True, False, False, False]
    assert list(table["null_singular"]) == [False] * 5
    assert list(table["alternative_singular"]) == [True] * 5
    assert list(table["null_criterion"]) == [10.0] * 5
    assert list(table["alternative_criterion"]) == ends


def test_replicates_without_a_statistic_are_counted() -> None:
    assert check_statistics([np.array([1.0, np.nan]), np.array([0.0, np.nan, np.nan])], "c", "null") == 3
    with pytest.raises(
        UserError, match=r"^c: none of the 2 data sets simulated from null could be fitted by both models"
    ):
        check_statistics([np.array([np.nan]), np.array([np.nan])], "c", "null")
