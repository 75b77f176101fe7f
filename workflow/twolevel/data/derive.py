"""Derive columns from others: group means, deviations from them, equal ranges; and one row per group."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from twolevel.data.columns import Column, as_number, as_text
from twolevel.errors import UserError

# How far a file's own column may be from the derived one, relative to the largest value (at least 1). Two
# careful computations of a mean differ by some 1e-16; a file that rounds its columns differs by 1e-4 or so.
TOLERANCE = 1e-9

Recipe = Mapping[str, Any]


def derive(table: pd.DataFrame, group: str, recipes: Mapping[str, Recipe]) -> pd.DataFrame:
    """Return `table` with the derived columns at its end, compared with its own of the same names.

    Parameters
    ----------
    table : one row per observation; numbers as float64
    group : the column that identifies the groups
    recipes : by name, in order, one of `{group_mean: column}`, `{centre_within_group: column}` and
        `{cut: column, breaks: k, labels: [...]}`; a recipe may use columns derived before it

    Raises
    ------
    UserError
        A recipe names a column that is not there or not numeric, cannot be followed, or gives other values
        than the column of the same name in `table`.
    """
    own = table[[name for name in recipes if name in table]]
    derived = table.drop(columns=own.columns)
    for name, recipe in recipes.items():
        derived[name] = _follow(recipe, derived, group, name)
        if name in own:
            _compare(name, own[name], derived[name], derived[group])
    return derived


def group_mean(values: pd.Series, groups: pd.Series) -> pd.Series:
    """Return for every row the mean of its group: the sum, rounded once in any order, over the count.

    # ASSUME: where values are missing, a group's mean is that of the values it has.
    """
    present = values.dropna()
    means = {label: math.fsum(members) / len(members) for label, members in present.groupby(groups, sort=False)}
    return groups.map(means).astype("float64")


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
        raise UserError(f"values from {lowest} to {highest} are too close to be divided into {breaks} ranges.")
    codes = np.searchsorted(edges, values, side="left") - 1
    ranges = pd.CategoricalDtype(list(labels), ordered=True)
    named = [None if missing else labels[code] for code, missing in zip(codes, values.isna(), strict=True)]
    return pd.Series(named, index=values.index, dtype=ranges)


def group_level_columns(columns: Mapping[str, Column], recipes: Mapping[str, Recipe]) -> list[str]:
    """Name the columns, declared and derived, whose value is the same for every observation of a group."""
    names = [name for name, declared in columns.items() if declared.get("group_level", False)]
    for name, recipe in recipes.items():
        if "group_mean" in recipe or recipe.get("cut") in names:
            names.append(name)
    return names


def group_table(table: pd.DataFrame, group: str, columns: Iterable[str]) -> pd.DataFrame:
    """Return one row per group, in order of first appearance: its label, `n` observations, `columns`."""
    groups = table.groupby(group, sort=False, observed=True)[[*columns]].first().reset_index()
    if "n" in groups:
        raise UserError("a group-level column is named 'n', which is the number of observations: give it another name.")
    groups.insert(1, "n", groups[group].map(table[group].value_counts()))
    return groups


def _follow(recipe: Recipe, table: pd.DataFrame, group: str, name: str) -> pd.Series:
    """Make one derived column."""
    kind = next(kind for kind in ("group_mean", "centre_within_group", "cut") if kind in recipe)
    key = f"derive.{name}.{kind}"
    source: str = recipe[kind]
    if source not in table:
        raise UserError(f"{key}: no column {source!r} here; there are {', '.join(table.columns)}.")
    values = table[source]
    if not pd.api.types.is_float_dtype(values):
        raise UserError(f"{key}: column {source!r} is not a number; declare it so, or name another.")
    if kind == "group_mean":
        return group_mean(values, table[group])
    if kind == "centre_within_group":
        return values - group_mean(values, table[group])
    if not 2 <= recipe["breaks"] == len(set(recipe["labels"])) == len(recipe["labels"]):
        raise UserError(
            f"derive.{name}: breaks is {recipe['breaks']} and labels are {recipe['labels']}; "
            "give at least 2 breaks, and as many different labels."
        )
    try:
        return cut_like_r(values, recipe["breaks"], recipe["labels"])
    except UserError as error:
        raise UserError(f"{key}: in column {source!r}, {error}") from None


def _compare(name: str, own: pd.Series, derived: pd.Series, groups: pd.Series) -> None:
    """Refuse a table whose own column `name` is not what the recipe gives."""
    if pd.api.types.is_float_dtype(derived):
        gap = (as_number(own) - derived).abs()
        tolerance = TOLERANCE * max(1.0, derived.abs().max())
        differs = ~(gap <= tolerance) & ~(own.isna() & derived.isna())  # a value that only one of them has differs
        largest = f"the most by {gap.max():.3g} where {tolerance:.3g} is allowed; {gap.isna().sum()} are no number"
    else:
        differs = as_text(own) != as_text(derived)
        row = int(differs.to_numpy().argmax())
        largest = f"first in row {row + 1}: {own.iloc[row]} in the file, {derived.iloc[row]} derived"
    if differs.any():
        raise UserError(
            f"column {name!r} of the file is not what derive.{name} gives: {differs.sum()} of {len(own)} "
            f"rows in {groups[differs].nunique()} of {groups.nunique()} groups differ, {largest}.\n"
            "It was made from other rows, in another way, or rounded. To use the derived one, remove or "
            f"rename it in the file; to use the file's, remove derive.{name} and declare it in data.columns."
        )
