"""The optimum of the profiled deviance, searched from several starts."""

from dataclasses import dataclass

import numpy as np

from twolevel.likelihood.crossproducts import CrossProducts, triangular
from twolevel.likelihood.deviance import evaluate, factor, n_theta, pack
from twolevel.likelihood.newton import is_minimum, minimise
from twolevel.model.blocks import Blocks, slices
from twolevel.model.design import Floats

# Two criteria closer than this are the same optimum; the rounding of one evaluation is about 1e-10.
SAME_OPTIMUM = 1e-4

# A gradient below this counts as zero: with a curvature of 10 or more it leaves the criterion within 1e-7 of the best.
FLAT = 1e-3

# A diagonal element of theta below this is zero to the optimiser: lme4's tolerance in `isSingular`.
SINGULAR = 1e-4

# A search may meet up to q saddles, each lower than the one before; a few turns of the axes come on top.
MAX_ATTEMPTS = 20


@dataclass(frozen=True)
class Run:
    """One search.

    Attributes
    ----------
    start : what the start is called
    start_theta, theta : (k,) where it began and ended, in the coordinates of the cross-products; the end has a
        non-negative diagonal, as lme4 reports it
    criterion : the criterion at the end
    gradient_norm : largest element of the gradient there
    evaluations : of the criterion with its gradient
    """

    start: str
    start_theta: Floats
    theta: Floats
    criterion: float
    gradient_norm: float
    evaluations: int


@dataclass(frozen=True)
class Search:
    """Searches from several starts, and the best of them."""

    runs: tuple[Run, ...]

    @property
    def best(self) -> Run:
        """The run with the lowest criterion; one that ended nowhere is the best only of its kind."""
        return min(self.runs, key=lambda run: (np.isnan(run.criterion), run.criterion))

    @property
    def optima(self) -> tuple[float, ...]:
        """Distinct criteria at which runs ended, lowest first."""
        distinct: list[float] = []
        for criterion in sorted(run.criterion for run in self.runs if not np.isnan(run.criterion)):
            if not distinct or criterion - distinct[-1] > SAME_OPTIMUM:
                distinct.append(criterion)
        return tuple(distinct)

    @property
    def reached_best(self) -> int:
        """Number of runs that ended at the best optimum."""
        return sum(run.criterion - self.best.criterion <= SAME_OPTIMUM for run in self.runs)


def starts(data: CrossProducts, random_starts: int, seed: int) -> dict[str, Floats]:
    """Where to search from: the identity, a tenth of it, and random factors.

    The identity is in the coordinates of the cross-products: every random effect as large as the residual.
    """
    identity = np.eye(len(data.s))
    rng = np.random.Generator(np.random.Philox(seed))
    named = {"identity": pack(identity, data.blocks), "small": pack(0.1 * identity, data.blocks)}
    drawn = {f"random {i + 1}": rng.standard_normal(n_theta(data.blocks)) for i in range(random_starts)}
    return named | drawn


def search(data: CrossProducts, reml: bool, named_starts: dict[str, Floats]) -> Search:
    """Minimise the criterion from each of the named starts."""
    return Search(tuple(descend(data, reml, name, theta) for name, theta in named_starts.items()))


def descend(data: CrossProducts, reml: bool, name: str, start: Floats) -> Run:
    """Minimise the criterion from one start by Newton's method, and go on where that stops short of an optimum.

    It can stop at a saddle: where a column of L is zero the gradient is zero too, by the symmetry of its sign, optimum
    or not. Then it goes on along the direction of negative curvature. Or it can be slow: where a variance is near zero,
    L's lower triangle bends what is a straight valley for LL'. In coordinates along the principal axes of LL', those of
    each block by itself, it is straight again.
    """
    axes, turned, theta, evaluations = np.eye(len(data.s)), data, start, 0
    for _ in range(MAX_ATTEMPTS):
        theta, criterion, gradient, hessian, *_, spent = minimise(
            theta, data.free, turned.stacked, data.xty, data.yty, data.n_obs, reml
        )
        evaluations += spent
        if is_minimum(gradient, hessian, FLAT) or not np.isfinite(hessian).all():
            break
        if np.abs(gradient).max() <= FLAT:
            curvatures, directions = np.linalg.eigh(hessian)
            theta = theta + (0.1 if curvatures[0] < -FLAT else 0.0) * directions[:, 0]
        axes, sizes = _principal_axes(axes @ factor(theta, data.blocks), data.blocks)
        turned, theta = data.in_basis(axes, axes.T @ data.s), pack(np.diag(sizes), data.blocks)
    theta = pack(triangular(axes @ factor(theta, data.blocks)), data.blocks)
    criterion, gradient = evaluate(theta, data, reml)
    return Run(name, start, theta, criterion, float(np.abs(gradient).max()), evaluations)


def _principal_axes(matrix: Floats, blocks: Blocks) -> tuple[Floats, Floats]:
    """Principal axes (q, q) of matrix matrix', which is block diagonal, block by block, and the roots of its sizes."""
    axes, sizes = np.zeros_like(matrix), np.zeros(len(matrix))
    for block in slices(blocks):
        axes[block, block], sizes[block], _ = np.linalg.svd(matrix[block, block])
    return axes, sizes


def is_singular(theta: Floats, blocks: Blocks) -> np.ndarray:
    """Whether covariance matrices have a zero variance or a correlation of one, (...) for theta (..., k)."""
    return np.asarray((np.abs(np.diagonal(factor(theta, blocks), axis1=-2, axis2=-1)) < SINGULAR).any(axis=-1))
