"""Which row of one table is which row of another.

With a key, rows with the same key are the same row. Without one, rows are matched within their group: first those that
are equal, then those that are equal but for one column, and of the rest those that agree best in the columns that vary
within groups, in half of these at least. So a row that moves to another group, or of which most is new, counts as one
that is removed and one that is added.
"""

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

# Of more pairs than this in one group, only those at the same place in the file's order are looked at.
MOST_PAIRS = 1_000_000

Pairs = tuple[np.ndarray, np.ndarray]


def matched_by_key(one: pd.DataFrame, other: pd.DataFrame) -> Pairs:
    """Positions of the rows with the same key in both tables; the key tells all rows of a table apart."""
    found = pd.MultiIndex.from_frame(one).get_indexer(pd.MultiIndex.from_frame(other))
    return found[found >= 0], np.flatnonzero(found >= 0)


def matched_by_values(one: np.ndarray, other: np.ndarray, group_one: np.ndarray, group_other: np.ndarray) -> Pairs:
    """Positions of the rows of both tables that are the same row, altered or not.

    Parameters
    ----------
    one, other : hashes of the values, a row for each row, a column for each column that both tables have
    group_one, group_other : the group of each row, as numbers that are the same for the same group
    """
    pairs = [_equal(_identity(one, group_one), _identity(other, group_other))]
    for left_out in range(one.shape[1]):
        rows = _rest(pairs, len(one), len(other))
        if not (len(rows[0]) and len(rows[1])):
            break
        rest = np.delete(one[rows[0]], left_out, 1), np.delete(other[rows[1]], left_out, 1)
        first, second = _equal(_identity(rest[0], group_one[rows[0]]), _identity(rest[1], group_other[rows[1]]))
        pairs.append((rows[0][first], rows[1][second]))
    varying = _varying(one, group_one)
    within = one[:, varying], other[:, varying]
    rows = _rest(pairs, len(one), len(other))
    for first, second in _by_group(rows, group_one, group_other):
        pairs.append(_closest(*within, first, second))
    return np.concatenate([pair[0] for pair in pairs]), np.concatenate([pair[1] for pair in pairs])


def _identity(cells: np.ndarray, group: np.ndarray) -> np.ndarray:
    """One number for each row: equal for equal rows of one group, and by chance for others once in 2 to the 64."""
    mixed = group.astype(np.uint64)
    for column in cells.T:
        mixed = (mixed ^ column) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return mixed


def _equal(one: np.ndarray, other: np.ndarray) -> Pairs:
    """Positions of equal numbers, each used once, the first with the first."""
    places = [pd.MultiIndex.from_arrays([side, pd.Series(side).groupby(side).cumcount()]) for side in (one, other)]
    found = places[0].get_indexer(places[1])
    return found[found >= 0], np.flatnonzero(found >= 0)


def unmatched(matched: np.ndarray, rows: int) -> np.ndarray:
    """Positions of the other ones of so many rows."""
    free = np.ones(rows, dtype=bool)
    free[matched] = False
    return np.flatnonzero(free)


def _rest(pairs: list[Pairs], *rows: int) -> Pairs:
    """Positions of the rows of both tables that are in no pair."""
    one, other = (
        unmatched(np.concatenate(side), count) for side, count in zip(zip(*pairs, strict=True), rows, strict=True)
    )
    return one, other


def _varying(cells: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Which columns have different values in some group."""
    first = pd.DataFrame(cells).groupby(group).transform("first").to_numpy()
    return np.flatnonzero((cells != first).any(axis=0))


def _by_group(rows: Pairs, group_one: np.ndarray, group_other: np.ndarray) -> list[Pairs]:
    """The rows of each group that both tables have among these."""
    sides = [pd.Series(rows[0]).groupby(group_one[rows[0]]), pd.Series(rows[1]).groupby(group_other[rows[1]])]
    parts = [{group: part.to_numpy() for group, part in side} for side in sides]
    return [(parts[0][group], parts[1][group]) for group in parts[0] if group in parts[1]]


def _closest(one: np.ndarray, other: np.ndarray, rows: np.ndarray, others: np.ndarray) -> Pairs:
    """Of the rows of a group, those that agree best, in half of the columns at least."""
    if len(rows) * len(others) > MOST_PAIRS:
        count = min(len(rows), len(others))
        first = second = np.arange(count)
        agreeing = (one[rows[:count]] == other[others[:count]]).sum(axis=1)
    else:
        agree = (one[rows][:, None, :] == other[others][None, :, :]).sum(axis=2)
        # Of equally good pairs, those that stand at about the same place.
        places = np.abs(np.subtract.outer(np.arange(len(rows)), np.arange(len(others))))
        first, second = linear_sum_assignment(places / (places.size * 4.0 + 1.0) - agree)
        agreeing = agree[first, second]
    close = 2 * agreeing >= one.shape[1]
    return rows[first[close]], others[second[close]]
