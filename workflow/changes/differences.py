"""What has moved from the baseline, and what a new baseline holds."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from twolevel.errors import counted

from changes.contract import AcceptedTable, Tolerance
from changes.rows import Rows, shortened

# How many columns of a row are named: where the first ones have moved, the others mostly follow.
MOST_COLUMNS = 3


@dataclass(frozen=True)
class Moved:
    """One difference from the baseline: its file, and a description."""

    file: str
    what: str

    def __str__(self) -> str:
        return f"results/{self.file}{self.what}"


def moved(table: AcceptedTable, accepted: Rows, found: Rows, changed: frozenset[str] = frozenset()) -> Iterator[Moved]:
    """Everything in a table that is not as accepted.

    Parameters
    ----------
    table : its contract
    accepted, found : its rows in the baseline and in the results
    changed : settings whose values are not the baseline's; rows that rest on them are left out

    Yields
    ------
    A missing or new file as one difference; of the other files each row that is missing or new, or that has a value
    which moved by more than its tolerance.
    """
    there = [Counter(table.file_of(key) for key in rows) for rows in (accepted, found)]
    on_one_side = {file: there[0][file] + there[1][file] for file in there[0].keys() ^ there[1].keys()}
    for file in sorted(on_one_side):
        said = "is not among the results" if file in there[0] else "is not in the baseline"
        yield Moved(file, f" {said} ({counted(on_one_side[file], 'row')})")
    for key in {**accepted, **found}:
        file = table.file_of(key)
        before, now = accepted.get(key), found.get(key)
        if file in on_one_side or any(table.rests_on(key, row, changed) for row in (before, now) if row is not None):
            continue
        name = ", ".join(part for part in key[len(table.wildcards) :] if part)
        if before is None or now is None:
            yield Moved(file, f", {name}: a row that is {'missing' if now is None else 'not in the baseline'}")
            continue
        tolerances = {column: table.tolerance(key, column) for column in before}
        told = [
            f"{column} {_said(tolerance, before[column], now[column])}"
            for column, tolerance in tolerances.items()
            if not tolerance.allows(before[column], now[column])
        ]
        if told:
            more = [counted(len(told) - MOST_COLUMNS, "more column")] if len(told) > MOST_COLUMNS else []
            yield Moved(file, f", {name}: {'; '.join(told[:MOST_COLUMNS] + more)}")


def left_out(table: AcceptedTable, accepted: Rows, changed: frozenset[str]) -> int:
    """How many accepted rows cannot be compared, since they rest on settings that have changed."""
    return sum(table.rests_on(key, row, changed) for key, row in accepted.items())


def renewed(table: AcceptedTable, accepted: Rows, found: Rows) -> Rows:
    """Rows of a new baseline: those of the results; a value that has not moved stays as it was accepted.

    So a new baseline differs from the last one in what has moved and in nothing else, on any machine.
    """
    return {
        key: {
            column: _renewed(table.tolerance(key, column), accepted.get(key, {}).get(column), value)
            for column, value in row.items()
        }
        for key, row in found.items()
    }


def _renewed(tolerance: Tolerance, accepted: str | None, found: str) -> str:
    if accepted is not None and tolerance.allows(accepted, found):
        return accepted
    return found if tolerance.text else shortened(found)


def _said(tolerance: Tolerance, before: str, now: str) -> str:
    said = f"was accepted as {before or 'empty'} and is {now or 'empty'}"
    try:
        distance, allowed = abs(float(now) - float(before)), tolerance.distance(float(before))
    except ValueError:
        return said
    if tolerance.beyond is not None:
        return f"{said}: on the other side of {tolerance.beyond:g} ({tolerance.name})"
    return said if tolerance.text else f"{said}: {distance:.2g} apart, {allowed:.2g} allowed ({tolerance.name})"
