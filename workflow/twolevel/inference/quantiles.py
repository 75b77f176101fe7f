"""Quantiles of a sample of any size, with their standard errors."""

import numpy as np
from scipy.special import betainc, ndtri

from twolevel.inference.samples import Ordered
from twolevel.model.design import Floats


def quantile(of: Ordered, probability: float) -> tuple[float, float]:
    """Quantile as `boot.ci` takes it, and its standard error; missing where there are no numbers or too few.

    The quantile is order statistic (R + 1) p of the R numbers, by interpolation on the normal quantiles' scale; beyond
    the ends of the numbers it is the end itself.
    """
    if not of.count:
        return np.nan, np.nan
    rank = (of.count + 1) * probability
    # Farther from the rank than this the weights of the standard error are below 1e-17.
    reach = 40 + 12 * np.sqrt(rank * (1 - probability))
    first, end = max(0, int(rank - reach)), min(of.count, int(rank + reach))
    near = of.statistics(first, end)
    return _interpolated(near, first, of.count, rank), _error(near, first, of.count, rank)


def _interpolated(near: Floats, first: int, n: int, rank: float) -> float:
    k = int(rank)
    if k == 0 or k >= n:
        return float(near[0 if k == 0 else -1])
    low, at, high = ndtri(np.array([k, rank, k + 1]) / (n + 1))
    below, above = near[k - 1 - first], near[k - first]
    return float(below + (at - low) / (high - low) * (above - below))


def _error(near: Floats, first: int, n: int, rank: float) -> float:
    """The estimator of Maritz & Jarrett (1978), which needs no density.

    Order statistic r of n has a Beta(r, n + 1 - r) distribution on the scale of probabilities; the sample's own
    distribution function brings it to the scale of the values.
    """
    if not 1 <= rank <= n:
        return np.nan
    weights = np.diff(betainc(rank, n + 1 - rank, np.arange(first, first + len(near) + 1) / n))
    return float(np.sqrt(weights @ (near - weights @ near) ** 2))
