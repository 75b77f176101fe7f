"""Moments and order statistics of a sample of any size, read in blocks: only a small part of it is held at a time."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from twolevel.model.design import Floats

# A sample as blocks (b,), which can be passed over again and again; numbers that are not finite do not count.
Sample = Iterable[Floats]

# A sample up to this size is sorted whole. Of a larger one at most so many members are, to see where others lie.
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
class Ordered:
    """A sample of which some members are in order: all of them, or of a large sample evenly spaced ones.

    Attributes
    ----------
    sample : its blocks
    count : how many numbers there are
    members : ascending
    """

    sample: Sample
    count: int
    members: Floats

    def statistics(self, first: int, end: int) -> Floats:
        """Order statistics first, ..., end - 1, counted from 0.

        Where not all members are in order, those that are bracket the order statistics with room to spare, and a pass
        collects what lies between (after Floyd & Rivest 1975, who draw the members at random). Where the order
        statistics are not all there, as those in order mislead, wider brackets follow.

        Raises
        ------
        ValueError
            The sample is not what it was.
        """
        n = len(self.members)
        if n == self.count:
            return self.members[first:end]
        step = self.count / n
        # A rank among the members has a standard deviation of at most half their number's square root.
        for margin in (3 * math.sqrt(n), 12 * math.sqrt(n), math.inf):
            low, high = first / step - margin, end / step + margin
            lower = self.members[int(low)] if low >= 0 else -np.inf
            upper = self.members[math.ceil(high)] if high <= n - 1 else np.inf
            if (found := _within(self.sample, lower, upper, first, end)) is not None:
                return found
        raise ValueError(f"the sample no longer has {self.count} numbers")


def finite(sample: Sample) -> Iterator[Floats]:
    """The blocks without what is not finite."""
    return (block[np.isfinite(block)] for block in sample)


def size(sample: Sample) -> int:
    """How many finite numbers there are."""
    return sum(len(values) for values in finite(sample))


def reached(sample: Sample, value: float) -> int:
    """How many numbers are as large as `value` or larger."""
    return sum(int((values >= value).sum()) for values in finite(sample))


def moments(sample: Sample, of: Callable[[Floats], Floats] = np.asarray) -> Moments:
    """Moments of the sample, or of a function `of` its numbers, in two passes."""
    count, total, smallest, largest = 0, 0.0, np.inf, -np.inf
    for values in map(of, finite(sample)):
        if len(values):
            count, total = count + len(values), total + values.sum()
            smallest, largest = min(smallest, values.min()), max(largest, values.max())
    if not count:
        return Moments(0, *[np.nan] * 6)
    mean = total / count if smallest < largest else smallest  # the sum may be rounded
    again, powers = 0, np.zeros(3)
    for values in map(of, finite(sample)):
        again += len(values)
        deviation = values - mean
        squared = deviation**2
        powers += squared.sum(), (deviation * squared).sum(), (squared**2).sum()  # other powers take ten times as long
    _check_again(count, again)
    return Moments(count, float(smallest), float(largest), float(mean), *map(float, powers / count))


def histogram(sample: Sample, bins: int, first: float, last: float) -> tuple[Floats, Floats]:
    """How many numbers there are in each of so many equal bins from `first` to `last`, and the edges of these."""
    edges = np.linspace(first, last, bins + 1)
    counts = np.zeros(bins, dtype=int)
    for values in finite(sample):
        counts += np.histogram(values, bins, (first, last))[0]
    return counts, edges


def ordered(sample: Sample) -> Ordered:
    """Put in order what `Ordered` needs: at most `HELD` numbers."""
    count = size(sample)
    step = max(1, math.ceil(count / HELD))
    some, seen = [np.empty(0)], 0
    for values in finite(sample):
        some.append(values[-seen % step :: step].copy())  # the block itself can go
        seen += len(values)
    _check_again(count, seen)
    return Ordered(sample, count, np.sort(np.concatenate(some)))


def _check_again(count: int, again: int) -> None:
    if again != count:
        raise ValueError(f"the sample has {count} numbers at one pass and {again} at the next")


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
