"""The combinations of factors' levels over which a model's predictions are averaged: R's emmeans calls them so."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from twolevel.errors import UserError
from twolevel.model.design import Design, Floats
from twolevel.model.expression import names_in
from twolevel.model.formula_parts import take_apart
from twolevel.model.new_data import new_rows
from twolevel.model.variables import alphabetical

# More combinations of levels than this are a mistake, such as an identifier among the factors.
MOST_COMBINATIONS = 10_000


@dataclass(frozen=True)
class Grid:
    """All combinations of the levels of the factors in a fixed part.

    Attributes
    ----------
    levels : m combinations, a column for each factor
    x : (m, p) their rows of the fixed-effects design, with numbers at their means
    offset : (m,)
    """

    levels: pd.DataFrame
    x: Floats
    offset: Floats


def reference_grid(design: Design, table: pd.DataFrame, at: Mapping[str, object] | None = None) -> Grid:
    """The combinations that marginal means are averages over; none where they are more than `MOST_COMBINATIONS`.

    Factors are columns of levels, of text and of truth values, columns that `factor()` makes one of, and, as in
    emmeans, numbers with two values.

    Parameters
    ----------
    table : what the design was made of
    at : a value or a list of values of some columns, in place of the levels of a factor or of a number's mean; each is
        then a factor here

    Raises
    ------
    UserError
        The model has no such predictor, a factor no such level, or a value is no number.
    """
    fixed = take_apart(design.formula, design.group).fixed
    names = dict.fromkeys(name.name for node in (*fixed.variables, *fixed.offsets) for name in names_in(node))
    used = table.iloc[design.rows]
    given = {name: of if isinstance(of, list | tuple) else [of] for name, of in (at or {}).items()}
    if unknown := [name for name in given if name not in names]:
        has = f"it has {', '.join(names)}" if names else "it has none"
        raise UserError(f"{', '.join(unknown)}: the model has no such predictor; {has}.")
    levels = {
        name: found for name in names if (found := [*given[name]] if name in given else _levels(design, used[name]))
    }
    if math.prod(map(len, levels.values())) > MOST_COMBINATIONS:
        levels = {name: found[:0] for name, found in levels.items()}
    combinations_of = pd.DataFrame([*product(*levels.values())], columns=[*levels])
    grid = pd.DataFrame(
        {name: used[name].astype("float64").mean() for name in names if name not in levels}, index=combinations_of.index
    )
    for name in levels:
        grid[name] = _as_in(used[name], combinations_of[name])
    rows = new_rows(design, table, grid, groups=False)
    return Grid(combinations_of, rows.x, rows.offset)


def _as_in(fitted: pd.Series, values: pd.Series) -> pd.Series:
    """Values of the kind that a column has; a level that it does not have is refused."""
    if isinstance(fitted.dtype, pd.CategoricalDtype):
        known = fitted.cat.categories
        texts = values.astype("object").map(str)
        if unknown := sorted(set(texts) - set(map(str, known))):
            raise UserError(f"{fitted.name} has no level {', '.join(unknown)}; it has {', '.join(map(str, known))}.")
        return pd.Series(pd.Categorical(texts, categories=[*map(str, known)]), index=values.index)
    if pd.api.types.is_numeric_dtype(fitted) and not pd.api.types.is_bool_dtype(fitted):
        numbers = pd.to_numeric(values, errors="coerce")
        if (wrong := ~np.isfinite(numbers.astype("float64"))).any():
            raise UserError(
                f"{fitted.name}: found {values.astype('object')[wrong].iloc[0]!r}; expected finite numbers."
            )
        return numbers.astype("float64")
    return values


def _levels(design: Design, column: pd.Series) -> list[object]:
    """The levels of a factor that occur, in their order; none of a column of numbers."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return [level for level in column.cat.categories if (column == level).any()]
    values = [*column.unique()]
    if not pd.api.types.is_numeric_dtype(column):
        return [*alphabetical(values)]
    in_factor = [of.level for of in design.meanings.values() if of.made_of == (column.name,) and of.level is not None]
    is_factor = len(values) <= max(2, len({*in_factor}) + 1 if in_factor else 0)
    return sorted(values) if is_factor else []


def grid_factors(design: Design, grid: Grid) -> list[tuple[str, ...]]:
    """What there are marginal means of: each factor, and each combination of factors that interact in the model."""
    together = {
        tuple(dict.fromkeys(column for name in factors for column in design.meanings[name].made_of))
        for factors in design.fixed_factors
    }
    found = [of for of in sorted(together, key=lambda of: (len(of), of)) if len(of) > 1]
    return [(str(name),) for name in grid.levels] + [of for of in found if all(name in grid.levels for name in of)]
