"""The search for the optimum: from anywhere, to the best one known, to the boundary where that is the optimum."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from reference.simulate import read_schools, simulated_response
from twolevel.fitting.fit import fit_model
from twolevel.fitting.search import FLAT, SINGULAR, Run, Search, descend, search, starts
from twolevel.likelihood.crossproducts import CrossProducts, cross_products
from twolevel.likelihood.deviance import factor, n_theta, profile
from twolevel.model.design import Design

MODELS = ["random_intercept", "random_coefficients", "random_coefficients_minority", "intercepts_and_slopes"]


@pytest.mark.slow
@pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
@pytest.mark.parametrize("name", MODELS)
def test_two_hundred_random_starts_reach_the_optimum(name, reml, models, lme4) -> None:
    data = models[name].data
    best = lme4["models"][name]["REML" if reml else "ML"]["criterion"]
    rng = np.random.default_rng(20)
    # Factors from a hundredth to ten times as large as the residual.
    spread = 10.0 ** rng.uniform(-2, 1, size=(200, 1))
    thetas = spread * rng.standard_normal((200, n_theta(data.blocks)))
    reached = [descend(data, reml, str(i), theta).criterion for i, theta in enumerate(thetas)]
    np.testing.assert_allclose(reached, best, rtol=0, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("simulated_from", ["random_coefficients", "random_intercept"])
def test_simulated_data_sets_reach_the_optimum(simulated_from, models) -> None:
    # The best that lme4's bobyqa and Nelder-Mead reach from several starts (tests/reference/simulated_200.R). Simulated
    # from random_intercept, the slope variance is zero and half of the optima are on the boundary.
    root = Path(__file__).resolve().parents[2]
    known = pd.read_csv(root / "tests/reference/simulated_random_coefficients.csv")
    known = known[known["simulated_from"] == simulated_from]
    assert len(known) == 200
    design, schools = models["random_coefficients"].design, read_schools(root / "data/hsb_snapshot.csv")
    for row in known.itertuples():
        y = simulated_response(schools, simulated_from, row.data_set)
        assert y[[0, -1]] == pytest.approx([row.y_first, row.y_last], rel=1e-12), "numpy's random stream has changed"
        data = cross_products(replace(design, y=y))
        for run in search(data, True, starts(data, 1, seed=1)).runs:
            assert run.criterion == pytest.approx(row.criterion, abs=1e-4)
            theta = run.theta
            assert (factor(theta, (2,)).diagonal().min() < SINGULAR) == row.singular


def test_a_saddle_is_left(models) -> None:
    # With L = 0 the gradient is zero by symmetry and the criterion is that of ordinary least squares: 2 columns of L
    # have to be left one after the other.
    data = models["random_coefficients"].data
    stationary = np.zeros(3)
    assert np.abs(profile(stationary, data, True).gradient).max() == 0
    run = descend(data, True, "zero", stationary)
    assert run.criterion == pytest.approx(46714.2340497, abs=1e-6)


def with_response(design: Design, slope_sd: float, seed: int) -> CrossProducts:
    """Responses with school intercepts (SD 2.9), slopes of a given SD and residuals (SD 6)."""
    rng = np.random.default_rng(seed)
    u = rng.standard_normal((160, 2)) * [2.9, slope_sd]
    y = design.x @ [12.6, 2.2] + (design.z * u[design.group_index]).sum(axis=1)
    return cross_products(replace(design, y=y + 6 * rng.standard_normal(len(y))))


def test_a_true_boundary_is_found_and_said(models) -> None:
    design = models["random_coefficients"].design
    found = {}
    for seed in range(6):
        data = with_response(design, 0.0, seed)
        run = search(data, True, starts(data, 4, 1)).best
        # At an optimum, interior or on the boundary, the curvature in theta is positive and the gradient zero.
        assert run.gradient_norm < FLAT
        assert np.linalg.eigvalsh(profile(run.theta, data, True).hessian)[0] > 0
        found[seed] = factor(run.theta, (2,))[1, 1] < SINGULAR
    # Without slope variance about half of all samples end on the boundary (Stram & Lee 1994).
    assert any(found.values()), "none of six data sets without slope variance ended on the boundary"
    assert not all(found.values())

    seed = next(seed for seed, on_boundary in found.items() if on_boundary)
    rng = np.random.default_rng(seed)
    u = rng.standard_normal((160, 2)) * [2.9, 0.0]
    y = design.x @ [12.6, 2.2] + (design.z * u[design.group_index]).sum(axis=1)
    singular = replace(design, y=y + 6 * rng.standard_normal(len(y)))
    fit = fit_model(singular, cross_products(singular), reml=True, random_starts=4, seed=1)
    assert fit.singular
    assert fit.trustworthy, fit.doubts
    assert np.linalg.matrix_rank(fit.covariance, tol=1e-6) == 1


def test_no_neighbour_of_a_boundary_optimum_is_better(models) -> None:
    data = next(
        data
        for data in (with_response(models["random_coefficients"].design, 0.0, seed) for seed in range(20))
        if abs(search(data, True, starts(data, 0, 1)).best.theta[2]) < SINGULAR
    )
    best = search(data, True, starts(data, 0, 1)).best
    rng = np.random.default_rng(3)
    for size in (1e-3, 1e-2, 1e-1, 1):
        for step in size * rng.standard_normal((50, 3)):
            assert profile(best.theta + step, data, True).criterion >= best.criterion - 1e-9


def test_search_counts_optima_and_agreement(models) -> None:
    data = models["random_intercept"].data
    found = search(data, True, starts(data, 3, seed=5))
    assert [run.start for run in found.runs] == ["identity", "small", "random 1", "random 2", "random 3"]
    assert len(found.optima) == 1
    assert found.reached_best == 5


def test_a_search_that_ended_nowhere_is_not_the_best() -> None:
    nowhere, somewhere = (Run("start", np.zeros(1), np.zeros(1), end, 0.0, 1) for end in (np.nan, 5.0))
    for runs in ((nowhere, somewhere), (somewhere, nowhere)):
        assert (Search(runs).best, Search(runs).optima, Search(runs).reached_best) == (somewhere, (5.0,), 1)


def test_random_starts_come_from_the_seed_alone(models) -> None:
    data = models["random_coefficients"].data
    first, again, other = (starts(data, 2, seed)["random 2"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).all()
