"""What changes of the data do to the estimates, by theory: rows shuffled, groups renamed, other units and origins."""

from dataclasses import dataclass, replace
from random import Random

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from twolevel.fitting.effects import group_effects
from twolevel.fitting.fit import Fit, fit_model
from twolevel.likelihood.crossproducts import cross_products
from twolevel.model.design import Floats
from twolevel.model.formula import build_design

FORMULA = "y ~ x + arm + (x | g)"
P = 4  # fixed effects: (Intercept), x, armb, armc

# The same data sets and changes in every run. A search ends where the gradient is below 1e-3 (FLAT), the criterion is
# quadratic about its optimum, and so is known better than estimates are: within 1e-6.
QUICKLY = settings(derandomize=True, max_examples=25, deadline=None, database=None)
CRITERION, ESTIMATE, SPREAD = 1e-6, 1e-5, 1e-4

seeds = st.integers(0, 10**6)
factors = st.floats(1e-3, 1e3)
signs = st.sampled_from([-1.0, 1.0])
shifts = st.floats(-1e3, 1e3)


def table_of(seed: int) -> pd.DataFrame:
    """Some 60 rows in 6 to 12 groups of unlike sizes, with a slope that differs and a factor."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(3, 10, rng.integers(6, 13))
    g = np.repeat(np.arange(len(sizes)), sizes)
    x, u = rng.normal(2, 1, len(g)), rng.normal(0, 1, (len(sizes), 2))
    arm = np.tile(["a", "b", "c"], len(g))[: len(g)]
    y = 3 + x + (arm == "b") + u[g, 0] + 0.8 * u[g, 1] * x + rng.normal(0, 1, len(g))
    levels = pd.Categorical(arm, categories=["a", "b", "c"])
    return pd.DataFrame({"y": y, "x": x, "arm": levels, "g": [f"g{k}" for k in g]})


@dataclass(frozen=True)
class Estimates:
    """A fit, and the groups' effects by their names."""

    fit: Fit
    effects: dict[str, Floats]


def estimates(table: pd.DataFrame, reml: bool = True) -> Estimates:
    design = build_design(FORMULA, table)
    data = cross_products(design)
    fit = fit_model(design, data, reml=reml, random_starts=0, seed=1)
    effects = group_effects(design, data, fit.lower, fit.at).effect
    return Estimates(fit, dict(zip(design.group_labels, effects, strict=True)))


def same(
    one: Estimates, other: Estimates, fixed: Floats, random: Floats, unit: float = 1.0, criterion: float = 0.0
) -> None:
    """The other fit is the first, with its fixed effects and random effects taken through these matrices.

    Parameters
    ----------
    fixed, random : (p, p) and (q, q)
    unit : that sigma is multiplied by
    criterion : what is added to the criterion
    """
    a, b = one.fit, other.fit
    assert abs(b.criterion - a.criterion - criterion) < CRITERION
    assert a.singular == b.singular
    covariance = fixed @ a.beta_covariance @ fixed.T
    errors = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(b.beta / errors, fixed @ a.beta / errors, rtol=0, atol=ESTIMATE)
    np.testing.assert_allclose(b.beta_covariance / np.outer(errors, errors), covariance / np.outer(errors, errors),
                               rtol=0, atol=SPREAD)  # fmt: skip
    assert abs(b.sigma / (unit * a.sigma) - 1) < ESTIMATE
    expected = random @ a.covariance @ random.T
    sizes = np.sqrt(np.diag(expected)) + b.sigma * np.abs(np.diag(random)) / unit
    np.testing.assert_allclose(b.covariance / np.outer(sizes, sizes), expected / np.outer(sizes, sizes), atol=SPREAD)


IDENTITY = np.eye(P), np.eye(2)


@QUICKLY
@given(seeds, seeds)
def test_the_order_of_rows_says_nothing(seed: int, order: int) -> None:
    table = table_of(seed)
    one, other = estimates(table), estimates(table.sample(frac=1, random_state=order))
    same(one, other, *IDENTITY)
    for name, effect in one.effects.items():
        np.testing.assert_allclose(other.effects[name], effect, atol=SPREAD * one.fit.sigma)


@QUICKLY
@given(seeds, st.randoms(use_true_random=False))
def test_the_names_of_groups_say_nothing(seed: int, random: Random) -> None:
    table = table_of(seed)
    names = sorted(set(table["g"]))
    renamed = dict(zip(names, random.sample([f"школа {k}" for k in range(20)], len(names)), strict=True))
    one, other = estimates(table), estimates(table.assign(g=table["g"].map(renamed)))
    same(one, other, *IDENTITY)
    for name, effect in one.effects.items():
        np.testing.assert_allclose(other.effects[renamed[name]], effect, atol=SPREAD * one.fit.sigma)


@QUICKLY
@given(seeds, factors, signs, shifts)
def test_units_and_origin_of_the_response(seed: int, size: float, sign: float, shift: float) -> None:
    table, unit = table_of(seed), sign * size
    one = estimates(table)
    other = estimates(table.assign(y=shift + unit * table["y"]))
    shifted = np.array([shift, 0, 0, 0])
    unshifted = Estimates(replace(other.fit, beta=other.fit.beta - shifted), other.effects)
    added = (len(table) - P) * np.log(size**2)
    same(one, unshifted, unit * np.eye(P), unit * np.eye(2), size, added)


@QUICKLY
@given(seeds, factors, signs, shifts)
def test_units_and_origin_of_a_predictor(seed: int, size: float, sign: float, shift: float) -> None:
    table, unit = table_of(seed), sign * size
    one = estimates(table)
    # x = (x' - shift) / unit, so that the intercept is the old line's height at x = -shift / unit.
    other = estimates(table.assign(x=shift + unit * table["x"]))
    random = np.array([[1, -shift / unit], [0, 1 / unit]])
    fixed = np.eye(P)
    fixed[:2, :2] = random
    # By REML the criterion has log|X'V^-1 X|, and X has another basis; the random effects' part does not change.
    same(one, other, fixed, random, criterion=2 * np.log(size))


@QUICKLY
@given(seeds)
def test_an_empty_level_says_nothing(seed: int) -> None:
    table = table_of(seed)
    more = table.assign(arm=table["arm"].cat.set_categories(["a", "empty", "b", "c", "never"]))
    same(estimates(table), estimates(more), *IDENTITY)


@QUICKLY
@given(seeds)
def test_each_group_twice_is_the_same_estimate_with_half_the_variance(seed: int) -> None:
    table = table_of(seed)
    twice = pd.concat([table, table.assign(g="again " + table["g"])])
    one, other = estimates(table, reml=False).fit, estimates(twice, reml=False).fit
    # By ML the log-likelihood of the two halves is twice that of one, at any parameters.
    assert abs(other.criterion - 2 * one.criterion) < CRITERION
    errors = np.sqrt(np.diag(one.beta_covariance))
    np.testing.assert_allclose(other.beta / errors, one.beta / errors, rtol=0, atol=ESTIMATE)
    np.testing.assert_allclose(2 * other.beta_covariance / np.outer(errors, errors),
                               one.beta_covariance / np.outer(errors, errors), rtol=0, atol=SPREAD)  # fmt: skip
    assert abs(other.sigma / one.sigma - 1) < ESTIMATE
