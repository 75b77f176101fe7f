"""Cross-products drawn without a response, against responses written out row by row."""

from functools import cache

import numpy as np
import pytest
from scipy.stats import ks_2samp
from simulated import (
    SEED,
    columns,
    drawn_from,
    experiment,
    explicit_responses,
    simulated_data,
    unbalanced_table,
    with_response,
)
from twolevel.bootstrap.experiment import Experiment
from twolevel.bootstrap.replicates import Replicates, joined, replicate_fits
from twolevel.bootstrap.streams import stream_key
from twolevel.fitting.search import search, starts
from twolevel.likelihood.crossproducts import cross_products
from twolevel.likelihood.deviance import factor, pack, profile
from twolevel.likelihood.groupwise import out_of_blocks
from twolevel.model.design import Design
from twolevel.model.formula import build_design

# Models simulated from and models that see the same responses: of one to three random effects.
UNBALANCED = {
    "one effect": ("y ~ x * w + (1 | g)",),
    "two effects": ("y ~ x * w + (x | g)",),
    "no intercept": ("y ~ x + (0 + x | g)",),
    "three effects": ("y ~ x + t + (x + t | g)",),
    "another fixed effect": ("y ~ x + (1 | g)", "y ~ x + t + (1 | g)"),
    "another random effect": ("y ~ x + (1 | g)", "y ~ x + (x | g)"),
    "two more random effects": ("y ~ x + t + (1 | g)", "y ~ x + t + (x + t | g)"),
    "a random effect without its fixed effect": ("y ~ w + (1 | g)", "y ~ w + (t | g)"),
}


def truth(design: Design, reml: bool) -> tuple[np.ndarray, float, np.ndarray]:
    """The fit to the observed response: the factor in the coordinates of the cross-products, sigma, fixed effects."""
    data = cross_products(design)
    best = search(data, reml, starts(data, 4, seed=1)).best
    at = profile(best.theta, data, reml)
    return factor(best.theta, data.blocks), at.sigma, at.beta


@cache
def unbalanced(case: str, reml: bool) -> tuple[tuple[Design, ...], Experiment, np.ndarray]:
    table = unbalanced_table()
    designs = tuple(build_design(formula, table) for formula in UNBALANCED[case])
    fits = [truth(design, reml) for design in designs]
    of = experiment(designs, tuple(lower for lower, *_ in fits), fits[0][1], reml=reml, name=case)
    return designs, of, fits[0][2]


def check_against_explicit(designs: tuple[Design, ...], of: Experiment, beta: np.ndarray, replicates: range) -> None:
    """Each replicate is the fit to a response with its cross-products, found by another search from other starts.

    The criterion is known to some 1e-9 (sums of n terms), covariances relative to sigma^2 to the gradient at which a
    search ends, 1e-6, over a curvature of 1 or more.
    """
    key = stream_key(SEED, of.name)
    found = replicate_fits(of.simulator, of.targets, key, replicates)
    for i, y in enumerate(explicit_responses(designs, of, replicates)):
        for design, target, fits in zip(designs, of.targets, found, strict=True):
            shift = designs[0].x @ beta
            data = with_response(design, shift + y)
            run = search(data, target.reml, starts(data, 4, seed=replicates[i])).best
            at = profile(run.theta, data, target.reml)
            message = f"replicate {replicates[i]} of {design.formula}"
            assert fits.found[i], message
            assert fits.criterion[i] == pytest.approx(run.criterion, abs=1e-8), message
            ours, theirs = factor(fits.theta[i], data.blocks), factor(run.theta, data.blocks)
            np.testing.assert_allclose(ours @ ours.T, theirs @ theirs.T, rtol=0, atol=1e-6, err_msg=message)
            assert fits.sigma[i] == pytest.approx(at.sigma, rel=1e-7), message
            # The fixed effects of the model simulated from, in the alternative's coordinates.
            true = np.linalg.lstsq(design.x, shift, rcond=None)[0]
            ours_beta = true + np.linalg.solve(data.r, fits.delta[i])
            np.testing.assert_allclose(ours_beta, at.beta, rtol=0, atol=1e-6, err_msg=message)


@pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
@pytest.mark.parametrize("case", UNBALANCED)
def test_a_replicate_is_the_fit_to_a_response_with_its_cross_products(case: str, reml: bool) -> None:
    check_against_explicit(*unbalanced(case, reml), range(1, 26))


COMPARISONS = {
    "minority_effect": ("random_intercept", "random_intercept_minority", False),
    "cses_slope_variance": ("random_intercept", "random_coefficients", True),
    "random_slopes_with_minority": ("random_intercept_minority", "random_coefficients_minority", True),
    "intercepts_and_slopes": ("intercepts_and_slopes", "intercepts_and_slopes", True),  # two views of one model
}


@pytest.mark.parametrize("case", COMPARISONS)
def test_a_replicate_of_a_comparison_is_both_fits_to_one_response(case: str, models) -> None:
    *names, reml = COMPARISONS[case]
    designs = tuple(models[name].design for name in names)
    fits = [truth(design, reml) for design in designs]
    of = experiment(designs, tuple(lower for lower, *_ in fits), fits[0][1], reml=reml, name=case)
    check_against_explicit(designs, of, fits[0][2], range(1, 6))


@pytest.mark.parametrize("case", UNBALANCED)
def test_what_models_see_has_the_covariance_of_their_model(case: str) -> None:
    # Cov(W_j'y_j) = sigma^2 (W_j'W_j + W_j'Z_j S Z_j'W_j), W_j = [Z_j, X_j] of all models side by side: a product of
    # matrices, no simulation. The sums are of 25 terms at most; only rounding is allowed, 1e-12 of the largest entry.
    designs, of, _ = unbalanced(case, True)
    lower = truth(designs[0], True)[0]
    q, variance = len(lower), of.simulator.residual_variance
    w, views = columns(designs, of.targets), drawn_from(of.simulator, len(designs[0].group_labels))
    for j, view in enumerate(views):
        of_group = w[designs[0].group_index == j]
        z = of_group[:, :q] @ lower
        expected = variance * of_group.T @ (np.eye(len(z)) + z @ z.T) @ of_group
        np.testing.assert_allclose(view @ view.T, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("case", UNBALANCED)
def test_what_no_model_sees_has_the_remaining_degrees_of_freedom(case: str) -> None:
    # The rank of W_j by singular values; groups of one row, and those where x is constant, have less than full rank.
    designs, of, _ = unbalanced(case, True)
    w, index = columns(designs, of.targets), designs[0].group_index
    ranks = [np.linalg.matrix_rank(w[index == j], tol=1e-8) for j in range(len(designs[0].group_labels))]
    assert of.simulator.residual_df == len(w) - sum(ranks)
    roots = out_of_blocks(of.simulator.root, len(ranks))
    assert [np.linalg.matrix_rank(root) for root in roots] == ranks


def test_other_units_do_not_change_what_is_simulated() -> None:
    # Gram and Schmidt's coordinates depend neither on a column's scale nor on the multiples of earlier ones in it.
    table, formula = unbalanced_table(), "y ~ x + t + (x + t | g)"
    dollars = table.assign(x=50_000 + 20_000 * table["x"], t=2000 + 10 * table["t"])
    one, other = (build_design(formula, of) for of in (table, dollars))
    lower, sigma, _ = truth(one, True)
    root = experiment((one,), (lower,), sigma, reml=True).simulator.root
    again = experiment((other,), (truth(other, True)[0],), sigma, reml=True).simulator.root
    # Both optima are known to about 1e-7.
    np.testing.assert_allclose(again, root, rtol=0, atol=1e-6 * np.abs(root).max())


def directly(designs: tuple[Design, ...], of: Experiment, replicates: int) -> tuple[Replicates, ...]:
    """Each model fitted to responses simulated row by row: effects of groups, then residuals."""
    rng = np.random.default_rng(12)
    lower, design, data = truth(designs[0], of.targets[0].reml)[0], designs[0], of.targets[0].data
    basis, sigma = design.z @ np.linalg.inv(data.s), np.sqrt(of.simulator.residual_variance)
    rows: list[list[Replicates]] = [[] for _ in designs]
    for _ in range(replicates):
        u = rng.standard_normal((len(design.group_labels), len(lower))) @ lower.T
        y = sigma * ((basis * u[design.group_index]).sum(axis=1) + rng.standard_normal(len(basis)))
        for row, one, model in zip(rows, designs, of.targets, strict=True):
            with_y = with_response(one, y)
            run = search(with_y, model.reml, {"start": model.start}).best
            at = profile(run.theta, with_y, model.reml)
            values = (run.criterion, run.theta, with_y.r @ at.beta, at.sigma, run.evaluations, True)
            row.append(Replicates(*(np.array([value]) for value in values)))
    return tuple(map(joined, rows))


def estimates(fits: Replicates, q: int) -> dict[str, np.ndarray]:
    """By name; covariances relative to sigma^2, since the signs of a factor mean nothing."""
    lower = factor(fits.theta, (q,))
    covariances = pack(lower @ np.swapaxes(lower, 1, 2), (q,))
    named = {"criterion": fits.criterion, "sigma": fits.sigma}
    named |= {f"covariance {i + 1}": column for i, column in enumerate(covariances.T)}
    return named | {f"delta {i + 1}": column for i, column in enumerate(fits.delta.T)}


@pytest.mark.slow
@pytest.mark.parametrize("case", ["no intercept", "three effects", "another fixed effect", "two more random effects"])
def test_estimates_are_distributed_as_from_responses_simulated_row_by_row(case: str) -> None:
    # Kolmogorov and Smirnov's two-sample test of each estimate. The seeds are fixed, so the test is: about sixty p
    # values in all, of which the least is above 1e-4 in 99 of 100 runs where the two agree. With 1,000 on either side
    # it falls below where the distribution functions differ by 0.1 somewhere, as they do for a mean that is off
    # by a quarter of its standard deviation. The exact tests above see far smaller errors of all but the draws.
    designs, of, _ = unbalanced(case, True)
    direct = directly(designs, of, 1000)
    found = replicate_fits(of.simulator, of.targets, stream_key(SEED, of.name), range(1, 1001))
    for fits, others, model in zip(found, direct, of.targets, strict=True):
        assert fits.found.all()
        ours, theirs = (estimates(of_one, len(model.data.s)) for of_one in (fits, others))
        for name in ours:
            assert ks_2samp(ours[name], theirs[name]).pvalue > 1e-4, name
    if len(designs) == 2:
        statistics = [(null.criterion - alternative.criterion).round(6) for null, alternative in (found, direct)]
        assert ks_2samp(*statistics).pvalue > 1e-4


@pytest.mark.slow
def test_draws_have_the_moments_of_the_model() -> None:
    # Sample covariances of [Z'y, X'y] of one group, and mean and variance of y'y, against their exact values.
    designs, of, _ = unbalanced("two more random effects", True)
    count, j = 20_000, 20
    drawn = list(simulated_data(of, range(1, count + 1)))
    views = drawn_from(of.simulator, len(designs[0].group_labels))[j]
    q = len(of.targets[0].data.s)
    seen = np.array([[*one.zty[j], *two.zty[j]] for one, two in drawn])
    rows = [*range(q), *range(q + 3, q + 6)]  # Z of the first model; after its X, Z of the second
    covariance = (views @ views.T)[np.ix_(rows, rows)]
    # Var of a sample covariance of normals: (c_ab^2 + c_aa c_bb) / count.
    error = np.sqrt((covariance**2 + np.outer(np.diag(covariance), np.diag(covariance))) / count)
    assert (np.abs(seen.T @ seen / count - covariance) < 4.5 * error).all()
    # Var(y'y) = 2 tr(V^2); both models see one y.
    yty = np.array([[one.yty, two.yty] for one, two in drawn])
    np.testing.assert_array_equal(yty[:, 0], yty[:, 1])
    root = out_of_blocks(of.simulator.root, len(designs[0].group_labels))
    variances = root @ np.swapaxes(root, 1, 2)
    residual, df = of.simulator.residual_variance, of.simulator.residual_df
    mean = np.trace(variances, axis1=1, axis2=2).sum() + residual * df
    variance = 2 * ((variances**2).sum() + residual**2 * df)
    assert yty[:, 0].mean() == pytest.approx(mean, abs=4.5 * np.sqrt(variance / count))
    # The error of a variance, relative: sqrt((kurtosis - 1) / count), and a sum of 200 squares has a kurtosis near 3.1.
    assert yty[:, 0].var() == pytest.approx(variance, rel=4.5 * np.sqrt(2.2 / count))
