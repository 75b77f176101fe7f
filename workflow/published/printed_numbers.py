"""The printed numbers, and what is known of some of them, read and checked."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields

import pandas as pd
from twolevel.errors import UserError

KINDS = ("exact", "derived", "monte_carlo", "timing")


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
    """A claim about one row, or about all rows of a model, which the ledger checks.

    Attributes
    ----------
    rows : the row's id, or the model's name in the source
    printed : for a row, what is printed there
    verdict : one of those that `_declarable` allows
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
    _check_once([row.id for row in rows], "id", name)
    return rows


def read_declared(table: pd.DataFrame, rows: Sequence[Row], name: str) -> list[Declared]:
    """Read what is declared about some of the `rows` from a table of texts; `name` is its file's.

    Raises
    ------
    UserError
        A declaration names no row or model, or one whose verdict it cannot decide.
    """
    _check_columns(table, Declared, name)
    declared = [Declared(**record) for record in _records(table)]
    by_id, models = {row.id: row for row in rows}, {row.model for row in rows if row.model}
    if unknown := [entry.rows for entry in declared if entry.rows not in by_id and entry.rows not in models]:
        raise UserError(f"{name}: rows names {', '.join(unknown)}, which is neither an id nor a model of the numbers.")
    _check_once([entry.rows for entry in declared], "declaration of", name)
    for entry in declared:
        what, allowed = _declarable(by_id.get(entry.rows))
        if entry.verdict not in allowed:
            raise UserError(
                f"{name}: {entry.rows} is declared {entry.verdict!r}; of {what} can be declared: "
                f"{', '.join(allowed) or 'nothing; take the line out'}."
            )
    return declared


def _declarable(row: Row | None) -> tuple[str, tuple[str, ...]]:
    """What a row is, or a model where there is no row, and the verdicts that can be declared of it."""
    if row is None:
        return "a model", ("not_optimum",)
    if row.kind == "monte_carlo":
        return "a simulated number, which its band alone decides,", ()
    if row.kind == "timing":
        return "a run time", ("not_comparable",)
    if row.estimator != "REML":
        return "a number that is not of a REML fit", ("source_misprint", "not_comparable")
    return "a number of a REML fit", ("match_rounding", "source_misprint", "not_comparable")


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


def _check_once(keys: Sequence[str], what: str, name: str) -> None:
    if repeated := sorted(key for key, count in Counter(keys).items() if count > 1):
        raise UserError(f"{name}: the {what} {', '.join(repeated)} occurs more than once; keep one.")


def _check_values(pairs: Sequence[tuple[str, str]], column: str, allowed: Sequence[str], name: str) -> None:
    for row, value in pairs:
        if value not in allowed:
            raise UserError(f"{name}: row {row} has the {column} {value!r}; expected {', '.join(allowed)}.")
