"""Straight lines: by least squares through all observations and through each group's, and that of the fixed effects."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twolevel.figures.tables import Table, numbers, texts


@dataclass(frozen=True)
class Line:
    """A straight line, `intercept + slope * x`."""

    intercept: float
    slope: float

    def at(self, x: ArrayLike) -> NDArray[np.float64]:
        """Height of the line at each `x`."""
        return self.intercept + self.slope * np.asarray(x, dtype=float)


@dataclass(frozen=True)
class GroupLines:
    """The OLS line of every group; one entry per group in each array, in the sorted order of `group`.

    Attributes
    ----------
    group : identifiers of the groups.
    n : observations in each group.
    intercept, slope : NaN where a group has fewer than two distinct values of x, since it then has no line.
    x_min, x_max : the range of x in each group.
    """

    group: NDArray[np.str_]
    n: NDArray[np.int64]
    intercept: NDArray[np.float64]
    slope: NDArray[np.float64]
    x_min: NDArray[np.float64]
    x_max: NDArray[np.float64]

    @property
    def has_line(self) -> NDArray[np.bool_]:
        """Which groups have a line."""
        return self.x_min < self.x_max

    def take(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> "GroupLines":
        """Keep the groups that an index or a mask picks."""
        return GroupLines(
            self.group[which],
            self.n[which],
            self.intercept[which],
            self.slope[which],
            self.x_min[which],
            self.x_max[which],
        )

    def segments(self) -> NDArray[np.float64]:
        """End points of each line over its group's own range of x, as (groups, 2 ends, x and y)."""
        ends = np.column_stack([self.x_min, self.x_max])
        heights = self.intercept[:, np.newaxis] + self.slope[:, np.newaxis] * ends
        return np.stack([ends, heights], axis=2)


def fit_group_lines(group: ArrayLike, x: ArrayLike, y: ArrayLike) -> GroupLines:
    """Regress `y` on `x` within each group, all groups at once.

    Sums of squares are taken about each group's own means, so that a large mean costs no digits.

    Parameters
    ----------
    group, x, y : (n,) the group, predictor and outcome of every observation, in any order.

    Returns
    -------
    The lines, in the sorted order of the group identifiers.
    """
    names, index = np.unique(np.asarray(group, dtype=str), return_inverse=True)
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    n = np.bincount(index)
    x_mean, y_mean = np.bincount(index, x) / n, np.bincount(index, y) / n
    x_centred, y_centred = x - x_mean[index], y - y_mean[index]
    x_min, x_max = np.full(len(names), np.inf), np.full(len(names), -np.inf)
    np.minimum.at(x_min, index, x)
    np.maximum.at(x_max, index, x)
    sxx, sxy = np.bincount(index, x_centred**2), np.bincount(index, x_centred * y_centred)
    slope = np.full(len(names), np.nan)
    np.divide(sxy, sxx, out=slope, where=x_min < x_max)
    return GroupLines(names, n, y_mean - slope * x_mean, slope, x_min, x_max)


def fit_line(x: ArrayLike, y: ArrayLike) -> Line:
    """Regress `y` on `x` over all observations, whatever their group.

    Parameters
    ----------
    x, y : (n,) the predictor and the outcome.

    Raises
    ------
    ValueError
        If `x` has fewer than two distinct values, which leaves the slope undefined.
    """
    x = np.asarray(x, dtype=float)
    one = fit_group_lines(np.zeros(len(x), dtype=int), x, y)
    if not one.has_line.all():
        raise ValueError("a line needs at least two distinct values of x")
    return Line(float(one.intercept[0]), float(one.slope[0]))


def average_line(fixed_effects: Table, x: str) -> Line:
    """The fixed effects of a model whose only predictor is `x`, as a line in it.

    Parameters
    ----------
    fixed_effects : term and estimate of each.
    x : the predictor.
    """
    estimates = dict(zip(texts(fixed_effects, "term"), numbers(fixed_effects, "estimate"), strict=True))
    return Line(float(estimates["(Intercept)"]), float(estimates[x]))
