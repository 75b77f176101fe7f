"""Quantiles of a sample of any size, and their standard errors."""

import numpy as np
from scipy.special import betainc, ndtri

from twolevel.inference.samples import OrderStatistics, Sample, order_statistics


def around(sample: Sample, count: int, probability: float) -> OrderStatistics:
    """The order statistics that a quantile of a sample of `count` numbers and its standard error are made of."""
    return order_statistics(sample, count, *_weighed(count, probability))


def quantile(near: OrderStatistics, probability: float) -> float:
    """Quantile as `boot.ci` takes it: order statistic (R + 1) p, by interpolation on the normal quantiles' scale.

    Parameters
    ----------
    near : those around it; beyond the ends of the R numbers the quantile is the end itself
    """
    n = near.count
    if n == 0:
        return np.nan
    rank = (n + 1) * probability
    k = int(rank)
    if k == 0 or k >= n:
        return float(near.values[0 if k == 0 else -1])
    low, at, high = ndtri(np.array([k, rank, k + 1]) / (n + 1))
    below, above = near.between(k - 1, k + 1)
    return float(below + (at - low) / (high - low) * (above - below))


def quantile_error(near: OrderStatistics, probability: float) -> float:
    """Standard error of a quantile of a sample, by the estimator of Maritz & Jarrett (1978), which needs no density.

    Order statistic r of n has a Beta(r, n + 1 - r) distribution on the scale of probabilities; the sample's own
    distribution function brings it to the scale of the values.
    """
    n = near.count
    rank = (n + 1) * probability
    if not 1 <= rank <= n:
        return np.nan
    first, end = _weighed(n, probability)
    weights = np.diff(betainc(rank, n + 1 - rank, np.arange(first, end + 1) / n))
    values = near.between(first, end)
    return float(np.sqrt(weights @ (values - weights @ values) ** 2))


def _weighed(n: int, probability: float) -> tuple[int, int]:
    """The order statistics around a quantile's rank: farther from it than this their weights are below 1e-17."""
    rank = (n + 1) * probability
    reach = 40 + 12 * np.sqrt(rank * (1 - probability))
    return max(0, int(rank - reach)), min(n, int(rank + reach))
