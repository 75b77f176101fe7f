"""Independent blocks of random effects in the likelihood: against the density, finite differences and other models."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from fitted import confirmed
from independent import in_blocks, side_by_side
from scipy.stats import multivariate_normal
from twolevel.errors import UserError
from twolevel.fitting.identified import independent_directions, overlapping_blocks
from twolevel.fitting.search import FLAT, is_singular, search, starts
from twolevel.inference.fixed_tests import kenward_roger, satterthwaite, t_tests
from twolevel.likelihood.crossproducts import cross_products
from twolevel.likelihood.deviance import evaluate, factor, from_lme4, n_theta, pack, profile
from twolevel.likelihood.newton import minimise
from twolevel.model.blocks import Blocks, covariance_directions, free_elements, places, slices
from twolevel.model.design import Design
from twolevel.model.estimable import check_blocks
from twolevel.model.formula import build_design

# Twelve unequal groups in mixed order, one without variation in x.
SIZES = [1, 2, 5, 9, 12, 4, 7, 6, 8, 3, 10, 5]
ALL: dict[int, tuple[Blocks, ...]] = {2: ((1, 1),), 3: ((2, 1), (1, 2), (1, 1, 1))}
EACH = [blocks for of in ALL.values() for blocks in of]


@cache
def table() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    group = rng.permutation(np.repeat(np.arange(len(SIZES)), SIZES))
    x, t = rng.normal(size=len(group)), rng.normal(2.0, 1.0, size=len(group))
    x[group == 3] = 1.0
    effects = rng.normal(size=(len(SIZES), 3)) * [1.5, 0.9, 0.7]
    y = 5 + x + effects[group, 0] + effects[group, 1] * x + effects[group, 2] * t + rng.normal(size=len(group))
    return pd.DataFrame({"g": group.astype(str), "x": x, "t": t, "w": rng.normal(size=12)[group], "y": y})


def design_of(blocks: Blocks) -> Design:
    whole = build_design("y ~ x * w + t + (x | g)" if sum(blocks) == 2 else "y ~ x * w + t + (x + t | g)", table())
    return in_blocks(whole, blocks)


def test_theta_is_lme4s() -> None:
    # names(getME(lmer(y ~ (x + z | g) + (0 + t | g)), "theta")), by row and column in the whole factor: g.(Intercept),
    # g.x.(Intercept), g.z.(Intercept), g.x, g.z.x, g.z, g.1.t.
    rows, columns = places((3, 1))
    assert list(zip(rows.tolist(), columns.tolist(), strict=True)) == [
        (0, 0), (1, 0), (2, 0), (1, 1), (2, 1), (2, 2), (3, 3)
    ]  # fmt: skip
    assert n_theta((3, 1)) == len(rows)
    lower = factor(np.arange(1.0, 8.0), (3, 1))
    np.testing.assert_array_equal(lower[3], [0, 0, 0, 7])
    np.testing.assert_array_equal(pack(lower, (3, 1)), np.arange(1.0, 8.0))
    # In the whole lower triangle, column by column: elements 41, 42, 43 are not there.
    np.testing.assert_array_equal(free_elements((3, 1)), [0, 1, 2, 4, 5, 7, 9])
    assert slices((3, 1)) == (slice(0, 3), slice(3, 4))
    assert len(covariance_directions((3, 1))) == 7


@pytest.mark.parametrize("blocks", EACH)
def test_a_basis_is_orthonormal_in_each_block_and_mixes_none(blocks: Blocks) -> None:
    design = design_of(blocks)
    data = cross_products(design)
    total = data.ztz.sum(axis=0)
    for block in slices(blocks):
        # Sums of 72 terms of order 1: rounding.
        np.testing.assert_allclose(total[block, block], 72 * np.eye(block.stop - block.start), atol=1e-11)
    outside = np.ones((sum(blocks),) * 2, dtype=bool)
    for block in slices(blocks):
        outside[block, block] = False
    assert (data.s[outside] == 0).all()
    theta = np.random.default_rng(1).normal(size=n_theta(blocks))
    own = data.own_units(factor(theta, blocks))
    assert (own[outside] == 0).all()
    back = from_lme4(pack(own, blocks), data)
    np.testing.assert_allclose(back @ back.T, factor(theta, blocks) @ factor(theta, blocks).T, atol=1e-12)


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("blocks", EACH)
def test_the_criterion_is_the_normal_density(blocks: Blocks, reml: bool) -> None:
    design = design_of(blocks)
    data = cross_products(design)
    theta = np.random.default_rng(2).normal(size=n_theta(blocks))
    at, own = profile(theta, data, reml), data.own_units(factor(theta, blocks))
    spread = design.z @ own
    same = design.group_index[:, None] == design.group_index
    v = at.sigma**2 * (spread @ spread.T * same + np.eye(len(design.y)))
    # REML is the density of orthonormal error contrasts and log|X'X|, ML that of y (tests/likelihood/test_deviance.py).
    contrasts = np.linalg.svd(design.x.T)[2][design.x.shape[1] :] if reml else np.eye(len(design.y))
    mean = np.zeros(len(contrasts)) if reml else design.x @ at.beta
    expected = -2 * multivariate_normal(mean, contrasts @ v @ contrasts.T).logpdf(contrasts @ design.y)
    expected += np.linalg.slogdet(design.x.T @ design.x)[1] if reml else 0.0
    assert at.criterion == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("blocks", EACH)
def test_gradient_and_hessian_are_finite_differences(blocks: Blocks, reml: bool) -> None:
    data, h = cross_products(design_of(blocks)), 1e-5
    for seed in range(3):
        theta = np.random.default_rng(seed).normal(size=n_theta(blocks))
        at = profile(theta, data, reml)
        steps = h * np.eye(len(theta))
        sides = [(evaluate(theta + step, data, reml), evaluate(theta - step, data, reml)) for step in steps]
        gradient = [(up[0] - down[0]) / (2 * h) for up, down in sides]
        hessian = [(up[1] - down[1]) / (2 * h) for up, down in sides]
        # Differences of a criterion near 300, known to 1e-13 of it, over 2e-5; and third derivatives of some 100.
        np.testing.assert_allclose(at.gradient, gradient, atol=1e-5)
        np.testing.assert_allclose(at.hessian, hessian, atol=1e-5)
        assert at.hessian.shape == (n_theta(blocks),) * 2


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("blocks", EACH)
def test_the_compiled_search_ends_where_all_searches_end(blocks: Blocks, reml: bool) -> None:
    data = cross_products(design_of(blocks))
    found = search(data, reml, starts(data, 8, seed=3))
    assert len(found.optima) == 1
    end = minimise(found.best.theta + 0.1, data.free, data.stacked, data.xty, data.yty, data.n_obs, reml)
    assert end[1] + data.basis_constant(reml) == pytest.approx(found.best.criterion, abs=1e-9)
    assert end[2].shape == (n_theta(blocks),)
    assert (np.diagonal(factor(found.best.theta, blocks)) >= 0).all()


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("blocks", EACH)
def test_the_optimum_is_above_that_of_one_block_and_below_that_of_the_diagonal(blocks: Blocks, reml: bool) -> None:
    q = sum(blocks)
    criteria = {}
    for of in ((q,), blocks, (1,) * q):
        data = cross_products(design_of(of))
        criteria[of] = search(data, reml, starts(data, 4, seed=1)).best.criterion
    assert criteria[(q,)] < criteria[blocks] <= criteria[(1,) * q] + 1e-9


def test_variances_of_zero_are_found_from_every_start() -> None:
    """Slopes that do not vary: the search ends on the boundary, block by block, whatever it starts from."""
    rng = np.random.default_rng(5)
    flat = table().assign(y=lambda of: of["x"] + rng.normal(size=12)[of["g"].astype(int)] + rng.normal(size=len(of)))
    ends = 0
    for seed in range(40):
        noise = np.random.default_rng(seed).normal(size=len(flat))
        design = in_blocks(build_design("y ~ x + (x + t | g)", flat.assign(y=flat["y"] + noise)), (1, 2))
        data = cross_products(design)
        found = search(data, True, starts(data, 6, seed))
        assert len(found.optima) == 1, seed
        assert found.best.gradient_norm <= FLAT
        ends += bool(is_singular(found.best.theta, (1, 2)))
    assert ends > 10  # the boundary is where many of these end


@pytest.mark.parametrize("blocks", EACH)
def test_mixedlm_ends_at_the_same_optimum_with_the_same_zeros(blocks: Blocks) -> None:
    design = design_of(blocks)
    data = cross_products(design)
    for reml in (True, False):
        fit = confirmed(design, data, reml=reml, random_starts=4, seed=1)
        assert fit.trustworthy, fit.doubts
        assert fit.record.criterion == pytest.approx(fit.at.criterion, abs=1e-8)
        block = np.repeat(np.arange(len(blocks)), blocks)
        assert (fit.record.covariance[block[:, None] != block] == 0).all()
        assert (fit.covariance[block[:, None] != block] == 0).all()
        assert fit.npar == design.x.shape[1] + n_theta(blocks) + 1


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_units_of_a_predictor_do_not_matter(scale: float) -> None:
    fits = []
    for of in (table(), table().assign(x=scale * table()["x"])):
        design = in_blocks(build_design("y ~ x + t + (x + t | g)", of), (1, 2))
        fits.append(confirmed(design, cross_products(design), reml=False, random_starts=4, seed=1))
    one, other = fits
    assert one.trustworthy
    assert other.trustworthy
    assert other.criterion == pytest.approx(one.criterion, abs=1e-7)
    by = np.array([1.0, 1.0 / scale, 1.0])
    np.testing.assert_allclose(other.covariance, one.covariance * np.outer(by, by), rtol=1e-4)


def test_blocks_of_columns_in_another_order_are_the_same_model() -> None:
    """(x | g) + (0 + t | g) is (0 + t | g) + (x | g)."""
    pair, alone = (build_design(f"y ~ x * w + t + ({term} | g)", table()) for term in ("x", "0 + t"))
    fits = [
        confirmed(design, cross_products(design), reml=True, random_starts=4, seed=1)
        for design in (side_by_side(pair, alone), side_by_side(alone, pair))
    ]
    assert fits[0].criterion == pytest.approx(fits[1].criterion, abs=1e-8)
    moved = [1, 2, 0]
    np.testing.assert_allclose(fits[0].covariance, fits[1].covariance[np.ix_(moved, moved)], rtol=1e-4, atol=1e-6)


# -------------------------------------------------------------------------------------- what is not identified


def two_levels() -> pd.DataFrame:
    return table().assign(a=pd.Categorical(np.where(table()["t"] > 2, "high", "low"), ["low", "high"]))


def overlapping() -> Design:
    """(1 | g) + (0 + a | g), a factor with two levels: the indicators sum to the intercept's column."""
    return side_by_side(*(build_design(f"y ~ x + a + ({term} | g)", two_levels()) for term in ("1", "0 + a")))


def test_blocks_that_overlap_are_fitted_and_their_split_is_doubted() -> None:
    """The model is (a | g) in other words: three variances and covariances for four."""
    design = overlapping()
    check_blocks(design)
    data = cross_products(design)
    assert overlapping_blocks(data) == ((0, 1),)
    assert len(independent_directions(data)) == 3
    fit = confirmed(design, data, reml=True, random_starts=4, seed=1)
    with_factor = build_design("y ~ x + a + (a | g)", two_levels())
    same_data = cross_products(with_factor)
    same = confirmed(with_factor, same_data, reml=True, random_starts=4, seed=1)
    assert same.trustworthy
    assert fit.criterion == pytest.approx(same.criterion, abs=1e-6)
    assert fit.doubts == (
        f"the data do not tell apart all variances and covariances of {', '.join(design.random_terms)}, whose columns "
        "overlap: the fixed effects and their tests do not depend on how they are split, but each variance and "
        "correlation does",
    )
    np.testing.assert_allclose(fit.beta, same.beta, rtol=1e-4)
    # Tests of fixed effects do not depend on the coordinates of the variances. Two searches: 1e-4.
    ours, theirs = t_tests(kenward_roger(data, fit)), t_tests(kenward_roger(same_data, same))
    np.testing.assert_allclose(ours.df, theirs.df, rtol=1e-4)
    np.testing.assert_allclose(ours.std_error, theirs.std_error, rtol=1e-4)
    if not fit.singular:
        np.testing.assert_allclose(
            t_tests(satterthwaite(data, fit)).df, t_tests(satterthwaite(same_data, same)).df, rtol=1e-4
        )


@pytest.mark.parametrize("blocks", [*EACH, (2,), (3,)])
def test_blocks_that_can_be_told_apart_are_not_doubted(blocks: Blocks) -> None:
    data = cross_products(design_of(blocks))
    assert overlapping_blocks(data) == ()
    check_blocks(design_of(blocks))


def test_nearly_the_same_columns_can_be_told_apart() -> None:
    """Years from 2000 to 2010 differ from a constant by one in 700."""
    years = table().assign(year=2000 + np.arange(len(table())) % 11)
    design = side_by_side(*(build_design(f"y ~ x + ({term} | g)", years) for term in ("1", "0 + year")))
    check_blocks(design)
    assert overlapping_blocks(cross_products(design)) == ()


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        (("1", "x"), r"the random effect \(Intercept\) occurs in two independent terms"),
        (("0 + x", "0 + x2"), r"the random effect x, of which x2 is a multiple, occurs in two independent terms"),
        (("1", "1"), r"variance is in the model twice"),
    ],
)
def test_a_variance_that_is_in_the_model_twice_is_refused(terms: tuple[str, str], says: str) -> None:
    doubled = table().assign(x2=2 * table()["x"])
    design = side_by_side(*(build_design(f"y ~ x + ({term} | g)", doubled) for term in terms))
    with pytest.raises(UserError, match=says):
        check_blocks(design)


def test_a_redundant_random_effect_of_one_block_is_refused() -> None:
    parts = [build_design(f"y ~ x + ({term} | g)", table()) for term in ("1", "0 + x", "0 + t")]
    three = in_blocks(side_by_side(*parts, parts[1]), (1, 3))
    with pytest.raises(UserError, match=r"random effect x is a combination of the others in its term"):
        check_blocks(three)
