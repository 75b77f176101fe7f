"""Marginal means of factors, and their pairwise contrasts, as R's emmeans computes them.

A marginal mean is what the fixed effects predict for a level, averaged over all combinations of the other factors'
levels with equal weights, with numbers at their means over the rows of the fit (Searle, Speed & Milliken 1980).
"""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from twolevel.errors import UserError
from twolevel.inference.fixed_tests import FixedTests, SmallSamples, t_tests
from twolevel.inference.studentized_range import quantile, upper_tail
from twolevel.model.design import Design, Floats
from twolevel.model.reference_grid import MOST_COMBINATIONS, Grid, grid_factors, reference_grid

# Pairs of more levels than this are too many for a reader.
MOST_LEVELS = 10

MEANS = {"factor": "str", "level": "str", "method": "str"}
NUMBERS = ("estimate", "std_error", "df", "lower", "upper")
CONTRASTS = {"factor": "str", "contrast": "str", "method": "str", "adjustment": "str"}


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
