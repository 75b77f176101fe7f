"""Profile-likelihood intervals: where the deviance with one parameter held has risen by a quantile of chi-square(1)."""

from collections.abc import Sequence
from operator import itemgetter

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import ndtri

from twolevel.inference.descent import NotConvergedError, ProfileError
from twolevel.inference.intervals import interval_row, interval_table
from twolevel.inference.profile_deviance import Held, hold, least, least_of_all, optimum
from twolevel.likelihood.crossproducts import CrossProducts
from twolevel.likelihood.deviance import factor, profile
from twolevel.model.design import Floats
from twolevel.model.parameters import Parameter, parameter_values, parameters

# Two minima closer than this are the same; a deviance further below the fit's means that the fit is not the optimum.
SAME = 1e-6

# The most steps outwards until the deviance has risen enough; each is up to four times as long as the one before.
MAX_STEPS = 100


def profile_intervals(
    random_terms: Sequence[str], fixed_terms: Sequence[str], data: CrossProducts, theta: Floats, level: float
) -> pd.DataFrame:
    """Profile-likelihood intervals of every parameter (lme4's `confint(method = "profile")`).

    A bound is the end of the parameter's range, 0 for an SD or -+1 for a correlation, where the deviance does not rise
    enough before. A bound that could not be found is missing, and `note` says why.

    Parameters
    ----------
    random_terms, fixed_terms : names of the q and p columns
    data : the cross-products
    theta : (k,) the optimum by ML, in the coordinates of `data`
    level : for example 0.95

    Returns
    -------
    a row for each parameter, `intervals.COLUMNS`
    """
    rise = ndtri((1 + level) / 2) ** 2  # the quantile of chi-square(1)
    best, theta = optimum(data, theta)
    at = profile(theta, data, reml=False)
    listed = parameters(random_terms, fixed_terms, data.blocks)
    estimates = parameter_values(data.own_units(factor(theta, data.blocks)), at.sigma, at.beta, data.blocks)
    rows = []
    for parameter, estimate in zip(listed, estimates, strict=True):
        lower, lower_note = _bound_or_reason(parameter, data, theta, best, rise, side=-1)
        upper, upper_note = _bound_or_reason(parameter, data, theta, best, rise, side=1)
        note = "; ".join(filter(None, (lower_note, upper_note)))
        rows.append(interval_row(parameter, estimate, "profile", level, lower=lower, upper=upper, note=note))
    return interval_table(rows, ("profile",))


def _bound_or_reason(
    parameter: Parameter, data: CrossProducts, theta: Floats, best: float, rise: float, side: int
) -> tuple[float, str]:
    try:
        held = hold(parameter, data, theta)
        return held.value(_bound(held, best, rise, side)), ""
    except ProfileError as error:
        return np.nan, f"{'lower' if side < 0 else 'upper'} bound: {error}"


def _bound(held: Held, best: float, rise: float, side: int) -> float:
    """The nearest point on one side of the estimate where the deviance has risen enough, or the end of the range.

    The path is followed from the fit. If at its end a search from elsewhere finds a lower deviance, it has followed a
    local minimum, and is walked again with every search at every step.
    """
    bound = _walk(held, best, rise, side, careful=False)
    if bound in (held.lowest, held.highest) or least_of_all(held, bound)[0] > best + rise - SAME:
        return bound
    return _walk(held, best, rise, side, careful=True)


def _walk(held: Held, best: float, rise: float, side: int, careful: bool) -> float:
    end = held.lowest if side < 0 else held.highest
    if held.ceiling < best + rise:
        return end
    path = {held.estimate: held.start}

    def excess(at: float) -> float:
        """Root of the deviance's rise, less the one that is sought: nearly straight in `at`."""
        nearest = min(path, key=lambda known: abs(known - at))
        found = least(held, at, (path[nearest],))
        deviance, path[at] = min(found, least_of_all(held, at), key=itemgetter(0)) if careful else found
        if deviance < best - SAME:
            raise ProfileError(f"a deviance {best - deviance:.3g} below that of the fit was found")
        return float(np.sqrt(max(deviance - best, 0.0)) - np.sqrt(rise))

    inner, outer = held.estimate, held.estimate + side * held.step
    failure = ProfileError("the deviance does not rise enough, however far the parameter is moved")
    for _ in range(MAX_STEPS):
        outer = min(max(outer, held.lowest), held.highest)
        try:
            found = excess(outer)
        except NotConvergedError as error:
            failure, outer = error, (inner + outer) / 2
            continue
        if found >= 0:
            width = abs(outer - held.estimate)
            return float(brentq(excess, inner, outer, xtol=1e-9 * width, rtol=1e-14))
        if outer == end:
            return end
        further = np.clip(1.1 * np.sqrt(rise) / (found + np.sqrt(rise) + 1e-9), 1.2, 4.0)
        inner, outer = outer, held.estimate + (outer - held.estimate) * further
    raise failure
