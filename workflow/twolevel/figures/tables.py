"""Columns of a table, with a clear message where a figure names one that the table lacks."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twolevel.errors import UserError
from twolevel.output.words import Labels

# Anything that gives a column by its name: a dict of arrays, or a data frame.
Table = Mapping[str, Any]
Floats = NDArray[np.float64]


def numbers(table: Table, column: str) -> Floats:
    """Values of a numeric column."""
    values = _column(table, column)
    if values.dtype.kind not in "iufb":
        raise UserError(f"column {column!r} holds text, and the figure needs numbers. Name a numeric column.")
    if not np.isfinite(values).all():
        raise UserError(
            f"column {column!r} has missing or infinite values, and the figure needs all of them. Fill them "
            "in, leave their rows out of the file, or name another column."
        )
    return values.astype(float)


def complete(table: Table, columns: Iterable[str]) -> tuple[Table, int]:
    """The rows that have a value in each of these columns, and how many have not."""
    there = [_present(np.asarray(table[name])) for name in columns if name in table]
    used = np.logical_and.reduce(there) if there else np.array([], dtype=bool)
    if used.all():
        return table, 0
    return {name: np.asarray(table[name])[used] for name in table}, int((~used).sum())


def _present(values: NDArray[Any]) -> NDArray[np.bool_]:
    if values.dtype.kind == "f":
        return np.asarray(~np.isnan(values))
    return np.array([value is not None and value == value for value in values.tolist()])


def sparse(table: Table, column: str) -> Floats:
    """Values of a numeric column that may have gaps: NaN where there is none."""
    values = _column(table, column)
    # An empty column of a CSV file has no type, and its values are None.
    return values.astype(float)


def varying(table: Table, column: str) -> Floats:
    """Values of a numeric column, of which there are at least two: what a line needs."""
    values = numbers(table, column)
    if np.ptp(values) == 0:
        raise UserError(f"column {column!r} has the same value, {values[0]}, in every row. Name a column that varies.")
    return values


def texts(table: Table, column: str) -> NDArray[np.str_]:
    """Values of a column as text: identifiers, or levels of a factor."""
    return _column(table, column).astype(str)


def of_groups(table: Table, column: str, labels: Labels) -> NDArray[Any]:
    """Value of each group, in the sorted order of the groups, of a column that is the same for all of its rows."""
    group, values = texts(table, labels.group), _column(table, column)
    _, first, index = np.unique(group, return_index=True, return_inverse=True)
    of_group = values[first]
    differs = of_group[index] != values
    if differs.any():
        raise UserError(
            f"{column!r} is not the same for every {labels.observation_noun.singular} of {labels.group_noun.singular} "
            f"{str(group[differs][0])!r}. Name a column that belongs to the {labels.group_noun.singular}."
        )
    return np.asarray(of_group)


def levels_of(category_of_group: NDArray[np.str_], category: str, labels: Labels, most: int) -> list[str]:
    """Levels that occur, in the factor's own order, or sorted where the configuration gives none."""
    occurring = np.unique(category_of_group).tolist()
    levels = [level for level in labels.levels.get(category, occurring) if level in occurring]
    if len(levels) > most:
        raise UserError(
            f"category {category!r} has {len(levels)} levels, and the figure shows at most "
            f"{most}. Name a coarser column, such as one that `derive` cuts."
        )
    return levels


def _column(table: Table, column: str) -> NDArray[Any]:
    if column not in table:
        raise UserError(
            f"there is no column {column!r}; the columns are {', '.join(table)}. Name one of these, or make "
            "it under `derive`."
        )
    return np.asarray(table[column])
