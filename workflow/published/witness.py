"""The nearest point to an optimum at which numbers come out as printed.

An optimiser that stops a little short prints other last digits. One point shows that this is the reason: a theta,
hardly above the optimum, at which all numbers come out as printed. Each printed number is an interval, and near an
optimum the excess of the criterion is a quadratic form, so the nearest point is the solution of a small smooth problem.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from twolevel.likelihood.crossproducts import CrossProducts
from twolevel.likelihood.deviance import profile
from twolevel.model.design import Design, Floats
from twolevel.optimisers.face import NO_CURVATURE
from twolevel.optimisers.point import estimates_at, own_columns, to_lme4

# A point whose criterion is further above the optimum than this does not show that the source stopped a little short.
# lme4 1.1-31's default optimiser stops 1.3e-6 above an optimum, where it has been measured, in
# tests/optimisers/test_face.py.
SLACK = 1.5e-6

# The search stays off the ends of an interval by this share of its half, and takes slopes over this share of the radius
# within which the slack is kept.
MARGIN, STEP = 1e-3, 1e-3

# How far, in half-widths, the tangents may miss the intervals, since the numbers are curved; and the most iterations,
# of which two or three are needed where there is a solution.
LEEWAY, MAX_ITERATIONS = 0.05, 15

Estimates = dict[str, Any]
Vector = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Centre:
    """An optimum, of a model or on a face, in coordinates where the slack is a unit ball.

    Attributes
    ----------
    design, data : the model, its data in the coordinates of `point.own_columns`
    theta : (k,) the optimum, in those coordinates
    axes : (k, m) theta + axes u exceeds the optimum by SLACK |u|^2, for small u
    criterion : at the optimum
    """

    design: Design
    data: CrossProducts
    theta: Floats
    axes: Floats
    criterion: float

    def estimates(self, u: Floats) -> Estimates:
        """The model's estimates at a point."""
        return estimates_at(self.design, self.data, self.theta + self.axes @ u)


def centre(design: Design, data: CrossProducts, theta: Sequence[float], zero: Sequence[int]) -> Centre:
    """Describe an optimum.

    Parameters
    ----------
    design, data : the model
    theta : (k,) the optimum on lme4's scale
    zero : positions of elements held at zero, where it is the optimum on a face
    """
    own = own_columns(data)
    scaled = np.asarray(theta) / to_lme4(own)
    at = profile(scaled, own, reml=True)
    free = np.setdiff1d(np.arange(len(scaled)), zero)
    curvature, directions = np.linalg.eigh(at.hessian[np.ix_(free, free)])
    # Along a flat direction of a face the covariance matrix stays as it is, and so does every number.
    curved = curvature > NO_CURVATURE * curvature[-1]
    axes = np.zeros((len(scaled), int(curved.sum())))
    axes[free] = directions[:, curved] * np.sqrt(2 * SLACK / curvature[curved])
    return Centre(design, own, scaled, axes, at.criterion)


def nearest(
    of: Centre, numbers: Callable[[Estimates], Floats], printed: Floats, half_widths: Floats
) -> tuple[Estimates, float] | None:
    """Find the point with the least excess at which every number rounds to what is printed.

    Parameters
    ----------
    of : the optimum
    numbers : the m numbers at a point
    printed, half_widths : (m,) what is printed, and how far off it rounding can be

    Returns
    -------
    the estimates there, and by how much the criterion exceeds the optimum; None where none is found within the slack
    """

    def room(u: Floats) -> Floats:
        off = (numbers(of.estimates(u)) - printed) / half_widths
        return np.concatenate([1.0 - MARGIN - off, 1.0 - MARGIN + off])

    start = np.zeros(of.axes.shape[1])
    room_there, slopes_there = room(start), _slopes(room, start)
    # So near the optimum everything is nearly linear. Where not even the tangents meet the intervals, there is no such
    # point; where they do, the point is close to theirs.
    linear = _least(start, lambda u: room_there + slopes_there @ u + LEEWAY, lambda _: slopes_there)
    if linear is None:
        return None
    found = _least(linear, room, lambda u: _slopes(room, u))
    if found is None:
        return None
    estimates = of.estimates(found)
    excess = float(estimates["criterion"] - of.criterion)
    return (estimates, excess) if excess <= SLACK else None


def _least(start: Floats, room: Vector, slopes: Callable[[Floats], Floats]) -> Floats | None:
    """The shortest u that leaves room, by sequential quadratic programming; None where none is within the slack."""
    found = minimize(
        lambda u: float(u @ u),
        start,
        jac=lambda u: 2 * u,
        constraints={"type": "ineq", "fun": room, "jac": slopes},
        method="SLSQP",
        options={"maxiter": MAX_ITERATIONS, "ftol": 1e-6},
    )
    return found.x if found.success and found.x @ found.x <= 1.0 + LEEWAY else None


def _slopes(function: Vector, u: Floats) -> Floats:
    steps = STEP * np.eye(len(u))
    return np.column_stack([(function(u + step) - function(u - step)) / (2 * STEP) for step in steps])
