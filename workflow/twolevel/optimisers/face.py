"""The optimum on a face of lme4's bounds: with diagonal elements of theta held at zero.

lme4 keeps the diagonal of the relative covariance factor at or above zero. A search that ends with an element there
may have met a wall rather than an edge: the covariance matrix does not change when a column of the factor changes
sign, so the criterion at (theta_22, theta_32) is that at (-theta_22, -theta_32). Where its derivative with respect to
theta_22 is positive at (0, theta_32), it is negative at (0, -theta_32), the very same covariance matrix: the way down
is there, and the bound hides it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twolevel.fitting.search import SAME_OPTIMUM, SINGULAR
from twolevel.likelihood.crossproducts import CrossProducts
from twolevel.likelihood.deviance import Profile, evaluate, factor, n_theta, pack, profile
from twolevel.likelihood.newton import GRADIENT
from twolevel.model.design import Floats
from twolevel.optimisers.bounded import BoundedFit
from twolevel.optimisers.point import to_lme4

# The bounded search ends within 1e-6 of the face's optimum or so; a Newton step or two is all that is left.
MAX_STEPS = 20

# Curvatures below this share of the largest are the flat directions of a face: with a zero on the diagonal, elements of
# other columns can be turned into each other without a change of the covariance matrix.
NO_CURVATURE = 1e-8


@dataclass(frozen=True)
class FaceFit:
    """The optimum with some diagonal elements of theta held at zero.

    Attributes
    ----------
    zero : positions in theta of the elements held
    theta : (k,) in the coordinates of `point.own_columns`
    at : the profile there; its gradient has zeros except at `zero`
    derivatives : (len(zero),) of the criterion with respect to those elements on lme4's scale; with the sign of the
        element's column changed, each changes its sign
    """

    zero: tuple[int, ...]
    theta: Floats
    at: Profile
    derivatives: Floats

    @property
    def gradient_norm(self) -> float:
        """Largest element of the gradient along the face."""
        return float(np.abs(np.delete(self.at.gradient, self.zero)).max())


def wall(bounded: BoundedFit, optimum: float, q: int) -> tuple[int, ...]:
    """Positions in theta of the zeros on the diagonal where a bounded search ended away from the optimum; or none."""
    if bounded.criterion - optimum <= SAME_OPTIMUM:
        return ()
    columns, rows = np.triu_indices(q)
    return tuple(np.flatnonzero((rows == columns) & (bounded.theta < SINGULAR)).tolist())


def optimum_on_face(data: CrossProducts, zero: tuple[int, ...], start: Floats) -> FaceFit:
    """Minimise the REML criterion over the elements of theta that are not held at zero, by Newton's method.

    Parameters
    ----------
    data : in the coordinates of `point.own_columns`
    zero : positions of the elements held
    start : (k,) near the optimum, in those coordinates. Of the points that are the same covariance matrix, the nearest
        to the start is found: no step goes along a flat direction.
    """
    theta, free = start.copy(), np.setdiff1d(np.arange(len(start)), zero)
    theta[list(zero)] = 0.0
    for _ in range(MAX_STEPS):
        at = profile(theta, data, reml=True)
        if np.abs(at.gradient[free]).max() <= GRADIENT:
            break
        inverse = np.linalg.pinv(at.hessian[np.ix_(free, free)], rcond=NO_CURVATURE, hermitian=True)
        theta[free] -= inverse @ at.gradient[free]
    at = profile(theta, data, reml=True)
    held = list(zero)
    return FaceFit(zero, theta, at, at.gradient[held] / to_lme4(data)[held])


def column_flipped(theta: Floats, element: int, q: int) -> Floats:
    """Theta with the sign of the column changed that a diagonal element stands in: the same covariance matrix."""
    lower = factor(theta, q)
    lower[:, np.triu_indices(q)[0][element]] *= -1.0
    return pack(lower)


def criterion_along(data: CrossProducts, theta: Floats, element: int, values: Floats) -> Floats:
    """The REML criterion (n,) with one element of theta set to each of `values`, the others held."""
    points = np.tile(theta, (len(values), 1))
    points[:, element] = values
    return np.array([evaluate(point, data, reml=True)[0] for point in points])


def theta_name(element: int, q: int) -> str:
    """Name an element of theta by its row and column in the factor: theta_32."""
    columns, rows = np.triu_indices(q)
    return f"theta_{rows[element] + 1}{columns[element] + 1}"


def theta_positions(names: Sequence[str], q: int) -> tuple[int, ...]:
    """Positions of elements of theta, by their names."""
    known = [theta_name(element, q) for element in range(n_theta(q))]
    return tuple(known.index(name) for name in names)
