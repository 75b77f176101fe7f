"""Columns and levels that are the same under another name."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from changes.digest import Digest, level_hash

# Two columns, or two levels, are the same under another name where so large a share of their rows agrees.
SAME = 0.95


@dataclass(frozen=True)
class LevelChanges:
    """How the levels of a column differ.

    Attributes
    ----------
    added, removed : the count of each in the table that has it
    respelled : the old name by the new one
    reordered : the levels of both tables in the old order and in the new one; None where that is the same, or no order
    """

    added: Mapping[str, int]
    removed: Mapping[str, int]
    respelled: Mapping[str, str]
    reordered: tuple[tuple[str, ...], tuple[str, ...]] | None

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.respelled or self.reordered)


def with_names(digest: Digest, renamed: Mapping[str, str]) -> Digest:
    """A digest under the new names of its columns."""
    return Digest(
        renamed.get(digest.group, digest.group),
        tuple(renamed.get(column, column) for column in digest.key),
        digest.names.rename(columns=dict(renamed)),
        digest.cells.rename(columns=dict(renamed)),
        {renamed.get(name, name): column for name, column in digest.columns.items()},
    )


def renamed_columns(before: Digest, after: Digest) -> dict[str, str]:
    """The new name, by the old one, of each column whose values stand in the same groups under another name."""
    come = [column for column in after.columns if column not in before.columns]
    renamed: dict[str, str] = {}
    for column in before.columns:
        if column in after.columns:
            continue
        shares = {name: _share(_in_groups(before, column), _in_groups(after, name)) for name in come}
        best = max(shares, key=lambda name: shares[name], default="")
        if best and shares[best] >= SAME:
            renamed[column] = best
            come.remove(best)
    return renamed


def level_changes(before: Digest, after: Digest, column: str) -> LevelChanges:
    """How the levels of a column that both tables have differ; of numbers, nothing."""
    old, new = before.columns[column], after.columns[column]
    if not (old.levels and new.levels) or old.kind == new.kind == "number":
        return LevelChanges({}, {}, {}, None)
    gone = {level: rows for level, rows in old.levels.items() if level not in new.levels}
    come = {level: rows for level, rows in new.levels.items() if level not in old.levels}
    respelled: dict[str, str] = {}
    for level in come:
        for earlier in gone:
            parts = _of_level(before, column, earlier), _of_level(after, column, level)
            if earlier not in respelled.values() and _share(*parts) >= SAME:
                respelled[level] = earlier
                break
    kept = {*old.levels} & {*new.levels}
    orders = tuple(tuple(level for level in side.levels if level in kept) for side in (old, new))
    return LevelChanges(
        added={level: rows for level, rows in come.items() if level not in respelled},
        removed={level: rows for level, rows in gone.items() if level not in respelled.values()},
        respelled=respelled,
        reordered=(orders[0], orders[1]) if old.ordered and new.ordered and orders[0] != orders[1] else None,
    )


def _in_groups(digest: Digest, column: str) -> pd.DataFrame:
    return pd.DataFrame({"group": digest.names[digest.group], "cell": digest.cells[column]})


def _of_level(digest: Digest, column: str, level: str) -> pd.DataFrame:
    rows = (digest.cells[column] == level_hash(level)).to_numpy()
    return pd.DataFrame({"group": digest.names[digest.group][rows]})


def _share(one: pd.DataFrame, other: pd.DataFrame) -> float:
    """Which share of the rows two tables have in common, whatever their order."""
    counts = pd.concat([one.value_counts(), other.value_counts()], axis=1).fillna(0)
    return float(counts.min(axis=1).sum()) / max(len(one), len(other), 1)
