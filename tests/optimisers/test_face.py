"""The optimum on a face of lme4's bounds, against lme4's own fit that ended there, and by finite differences."""

from functools import cache

import numpy as np
import pytest
from twolevel.likelihood.crossproducts import CrossProducts
from twolevel.likelihood.deviance import factor, n_theta, pack, profile
from twolevel.optimisers.bounded import CONVERGED, BoundedFit, bounded_fit
from twolevel.optimisers.constrained import constrained_json
from twolevel.optimisers.face import (
    FaceFit,
    column_flipped,
    criterion_along,
    optimum_on_face,
    theta_name,
    theta_positions,
    wall,
)
from twolevel.optimisers.point import estimates_at, own_columns, to_lme4

MODEL = "random_coefficients_minority"
THETA_22, THETA_32 = 3, 4


@pytest.fixture(scope="module")
def face(models) -> FaceFit:
    return _face(models)


@cache
def _face(models) -> FaceFit:
    data = models[MODEL].data
    own, bounded = own_columns(data), bounded_fit(data, reml=True)
    return optimum_on_face(own, (THETA_22,), pack(own.s @ factor(bounded.theta, (3,)), (3,)))


def criterion(theta: np.ndarray, data: CrossProducts) -> float:
    """The criterion at a theta on lme4's scale, by way of the coordinates that models are fitted in."""
    return profile(pack(data.basis_units(factor(theta, (3,))), (3,)), data, reml=True).criterion


@pytest.fixture(scope="module")
def theta(models, face: FaceFit) -> np.ndarray:
    """The optimum on the face, on lme4's scale."""
    return face.theta * to_lme4(own_columns(models[MODEL].data))


def test_is_where_lme4_s_default_optimiser_stops(models, face: FaceFit, lme4) -> None:
    # lmer(mathach ~ cses + minority + (cses + minority | school), HSB) with lme4 1.1-31's default optimiser. It stops
    # 1.3e-6 above the optimum of the face, so a fixed effect is within sqrt(1.3e-6) or so of its standard error
    # (2.5e-4), a variance within 1e-3 of itself.
    theirs = lme4["default_optimiser"][MODEL]
    assert 0.0 < theirs["criterion"] - face.at.criterion < 2e-6
    assert face.at.criterion == pytest.approx(46503.38976, abs=1e-5)
    ours = estimates_at(models[MODEL].design, own_columns(models[MODEL].data), face.theta)
    assert ours["fixed_effects"] == pytest.approx([e["estimate"] for e in theirs["fixed_effects"]], abs=1e-4)
    std_errors = np.sqrt(np.diag(ours["fixed_effects_covariance"]))
    assert std_errors == pytest.approx([e["std_error"] for e in theirs["fixed_effects"]], rel=1e-3)
    covariance = np.array(theirs["random_effects_covariance"])
    assert np.array(ours["random_effects_covariance"]) == pytest.approx(covariance, rel=2e-3)
    correlation = np.array(theirs["random_effects_correlation"])
    assert np.array(ours["random_effects_correlation"]) == pytest.approx(correlation, abs=1e-3)
    assert ours["scaled_residual_quantiles"] == pytest.approx(theirs["scaled_residual_quantiles"], abs=5e-5)


def test_nothing_on_the_face_is_lower(models, face: FaceFit, theta: np.ndarray) -> None:
    assert face.gradient_norm < 1e-6
    assert theta[THETA_22] == 0.0
    rng = np.random.default_rng(4)
    for size in (1e-4, 1e-2, 1.0):
        steps = size * rng.standard_normal((50, 6))
        steps[:, THETA_22] = 0.0
        # Rounding of the criterion is 1e-10 or so.
        assert min(criterion(theta + step, models[MODEL].data) for step in steps) > face.at.criterion - 1e-9


def test_the_wall_is_one_way_up_and_the_other_way_down(models, face: FaceFit, theta: np.ndarray) -> None:
    # By finite differences in other coordinates; their error is h^2 times a third derivative, below 1e-3 here.
    data, step = models[MODEL].data, 1e-4 * np.eye(6)[THETA_22]
    for sign, point in ((1.0, theta), (-1.0, column_flipped(theta, THETA_22, (3,)))):
        assert sign * point[THETA_32] > 0
        slope = (criterion(point + step, data) - criterion(point - step, data)) / 2e-4
        assert slope == pytest.approx(sign * face.derivatives[0], abs=1e-2)
    # lme4's point: +50.4 where theta_32 is +0.117.
    assert face.derivatives[0] == pytest.approx(50.42, abs=0.01)
    assert theta[THETA_32] == pytest.approx(0.117, abs=1e-3)


def test_the_other_sign_of_a_column_is_the_same_covariance_matrix(theta: np.ndarray) -> None:
    lower, flipped = factor(theta, (3,)), factor(column_flipped(theta, THETA_22, (3,)), (3,))
    assert np.array_equal(lower @ lower.T, flipped @ flipped.T)
    assert not np.array_equal(lower, flipped)


def test_behind_the_wall_the_criterion_falls_at_once(models, face: FaceFit) -> None:
    data = own_columns(models[MODEL].data)
    values = np.linspace(0.0, 0.05, 6)  # the optimum is at 0.076 in these coordinates
    up = criterion_along(data, face.theta, THETA_22, values)
    down = criterion_along(data, column_flipped(face.theta, THETA_22, (3,)), THETA_22, values)
    assert up[0] == pytest.approx(face.at.criterion, abs=1e-9)
    assert down[0] == pytest.approx(face.at.criterion, abs=1e-9)
    # Within the bounds there is a rise of almost one to cross first; on the other side there is none.
    assert up[1] > face.at.criterion + 0.5
    assert np.all(np.diff(down) < 0)
    assert down[-1] < face.at.criterion - 1.0


def test_json_tells_of_the_wall_and_of_the_distance(models) -> None:
    fitted = models[MODEL]
    story = constrained_json(fitted.design, fitted.data, fitted.reml, bounded_fit(fitted.data, reml=True))
    assert story["face"] == ["theta_22"]
    assert story["fit"]["above_optimum"] == pytest.approx(8.2495, abs=1e-4)  # 46503.38976 - 46495.14026
    (of,) = story["walls"]
    assert of["term"] == "cses"
    assert of["derivative_column_flipped"] == pytest.approx(-of["derivative"], rel=1e-9)
    assert of["path"]["criterion_column_flipped"][1] < story["fit"]["criterion"] < of["path"]["criterion"][1]


@pytest.mark.parametrize("name", ["one_way_anova", "random_coefficients", "intercepts_and_slopes"])
def test_where_the_bounds_lead_to_the_optimum_there_is_no_face(models, name: str) -> None:
    fitted = models[name]
    story = constrained_json(fitted.design, fitted.data, fitted.reml, bounded_fit(fitted.data, reml=True))
    assert (story["face"], story["fit"], story["walls"]) == ([], None, [])


def test_a_wall_is_a_zero_away_from_the_optimum(models) -> None:
    own = own_columns(models["random_coefficients"].data)

    def ended(criterion: float, *theta: float) -> tuple[int, ...]:
        return wall(BoundedFit(criterion, np.array(theta), 9, CONVERGED, 1.5), 100.0, own)

    assert ended(101.0, 1.0, 0.5, 0.0) == (2,)
    assert ended(100.0, 1.0, 0.5, 0.0) == ()  # the optimum itself is singular
    assert ended(101.0, 1.1, 0.6, 0.1) == ()  # another optimum
    assert ended(101.0, 1.0, 0.0, 1.0) == ()  # there is no bound there
    assert ended(np.inf, 1.0, 0.0, 0.0) == ()  # the search found nothing


def test_elements_are_named_by_row_and_column() -> None:
    names = [theta_name(element, (3,)) for element in range(n_theta((3,)))]
    assert names == ["theta_11", "theta_21", "theta_31", "theta_22", "theta_32", "theta_33"]
    assert theta_positions(["theta_22", "theta_33"], (3,)) == (3, 5)


def test_estimates_at_the_optimum_are_the_fit(models, lme4) -> None:
    # lme4 with a tight optimiser (tests/reference/README.md): another route to everything that a summary prints.
    fitted, theirs = models["random_coefficients"], lme4["models"]["random_coefficients"]["REML"]
    own = own_columns(fitted.data)
    ours = estimates_at(fitted.design, own, fitted.reml.theta / to_lme4(own))
    assert ours["criterion"] == pytest.approx(fitted.reml.criterion, abs=1e-8)
    assert ours["theta"] == pytest.approx(fitted.reml.theta)
    assert ours["fixed_effects"] == pytest.approx([e["estimate"] for e in theirs["fixed_effects"]], abs=1e-6)
    assert np.array(ours["random_effects_covariance"]) == pytest.approx(
        np.array(theirs["random_effects_covariance"]), rel=1e-4
    )
    assert ours["scaled_residual_quantiles"] == pytest.approx(theirs["scaled_residual_quantiles"], abs=1e-6)


def test_own_columns_are_the_same_data_in_lme4_s_coordinates(models) -> None:
    # A_j of the columns themselves: Z_j'Z_j summed over groups, from the design.
    design, data = models[MODEL].design, own_columns(models[MODEL].data)
    scale = np.diag(data.s)
    assert np.count_nonzero(data.s) == 3
    assert data.ztz.sum(axis=0) * np.outer(scale, scale) == pytest.approx(design.z.T @ design.z, rel=1e-9)
    assert np.mean((design.z / scale) ** 2, axis=0) == pytest.approx(np.ones(3))
