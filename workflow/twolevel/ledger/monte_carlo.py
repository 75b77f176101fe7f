"""How far a run of the source's size can lie from ours, by chance alone.

The laws are exact: they assume no form of the distribution, and take the chance in both runs into account.
"""

from math import ceil, floor

import numpy as np
from scipy.stats import betabinom, hypergeom

from twolevel.design import Floats

# A faithful run lies outside one band in a thousand times; outside at least one of a dozen, about once in a hundred.
COVERAGE = 0.999


def quantile_band(
    replicates: Floats, probability: float, samples: int, coverage: float = COVERAGE
) -> tuple[float, float]:
    """Band for a percentile bound of another run.

    R's `boot.ci` takes the bound between order statistics k and k + 1 of its samples, k the whole part of
    (samples + 1) probability. How many of our n replicates lie below the k-th smallest of m samples of the same
    distribution follows a beta-binomial law, n trials with the parameters k and m + 1 - k; so the k-th smallest lies
    between two of our own order statistics with a known probability.

    Parameters
    ----------
    replicates : ours; those missing are left out
    probability : below the bound, such as 0.025
    samples : of the other run
    coverage : probability of the band, at least
    """
    ordered = np.sort(replicates[np.isfinite(replicates)])
    below, up_to = band_ranks(len(ordered), probability, samples, coverage)
    edges = np.concatenate([[-np.inf], ordered, [np.inf]])
    return float(edges[below]), float(edges[up_to + 1])


def band_ranks(n: int, probability: float, samples: int, coverage: float = COVERAGE) -> tuple[int, int]:
    """Least and greatest number of our n replicates that lie below the bound of another run, but for 1 - coverage.

    The parameters are those of `quantile_band`.
    """
    tail, rank = (1 - coverage) / 2, (samples + 1) * probability
    low, high = (min(max(of_rank, 1), samples) for of_rank in (floor(rank), ceil(rank)))
    below = betabinom.ppf(tail, n, low, samples + 1 - low)
    up_to = betabinom.ppf(1 - tail, n, high, samples + 1 - high)
    return int(below), int(up_to)


def count_band(count: int, n: int, samples: int, coverage: float = COVERAGE) -> tuple[int, int]:
    """Band for how many of another run's samples are extreme, where `count` of our n replicates are.

    Given how many are extreme in both runs together, the other's number is hypergeometric (Fisher 1935). The band holds
    the numbers that this law would not reject.
    """
    tail = (1 - coverage) / 2
    x = np.arange(samples + 1)
    at_most = hypergeom.cdf(x, n + samples, count + x, samples)
    at_least = hypergeom.sf(x - 1, n + samples, count + x, samples)
    possible = np.flatnonzero((at_most > tail) & (at_least > tail))
    return int(possible[0]), int(possible[-1])
