"""The nearest point to an optimum at which numbers come out as printed.

An optimiser that stops a little short prints other last digits. That this is why is shown by one point: a theta, hardly
above the optimum, at which all numbers come out as printed. Each printed number is an interval, and near an optimum the
excess of the criterion is a quadratic form, so the nearest point is the solution of a small smooth problem.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize

from twolevel.crossproducts import CrossProducts
from twolevel.design import Design, Floats
from twolevel.deviance import profile
from twolevel.face import NO_CURVATURE
from twolevel.point import estimates_at, own_columns, to_lme4

# A point whose criterion is further above the optimum than this does not show that the source stopped a little short.
SLACK = 1e-4

# The search stays off the ends of an interval by this share of its half, and takes slopes over this share of the radius
# within which the slack is kept.
MARGIN, STEP = 1e-3, 1e-3

Estimates = dict[str, Any]


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
    found = minimize(
        lambda u: float(u @ u),
        start,
        jac=lambda u: 2 * u,
        constraints={"type": "ineq", "fun": room, "jac": lambda u: _slopes(room, u)},
        method="SLSQP",
        options={"maxiter": 50, "ftol": 1e-6},
    )
    if not found.success or found.x @ found.x > 1.0:
        return None
    estimates = of.estimates(found.x)
    excess = float(estimates["criterion"] - of.criterion)
    return (estimates, excess) if excess <= SLACK else None


def _slopes(function: Callable[[Floats], Floats], u: Floats) -> Floats:
    steps = STEP * np.eye(len(u))
    return np.column_stack([(function(u + step) - function(u - step)) / (2 * STEP) for step in steps])
