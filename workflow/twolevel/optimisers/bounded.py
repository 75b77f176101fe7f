"""What lme4's bounded parameterisation gives: its default optimiser, from its start, with its bounds.

lme4 keeps the diagonal of the relative covariance factor at or above zero. Where a search meets that bound with an
off-diagonal element that is not zero in the same column, the criterion falls on the other side, and the bound is a wall
where the covariance matrix has no edge.
"""

from contextlib import suppress
from dataclasses import dataclass

import nlopt
import numpy as np

from twolevel.likelihood.crossproducts import CrossProducts
from twolevel.likelihood.deviance import evaluate, from_lme4, n_theta, pack
from twolevel.model.design import Floats


@dataclass(frozen=True)
class BoundedFit:
    """Where the bounded search ended.

    Attributes
    ----------
    criterion : the criterion there
    theta : (k,) on lme4's own scale
    evaluations : of the criterion
    converged : whether NLopt says that a tolerance was met; if not, rounding kept it from going on
    """

    criterion: float
    theta: Floats
    evaluations: int
    converged: bool


def bounded_fit(data: CrossProducts, reml: bool) -> BoundedFit:
    """Minimise the criterion as `lmer(..., control = lmerControl(optimizer = "nloptwrap"))` does.

    NLopt's BOBYQA from theta = the identity, absolute tolerances 1e-8 (lme4 1.1, `nloptwrap`).
    """
    q = len(data.s)

    start = pack(np.eye(q))
    best = (np.inf, start)

    def criterion(theta: Floats, _: Floats) -> float:
        nonlocal best
        here = evaluate(pack(from_lme4(theta, data)), data, reml)[0]
        if here < best[0]:
            best = (here, theta.copy())
        return here

    optimiser = nlopt.opt(nlopt.LN_BOBYQA, n_theta(q))
    optimiser.set_min_objective(criterion)
    optimiser.set_lower_bounds(np.where(start > 0, 0.0, -np.inf))
    optimiser.set_xtol_abs(1e-8)
    optimiser.set_ftol_abs(1e-8)
    # Where rounding keeps it from going on, it has still been where it could come.
    with suppress(nlopt.RoundoffLimited):
        optimiser.optimize(start)
    return BoundedFit(best[0], best[1], int(optimiser.get_numevals()), optimiser.last_optimize_result() > 0)
