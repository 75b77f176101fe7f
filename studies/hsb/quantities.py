"""What the vignette prints in words of its own, and where it stands in the results."""

from collections.abc import Mapping

from published.inventory import Inventory, Quantity
from published.printed_numbers import Row
from published.quantities import at, bootstrap_p, fixed, solution
from published.solution import NotThereError, Solution

# The name of the random intercept, as random_effects.csv gives it after the group's.
INTERCEPT = "(Intercept)"


def _random_correlation_in_prose(inventory: Inventory, row: Row) -> float:
    """The prose names the two terms in any order, and not the group."""
    first, second = row.term.split(",")
    random = solution(inventory, row).random
    of_terms = {name.partition(":")[2]: value for (column, name), value in random.items() if column == "sdcor"}
    in_order = f"{first},{second}" if f"{first},{second}" in of_terms else f"{second},{first}"
    return at(of_terms, in_order, f"correlation of {row.term} in {row.model}")


def _variances(solution: Solution) -> tuple[float, float]:
    """The variance of the random intercepts and the residual variance."""
    of_terms = {name.partition(":")[2]: value for (column, name), value in solution.random.items() if column == "vcov"}
    return at(of_terms, INTERCEPT, "random intercept"), solution.random["vcov", "Residual"]


def _icc(inventory: Inventory, row: Row) -> float:
    tau, sigma2 = _variances(solution(inventory, row))
    return tau / (tau + sigma2)


def _icc_from_rounded(inventory: Inventory, row: Row) -> float:
    """From variances with three decimals, as the source took them from the summary."""
    tau, sigma2 = (round(value, 3) for value in _variances(solution(inventory, row)))
    return tau / (tau + sigma2)


def _explained(inventory: Inventory, row: Row, term: str) -> Mapping[str, float | str]:
    solution(inventory, row)  # NotThereError where the variances are by another estimator
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
    slope = at(solution(inventory, row).fixed, ("estimate", predictor), f"fixed effect {predictor} in {row.model}")
    if predictor not in inventory.groups:
        raise NotThereError(f"the groups have no {predictor}")
    return float((inventory.groups[predictor].max() - inventory.groups[predictor].min()) * slope)


def _sampled_groups(inventory: Inventory, _: Row) -> float:
    if len(inventory.sampled_groups) != 1:
        raise NotThereError(f"{len(inventory.sampled_groups)} figures sample groups, not one")
    return inventory.sampled_groups[0]


# By `quantity`, or by `quantity / term` where that decides.
QUANTITIES: Mapping[str, Quantity] = {
    "correlation": Quantity(_random_correlation_in_prose),
    "sector difference": Quantity(fixed("estimate")),
    "sector difference adjusted": Quantity(fixed("estimate")),
    "slope": Quantity(fixed("estimate")),
    "slope difference": Quantity(fixed("estimate")),
    "2*slope": Quantity(lambda inventory, row: 2 * fixed("estimate")(inventory, row)),
    "t": Quantity(fixed("statistic")),
    "ICC": Quantity(_icc),
    "ICC / tau00/(tau00+sigma2) from rounded 8.614, 39.148": Quantity(_icc_from_rounded),
    "L2 variance explained (8.614-6.677)/8.614 / numerator": Quantity(_variance_removed),
    "L2 variance explained (8.614-6.677)/8.614 / ratio": Quantity(_variance_explained),
    "L2 variance explained (8.614-2.639)/8.614 / ratio": Quantity(_variance_explained),
    "L2 variance explained %": Quantity(lambda inventory, row: 100 * _variance_explained(inventory, row)),
    "L1 variance explained (36.700-35.91)/36.700 / ratio": Quantity(_residual_variance_explained_from_rounded),
    "approx difference lowest-highest mean SES schools": Quantity(_lowest_to_highest_group),
    "n students (prose)": Quantity(lambda inventory, _: inventory.n_obs, counted=True),
    "n schools (prose)": Quantity(lambda inventory, _: len(inventory.groups), counted=True),
    "n schools sampled for plot": Quantity(
        _sampled_groups, chosen="a setting: as many as the figure of this run draws"
    ),
    "% of samples": Quantity(lambda inventory, row: 100 * bootstrap_p(inventory, row)),
}
