"""The optimum on a face of lme4's bounds: with diagonal elements of theta held at zero.

lme4 keeps the diagonal of the relative covariance factor at or above zero. A search that ends with an element there
may have met a wall rather than an edge: the covariance matrix does not change when a column of the factor changes
sign, so the criterion at (theta_22, theta_32) is that at (-theta_22, -theta_32). Where its derivative with respect to
theta_22 is positive at (0, theta_32), it is negative at (0, -theta_32), which is the same covariance matrix. So the
criterion falls there, and the bound hides it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twolevel.fitting.search import FLAT, SAME_OPTIMUM, SINGULAR
from twolevel.likelihood.crossproducts import CrossProducts
from twolevel.likelihood.deviance import Profile, evaluate, factor, n_theta, pack, profile
from twolevel.likelihood.newton import GRADIENT
from twolevel.model.blocks import Blocks, places
from twolevel.model.design import Floats
from twolevel.optimisers.bounded import BoundedFit
from twolevel.optimisers.point import to_lme4

# The bounded search ends within about 1e-6 of the face's optimum; one or two Newton steps remain.
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

    def explains(self, bounded: BoundedFit) -> bool:
        """Whether this is an optimum on the face, and the bounded search came no lower than it."""
        return self.gradient_norm <= FLAT and self.at.criterion - bounded.criterion <= SAME_OPTIMUM


def wall(bounded: BoundedFit, optimum: float, own: CrossProducts) -> tuple[int, ...]:
    """Positions in theta of the zeros on the diagonal where a bounded search ended away from the optimum; or none.

    An element counts as zero if it is zero both to the search, in the units of Z, and to the model, which has none:
    `own` is the data in the coordinates of `point.own_columns`.
    """
    if not SAME_OPTIMUM < bounded.criterion - optimum < np.inf:
        return ()
    rows, columns = places(own.blocks)
    size = np.maximum(bounded.theta, bounded.theta / to_lme4(own))
    return tuple(np.flatnonzero((rows == columns) & (size < SINGULAR)).tolist())


def optimum_on_face(data: CrossProducts, zero: tuple[int, ...], start: Floats) -> FaceFit:
    """Minimise the REML criterion over the elements of theta that are not held at zero, by Newton's method.

    Parameters
    ----------
    data : in the coordinates of `point.own_columns`
    zero : positions of the elements held
    start : (k,) near the optimum, in those coordinates. Of the points that are the same covariance matrix, the nearest
        to the start is found: no step goes along a flat direction.

    Returns
    -------
    the end of the search, which need not be an optimum where the start is far from one: see `FaceFit.explains`
    """
    theta, free = start.copy(), np.setdiff1d(np.arange(len(start)), zero)
    theta[list(zero)] = 0.0
    for _ in range(MAX_STEPS):
        at = profile(theta, data, reml=True)
        if np.abs(at.gradient[free]).max() <= GRADIENT or not np.isfinite(at.hessian).all():
            break
        inverse = np.linalg.pinv(at.hessian[np.ix_(free, free)], rcond=NO_CURVATURE, hermitian=True)
        theta[free] -= inverse @ at.gradient[free]
    at = profile(theta, data, reml=True)
    held = list(zero)
    return FaceFit(zero, theta, at, at.gradient[held] / to_lme4(data)[held])


def column_flipped(theta: Floats, element: int, blocks: Blocks) -> Floats:
    """Theta with the sign of a diagonal element's column changed: the same covariance matrix."""
    lower = factor(theta, blocks)
    lower[:, places(blocks)[1][element]] *= -1.0
    return pack(lower, blocks)


def criterion_along(data: CrossProducts, theta: Floats, element: int, values: Floats) -> Floats:
    """The REML criterion (n,) with one element of theta set to each of `values`, the others held."""
    points = np.tile(theta, (len(values), 1))
    points[:, element] = values
    return np.array([evaluate(point, data, reml=True)[0] for point in points])


def theta_name(element: int, blocks: Blocks) -> str:
    """Name an element of theta by its row and column in the factor: theta_32."""
    rows, columns = places(blocks)
    return f"theta_{rows[element] + 1}{columns[element] + 1}"


def theta_positions(names: Sequence[str], blocks: Blocks) -> tuple[int, ...]:
    """Positions of elements of theta, by their names."""
    known = [theta_name(element, blocks) for element in range(n_theta(blocks))]
    return tuple(known.index(name) for name in names)
