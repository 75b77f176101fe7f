"""Marginal means of factors, and their pairwise contrasts, as R's emmeans computes them.

A marginal mean is what the fixed effects predict for a level, averaged over all combinations of the other factors'
levels with equal weights, with numbers at their means over the rows of the fit (Searle, Speed & Milliken 1980).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from twolevel.errors import UserError
from twolevel.inference.fixed_tests import FixedTests, SmallSamples, t_tests
from twolevel.inference.studentized_range import quantile, upper_tail
from twolevel.model.design import Design, Floats
from twolevel.model.expression import names_in
from twolevel.model.formula_parts import take_apart
from twolevel.model.new_data import new_rows
from twolevel.model.variables import alphabetical

# More combinations of levels than this are a mistake, such as an identifier among the factors.
MOST_COMBINATIONS = 10_000

# Pairs of more levels than this are too many for a reader.
MOST_LEVELS = 10

MEANS = {"factor": "str", "level": "str", "method": "str"}
NUMBERS = ("estimate", "std_error", "df", "lower", "upper")
CONTRASTS = {"factor": "str", "contrast": "str", "method": "str", "adjustment": "str"}


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


def marginal_means(design: Design, table: pd.DataFrame, of: SmallSamples, level: float = 0.95) -> pd.DataFrame:
    """Estimate the marginal mean of every level of every factor, and of each combination of factors that interact.

    Returns
    -------
    `factor` (`arm`, `arm:dose`), `level` (`Yes`, `Yes, mid`), `method` of the degrees of freedom, `estimate`,
    `std_error`, `df`, `lower` and `upper` at `level`
    """
    grid = reference_grid(design, table)
    rows = []
    for names in grid_factors(design, grid):
        found, weights = _averages(grid, names)
        tests = t_tests(of, weights @ grid.x)
        added = weights @ grid.offset
        lower, upper = tests.interval(level)
        about = zip(
            _labels(found), tests.estimate + added, tests.std_error, tests.df, lower + added, upper + added, strict=True
        )
        rows += [(":".join(names), label, of.method, *numbers) for label, *numbers in about]
    columns = MEANS | dict.fromkeys(NUMBERS, "float64")
    return pd.DataFrame(rows, columns=[*columns]).astype(columns)


def pairwise_contrasts(design: Design, table: pd.DataFrame, of: SmallSamples, level: float = 0.95) -> pd.DataFrame:
    """Compare the marginal means of every two levels, each later one less the earlier.

    With three levels or more, p values and intervals are adjusted as by Tukey: by the studentized range of as many
    means, with the degrees of freedom of the contrast. There are none of more than `MOST_LEVELS` levels.
    """
    grid = reference_grid(design, table)
    rows: list[tuple[object, ...]] = []
    for names in grid_factors(design, grid):
        found, weights = _averages(grid, names)
        labels = _labels(found)
        if not 2 <= len(labels) <= MOST_LEVELS:
            continue
        pairs = [*combinations(range(len(labels)), 2)]
        tests = t_tests(of, np.array([weights[later] - weights[earlier] for earlier, later in pairs]) @ grid.x)
        reach = _reach(len(labels), tests.df, level) * tests.std_error
        p_values = _p_values(len(labels), tests)
        adjustment = "tukey" if len(labels) > 2 else "none"
        texts = [f"{labels[later]} - {labels[earlier]}" for earlier, later in pairs]
        numbers = (
            tests.estimate,
            tests.std_error,
            tests.df,
            tests.estimate - reach,
            tests.estimate + reach,
            tests.statistic,
        )
        for text, *row, p in zip(texts, *numbers, p_values, strict=True):
            rows.append((":".join(names), text, of.method, adjustment, *row, p))
    columns = CONTRASTS | dict.fromkeys((*NUMBERS, "statistic", "p_value"), "float64")
    return pd.DataFrame(rows, columns=[*columns]).astype(columns)


def predictions(
    design: Design, table: pd.DataFrame, of: SmallSamples, values: Mapping[str, object], level: float = 0.95
) -> pd.DataFrame:
    """Predict the response's mean over groups by the fixed effects, for every combination of given values.

    Parameters
    ----------
    values : a value, or a list of them, of each column, or of some. Of the others, numbers stand at their means, and
        the levels of factors count alike, as for emmeans' `ref_grid(m, at = ...)`.

    Returns
    -------
    a row for each combination: its values, `estimate`, `std_error`, `df`, `lower`, `upper`

    Raises
    ------
    UserError
        The model has no such predictor, a factor no such level, a value is no number, an expression of the formula has
        no value there, or the average would be over more than `MOST_COMBINATIONS`.
    """
    grid = reference_grid(design, table, values)
    if grid.levels.empty and values:
        raise UserError(
            f"there are more than {MOST_COMBINATIONS:,} combinations of levels; give values of more factors."
        )
    rows, weights = _averages(grid, [*values])
    tests, added = t_tests(of, weights @ grid.x), weights @ grid.offset
    lower, upper = (bound + added for bound in tests.interval(level))
    found = {"estimate": tests.estimate + added, "std_error": tests.std_error, "df": tests.df}
    return rows.assign(**found, lower=lower, upper=upper)


def prediction_table(
    design: Design,
    table: pd.DataFrame,
    of: SmallSamples,
    wanted: Sequence[Mapping[str, object]],
    level: float = 0.95,
) -> pd.DataFrame:
    """The predictions for several sets of given values, one set below the other.

    Returns
    -------
    `number` of the set, from 1; `at`, its values (`ses = 1, sector = Public`); `method` of the degrees of freedom,
    `estimate`, `std_error`, `df`, `lower`, `upper`
    """
    rows: list[tuple[object, ...]] = []
    for number, values in enumerate(wanted, 1):
        found = predictions(design, table, of, values, level)
        for row in found.to_dict("records"):
            at = ", ".join(f"{name} = {row[name]}" for name in values)
            rows.append((number, at, of.method, *(row[name] for name in NUMBERS)))
    columns = {"number": "int64", "at": "str", "method": "str"} | dict.fromkeys(NUMBERS, "float64")
    return pd.DataFrame(rows, columns=[*columns]).astype(columns)


def _averages(grid: Grid, names: Sequence[str]) -> tuple[pd.DataFrame, Floats]:
    """The k combinations of levels of these factors, and weights (k, m) of the grid's rows in each."""
    groups = grid.levels.groupby([*names], sort=False, observed=True).ngroup().to_numpy()
    firsts = grid.levels[[*names]].iloc[np.unique(groups, return_index=True)[1]].reset_index(drop=True)
    weights = (groups == np.arange(len(firsts))[:, None]).astype(np.float64)
    return firsts, weights / weights.sum(axis=1, keepdims=True)


def _labels(combinations_of: pd.DataFrame) -> list[str]:
    return [", ".join(map(str, row)) for row in combinations_of.itertuples(index=False)]


def _reach(k: int, dfs: Floats, level: float) -> Floats:
    """How many standard errors an interval of a difference of two of k means reaches to either side."""
    if k == 2:
        return np.asarray(stdtrit(dfs, (1 + level) / 2))
    return np.array([quantile(level, k, df) for df in dfs]) / math.sqrt(2)


def _p_values(k: int, tests: FixedTests) -> Floats:
    """Of differences of two of k means."""
    if k == 2:
        return tests.p_value
    pairs = zip(np.abs(tests.statistic) * math.sqrt(2), tests.df, strict=True)
    return np.array([upper_tail(q, k, df) for q, df in pairs])
