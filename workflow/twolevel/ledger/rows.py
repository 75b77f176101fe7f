"""The printed numbers, and what is known of some of them, read and checked."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import pandas as pd

from twolevel.errors import UserError

KINDS = ("exact", "derived", "monte_carlo", "timing")
DECLARABLE = ("match_rounding", "not_optimum", "source_misprint", "not_comparable")


@dataclass(frozen=True)
class Row:
    """One number that a source printed.

    Attributes
    ----------
    id, chapter, section : where it stands
    model, formula, estimator : the model, by the name that the source gave it
    quantity, term : what it is
    printed : the characters printed
    decimals : how many of them are decimals
    kind : exact (computed output), derived (in the prose), monte_carlo (another run differs), timing
    """

    id: str
    chapter: str
    section: str
    model: str
    formula: str
    estimator: str
    quantity: str
    term: str
    printed: str
    decimals: int
    kind: str

    @property
    def unit(self) -> float:
        """One unit of the last digit printed."""
        return float(10.0**-self.decimals)


@dataclass(frozen=True)
class Declared:
    """What somebody found out about one row, or about all rows of a model: a claim, which the ledger checks.

    Attributes
    ----------
    rows : the row's id, or the model's name in the source
    printed : for a row, what is printed there
    verdict : one of `DECLARABLE`
    should_be : of a misprint, what the page should have said
    reason : for a reader
    """

    rows: str
    printed: str
    verdict: str
    should_be: str
    reason: str


def read_rows(table: pd.DataFrame, name: str) -> list[Row]:
    """Read the printed numbers from a table of texts; `name` is its file's."""
    _check_columns(table, Row, name)
    rows = [
        Row(**{key: text for key, text in record.items() if key != "decimals"}, decimals=_decimals(record, name))
        for record in _records(table)
    ]
    _check_values([(row.id, row.kind) for row in rows], "kind", KINDS, name)
    if repeated := sorted({row.id for row in rows if sum(other.id == row.id for other in rows) > 1}):
        raise UserError(f"{name}: the id {', '.join(repeated)} is there more than once; give each row its own.")
    return rows


def read_declared(table: pd.DataFrame, rows: Sequence[Row], name: str) -> list[Declared]:
    """Read what is declared about some of the `rows` from a table of texts; `name` is its file's."""
    _check_columns(table, Declared, name)
    declared = [Declared(**record) for record in _records(table)]
    _check_values([(entry.rows, entry.verdict) for entry in declared], "verdict", DECLARABLE, name)
    known = {row.id for row in rows} | {row.model for row in rows}
    if unknown := [entry.rows for entry in declared if entry.rows not in known]:
        raise UserError(f"{name}: rows names {', '.join(unknown)}, which is neither an id nor a model of the numbers.")
    return declared


def _records(table: pd.DataFrame) -> list[dict[str, str]]:
    return [dict(zip(table.columns, values, strict=True)) for values in table.itertuples(index=False)]


def _decimals(record: dict[str, str], name: str) -> int:
    if not record["decimals"].isdigit():
        raise UserError(f"{name}: row {record['id']} has decimals {record['decimals']!r}; expected a whole number.")
    return int(record["decimals"])


def _check_columns(table: pd.DataFrame, kind: type, name: str) -> None:
    expected = [field.name for field in fields(kind)]
    if list(table.columns) != expected:
        raise UserError(f"{name} has the columns {', '.join(table.columns)}; expected {', '.join(expected)}.")


def _check_values(pairs: Sequence[tuple[str, str]], column: str, allowed: Sequence[str], name: str) -> None:
    for row, value in pairs:
        if value not in allowed:
            raise UserError(f"{name}: row {row} has the {column} {value!r}; expected {', '.join(allowed)}.")
