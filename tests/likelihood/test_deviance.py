"""The profiled criterion, against the density written out in full and against finite differences."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal
from twolevel.likelihood.crossproducts import cross_products
from twolevel.likelihood.deviance import criterion_at, factor, pack, profile
from twolevel.model.design import Design
from twolevel.model.formula import build_design


@pytest.fixture
def design() -> Design:
    """Seven unequal groups in mixed order, three random effects, one group without variation in x."""
    rng = np.random.default_rng(7)
    group = rng.permutation(np.repeat(list("abcdefg"), [1, 2, 5, 9, 12, 4, 7]))
    x, t = rng.normal(size=40), rng.normal(size=40)
    table = pd.DataFrame({"g": group, "x": np.where(group == "d", 1.0, x), "t": t})
    table["w"] = table["g"].map(dict(zip("abcdefg", rng.normal(size=7), strict=True)))
    table["y"] = 5 + table["x"] * rng.normal(size=40) + table["w"] + rng.normal(size=40)
    return build_design("y ~ x*w + t + (x + t | g)", table)


def unscaled(theta: np.ndarray, design: Design) -> np.ndarray:
    """The relative covariance factor in the data's own units."""
    return cross_products(design).own_units(factor(theta, (3,)))


def marginal_covariance(lower: np.ndarray, sigma: float, design: Design) -> np.ndarray:
    same_group = design.group_index[:, None] == design.group_index
    between = (design.z @ lower) @ (design.z @ lower).T * same_group
    return sigma**2 * (between + np.eye(len(design.y)))


THETAS = [
    np.array([0.9, 0.2, -0.4, 0.7, 0.3, 0.5]),
    np.array([0.4, -0.1, 0.3, -0.6, 0.2, 0.8]),
    np.array([0.5, 0.1, 0.2, 0.0, 0.3, 0.0]),  # on the boundary
    np.zeros(6),
]


@pytest.mark.parametrize("theta", THETAS)
def test_ml_criterion_is_the_normal_density(theta: np.ndarray, design: Design) -> None:
    at = profile(theta, cross_products(design), reml=False)
    covariance = marginal_covariance(unscaled(theta, design), at.sigma, design)
    density = multivariate_normal(design.x @ at.beta, covariance).logpdf(design.y)
    assert at.criterion == pytest.approx(-2 * density, abs=1e-9)  # sums of 40 terms of order 1: rounding


@pytest.mark.parametrize("theta", THETAS)
def test_reml_criterion_is_the_density_of_error_contrasts(theta: np.ndarray, design: Design) -> None:
    # -2 log of the density of K'y, K an orthonormal basis of the space orthogonal to X, differs from lme4's REML
    # criterion by log|X'X|, which does not depend on theta (Harville 1974).
    at = profile(theta, cross_products(design), reml=True)
    covariance = marginal_covariance(unscaled(theta, design), at.sigma, design)
    contrasts = np.linalg.svd(design.x.T)[2][design.x.shape[1] :]
    density = multivariate_normal(np.zeros(len(contrasts)), contrasts @ covariance @ contrasts.T)
    expected = -2 * density.logpdf(contrasts @ design.y) + np.linalg.slogdet(design.x.T @ design.x)[1]
    assert at.criterion == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("theta", THETAS)
def test_beta_and_its_covariance_are_generalised_least_squares(theta: np.ndarray, reml: bool, design: Design) -> None:
    at = profile(theta, cross_products(design), reml)
    precision = np.linalg.inv(marginal_covariance(unscaled(theta, design), at.sigma, design))
    information = design.x.T @ precision @ design.x
    np.testing.assert_allclose(at.beta, np.linalg.solve(information, design.x.T @ precision @ design.y), rtol=1e-9)
    np.testing.assert_allclose(at.beta_covariance, np.linalg.inv(information), rtol=1e-9, atol=1e-12)
    residual = design.y - design.x @ at.beta
    free = len(design.y) - (design.x.shape[1] if reml else 0)
    assert residual @ precision @ residual == pytest.approx(free, rel=1e-10)


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("theta", THETAS)
def test_gradient_agrees_with_finite_differences(theta: np.ndarray, reml: bool, design: Design) -> None:
    data, h = cross_products(design), 1e-5
    difference = [
        (profile(theta + step, data, reml).criterion - profile(theta - step, data, reml).criterion) / (2 * h)
        for step in h * np.eye(len(theta))
    ]
    # Central differences: error h^2 times a third derivative of order 10, and rounding 1e-12 / h.
    np.testing.assert_allclose(profile(theta, data, reml).gradient, difference, atol=1e-6)


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("theta", THETAS)
def test_hessian_agrees_with_finite_differences(theta: np.ndarray, reml: bool, design: Design) -> None:
    data, h = cross_products(design), 1e-5
    difference = [
        (profile(theta + step, data, reml).gradient - profile(theta - step, data, reml).gradient) / (2 * h)
        for step in h * np.eye(len(theta))
    ]
    hessian = profile(theta, data, reml).hessian
    # As for the gradient, with derivatives of order 100.
    np.testing.assert_allclose(hessian, difference, atol=1e-5)
    np.testing.assert_allclose(hessian, hessian.T, atol=1e-10)


@pytest.mark.parametrize("theta", THETAS)
def test_deviance_at_a_given_residual_sd_is_the_normal_density(theta: np.ndarray, design: Design) -> None:
    data, sigma, h = cross_products(design), 1.7, 1e-5

    def at_sigma(theta: np.ndarray, sigma: float) -> tuple[float, np.ndarray]:
        lower = factor(theta, (3,))
        return criterion_at(lower, data.stacked, data.xty, data.yty, data.n_obs, False, sigma**2)[:2]

    deviance, gradient = at_sigma(theta, sigma)
    at = profile(theta, data, reml=False)  # beta does not depend on sigma
    density = multivariate_normal(design.x @ at.beta, marginal_covariance(unscaled(theta, design), sigma, design))
    assert deviance == pytest.approx(-2 * density.logpdf(design.y), abs=1e-9)
    differences = [
        (at_sigma(theta + step, sigma)[0] - at_sigma(theta - step, sigma)[0]) / (2 * h) for step in h * np.eye(6)
    ]
    np.testing.assert_allclose(gradient, differences, atol=1e-6)
    # At its estimate the residual SD adds nothing, and the deviance is the profiled one.
    assert at_sigma(theta, at.sigma)[0] == pytest.approx(at.criterion, abs=1e-10)


def test_more_groups_than_one_block_holds() -> None:
    # 600 groups are three blocks of 200, 601 are three of 201 with two empty places; the dense density knows no blocks.
    rng = np.random.default_rng(8)
    for n_groups in (600, 601):
        group = np.repeat(np.arange(n_groups), 3)
        table = pd.DataFrame({"g": group, "x": rng.normal(size=len(group)), "y": rng.normal(size=len(group))})
        few = build_design("y ~ x + (x | g)", table)
        assert len(cross_products(few).stacked) == 3
        theta = np.array([0.5, 0.2, 0.3])
        at = profile(theta, cross_products(few), reml=False)
        lower = cross_products(few).own_units(factor(theta, (2,)))
        density = 0.0
        for g in range(n_groups):
            rows = few.group_index == g
            v = at.sigma**2 * (few.z[rows] @ lower @ lower.T @ few.z[rows].T + np.eye(3))
            density += multivariate_normal(few.x[rows] @ at.beta, v).logpdf(few.y[rows])
        assert at.criterion == pytest.approx(-2 * density, abs=1e-8)


def test_sign_of_a_column_does_not_matter(design: Design) -> None:
    data, lower = cross_products(design), factor(THETAS[0], (3,))
    flipped = pack(lower * [1, -1, -1], (3,))
    assert profile(flipped, data, True).criterion == pytest.approx(profile(THETAS[0], data, True).criterion, abs=1e-11)


def test_units_and_origin_cost_no_digits(design: Design) -> None:
    # A predictor in cents and a response far from zero: the same model, so the same fit.
    theta = THETAS[0]
    scale = np.array([1.0, 1e7, 1.0, 1.0, 1e7])  # (Intercept), x, w, t, x:w
    moved = replace(design, y=design.y + 1e8, x=design.x * scale, z=design.z * [1.0, 1e7, 1.0])
    before, after = (profile(theta, cross_products(d), reml=False) for d in (design, moved))
    # A response near 1e8 has itself been rounded to 1e-8.
    assert after.criterion == pytest.approx(before.criterion, abs=1e-6)
    np.testing.assert_allclose((after.beta - [1e8, 0, 0, 0, 0]) * scale, before.beta, rtol=1e-5)


def test_a_variance_of_zero_is_written_as_zero(design: Design) -> None:
    # A search ends near zero: what is left there is rounding, and a correlation beside it would be too.
    data = cross_products(design)
    lower = data.own_units(np.diag([0.5, 0.3, 1e-9]))
    assert (lower[2] == 0).all()
    assert (np.linalg.norm(lower[:2], axis=1) > 0.01).all()
    assert (np.linalg.norm(data.own_units(np.diag([0.5, 0.3, 1e-3])), axis=1) > 0).all()


def test_factor_is_stacked_by_columns() -> None:
    lower = factor(np.arange(1.0, 7.0), (3,))
    np.testing.assert_array_equal(lower, [[1, 0, 0], [2, 4, 0], [3, 5, 6]])
    np.testing.assert_array_equal(pack(lower, (3,)), np.arange(1.0, 7.0))
