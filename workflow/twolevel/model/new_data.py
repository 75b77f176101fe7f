"""The design of rows that a model was not fitted to, coded as the rows of its fit are."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twolevel.errors import UserError
from twolevel.model.coding import columns_of
from twolevel.model.design import Design, Floats
from twolevel.model.expression import Node, deparse, names_in
from twolevel.model.formula import matrix, on_rows, present, rows_with
from twolevel.model.formula_check import numbers_of
from twolevel.model.formula_parts import FormulaParts, take_apart
from twolevel.model.values import evaluate
from twolevel.model.variables import Factor, Value


@dataclass(frozen=True)
class NewRows:
    """What the parts of a model are in other rows; NaN where a variable is missing.

    Attributes
    ----------
    x : (m, p) fixed-effects design
    z : (m, q) random-effects design; zeros in a row whose group the fit does not know
    offset : (m,)
    group_index : (m,) number of the row's group in the fit, 0 for one that it does not know
    """

    x: Floats
    z: Floats
    offset: Floats
    group_index: NDArray[np.intp]


def new_rows(design: Design, table: pd.DataFrame, new: pd.DataFrame, groups: bool) -> NewRows:
    """Evaluate the right-hand side of a fitted model on other rows.

    What depends on all values, such as the levels of a factor, the mean in `scale(x)`, the polynomials of `poly(x, 2)`,
    the knots of a spline or the equal ranges of `cut(x, 3)`, is that of the fit's table, as for R's `predict`.

    Parameters
    ----------
    design : the model's
    table : what it was made of, the columns that the model uses at least
    new : m rows with the columns of the right-hand side
    groups : whether the random effects are wanted too; else their columns, and the groups, are not needed

    Raises
    ------
    UserError
        A column is missing or of another kind than at the fit; a factor has a level that the fit does not know; an
        expression has no value.
    """
    parts = take_apart(design.formula, design.group)
    expansions = (parts.fixed, *(parts.blocks if groups else ()))
    nodes = {deparse(node): node for of in expansions for node in (*of.variables, *of.offsets)}
    needed = dict.fromkeys(name.name for node in nodes.values() for name in names_in(node))
    if lacking := [name for name in (*needed, *([design.group] if groups else [])) if name not in new.columns]:
        raise UserError(f"predict: the new data lack {', '.join(map(repr, lacking))}, which the model needs. Add it.")
    stacked = pd.DataFrame({name: _stacked(name, table[name], new[name]) for name in needed})
    values, known = _values(design, parts, nodes, stacked, new)
    numbers = _groups(design, table[design.group], new[design.group]) if groups else np.full(len(new), -1)
    blocks = [matrix(list(columns_of(of, values)), len(new)) for of in parts.blocks] if groups else []
    z = np.hstack(blocks) if groups else np.zeros((len(new), len(design.random_terms)))
    offsets = (numbers_of(parts, node, values) for node in parts.fixed.offsets)
    missing = ~known[:, None]
    return NewRows(
        x=np.where(missing, np.nan, matrix(list(columns_of(parts.fixed, values)), len(new))),
        z=np.where(numbers[:, None] >= 0, z, 0.0),
        offset=sum(offsets, np.zeros(len(new))),
        group_index=np.maximum(numbers, 0),
    )


def _groups(design: Design, fitted: pd.Series, new: pd.Series) -> NDArray[np.intp]:
    """The number that the group of each new row has in the fit, (m,); -1 for one that is missing or unknown."""
    both = _stacked(design.group, fitted, new).astype("object")
    known = pd.Index(both.iloc[design.rows].unique())
    return np.asarray(known.get_indexer(pd.Index(both.iloc[design.n_rows :])))


def _values(
    design: Design, parts: FormulaParts, nodes: Mapping[str, Node], stacked: pd.DataFrame, new: pd.DataFrame
) -> tuple[dict[str, Value], NDArray[np.bool_]]:
    """The value of each variable in the new rows, and which of these (m,) have all of theirs."""
    values, complete = {}, np.ones(len(new), dtype=bool)
    for label, node in nodes.items():
        both = evaluate(parts.text, node, stacked, deciding=design.n_rows)
        values[label] = _as_fitted(both, design)
        wrong = "has a level that the fit does not know in" if isinstance(both, Factor) else "has no finite value in"
        complete &= rows_with(values[label], parts.text, node, new, wrong, row="new row")
    return values, complete


def _as_fitted(both: Value, design: Design) -> Value:
    """The value in the new rows, which stand behind those of the table; of levels, those in the rows of the fit."""
    after = np.arange(design.n_rows, len(present(both)))
    if not isinstance(both, Factor):
        return on_rows(both, after)
    fitted = on_rows(both, design.rows)
    assert isinstance(fitted, Factor)  # noqa: S101
    number = {level: code for code, level in enumerate(fitted.levels)}
    codes = np.array([*(number.get(level, -1) for level in both.levels), -1])
    return replace(fitted, codes=codes[both.codes[after]])


def _stacked(name: str, fitted: pd.Series, new: pd.Series) -> pd.Series:
    """A column at the fit, and below it the column of the new rows, with the levels that it had at the fit."""
    kind, other = _kind(fitted), _kind(new)
    if other not in (kind, "nothing"):
        raise UserError(f"predict: column {name!r} of the new data holds {other}, and held {kind} at the fit.")
    if isinstance(fitted.dtype, pd.CategoricalDtype):
        levels = [*map(str, fitted.cat.categories)]
        both = [of.astype("object").map(str, na_action="ignore") for of in (fitted, new)]
        return pd.Series(pd.Categorical(pd.concat(both, ignore_index=True), categories=levels))
    if other == "nothing":
        new = pd.Series(np.nan, index=new.index, dtype="float64" if kind == "numbers" else "object")
    return pd.concat([fitted, new], ignore_index=True)


def _kind(column: pd.Series) -> str:
    values = column.dropna()
    if isinstance(column.dtype, pd.CategoricalDtype):
        return "levels of a factor"
    if not len(values):
        return "nothing"
    if pd.api.types.is_bool_dtype(values.infer_objects()):
        return "truth values"
    return "numbers" if pd.api.types.is_numeric_dtype(column) else "levels of a factor"
