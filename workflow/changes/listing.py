"""All that differs between two runs as rows of one table, for changes.csv."""

from collections.abc import Iterator
from math import isinf

import numpy as np
import pandas as pd

from changes.comparison import Comparison
from changes.data import DataChanges
from changes.digest import Digest

COLUMNS = ("part", "change", "where", "row", "column", "before", "after", "standard_errors")


def listing(comparison: Comparison) -> pd.DataFrame:
    """One row for each difference: data, then estimates, verdicts, figures and other values; the largest of each first.

    Returns
    -------
    Columns `part` (data, estimate, test, fit, ledger, figure or value) and `change`; `where` (the column, group, model,
    comparison or file), `row` and `column`; `before` and `after`; how far an estimate moved, in `standard_errors`.
    """
    data: list[pd.DataFrame] = []
    if comparison.data is not None:
        data.append(pd.DataFrame(_names(comparison.data), columns=list(COLUMNS)))
        data.append(row_changes(comparison.data, comparison.before.table, comparison.after.table))
    rows: list[tuple[object, ...]] = []
    for move in comparison.moves:
        change = "added" if move.before is None else "removed" if move.after is None else "moved"
        size = None if isinf(move.size) else move.size
        rows.append(("estimate", change, move.model, move.name, "estimate", move.before, move.after, size))
    rows += [(of.kind, "verdict", of.where, of.name, "", of.before, of.after, None) for of in comparison.verdicts]
    for picture in comparison.pictures:
        change = "added" if picture.before is None else "removed" if picture.after is None else "differs"
        rows.append(("figure", change, picture.name, "", "", None, None, None))
    rows += [("value", "differs", of.file, of.what.lstrip(", "), "", None, None, None) for of in comparison.rows]
    return pd.concat([*data, pd.DataFrame(rows, columns=list(COLUMNS))]).astype(object)


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
) -> pd.DataFrame:
    """A row for each row that was added or removed and each altered value: the values where the tables are at hand."""
    parts = [
        _rows("row added", data.after, data.added[:most]),
        _rows("row removed", data.before, data.removed[:most]),
    ]
    old_name = {now: was for was, now in data.columns_renamed.items()}
    altered = data.altered[:most]
    for column in data.altered_columns:
        places = altered.loc[altered[column].astype(bool), ["before", "after"]].to_numpy()
        part = _rows("row altered", data.after, places[:, 1], column)
        part["before"] = _values(old, old_name.get(column, column), places[:, 0])
        part["after"] = _values(new, column, places[:, 1])
        parts.append(part.assign(place=places[:, 1]))
    # The altered values of a row stand together.
    return pd.concat(parts, ignore_index=True).sort_values("place", kind="stable", na_position="first")[list(COLUMNS)]


def _rows(change: str, digest: Digest, places: np.ndarray, column: str = "") -> pd.DataFrame:
    groups = digest.names[digest.group].to_numpy()[places]
    told = {"part": "data", "change": change, "where": groups, "row": digest.row_names(places), "column": column}
    return pd.DataFrame(told | {"before": None, "after": None, "standard_errors": None, "place": np.nan}).astype(object)


def _values(table: pd.DataFrame | None, column: str, places: np.ndarray) -> np.ndarray | None:
    return None if table is None else table[column].to_numpy(dtype=object)[places]
