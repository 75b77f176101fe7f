"""Moments and order statistics of a sample of any size, read in blocks: only a small part of it is held at a time."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from twolevel.model.design import Floats

# A sample as blocks (b,), which can be passed over again and again; numbers that are not finite do not count.
Sample = Iterable[Floats]

# Samples up to this size are sorted whole; of larger ones so many are sorted to see where an order statistic lies.
HELD = 2**18


@dataclass(frozen=True)
class Moments:
    """Moments of a sample.

    Attributes
    ----------
    count : how many numbers there are
    smallest, largest : missing where there is none, as is the mean
    mean, second, third, fourth : the mean, and the means of the deviations' powers
    """

    count: int
    smallest: float
    largest: float
    mean: float
    second: float
    third: float
    fourth: float

    @property
    def variance(self) -> float:
        """The unbiased variance; missing where there are fewer than two numbers."""
        return self.second * self.count / (self.count - 1) if self.count > 1 else np.nan


@dataclass(frozen=True)
class OrderStatistics:
    """Neighbouring order statistics of a sample.

    Attributes
    ----------
    count : size of the sample
    first : how many order statistics there are below the first of these
    values : (n,) ascending
    """

    count: int
    first: int
    values: Floats

    def between(self, first: int, end: int) -> Floats:
        """Order statistics first, ..., end - 1 of the sample, counted from 0."""
        return self.values[first - self.first : end - self.first]


def finite(sample: Sample) -> Iterator[Floats]:
    """The blocks without what is not finite."""
    return (block[np.isfinite(block)] for block in sample)


def moments(sample: Sample, of: Callable[[Floats], Floats] = np.asarray) -> Moments:
    """Moments of the sample, or of a function `of` its numbers, in two passes."""
    count, total, smallest, largest = 0, 0.0, np.inf, -np.inf
    for values in map(of, finite(sample)):
        if len(values):
            count, total = count + len(values), total + values.sum()
            smallest, largest = min(smallest, values.min()), max(largest, values.max())
    if not count:
        return Moments(0, *[np.nan] * 6)
    mean = total / count
    powers = np.zeros(3)
    for values in map(of, finite(sample)):
        deviation = values - mean
        squared = deviation**2
        powers += squared.sum(), (deviation * squared).sum(), (squared**2).sum()  # other powers take ten times as long
    return Moments(count, float(smallest), float(largest), float(mean), *map(float, powers / count))


def histogram(sample: Sample, bins: int, first: float, last: float) -> tuple[Floats, Floats]:
    """How many numbers there are in each of so many equal bins from `first` to `last`, and the edges of these."""
    counts = sum(np.histogram(values, bins, (first, last))[0] for values in finite(sample))
    return np.asarray(counts), np.histogram_bin_edges([], bins, (first, last))


def order_statistics(sample: Sample, count: int, first: int, end: int) -> OrderStatistics:
    """Order statistics first, ..., end - 1 of a sample of `count` finite numbers, counted from 0.

    Of a sample larger than `HELD`, evenly spaced members are sorted, which bracket the order statistics with room to
    spare, and another pass collects what lies within the brackets (after Floyd & Rivest 1975, who draw the members at
    random). Where the order statistics are not all there, the brackets are widened until they are.
    """
    step = max(1, math.ceil(count / HELD))
    some = _every(sample, step)
    if step == 1:
        return OrderStatistics(count, 0, some)
    share = min(max(0.5, first / count), end / count)
    # Six standard deviations of a rank among the members, or of one of 16 where nearly all or none are below.
    margin = 6 * math.sqrt(max(len(some) * share * (1 - share), 16))
    while True:
        low, high = first / step - margin, end / step + margin
        lower = some[int(low)] if low >= 0 else -np.inf
        upper = some[math.ceil(high)] if high <= len(some) - 1 else np.inf
        if (found := _within(sample, lower, upper, first, end)) is not None:
            return OrderStatistics(count, first, found)
        margin *= 4


def _every(sample: Sample, step: int) -> Floats:
    """Each `step`-th number of the sample, sorted."""
    some, seen = [], 0
    for values in finite(sample):
        some.append(values[-seen % step :: step].copy())  # the block itself can go
        seen += len(values)
    return np.sort(np.concatenate(some))


def _within(sample: Sample, lower: float, upper: float, first: int, end: int) -> Floats | None:
    """Order statistics first, ..., end - 1, unless one of them is not from `lower` to `upper`.

    What equals a bracket is counted and not collected: it may be much of the sample, as where a variance is zero.
    """
    below = at_lower = at_upper = 0
    inside = []
    for values in finite(sample):
        below += int((values < lower).sum())
        at_lower += int((values == lower).sum())
        at_upper += int((values == upper).sum()) if upper > lower else 0
        inside.append(values[(lower < values) & (values < upper)])
    known = np.concatenate([[lower], np.sort(np.concatenate(inside)), [upper]])
    ranks = np.arange(first, end) - below
    if ranks[0] < 0 or ranks[-1] >= at_lower + len(known) - 2 + at_upper:
        return None
    return np.asarray(known[np.clip(ranks - at_lower + 1, 0, len(known) - 1)])
