"""What each recipe makes of columns: values over groups or rows, ranges, other levels, the row before, another table's.

Each function gets series over the n rows, with missing values as NaN, and returns one of the same index. Sums are exact
until one rounding, so that the order of the rows does not matter.
"""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from twolevel.data.kinds import as_number, as_text
from twolevel.errors import UserError, counted, some


class ValuesError(UserError):
    """What other values of the same columns would allow."""


def group_mean(values: pd.Series, groups: pd.Series) -> pd.Series:
    """Return for every row the mean of its group: the sum, rounded once in any order, over the count.

    # ASSUME: where values are missing, a group's mean is that of the values it has.
    """
    return _map_groups(values, groups, _mean)


def group_sd(values: pd.Series, groups: pd.Series) -> pd.Series:
    """Return for every row the standard deviation of its group, with n - 1; missing in a group of one value."""
    return _map_groups(values, groups, lambda members: _sd(members) if len(members) > 1 else math.nan)


def group_size(values: pd.Series, groups: pd.Series) -> pd.Series:
    """Return for every row how many rows of its group have a value."""
    counts = values.notna().groupby(groups, sort=False).sum()
    return groups.map(counts).astype("float64")


def group_share(values: pd.Series, groups: pd.Series, level: str) -> pd.Series:
    """Return for every row the share of a level among the values that its group has."""
    return group_mean((values == level).astype("float64").where(values.notna()), groups)


def centre(values: pd.Series, groups: pd.Series, over: str) -> pd.Series:
    """Return the deviation from the grand mean, over "rows" or over "groups" (each group's one value counted once)."""
    return values - _mean(_units(values, groups, over))


def standardise(values: pd.Series, groups: pd.Series, over: str) -> pd.Series:
    """Return the deviation from the grand mean in standard deviations (with n - 1), both over rows or over groups."""
    units = _units(values, groups, over)
    spread = _sd(units) if len(units) > 1 else 0.0
    if spread == 0:
        raise ValuesError("all values are the same, so the standard deviation is zero; leave this column out.")
    return (values - _mean(units)) / spread


def _map_groups(values: pd.Series, groups: pd.Series, summary: Callable[[pd.Series], float]) -> pd.Series:
    found = {label: summary(members) for label, members in values.dropna().groupby(groups, sort=False)}
    return groups.map(found).astype("float64")


def _mean(values: pd.Series) -> float:
    return math.fsum(values) / len(values) if len(values) else math.nan


def _sd(values: pd.Series) -> float:
    mean = _mean(values)
    return math.sqrt(math.fsum((values - mean) ** 2) / (len(values) - 1))


def _units(values: pd.Series, groups: pd.Series, over: str) -> pd.Series:
    """The values to be summarised: every row's, or one of each group."""
    present = values.dropna()
    if over == "rows":
        return present
    each = present.groupby(groups, sort=False)
    if varying := [str(label) for label, members in each if members.min() < members.max()]:
        raise ValuesError(
            f"over: groups needs one value in each group, and it varies within {len(varying)} of {each.ngroups}: "
            f"{some(varying)}. Derive its group_mean first, or say over: rows."
        )
    return each.first()


def cut_like_r(values: pd.Series, breaks: int, labels: Sequence[str]) -> pd.Series:
    """Divide the range of `values` into `breaks` intervals of equal width, as R's `cut` does with a number.

    The inner edges divide the range equally; then the first and the last move outwards by a thousandth of it.
    Intervals are closed on the right. Unlike in R, values that are all the same, or too close to be told from
    the edges in double precision, are refused. Source: R 4.2 `?cut`, section Details.

    Returns
    -------
    An ordered categorical with the categories `labels`.
    """
    lowest, highest = float(values.min()), float(values.max())
    edges = np.linspace(lowest, highest, breaks + 1)
    edges[0] -= (highest - lowest) / 1000
    edges[-1] += (highest - lowest) / 1000
    if not (edges[0] < lowest and edges[-1] > highest and np.all(np.diff(edges) > 0)):
        raise ValuesError(
            f"values from {lowest} to {highest} are too close to be divided into {breaks} ranges; use fewer."
        )
    return cut_at(values, edges[1:-1], labels)


def cut_at(values: pd.Series, points: Sequence[float] | np.ndarray, labels: Sequence[str]) -> pd.Series:
    """Divide values at given points, ascending; a value equal to a point belongs to the range below, as in R's `cut`.

    Returns
    -------
    An ordered categorical with the categories `labels`, one more than there are points.
    """
    codes = np.searchsorted(np.asarray(points, dtype=float), values, side="left")
    codes = np.where(values.isna(), -1, codes)
    ranges = pd.CategoricalDtype(list(labels), ordered=True)
    return pd.Series(pd.Categorical.from_codes(codes, dtype=ranges), index=values.index)


def cut_at_quantiles(values: pd.Series, groups: pd.Series, over: str, labels: Sequence[str]) -> pd.Series:
    """Divide values at quantiles into as many parts as there are labels, over rows or over groups.

    As R's `cut(x, quantile(x, 0:k/k), include.lowest = TRUE)`; the quantiles are R's type 7.
    """
    units = _units(values, groups, over)
    points = np.quantile(units, np.arange(len(labels) + 1) / len(labels)) if len(units) else np.zeros(2)
    if not np.all(np.diff(points) > 0):
        shown = ", ".join(f"{point:g}" for point in points)
        raise ValuesError(
            f"so many values are equal that {len(labels)} parts cannot be told apart: they would be cut at {shown}; "
            "give fewer labels, or say where to cut with `at`."
        )
    return cut_at(values, points[1:-1], labels)


def recode(values: pd.Series, to: Mapping[str, str | float | None]) -> pd.Series:
    """Give each value another: texts make a factor whose levels stand in the order of `to`, numbers a number.

    Several may become one; one that becomes None is missing.
    """
    texts = as_text(values).where(values.notna())
    if unnamed := sorted(set(texts.dropna()) - set(to)):
        raise ValuesError(
            f"`to` gives no new value for {some(map(repr, unnamed))}; add one, or null to make the value missing."
        )
    made = texts.map({old: new for old, new in to.items() if new is not None})
    new = list(dict.fromkeys(level for level in to.values() if level is not None))
    if not new:
        raise ValuesError("`to` makes every value missing; give at least one of them another value.")
    kinds = {isinstance(level, str) for level in new}
    if len(kinds) > 1:
        raise ValuesError(f"`to` has texts and numbers, {some(map(repr, new))}; put the numbers in quotes too.")
    if kinds == {True}:
        return made.astype(pd.CategoricalDtype(new, ordered=True))
    return made.astype("float64")


def lag(values: pd.Series, groups: pd.Series, order: pd.Series, by: int) -> pd.Series:
    """Return the value of the row that stands `by` rows before in the group, by the order; missing where there is none.

    What counts is the place in the order: where a time is left out, the row before is of an earlier one.
    """
    if order.isna().any():
        raise ValuesError(
            f"the column of the order has no value in {counted(order.isna().sum(), 'row')}, first in row "
            f"{int(order.isna().argmax()) + 1}; fill it in, or leave these rows out of the file."
        )
    tied = pd.DataFrame({"group": groups, "order": order}).duplicated()
    if tied.any():
        row = int(tied.to_numpy().argmax())
        raise ValuesError(
            f"two rows of a group have the same place in the order: a value comes again in "
            f"{counted(int(tied.sum()), 'row')}, first row {row + 1} ({groups.iloc[row]}, {order.iloc[row]:g}); give "
            "each row of a group a value of its own."
        )
    sorted_rows = order.sort_values(kind="stable").index
    before = values.loc[sorted_rows].groupby(groups.loc[sorted_rows], sort=False).shift(by)
    return before.loc[values.index]


def join(groups: pd.Series, table: pd.DataFrame, column: str, levels: Sequence[str] | None, file: str) -> pd.Series:
    """Return for every row the value that another table has for its group.

    Parameters
    ----------
    groups : the group of each row, as text; its name is that of the group's column in both tables
    table : one row for each group, of any type
    levels : those of a factor, the reference level first; None makes a number
    file : what to call the other table in an error
    """
    group = str(groups.name)
    for needed in (group, column):
        if needed not in table:
            raise ValuesError(f"{file} has no column {needed!r}; it has {', '.join(map(str, table.columns))}.")
    names = as_text(table[group])
    if names.duplicated().any():
        raise ValuesError(f"{file} has more than one row for {some(names[names.duplicated()].unique())}; keep one.")
    if lost := [str(name) for name in groups.dropna().unique() if name not in set(names)]:
        raise ValuesError(
            f"{file} has no row for {len(lost)} of {groups.nunique()} groups: {some(map(repr, lost))}; add it."
        )
    given = table[column]
    if levels is None:
        numbers = as_number(given)
        strange = given[given.notna() & ~numbers.abs().lt(np.inf)]
        if len(strange):
            raise ValuesError(
                f"{file}, column {column}, has values that are not numbers: {some(strange)}; correct them, "
                "or set `levels` to make a factor."
            )
        return groups.map(dict(zip(names, numbers, strict=True))).astype("float64")
    texts = as_text(given).where(given.notna())
    if unknown := sorted(set(texts.dropna()) - set(levels)):
        raise ValuesError(
            f"{file}, column {column}, has {some(unknown)}, not among the levels {', '.join(levels)}; add it."
        )
    return groups.map(dict(zip(names, texts, strict=True))).astype(pd.CategoricalDtype(list(levels), ordered=True))
