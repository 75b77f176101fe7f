"""What a paper's first table says: each column's number, mean and spread at its level; a factor's counts and shares."""

from collections.abc import Iterator

import pandas as pd

# Level, column, and the group-level factor with its level of which the row is; empty for all.
KEYS = ("level", "column", "by", "category")

# A factor of more levels than this, such as a district, is no heading that a table is split by.
MOST_LEVELS = 50

# A group-level factor and one of its levels.
Part = tuple[str, str]


def descriptives(table: pd.DataFrame, groups: pd.DataFrame, group: str) -> pd.DataFrame:
    """Describe every column of numbers, overall and in each level of every group-level factor.

    Parameters
    ----------
    table : n rows, one per observation
    groups : one row per group: its label, and the columns that have one value in each group
    group : the column of groups

    Returns
    -------
    `level` (1 or 2), `column`, `by` and `category` (the group-level factor and its level; empty for all), `n` values,
    `missing`, `mean`, `sd` (with n - 1), `min`, `max`
    """
    rows = []
    for level, columns, of, part in _parts(table, groups, group):
        for column in columns:
            if pd.api.types.is_numeric_dtype(part[column]) and not pd.api.types.is_bool_dtype(part[column]):
                values = part[column].astype("float64").dropna()
                numbers = (values.mean(), values.std(), values.min(), values.max())
                rows.append((level, column, *of, len(values), len(part) - len(values), *numbers))
    return pd.DataFrame(rows, columns=[*KEYS, "n", "missing", "mean", "sd", "min", "max"])


def frequencies(table: pd.DataFrame, groups: pd.DataFrame, group: str) -> pd.DataFrame:
    """Count the levels of every factor, overall and in each level of every group-level factor.

    Returns
    -------
    `level`, `column`, `by` and `category` as in `descriptives`; `value`, a level of the factor, in their order, or
    empty for what is missing; `count`; `share` of the rows, or groups, that have a value
    """
    rows: list[tuple[object, ...]] = []
    for level, columns, of, part in _parts(table, groups, group):
        for column in columns:
            if column == of[0]:
                continue
            known = part[column].dropna()
            found = known.value_counts()
            counts = [(str(value), int(found.get(value, 0))) for value in _levels(part[column])]
            rows += [(level, column, *of, value, count, count / max(len(known), 1)) for value, count in counts]
            if counts and len(known) < len(part):
                rows.append((level, column, *of, "", len(part) - len(known), None))
    return pd.DataFrame(rows, columns=[*KEYS, "value", "count", "share"])


def _parts(
    table: pd.DataFrame, groups: pd.DataFrame, group: str
) -> Iterator[tuple[int, list[str], Part, pd.DataFrame]]:
    """Level, columns, and the rows or groups: all of them, and those of each level of every group-level factor."""
    of_groups = [str(column) for column in groups if column != group]
    of_rows = [str(column) for column in table if column not in groups]
    for level, columns, rows in ((1, of_rows, table), (2, of_groups, groups)):
        yield level, columns, ("", ""), rows
        for factor in of_groups:
            levels = _levels(groups[factor])
            for value in levels if len(levels) <= MOST_LEVELS else []:
                yield level, columns, (factor, str(value)), rows[rows[factor] == value]


def _levels(values: pd.Series) -> list[object]:
    """The levels of a factor, in their order; none of a column that is not one."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return [*values.cat.categories]
    return [False, True] if pd.api.types.is_bool_dtype(values) else []
