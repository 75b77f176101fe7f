"""Check a table against the declared columns, and give the columns their declared types."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import numpy as np
import pandas as pd

from twolevel.data.kinds import Column, as_number, as_text, kind_problems
from twolevel.errors import UserError, counted, some

# What is done about missing values: each model leaves out the rows that lack one of its variables, or none is taken.
Missing = Literal["leave_out", "refuse"]


def check_columns(
    table: pd.DataFrame,
    columns: Mapping[str, Column],
    group: str,
    *,
    keep: Iterable[str] = (),
    name: str = "the table",
    missing: Missing = "refuse",
    unreadable: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Return the declared columns of `table` with their declared types, or list everything that is wrong.

    Parameters
    ----------
    table : n rows, one per observation; columns of any type, text included
    columns : the declared columns, by name
    group : the declared column that identifies the groups
    keep : undeclared columns to hand on as they are, where the table has them
    name : what to call the table in an error
    unreadable : columns of the file that are not in `table`, and what each holds that no model can use
    missing : "leave_out" lets values be missing, for each model to leave their rows out; "refuse" takes none

    Returns
    -------
    n rows, in order: an identifier as text, a factor as an ordered categorical with the declared levels, the reference
    level first, a number as float64. Undeclared columns are left out.

    Raises
    ------
    UserError
        One message with every problem: a missing column or value, a value of the wrong type, out of range,
        repeated or not among the levels, levels in another order than the file's own, a group-level column
        that varies within a group, fewer than two groups.
    """
    if group not in columns or columns[group]["type"] != "identifier":
        raise UserError(f"data.group is {group!r}: declare that column in data.columns, with type: identifier.")
    if table.empty:
        raise UserError(f"{name} has no rows: there is nothing to analyse.")
    table = table.reset_index(drop=True)  # so that the index counts rows
    told = dict(kind_problems(table, columns, unreadable or {}))
    plain = {name: declared for name, declared in columns.items() if name not in told}
    # As a factor or an identifier, a truth value is a text.
    named = [name for name, declared in plain.items() if declared["type"] != "number" and name in table]
    table = table.assign(**{name: as_text(table[name]) for name in named if pd.api.types.is_bool_dtype(table[name])})
    problems = [
        *told.values(),
        *_value_problems(table, plain, nullable=missing == "leave_out"),
        *_level_problems(table, columns),
        *_group_problems(table, columns, group),
    ]
    if problems:
        count = counted(len(problems), "problem")
        raise UserError(
            f"{name} does not fit data.columns, {count}:\n"
            + "".join(f"  - {problem}\n" for problem in problems)
            + "Correct the file, or what data.columns says of it. The first row below the header is row 1."
        )
    checked = {column: _typed(table[column], declared) for column, declared in columns.items()}
    kept = {column: table[column] for column in keep if column in table and column not in columns}
    return pd.DataFrame(checked | kept)


def _typed(values: pd.Series, declared: Column) -> pd.Series:
    if declared["type"] == "number":
        return as_number(values)
    text = as_text(values)
    if declared["type"] == "factor":
        return text.astype(pd.CategoricalDtype(declared["levels"], ordered=True))
    return text.where(values.notna(), None)


def _value_problems(table: pd.DataFrame, columns: Mapping[str, Column], *, nullable: bool) -> Iterator[str]:
    """Each column that is missing, and each mistake of a column's values with the rows that make it."""
    for name, declared in columns.items():
        if name not in table:
            # In quotes where a blank, or a separator that was not found, would pass for what stands between names.
            there = (repr(found) if re.search(r"[^\w.]", found) else found for found in map(str, table.columns))
            yield f"column {name} is missing; the columns are {', '.join(there)}"
            continue
        values = table[name]
        for wrong, rows in _wrong_rows(values, declared, nullable):
            if rows.any():
                found = zip(np.flatnonzero(rows), values[rows], strict=True)
                shown = (f"row {row + 1}" + ("" if pd.isna(value) else f" ({value})") for row, value in found)
                yield f"column {name}: in {rows.sum()} of {len(table)} rows {wrong}: {some(shown)}"


def _wrong_rows(values: pd.Series, declared: Column, nullable: bool) -> Iterator[tuple[str, pd.Series]]:
    """What values may not be, and the rows (n,) in which they are that; what is missing is only that."""
    present = values.notna()
    if not nullable:
        yield "there is no value", ~present
    if declared.get("unique", False):
        yield "the value is repeated, and must be unique", present & values.duplicated(keep=False)
    if declared["type"] == "factor":
        levels = declared["levels"]
        yield f"the value is not one of {', '.join(levels)}", present & ~as_text(values).isin(levels)
    if declared["type"] == "number":
        low, high, numbers = declared.get("min", -np.inf), declared.get("max", np.inf), as_number(values)
        finite = numbers.abs().lt(np.inf)
        yield "the value is not a finite number", present & ~finite
        yield f"the value is outside {low:g} to {high:g}", finite & ~numbers.between(low, high)


def _level_problems(table: pd.DataFrame, columns: Mapping[str, Column]) -> Iterator[str]:
    """Compare the declared levels with those there are, and their order with the file's own.

    The first level is the reference: in another order, signs of coefficients would flip without a word.
    """
    for column, declared in columns.items():
        if declared["type"] != "factor" or column not in table:
            continue
        levels = declared["levels"]
        used = set(as_text(table[column]))
        unused = [level for level in levels if level not in used]
        if unused:
            yield f"column {column}: no row has the level {', '.join(unused)}; take it out of levels"
        if isinstance(table[column].dtype, pd.CategoricalDtype):
            own = [level for level in as_text(table[column].cat.categories.to_series()) if level in levels]
            if own != [level for level in levels if level in own]:
                yield (
                    f"column {column}: data.columns orders its levels {', '.join(levels)}, "
                    f"the file {', '.join(own)}; the first is the reference level"
                )


def _group_problems(table: pd.DataFrame, columns: Mapping[str, Column], group: str) -> Iterator[str]:
    if group not in table:
        return
    groups = as_text(table[group].dropna())
    if groups.nunique() < 2:
        yield f"column {group}: a two-level model needs at least 2 groups, and there is {groups.nunique()}"
    for column, declared in columns.items():
        if not declared.get("group_level", False) or column not in table:
            continue
        present = table[column][table[column].notna() & table[group].notna()]
        values = as_number(present) if declared["type"] == "number" else as_text(present)
        distinct = values.groupby(groups, sort=False).unique()
        varying = distinct[distinct.map(len) > 1]
        if len(varying):
            shown = (f"{label} ({some(found)})" for label, found in varying.items())
            yield (
                f"column {column} is declared group_level but varies within "
                f"{len(varying)} of {len(distinct)} groups: {some(shown)}"
            )
