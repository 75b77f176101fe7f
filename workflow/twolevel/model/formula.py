"""From an lme4 formula and a table to the design of a two-level model."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from twolevel.errors import counted
from twolevel.model.coding import Columns, columns_of, count_columns, named
from twolevel.model.design import Design, Floats
from twolevel.model.estimable import check_estimable
from twolevel.model.expression import Node, deparse, names_in, refuse
from twolevel.model.formula_check import numbers_of, problems_of, variables_of
from twolevel.model.formula_parts import FormulaParts, take_apart
from twolevel.model.values import evaluate
from twolevel.model.variables import Basis, Factor, Number, Value

# A design with more numbers than this is a mistake, such as an identifier among the fixed effects.
MOST_CELLS = 10**9


def build_design(formula: str, table: pd.DataFrame, group: str | None = None) -> Design:
    """Evaluate an lme4 formula of a two-level model on a table.

    Factors are coded, and columns ordered and named, as R does; text is a factor with its levels in the order of the
    alphabet. A factor is treatment-coded against its first level, an ordered one too. Rows in which a variable of the
    model is missing are left out.

    Parameters
    ----------
    formula : such as `y ~ x * a + (x | g)`
    table : n rows, one per observation
    group : the column of groups, where it is known: every random part must have it

    Raises
    ------
    UserError
        The formula cannot be read, is not a two-level model with one column of groups, names a column that the
        table lacks, or makes a design from which the model cannot be estimated.
    """
    parts = take_apart(formula, group)
    if problem := next(problems_of(parts, table.columns), None):
        raise problem
    values = {deparse(node): evaluate(formula, node, table) for node in variables_of(parts)}
    dropped, used = _missing(parts, values, table)
    rows = np.flatnonzero(used)
    if not len(rows):
        counts = ", ".join(f"{name} ({count})" for name, count in dropped.items())
        raise refuse(parts.text, None, f"no row has a value for every variable. Missing values by column: {counts}.")
    values = {label: on_rows(value, rows) for label, value in values.items()}
    _check_values(parts, values)
    _check_size(parts, values, len(rows))
    fixed = list(columns_of(parts.fixed, values))
    blocks = [list(columns_of(block, values)) for block in parts.blocks]
    if not fixed:
        raise refuse(parts.text, None, "there is no fixed effect. Add one, or the intercept: 1.")
    names, pieces = named([fixed, *blocks])
    y, *offsets = (numbers_of(parts, node, values) for node in (parts.response, *parts.fixed.offsets))
    offset = sum(offsets, np.zeros(len(rows)))
    index, labels = pd.factorize(table[parts.group].iloc[rows])
    design = Design(
        formula=parts.formula,
        response=deparse(parts.response),
        group=parts.group,
        fixed_factors=tuple(names[0]),
        random_factors=tuple(name for block in names[1:] for name in block),
        blocks=tuple(map(len, blocks)),
        y=y - offset,
        offset=offset,
        x=matrix(fixed, len(rows)),
        z=matrix([column for block in blocks for column in block], len(rows)),
        factors={name: piece.column for name, piece in pieces.items()},
        meanings={name: piece.meaning for name, piece in pieces.items()},
        group_index=index,
        group_labels=tuple(map(str, labels)),
        columns=tuple(name.name for name in parts.names),
        n_rows=len(table),
        rows=rows,
        dropped=dropped,
    )
    check_estimable(design)
    return design


def _missing(
    parts: FormulaParts, values: Mapping[str, Value], table: pd.DataFrame
) -> tuple[dict[str, int], np.ndarray]:
    """How many values are missing in each column that the model uses, and which rows (n,) have all of theirs."""
    used = table[parts.group].notna().to_numpy()
    for node in variables_of(parts):
        mend = " Check it, or leave those rows out of the data."
        used = used & rows_with(values[deparse(node)], parts.text, node, table, "has no finite value in", mend=mend)
    counts = {name.name: int(table[name.name].isna().sum()) for name in parts.names}
    return {name: count for name, count in counts.items() if count}, used


def rows_with(
    value: Value, text: str, node: Node, table: pd.DataFrame, wrong: str, row: str = "row", mend: str = ""
) -> np.ndarray:
    """Rows (n,) in which an expression has a value; it must have one where its columns do, and log(-1) has none."""
    columns, known = sorted({name.name for name in names_in(node)}), present(value)
    if (lost := table[columns].notna().to_numpy().all(axis=1) & ~known).any():
        first = int(lost.argmax())
        shown = ", ".join(f"{name} is {table[name].iloc[first]}" for name in columns)
        raise refuse(text, node.at, f"{deparse(node)} {wrong} {counted(lost.sum(), row)}, first where {shown}.{mend}")
    return known


def present(value: Value) -> np.ndarray:
    """Rows (n,) with a value."""
    if isinstance(value, Factor):
        return np.asarray(value.codes >= 0)
    numbers = value.numbers[:, None] if isinstance(value, Number) else value.columns
    return np.asarray(np.isfinite(numbers).all(axis=1))


def on_rows(value: Value, rows: np.ndarray) -> Value:
    """A value on the rows that are used; levels that do not occur there are dropped, as lme4 drops them."""
    if isinstance(value, Number):
        return replace(value, numbers=value.numbers[rows])
    if isinstance(value, Basis):
        return replace(value, columns=value.columns[rows])
    codes = value.codes[rows]
    occurring = np.unique(codes)
    if len(occurring) == len(value.levels):
        return replace(value, codes=codes)
    base = value.levels[value.base]
    levels = tuple(value.levels[code] for code in occurring)
    return replace(
        value,
        codes=np.searchsorted(occurring, codes),
        levels=levels,
        base=levels.index(base) if base in levels else 0,
    )


def _check_values(parts: FormulaParts, values: Mapping[str, Value]) -> None:
    for node in variables_of(parts):
        value = values[deparse(node)]
        if isinstance(value, Factor) and node != parts.response and len(value.levels) < 2:
            raise refuse(
                parts.text, node.at, f"{deparse(node)} has one level, {value.levels[0]}, in these data; take it out."
            )


def _check_size(parts: FormulaParts, values: Mapping[str, Value], n: int) -> None:
    count = sum(count_columns(of, values) for of in (parts.fixed, *parts.blocks))
    if count > n or count * n > MOST_CELLS:
        reason = "more columns than rows" if count > n else f"they would take {count * n * 8 / 1e9:.0f} GB"
        raise refuse(
            parts.text, None, f"its terms make some {count} columns of {n} rows: {reason}. Use fewer terms or levels."
        )


def matrix(columns: Columns, n: int) -> Floats:
    """The products of the pieces of each column, (n, k)."""
    made = np.ones((n, len(columns)))
    for k, pieces in enumerate(columns):
        for piece in pieces:
            made[:, k] *= piece.column
    return made
