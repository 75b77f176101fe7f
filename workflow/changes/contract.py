"""Which files, keys and values are accepted, how far each value may move, and on which settings some depend."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, isnan
from typing import Any

from twolevel.errors import UserError


@dataclass(frozen=True)
class Tolerance:
    """How far a value may be from the accepted one.

    Attributes
    ----------
    name : the kind of quantity
    absolute, relative : the distance allowed is `absolute` + `relative` times the size of the accepted number
    text : whether the value is a text, which must be the same characters
    beyond : where only this counts: whether the number, or what is missing, lies beyond it
    """

    name: str
    absolute: float = 0.0
    relative: float = 0.0
    text: bool = False
    beyond: float | None = None

    def allows(self, accepted: str, found: str) -> bool:
        """Whether a value is the accepted one; an empty text or NaN is a missing value."""
        one, other = _number(accepted), _number(found)
        if self.text or one is None or other is None:
            return accepted == found
        if self.beyond is not None:
            return (one <= self.beyond) == (other <= self.beyond)
        if not (isfinite(one) and isfinite(other)):
            return one == other or (isnan(one) and isnan(other))
        return abs(other - one) <= self.distance(one)

    def distance(self, accepted: float) -> float:
        """How far another number may be from the accepted one."""
        return self.absolute + self.relative * abs(accepted)


def _number(text: str) -> float | None:
    """The number that a text holds; NaN where it is empty, None where it is no number."""
    try:
        return float(text or "nan")
    except ValueError:
        return None


@dataclass(frozen=True)
class Condition:
    """Rows that can be compared only where certain settings are those of the baseline.

    Attributes
    ----------
    settings : their names
    where : the rows: those with one of these texts in each of these columns; empty for every row
    """

    settings: frozenset[str]
    where: Mapping[str, Sequence[str]]

    def holds_for(self, fields: Mapping[str, str]) -> bool:
        """Whether a row, all of its columns given, is one of them."""
        return all(fields.get(column) in texts for column, texts in self.where.items())


@dataclass(frozen=True)
class AcceptedTable:
    """One table of the baseline, for one or many files of the results.

    Attributes
    ----------
    name : the table's name
    files : the files' path within the results, `{model}` and the like standing for what differs from file to file
    key : the columns that tell a file's rows apart
    values : the tolerance of each accepted column; of a JSON file, of each accepted entry (`fit.criterion`)
    conditions : the rows that rest on settings
    """

    name: str
    files: str
    key: tuple[str, ...]
    values: Mapping[str, Tolerance]
    conditions: tuple[Condition, ...]

    @property
    def is_json(self) -> bool:
        """Whether the files are JSON, whose entries become rows of `quantity` and `value`."""
        return self.files.endswith(".json")

    @property
    def wildcards(self) -> tuple[str, ...]:
        """The wildcards, which tell the files apart: columns of the baseline before the key's."""
        return tuple(re.findall(r"\{(\w+)\}", self.files))

    @property
    def key_columns(self) -> tuple[str, ...]:
        """All columns that tell the baseline's rows apart."""
        return self.wildcards + (("quantity",) if self.is_json else self.key)

    @property
    def value_columns(self) -> tuple[str, ...]:
        """The other columns of the baseline."""
        return ("value",) if self.is_json else tuple(self.values)

    def match(self, file: str) -> tuple[str, ...] | None:
        """The values of the wildcards in a file's path within the results; None for a file of another table."""
        pattern = re.sub(r"\\\{\w+\\\}", "([^/]+)", re.escape(self.files))
        found = re.fullmatch(pattern, file)
        return found.groups() if found else None

    def file_of(self, key: Sequence[str]) -> str:
        """The path within the results of the file that holds a row."""
        return self.files.format(**dict(zip(self.wildcards, key, strict=False)))

    def tolerance(self, key: Sequence[str], column: str) -> Tolerance:
        """The tolerance of a value."""
        return self.values[without_places(key[-1]) if self.is_json else column]

    def rests_on(self, key: Sequence[str], row: Mapping[str, str], changed: frozenset[str]) -> bool:
        """Whether a row depends on one of the settings that have changed."""
        fields = {**dict(zip(self.key_columns, key, strict=True)), **row}
        return any(condition.settings & changed and condition.holds_for(fields) for condition in self.conditions)


def without_places(path: str) -> str:
    """The entry of a JSON file that a value belongs to: `walls.derivative` of `walls[0].derivative`."""
    return re.sub(r"\[\d+\]", "", path)


def read_contract(content: Mapping[str, Any], name: str) -> tuple[AcceptedTable, ...]:
    """Read what is accepted.

    Parameters
    ----------
    content : `tolerances`: each kind of quantity with `absolute` and `relative`, or `text: true`; `tables`: by their
        names, each with `files`, `key`, `values` (column to kind of quantity) and, where rows rest on settings,
        `rests_on`
    name : what to call the file in an error

    Raises
    ------
    UserError
        A column has a kind of quantity without a tolerance.
    """
    tolerances = {
        kind: Tolerance(kind, **{key: value for key, value in stated.items() if key != "because"})
        for kind, stated in content["tolerances"].items()
    }
    for table, entry in content["tables"].items():
        for column, kind in entry["values"].items():
            if kind not in tolerances:
                raise UserError(
                    f"{name}: tables.{table}.values.{column}: no tolerance is called {kind!r}; "
                    f"there are {', '.join(tolerances)}."
                )
    return tuple(
        AcceptedTable(
            name=table,
            files=entry["files"],
            key=tuple(entry.get("key", ())),
            values={column: tolerances[kind] for column, kind in entry["values"].items()},
            conditions=tuple(
                Condition(frozenset(condition["settings"]), condition.get("where", {}))
                for condition in entry.get("rests_on", ())
            ),
        )
        for table, entry in content["tables"].items()
    )
