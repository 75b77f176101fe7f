"""All that differs between two runs as rows of one table, for changes.csv."""

from collections.abc import Iterator
from itertools import islice
from math import isinf

import pandas as pd

from changes.comparison import Comparison
from changes.data import DataChanges

COLUMNS = ("part", "change", "where", "row", "column", "before", "after", "standard_errors")


def listing(comparison: Comparison) -> pd.DataFrame:
    """One row for each difference: data, then estimates, verdicts, figures and other values; the largest of each first.

    Returns
    -------
    Columns `part` (data, estimate, test, fit, ledger, figure or value) and `change`; `where` (the column, group, model,
    comparison or file), `row` and `column`; `before` and `after`; how far an estimate moved, in `standard_errors`.
    """
    rows: list[tuple[object, ...]] = []
    if comparison.data is not None:
        rows += _names(comparison.data)
        rows += row_changes(comparison.data, comparison.before.table, comparison.after.table)
    for move in comparison.moves:
        change = "added" if move.before is None else "removed" if move.after is None else "moved"
        size = None if isinf(move.size) else move.size
        rows.append(("estimate", change, move.model, move.name, "estimate", move.before, move.after, size))
    for of in comparison.verdicts:
        rows.append((of.kind, "verdict", of.where, of.name, "", of.before, of.after, None))
    for picture in comparison.pictures:
        change = "added" if picture.before is None else "removed" if picture.after is None else "differs"
        rows.append(("figure", change, picture.name, "", "", None, None, None))
    for line in comparison.rows:
        rows.append(("value", "differs", line.file, line.what.lstrip(", "), "", None, None, None))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _names(data: DataChanges) -> Iterator[tuple[object, ...]]:
    """Columns, levels and groups."""
    yield from (("data", "column added", name, "", name, None, None, None) for name in data.columns_added)
    yield from (("data", "column removed", name, "", name, None, None, None) for name in data.columns_removed)
    yield from (("data", "column renamed", new, "", new, old, new, None) for old, new in data.columns_renamed.items())
    for column, levels in data.levels.items():
        yield from (("data", "level respelled", column, "", column, o, n, None) for n, o in levels.respelled.items())
        yield from (("data", "level added", column, level, column, 0, n, None) for level, n in levels.added.items())
        yield from (("data", "level removed", column, level, column, n, 0, None) for level, n in levels.removed.items())
        if levels.reordered:
            before, after = map(", ".join, levels.reordered)
            yield "data", "levels reordered", column, "", column, before, after, None
    yield from (("data", "group added", name, "", "", 0, rows, None) for name, rows in data.groups_added.items())
    yield from (("data", "group removed", name, "", "", rows, 0, None) for name, rows in data.groups_removed.items())


def row_changes(
    data: DataChanges, old: pd.DataFrame | None, new: pd.DataFrame | None, most: int | None = None
) -> Iterator[tuple[object, ...]]:
    """A row for each row that was added or removed and each altered value: the values where the tables are at hand."""
    before, after = data.before, data.after
    names = [digest.names[digest.group].to_numpy() for digest in (before, after)]
    old_name = {now: was for was, now in data.columns_renamed.items()}
    for place in islice(data.added, most):
        yield "data", "row added", names[1][place], after.row_name(place), "", None, None, None
    for place in islice(data.removed, most):
        yield "data", "row removed", names[0][place], before.row_name(place), "", None, None, None
    columns = data.altered.columns[2:]
    for first, second, *differs in islice(data.altered.itertuples(index=False, name=None), most):
        for column, differ in zip(columns, differs, strict=True):
            if differ:
                was = _value(old, first, old_name.get(column, column))
                now = _value(new, second, column)
                yield "data", "row altered", names[1][second], after.row_name(second), column, was, now, None


def _value(table: pd.DataFrame | None, place: int, column: str) -> object:
    return None if table is None else table[column].iloc[place]
