"""Where each printed quantity stands in the results."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from published.inventory import Inventory
from published.printed_numbers import Row
from published.solution import NotThereError, Solution

Find = Callable[[Inventory, Row], float]
Key = TypeVar("Key")

# Samples that the source drew: 500 is the default `nsim` of lme4's confint(method = "boot"), 1,000 that of PBmodcomp.
INTERVAL_SAMPLES, TEST_SAMPLES = 500, 1000

# How the quantity of a bound of a bootstrap interval begins; its percentage follows.
INTERVAL = "bootstrap CI "

# The name of the random intercept, as random_effects.csv gives it after the group's.
INTERCEPT = "(Intercept)"


def value_of(inventory: Inventory, row: Row) -> float:
    """What the results say of a printed number.

    Raises
    ------
    NotThereError
        They say nothing of it.
    """
    find = FOUND_IN.get(f"{row.quantity} / {row.term}") or FOUND_IN.get(row.quantity)
    if find is None:
        raise NotThereError(f"nothing is known of the quantity {row.quantity}")
    return float(find(inventory, row))


def first_statistics(inventory: Inventory, row: Row) -> np.ndarray:
    """The test statistics of a run as long as the source's: our first replicates, less those that gave none."""
    reference = inventory.comparison(row.model, row.estimator).reference
    if len(reference) < TEST_SAMPLES:
        raise NotThereError(f"the bootstrap has {len(reference)} replicates, the source drew {TEST_SAMPLES}")
    first = reference[:TEST_SAMPLES]
    return first[np.isfinite(first)]


def extremes(inventory: Inventory, row: Row, statistics: np.ndarray) -> int:
    """How many simulated statistics are at least the observed one."""
    return int((statistics >= _compared(inventory, row, "chisq")).sum())


def _at(values: Mapping[Key, Any], key: Key, what: str) -> float:
    if key not in values or values[key] is None:
        raise NotThereError(f"the results have no {what}")
    return float(values[key])


def _solution(inventory: Inventory, row: Row) -> Solution:
    return inventory.solutions[inventory.model(row.model)]


def _fixed(column: str) -> Find:
    return lambda inventory, row: _at(
        _solution(inventory, row).fixed, (column, row.term), f"fixed effect {row.term} in {row.model}"
    )


def _random(column: str) -> Find:
    return lambda inventory, row: _at(
        _solution(inventory, row).random, (column, row.term), f"random effect {row.term} in {row.model}"
    )


def _fixed_correlation(inventory: Inventory, row: Row) -> float:
    terms = frozenset(row.term.split(","))
    return _at(_solution(inventory, row).correlations, terms, f"fixed effects {row.term} in {row.model}")


def _random_correlation_in_prose(inventory: Inventory, row: Row) -> float:
    """The prose names the two terms in any order, and not the group."""
    first, second = row.term.split(",")
    random = _solution(inventory, row).random
    of_terms = {name.partition(":")[2]: value for (column, name), value in random.items() if column == "sdcor"}
    in_order = f"{first},{second}" if f"{first},{second}" in of_terms else f"{second},{first}"
    return _at(of_terms, in_order, f"correlation of {row.term} in {row.model}")


def _variances(solution: Solution) -> tuple[float, float]:
    """The variance of the random intercepts and the residual variance."""
    of_terms = {name.partition(":")[2]: value for (column, name), value in solution.random.items() if column == "vcov"}
    return _at(of_terms, INTERCEPT, "random intercept"), solution.random["vcov", "Residual"]


def _icc(inventory: Inventory, row: Row) -> float:
    tau, sigma2 = _variances(_solution(inventory, row))
    return tau / (tau + sigma2)


def _icc_from_rounded(inventory: Inventory, row: Row) -> float:
    """From variances with three decimals, as the source took them from the summary."""
    tau, sigma2 = (round(value, 3) for value in _variances(_solution(inventory, row)))
    return tau / (tau + sigma2)


def _explained(inventory: Inventory, row: Row, term: str) -> Mapping[str, float | str]:
    key = (inventory.model(row.model), term)
    if key not in inventory.variance_explained:
        raise NotThereError(f"variance_explained.csv has no {term} of {key[0]}: its baseline is not set, or another")
    return inventory.variance_explained[key]


def _variance_removed(inventory: Inventory, row: Row) -> float:
    entry = _explained(inventory, row, INTERCEPT)
    return float(entry["baseline_variance"]) - float(entry["variance"])


def _variance_explained(inventory: Inventory, row: Row) -> float:
    return float(_explained(inventory, row, INTERCEPT)["explained"])


def _residual_variance_explained_from_rounded(inventory: Inventory, row: Row) -> float:
    """From variances with three and with two decimals, as the source took them from its summaries."""
    entry = _explained(inventory, row, "Residual")
    before, after = round(float(entry["baseline_variance"]), 3), round(float(entry["variance"]), 2)
    return (before - after) / before


def _lowest_to_highest_group(inventory: Inventory, row: Row) -> float:
    predictor = "mean.ses"
    slope = _at(_solution(inventory, row).fixed, ("estimate", predictor), f"fixed effect {predictor} in {row.model}")
    if predictor not in inventory.groups:
        raise NotThereError(f"the groups have no {predictor}")
    return float((inventory.groups[predictor].max() - inventory.groups[predictor].min()) * slope)


def _compared(inventory: Inventory, row: Row, column: str) -> float:
    test, model = inventory.comparison(row.model, row.estimator), inventory.model(row.model)
    return _at(test.table[model], column, f"{column} of {row.model}")


def _in_comparison(column: str) -> Find:
    return lambda inventory, row: _compared(inventory, row, column)


def _samples(inventory: Inventory, row: Row) -> float:
    return len(first_statistics(inventory, row))


def _extremes(inventory: Inventory, row: Row) -> float:
    return extremes(inventory, row, first_statistics(inventory, row))


def _bootstrap_p(inventory: Inventory, row: Row) -> float:
    statistics = first_statistics(inventory, row)
    return (1 + extremes(inventory, row, statistics)) / (1 + len(statistics))


def _interval_bound(inventory: Inventory, row: Row) -> float:
    """Look up 'bootstrap CI 2.5%' in the percentile intervals."""
    probability = interval_probability(row)
    table = inventory.intervals[inventory.model(row.model)]
    of_row = table[(table["parameter"] == row.term) & (table["method"] == "percentile")]
    tails = {"lower": (1 - of_row["level"]) / 2, "upper": (1 + of_row["level"]) / 2}
    for column, tail in tails.items():
        if np.isclose(tail, probability).any():
            return float(of_row[column].iloc[0])
    raise NotThereError(f"intervals.csv has no percentile bound of {row.term} at {probability:.1%}")


def interval_probability(row: Row) -> float:
    """The probability below a bound: 0.025 for 'bootstrap CI 2.5%'."""
    return float(row.quantity.removeprefix(INTERVAL).rstrip("%")) / 100


def _sampled_groups(inventory: Inventory, _: Row) -> float:
    if len(inventory.sampled_groups) != 1:
        raise NotThereError(f"{len(inventory.sampled_groups)} figures sample groups, not one")
    return inventory.sampled_groups[0]


# By `quantity`, or by `quantity / term` where that decides.
FOUND_IN: dict[str, Find] = {
    "REML criterion": lambda inventory, row: _solution(inventory, row).criterion,
    "n obs": lambda inventory, row: _solution(inventory, row).n_obs,
    "n groups": lambda inventory, row: _solution(inventory, row).n_groups,
    "scaled residual quantile": lambda inventory, row: _solution(inventory, row).quantiles[row.term],
    "variance": _random("vcov"),
    "std.dev": _random("sdcor"),
    "random-effect correlation": _random("sdcor"),
    "correlation": _random_correlation_in_prose,
    "fixed effect estimate": _fixed("estimate"),
    "fixed effect SE": _fixed("std_error"),
    "fixed effect t": _fixed("statistic"),
    "fixed-effect correlation": _fixed_correlation,
    "sector difference": _fixed("estimate"),
    "sector difference adjusted": _fixed("estimate"),
    "slope": _fixed("estimate"),
    "slope difference": _fixed("estimate"),
    "2*slope": lambda inventory, row: 2 * _fixed("estimate")(inventory, row),
    "t": _fixed("statistic"),
    "ICC": _icc,
    "ICC / tau00/(tau00+sigma2) from rounded 8.614, 39.148": _icc_from_rounded,
    "L2 variance explained (8.614-6.677)/8.614 / numerator": _variance_removed,
    "L2 variance explained (8.614-6.677)/8.614 / ratio": _variance_explained,
    "L2 variance explained (8.614-2.639)/8.614 / ratio": _variance_explained,
    "L2 variance explained %": lambda inventory, row: 100 * _variance_explained(inventory, row),
    "L1 variance explained (36.700-35.91)/36.700 / ratio": _residual_variance_explained_from_rounded,
    "approx difference lowest-highest mean SES schools": _lowest_to_highest_group,
    "n students (prose)": lambda inventory, _: inventory.n_obs,
    "n schools (prose)": lambda inventory, _: len(inventory.groups),
    "n schools sampled for plot": _sampled_groups,
    "LRT table: npar": _in_comparison("npar"),
    "LRT table: AIC": _in_comparison("AIC"),
    "LRT table: BIC": _in_comparison("BIC"),
    "LRT table: logLik": _in_comparison("logLik"),
    "LRT table: -2*log(L)": _in_comparison("deviance"),
    "LRT table: Chisq": _in_comparison("chisq"),
    "LRT table: Df": _in_comparison("df"),
    "LRT table: Pr(>Chisq)": _in_comparison("p_value"),
    "PBmodcomp stat": _in_comparison("chisq"),
    "PBmodcomp df": _in_comparison("df"),
    "PBmodcomp p.value / LRT": _in_comparison("p_value"),
    "PBmodcomp p.value / PBtest": _bootstrap_p,
    "PBmodcomp PBtest samples": _samples,
    "PBmodcomp PBtest extremes": _extremes,
    "% of samples": lambda inventory, row: 100 * _bootstrap_p(inventory, row),
    f"{INTERVAL}2.5%": _interval_bound,
    f"{INTERVAL}97.5%": _interval_bound,
}
