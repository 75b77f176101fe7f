"""The printed numbers, and what is known of some of them, read and checked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, TypeVar

import pandas as pd
from twolevel.errors import UserError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

KINDS = ("exact", "derived", "monte_carlo", "timing")

Record = TypeVar("Record", bound="DataclassInstance")


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


def read_records(table: pd.DataFrame, of: type[Record], name: str, **allowed: Collection[str]) -> list[Record]:
    """Read a table of texts as records of a dataclass, whose fields are its columns, the first one without repetition.

    Parameters
    ----------
    name : the file's
    allowed : the values that a column can have
    """
    expected = [field.name for field in fields(of)]
    if list(table.columns) != expected:
        raise UserError(f"{name} has the columns {', '.join(table.columns)}; expected {', '.join(expected)}.")
    for column, values in allowed.items():
        for key, value in zip(table[expected[0]], table[column], strict=True):
            if value not in values:
                raise UserError(f"{name}: row {key} has the {column} {value!r}; expected one of {', '.join(values)}.")
    keys = table[expected[0]]
    if repeated := sorted(keys[keys.duplicated()].unique()):
        raise UserError(f"{name}: {expected[0]} has {', '.join(repeated)} more than once; give each row its own.")
    return [of(*values) for values in table.itertuples(index=False)]


def read_rows(table: pd.DataFrame, name: str) -> list[Row]:
    """Read the printed numbers from a table of texts; `name` is its file's."""
    rows = read_records(table, Row, name, kind=KINDS, decimals=[str(digit) for digit in range(10)])
    return [replace(row, decimals=int(row.decimals)) for row in rows]


def read_declared(table: pd.DataFrame, rows: Sequence[Row], name: str) -> list[Declared]:
    """Read what is declared about some of the `rows` from a table of texts; `name` is its file's.

    Raises
    ------
    UserError
        A declaration names no row or model, or one whose verdict it cannot decide.
    """
    declared = read_records(table, Declared, name)
    by_id, models = {row.id: row for row in rows}, {row.model for row in rows if row.model}
    if unknown := [entry.rows for entry in declared if entry.rows not in by_id and entry.rows not in models]:
        raise UserError(f"{name}: rows names {', '.join(unknown)}, which is neither an id nor a model of the numbers.")
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
