"""Newton's method on any deviance that has exact derivatives, from any start.

`likelihood.newton` has another: compiled, for the bootstrap's thousands of searches, and so tied to one function of
theta. The deviances of a profile are other functions, each with coordinates of its own. SciPy's `trust-exact` finds the
same minima in twice as many evaluations, and stops at a saddle.
"""

from collections.abc import Callable

import numpy as np

from twolevel.model.design import Floats

# A deviance as a function of the coordinates left free, with its gradient and Hessian.
Objective = Callable[[Floats], tuple[float, Floats, Floats]]

# A search ends where a step promises less than this, or than the rounding of a deviance, relative to its size.
PROMISE = 1e-8
ROUNDING = 1e-13

# A curvature below this share of the largest counts as zero. For example, where the factor's first row is zero, its
# columns can be rotated without any change of the deviance.
NO_CURVATURE = 1e-10

MAX_STEPS = 200
MAX_HALVINGS = 50


class ProfileError(Exception):
    """A minimum or a bound could not be found; the message says why."""


class NotConvergedError(ProfileError):
    """A search for the other parameters did not converge; one nearer to the fit might.

    Attributes
    ----------
    reached : the lowest deviance that it found
    """

    def __init__(self, reached: float) -> None:
        super().__init__("the search for the other parameters did not converge")
        self.reached = reached


def descend(objective: Objective, free: Floats) -> tuple[float, Floats]:
    """Minimise by Newton's method, downhill along every eigenvector of the Hessian, whatever its curvature.

    Where the gradient vanishes and a curvature is negative, as by symmetry where a column of L is zero, the search
    goes on along that direction.
    """
    here = objective(free)
    rounding = ROUNDING * (1.0 + abs(here[0]))
    enough = max(PROMISE, rounding)
    for _ in range(MAX_STEPS):
        value, gradient, hessian = here
        curvatures, directions = np.linalg.eigh(hessian)
        size = np.maximum(np.abs(curvatures), NO_CURVATURE * np.abs(curvatures).max())
        slope = directions.T @ gradient
        promise = (slope**2 / size).sum()
        if promise > enough:
            taken = _shortened(objective, free, -directions @ (slope / size), gradient, value + rounding)
        elif curvatures[0] < -size[0] / 2:
            taken = _shortened(objective, free, directions[:, 0], np.zeros_like(free), value - rounding)
        else:
            return value, free
        if taken is None:
            if promise > 100 * enough:
                break
            return value, free
        free, here = taken
    raise NotConvergedError(here[0])


def _shortened(
    objective: Objective, free: Floats, step: Floats, gradient: Floats, value: float
) -> tuple[Floats, tuple[float, Floats, Floats]] | None:
    """Take a step, halved until it gains a tenth of what the slope promises; None where no part of it does."""
    longest = 0.1 + float(np.linalg.norm(free))
    step = step * min(1.0, longest / float(np.linalg.norm(step)))
    for _ in range(MAX_HALVINGS):
        there = objective(free + step)
        if there[0] <= value + 0.1 * (gradient @ step):
            return free + step, there
        step = step / 2
    return None
