"""How one table differs from an earlier one: columns, levels, groups and rows, from their digests."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from changes.digest import Digest, level_hash
from changes.matching import matched_by_key, matched_by_values, unmatched
from changes.names import LevelChanges, level_changes, renamed_columns, with_names


@dataclass(frozen=True)
class DataChanges:
    """How a table differs from an earlier one.

    Attributes
    ----------
    before, after : the two digests
    columns_added, columns_removed : their names
    columns_renamed : the new name by the old one
    levels : by column, in its new name
    groups_added, groups_removed : how many rows each has
    added, removed : rows of groups that both have: their positions in the table that has them
    altered : a row for each row that differs: its positions `before` and `after`, and whether each column differs
    """

    before: Digest
    after: Digest
    columns_added: tuple[str, ...]
    columns_removed: tuple[str, ...]
    columns_renamed: Mapping[str, str]
    levels: Mapping[str, LevelChanges]
    groups_added: Mapping[str, int]
    groups_removed: Mapping[str, int]
    added: np.ndarray
    removed: np.ndarray
    altered: pd.DataFrame

    def __bool__(self) -> bool:
        names = (self.columns_added, self.columns_removed, self.columns_renamed, self.levels)
        rows = (self.groups_added, self.groups_removed, len(self.added), len(self.removed), len(self.altered))
        return any(map(bool, (*names, *rows)))

    @property
    def altered_columns(self) -> Mapping[str, int]:
        """In how many rows each column differs, the most first; columns that do not differ are left out."""
        counts = self.altered.drop(columns=["before", "after"]).sum().sort_values(ascending=False, kind="stable")
        return {str(column): int(count) for column, count in counts.items() if count}

    @property
    def altered_groups(self) -> Mapping[str, int]:
        """How many rows of each group were altered, added or removed, the most first; groups of both tables alone."""
        names = [
            self.after.names[self.after.group].iloc[np.r_[self.altered["after"].to_numpy(), self.added]],
            self.before.names[self.before.group].iloc[self.removed],
        ]
        return {str(group): int(count) for group, count in pd.concat(names).value_counts().items()}


def compare_data(before: Digest, after: Digest) -> DataChanges:
    """How the table `after` differs from `before`."""
    group = after.group
    renamed = renamed_columns(before, after)
    old = with_names(before, renamed)
    shared = [column for column in after.columns if column in old.columns]
    levels: dict[str, LevelChanges] = {}
    cells = after.cells.copy(deep=False)
    for column in shared:
        found = level_changes(old, after, column)
        if found and column != group:
            levels[column] = found
        for level, earlier in found.respelled.items():
            cells[column] = cells[column].where(cells[column] != level_hash(level), level_hash(earlier))
    new = replace(after, cells=cells)
    sizes = [old.group_sizes(), new.group_sizes()]
    one, other = _matched(old, new, shared)
    differ = old.cells[shared].to_numpy()[one] != new.cells[shared].to_numpy()[other]
    some = differ.any(axis=1)
    altered = pd.DataFrame({"before": one[some], "after": other[some]}).join(pd.DataFrame(differ[some], columns=shared))
    return DataChanges(
        before=before,
        after=after,
        columns_added=tuple(c for c in after.columns if c not in old.columns),
        columns_removed=tuple(c for c in before.columns if c not in renamed and c not in after.columns),
        columns_renamed=renamed,
        levels=levels,
        groups_added={name: rows for name, rows in sizes[1].items() if name not in sizes[0]},
        groups_removed={name: rows for name, rows in sizes[0].items() if name not in sizes[1]},
        added=_alone(other, new.names[group], sizes[0]),
        removed=_alone(one, old.names[group], sizes[1]),
        altered=altered.sort_values("after", kind="stable", ignore_index=True),
    )


def _alone(matched: np.ndarray, groups: pd.Series, elsewhere: Mapping[str, int]) -> np.ndarray:
    """The rows without a match, of groups that the other table has."""
    rest = unmatched(matched, len(groups))
    return np.intersect1d(rest, np.flatnonzero(groups.isin([*elsewhere])))


def _matched(old: Digest, new: Digest, shared: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the rows of both tables that are the same row, altered or not."""
    if new.key and set(new.key) == set(old.key):
        key = list(new.key)
        return matched_by_key(old.names[key], new.names[key])
    codes, _ = pd.factorize(pd.concat([old.names[old.group], new.names[new.group]]))
    groups = codes[: len(old.names)], codes[len(old.names) :]
    values = [column for column in shared if column != new.group]
    return matched_by_values(old.cells[values].to_numpy(), new.cells[values].to_numpy(), *groups)
