"""All that differs between two runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from changes.contract import AcceptedTable
from changes.data import DataChanges, compare_data
from changes.differences import Moved, moved
from changes.digest import Digest
from changes.moves import Move, Verdict, count_estimates, estimate_moves, other_verdicts
from changes.pictures import Picture, other_pictures
from changes.rows import Rows


@dataclass(frozen=True)
class Run:
    """One of the two runs.

    Attributes
    ----------
    name : what it is called in a sentence
    rows : the accepted values, by the name of their table
    digest : its data as they are remembered; None where nothing is
    thumbnails : its figures by their names
    table : its data, where they are at hand
    """

    name: str
    rows: Mapping[str, Rows]
    digest: Digest | None = None
    thumbnails: Mapping[str, bytes] = field(default_factory=dict)
    table: pd.DataFrame | None = None


@dataclass(frozen=True)
class Comparison:
    """What differs; `data` is None where one of the runs does not remember its data."""

    before: Run
    after: Run
    data: DataChanges | None
    estimates: int
    moves: Sequence[Move]
    verdicts: Sequence[Verdict]
    pictures: Sequence[Picture]
    rows: Sequence[Moved]

    @property
    def differs(self) -> bool:
        """Whether anything does."""
        return any(map(bool, (self.data, self.moves, self.verdicts, self.pictures, self.rows)))

    def verdicts_on(self, kind: str) -> list[Verdict]:
        """Those of a kind: test, fit or ledger."""
        return [verdict for verdict in self.verdicts if verdict.kind == kind]


def compare_runs(before: Run, after: Run, tables: Sequence[AcceptedTable]) -> Comparison:
    """All that differs between two runs."""
    known = before.digest and after.digest
    return Comparison(
        before,
        after,
        data=compare_data(before.digest, after.digest) if known else None,  # type: ignore[arg-type]
        estimates=count_estimates(after.rows),
        moves=estimate_moves(before.rows, after.rows, {table.name: table for table in tables}),
        verdicts=other_verdicts(before.rows, after.rows),
        # An accepted run of earlier days has none.
        pictures=other_pictures(before.thumbnails, after.thumbnails) if before.thumbnails else [],
        rows=[
            line
            for table in tables
            for line in moved(table, before.rows.get(table.name, {}), after.rows.get(table.name, {}))
        ],
    )
