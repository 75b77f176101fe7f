"""The optimum of the profiled deviance, searched from several starts."""

from dataclasses import dataclass

import numpy as np

from twolevel.crossproducts import CrossProducts
from twolevel.deviance import factor, n_theta, pack
from twolevel.formula import Floats
from twolevel.newton import minimise

# Two criteria closer than this are the same optimum; the rounding of one evaluation is about 1e-10.
SAME_OPTIMUM = 1e-4

# A gradient below this counts as zero: with a curvature of 10 or more it leaves the criterion within 1e-7 of the best.
FLAT = 1e-3

# Each saddle left lowers the criterion; q of them can stand in the way, one for each column of L.
MAX_SADDLES = 10


@dataclass(frozen=True)
class Run:
    """One search.

    Attributes
    ----------
    start : what the start is called
    start_theta, theta : (k,) where it began and ended, in the coordinates of the cross-products
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
        """The run with the lowest criterion."""
        return min(self.runs, key=lambda run: run.criterion)

    @property
    def optima(self) -> tuple[float, ...]:
        """Distinct criteria at which runs ended, lowest first."""
        distinct: list[float] = []
        for criterion in sorted(run.criterion for run in self.runs):
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
    q = len(data.s)
    rng = np.random.Generator(np.random.Philox(seed))
    named = {"identity": pack(np.eye(q)), "small": pack(0.1 * np.eye(q))}
    drawn = {f"random {i + 1}": rng.standard_normal(n_theta(q)) for i in range(random_starts)}
    return named | drawn


def search(data: CrossProducts, reml: bool, named_starts: dict[str, Floats]) -> Search:
    """Minimise the criterion from each of the named starts."""
    return Search(tuple(descend(data, reml, name, theta) for name, theta in named_starts.items()))


def descend(data: CrossProducts, reml: bool, name: str, start: Floats) -> Run:
    """Minimise the criterion from one start by Newton's method.

    Where a column of L is zero the gradient is zero too, by the symmetry of its sign, optimum or not. A search that
    stops at such a saddle is sent on along its direction of negative curvature.
    """
    theta, evaluations = start, 0
    for _ in range(MAX_SADDLES):
        theta, criterion, gradient, hessian, *_, spent = minimise(
            theta, data.stacked, data.xty, data.yty, data.n_obs, reml
        )
        evaluations += spent
        if not np.isfinite(hessian).all():
            break
        curvatures, directions = np.linalg.eigh(hessian)
        if curvatures[0] > -FLAT:
            break
        theta = theta + 0.1 * directions[:, 0]
    criterion += data.basis_constant(reml)
    return Run(name, start, theta, float(criterion), float(np.abs(gradient).max()), evaluations)


def standard_sign(theta: Floats, q: int) -> Floats:
    """The same covariance matrix with a factor whose diagonal is non-negative, as lme4 reports it."""
    lower = factor(theta, q)
    return pack(lower * np.where(np.diag(lower) < 0, -1.0, 1.0))
