"""How far a run of the source's size can differ from ours by chance alone.

The laws are exact: they assume no form of the distribution, and take the chance in both runs into account.
"""

from bisect import bisect_left
from math import ceil, floor

import numpy as np
from scipy.stats import betabinom, hypergeom
from twolevel.inference.samples import Sample, ordered

from published.solution import NotThereError

# A correct run lies outside a band once in a thousand times, and outside at least one of twelve about once in a
# hundred.
COVERAGE = 0.999

# An upper limit of the search: more replicates than anybody would draw.
MOST_REPLICATES = 2**40


def quantile_band(replicates: Sample, probability: float, samples: int) -> tuple[float, float]:
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

    Raises
    ------
    NotThereError
        An edge would lie beyond all our replicates: the other run's bound can then be anything on that side.
    """
    of = ordered(replicates)
    n = of.count
    below, up_to = band_ranks(n, probability, samples)
    if below < 1 or up_to >= n:
        raise NotThereError(
            f"the bootstrap has {n} replicates, too few for a band of a run of {samples} samples; "
            f"{least_replicates(probability, samples)} are enough"
        )
    return float(of.statistics(below - 1, below)[0]), float(of.statistics(up_to, up_to + 1)[0])


def least_replicates(probability: float, samples: int, coverage: float = COVERAGE) -> int:
    """Least number of our replicates that has both edges of `quantile_band`, whose parameters these are, within it.

    An edge is within if the probability that all replicates lie on one side of the bound is less than the band allows.
    That probability falls with their number.
    """
    tail, (low, high) = (1 - coverage) / 2, _bound_ranks(probability, samples)

    def enough(n: int) -> bool:
        none_below = betabinom.pmf(0, n, low, samples + 1 - low)
        all_below = betabinom.pmf(n, n, high, samples + 1 - high)
        return bool(max(none_below, all_below) < tail)

    return bisect_left(range(MOST_REPLICATES), True, lo=1, key=enough)


def band_ranks(n: int, probability: float, samples: int, coverage: float = COVERAGE) -> tuple[int, int]:
    """Least and greatest number of our n replicates that lie below the bound of another run, but for 1 - coverage.

    The parameters are those of `quantile_band`.
    """
    tail, (low, high) = (1 - coverage) / 2, _bound_ranks(probability, samples)
    below = betabinom.ppf(tail, n, low, samples + 1 - low)
    up_to = betabinom.ppf(1 - tail, n, high, samples + 1 - high)
    return int(below), int(up_to)


def _bound_ranks(probability: float, samples: int) -> tuple[int, int]:
    """The order statistics between which another run's bound lies."""
    rank = (samples + 1) * probability
    low, high = (min(max(of_rank, 1), samples) for of_rank in (floor(rank), ceil(rank)))
    return low, high


def count_band(count: int, n: int, samples: int) -> tuple[int, int]:
    """Band for how many of another run's samples are extreme, where `count` of our n replicates are.

    Given how many are extreme in both runs together, the other's number is hypergeometric (Fisher 1935). The band holds
    the numbers that this law would not reject.
    """
    tail = (1 - COVERAGE) / 2
    x = np.arange(samples + 1)
    at_most = hypergeom.cdf(x, n + samples, count + x, samples)
    at_least = hypergeom.sf(x - 1, n + samples, count + x, samples)
    possible = np.flatnonzero((at_most > tail) & (at_least > tail))
    return int(possible[0]), int(possible[-1])
