"""The ledger: what became of every number that a source printed."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

# What each verdict means, best first: its title, and what it says.
VERDICTS = {
    "match": (
        "Match",
        "A result of the analysis: this run gives the very characters that are printed, by the source’s own rule of "
        "rounding where it has one.",
    ),
    "match_rounding": (
        "Match, but for rounding",
        "The last digits differ, because the source’s optimiser stopped a little short of the optimum: there is one "
        "point, with a criterion less than 0.0000015 above the lowest, from which all numbers printed of that model "
        "follow.",
    ),
    "monte_carlo": (
        "Simulated",
        "A number from the source’s own simulation, which no other simulation repeats. It lies in the band that holds "
        "99.9 % of the simulations of its size.",
    ),
    "rough": (
        "Rough",
        "The source gives the number in words, to the nearest ten. The number computed rounds to that, and no more can "
        "be said.",
    ),
    "not_optimum": (
        "Not at the optimum",
        "The source’s search ended away from the optimum. The printed number is right at the point where it ended, "
        "and that is not where the estimates are.",
    ),
    "source_misprint": (
        "Misprint",
        "The source contradicts itself, and what it should have said by its own output is what is computed here.",
    ),
    "not_comparable": ("Not comparable", "Nothing computed here could be held against it."),
    "given": (
        "Count or setting",
        "The same, but no result of the analysis: a number of observations, groups, parameters or degrees of freedom, "
        "or a number that was chosen.",
    ),
    "mismatch": (
        "Mismatch",
        "What is computed is not what is printed, or nothing could be computed, and no other verdict accounts for it. "
        "The data or the models may be others than the source’s.",
    ),
}


@dataclass(frozen=True)
class Row:
    """A printed number.

    Attributes
    ----------
    id, chapter, section, model, quantity, term, printed, computed, verdict, reason : as in `ledger.csv`
    """

    id: str
    chapter: str
    section: str
    model: str
    quantity: str
    term: str
    printed: str
    computed: str
    verdict: str
    reason: str


@dataclass(frozen=True)
class Verdict:
    """A verdict: its name in the file, its title, what it means, and how many rows have it."""

    name: str
    title: str
    meaning: str
    count: int


@dataclass(frozen=True)
class Ledger:
    """What the section shows.

    Attributes
    ----------
    table : `ledger.csv`, all of it text
    rows : the same, what does not match first
    verdicts : all that there are, those without a row too
    sections : by chapter, sorted
    models : in the order of the rows
    notes : what is said of several rows, by its number
    """

    table: pd.DataFrame
    rows: tuple[Row, ...]
    verdicts: tuple[Verdict, ...]
    sections: Mapping[str, tuple[str, ...]]
    models: tuple[str, ...]
    notes: Mapping[str, int]

    @property
    def titles(self) -> dict[str, str]:
        """The title of each verdict by its name."""
        return {verdict.name: verdict.title for verdict in self.verdicts}


def read_ledger(table: pd.DataFrame) -> Ledger:
    """Read what the section shows.

    Parameters
    ----------
    table : `ledger.csv`, read as text: `0.10` is not `0.1`
    """
    rows = tuple(Row(**{str(column): text for column, text in row.items()}) for row in table.to_dict("records"))
    # What does not match stands first; rows of one verdict keep their order.
    worst_first = [name for name in reversed(VERDICTS) if name != "given"] + ["given"]
    rows = tuple(sorted(rows, key=lambda row: worst_first.index(row.verdict)))
    chapters = dict.fromkeys(row.chapter for row in rows)
    repeated = [reason for reason, count in Counter(row.reason for row in rows).items() if reason and count > 1]
    return Ledger(
        table=table,
        rows=rows,
        verdicts=tuple(
            Verdict(name, title, meaning, sum(row.verdict == name for row in rows))
            for name, (title, meaning) in VERDICTS.items()
        ),
        sections={
            chapter: tuple(sorted({row.section for row in rows if row.chapter == chapter})) for chapter in chapters
        },
        models=tuple(dict.fromkeys(row.model for row in rows)),
        notes={reason: number for number, reason in enumerate(repeated, 1)},
    )
