"""Where each printed quantity stands in the results."""

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
from twolevel.inference.samples import Sample, reached

from published.inventory import Find, Inventory, Quantity
from published.printed_numbers import Row
from published.solution import NotThereError, Solution

Key = TypeVar("Key")

# Samples that the source drew: 500 is the default `nsim` of lme4's confint(method = "boot"), 1,000 that of PBmodcomp.
INTERVAL_SAMPLES, TEST_SAMPLES = 500, 1000

# How the quantity of a bound of a bootstrap interval begins; its percentage follows.
INTERVAL = "bootstrap CI "


def quantity_of(inventory: Inventory, row: Row) -> Quantity:
    """What is known of a printed quantity; NotThereError where nothing is."""
    known = {**QUANTITIES, **inventory.quantities}
    found = known.get(f"{row.quantity} / {row.term}") or known.get(row.quantity)
    if found is None:
        raise NotThereError(f"nothing is known of the quantity {row.quantity}")
    return found


def value_of(inventory: Inventory, row: Row) -> float:
    """The value of a printed number in the results; NotThereError where they have none."""
    return float(quantity_of(inventory, row).find(inventory, row))


def first_statistics(inventory: Inventory, row: Row) -> np.ndarray:
    """The test statistics of a run as long as the source's: our first replicates, less those that gave none."""
    reference = inventory.comparison(row.model, row.estimator).reference
    first, simulated = np.empty(0), 0
    for statistics in reference:
        first = np.append(first, statistics[: TEST_SAMPLES - len(first)])
        simulated += len(statistics)
    if simulated < TEST_SAMPLES:
        raise NotThereError(f"the bootstrap has {simulated} replicates, the source drew {TEST_SAMPLES}")
    return first[np.isfinite(first)]


def extremes(inventory: Inventory, row: Row, simulated: Sample) -> int:
    """How many simulated statistics are at least the observed one."""
    return reached(simulated, _compared(inventory, row, "chisq"))


def at(values: Mapping[Key, Any], key: Key, what: str) -> float:
    """A value by its key; NotThereError where there is none."""
    if key not in values or values[key] is None:
        raise NotThereError(f"the results have no {what}")
    return float(values[key])


def solution(inventory: Inventory, row: Row) -> Solution:
    """The model of a row at its optimum, or at the point under test; NotThereError if by another estimator."""
    model = inventory.model(row.model)
    found = inventory.solutions[model]
    if found.estimator != row.estimator:
        raise NotThereError(f"the results have {model} by {found.estimator}, the source by {row.estimator}")
    return found


def fixed(column: str) -> Find:
    """A column of the row's fixed effect."""
    return lambda inventory, row: at(
        solution(inventory, row).fixed, (column, row.term), f"fixed effect {row.term} in {row.model}"
    )


def random(column: str) -> Find:
    """A column of the row's random effect."""
    return lambda inventory, row: at(
        solution(inventory, row).random, (column, row.term), f"random effect {row.term} in {row.model}"
    )


def _fixed_correlation(inventory: Inventory, row: Row) -> float:
    terms = frozenset(row.term.split(","))
    return at(solution(inventory, row).correlations, terms, f"fixed effects {row.term} in {row.model}")


def _compared(inventory: Inventory, row: Row, column: str) -> float:
    test, model = inventory.comparison(row.model, row.estimator), inventory.model(row.model)
    return at(test.table[model], column, f"{column} of {row.model}")


def _in_comparison(column: str, counted: bool = False) -> Quantity:
    return Quantity(lambda inventory, row: _compared(inventory, row, column), counted=counted)


def bootstrap_p(inventory: Inventory, row: Row) -> float:
    """The bootstrap p value from as many samples as the source drew."""
    statistics = first_statistics(inventory, row)
    return (1 + extremes(inventory, row, [statistics])) / (1 + len(statistics))


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


# The quantities that programs print, by `quantity`, or by `quantity / term` where the term matters. Those that only one
# publication has are in `Inventory.quantities`.
QUANTITIES: dict[str, Quantity] = {
    "REML criterion": Quantity(lambda inventory, row: solution(inventory, row).criterion),
    "n obs": Quantity(lambda inventory, row: solution(inventory, row).n_obs, counted=True),
    "n groups": Quantity(lambda inventory, row: solution(inventory, row).n_groups, counted=True),
    "scaled residual quantile": Quantity(lambda inventory, row: solution(inventory, row).quantiles[row.term]),
    "variance": Quantity(random("vcov")),
    "std.dev": Quantity(random("sdcor")),
    "random-effect correlation": Quantity(random("sdcor")),
    "fixed effect estimate": Quantity(fixed("estimate")),
    "fixed effect SE": Quantity(fixed("std_error")),
    "fixed effect t": Quantity(fixed("statistic")),
    "fixed-effect correlation": Quantity(_fixed_correlation),
    "LRT table: npar": _in_comparison("npar", counted=True),
    "LRT table: AIC": _in_comparison("AIC"),
    "LRT table: BIC": _in_comparison("BIC"),
    "LRT table: logLik": _in_comparison("logLik"),
    "LRT table: -2*log(L)": _in_comparison("deviance"),
    "LRT table: Chisq": _in_comparison("chisq"),
    "LRT table: Df": _in_comparison("df", counted=True),
    "LRT table: Pr(>Chisq)": _in_comparison("p_value"),
    "PBmodcomp stat": _in_comparison("chisq"),
    "PBmodcomp df": _in_comparison("df", counted=True),
    "PBmodcomp p.value / LRT": _in_comparison("p_value"),
    "PBmodcomp p.value / PBtest": Quantity(bootstrap_p),
    "PBmodcomp PBtest samples": Quantity(
        lambda inventory, row: len(first_statistics(inventory, row)),
        chosen="a setting: the numbers of this test are computed from as many samples of this run",
    ),
    "PBmodcomp PBtest extremes": Quantity(
        lambda inventory, row: extremes(inventory, row, first_statistics(inventory, row))
    ),
    f"{INTERVAL}2.5%": Quantity(_interval_bound),
    f"{INTERVAL}97.5%": Quantity(_interval_bound),
}
