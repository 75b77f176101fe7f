"""All results that a printed number may come from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import pandas as pd
from scipy.stats import chi2
from twolevel.inference.samples import Sample

from published.printed_numbers import Row
from published.solution import NotThereError, Solution


@dataclass(frozen=True)
class Comparison:
    """A likelihood ratio test.

    Attributes
    ----------
    models : the null model and the alternative
    estimator : "REML" or "ML"
    table : by model and column, as `table.csv`
    reference : the statistics of all replicates in order, in blocks; missing where one gave none
    """

    models: tuple[str, str]
    estimator: str
    table: Mapping[str, Mapping[str, float]]
    reference: Sample

    def raised(self, model: str, by: float) -> "Comparison":
        """The same test if a search of that model had stopped this far above its optimum."""
        rises = {"AIC": by, "BIC": by, "logLik": -by / 2, "deviance": by}
        table = {name: dict(row) for name, row in self.table.items()}
        for column, rise in rises.items():
            table[model][column] += rise
        tested = table[self.models[1]]
        tested["chisq"] += by if model == self.models[0] else -by
        tested["p_value"] = float(chi2.sf(tested["chisq"], tested["df"]))
        return replace(self, table=table)


@dataclass(frozen=True)
class Inventory:
    """The results.

    Attributes
    ----------
    names : the models' names in the configuration, by those in the source
    solutions : each model at its optimum, by its estimator
    variance_explained : by model and term, as `variance_explained.csv`
    comparisons : the likelihood ratio tests
    intervals : the table of each model
    bootstrap : the replicates of each model, a column for each parameter
    groups : the table of groups
    n_obs : rows of the prepared table
    sampled_groups : how many groups each figure samples, where it samples
    quantities : those that only this publication prints, by `quantity` or by `quantity / term`
    """

    names: Mapping[str, str]
    solutions: Mapping[str, Solution]
    variance_explained: Mapping[tuple[str, str], Mapping[str, float | str]]
    comparisons: tuple[Comparison, ...]
    intervals: Mapping[str, pd.DataFrame]
    bootstrap: Mapping[str, Mapping[str, Sample]]
    groups: pd.DataFrame
    n_obs: int
    sampled_groups: tuple[int, ...]
    quantities: Mapping[str, "Quantity"] = field(default_factory=dict)

    def model(self, name: str) -> str:
        """The model that the source calls `name`; of 'large vs small', the large one."""
        found = self.names.get(name.partition(" vs ")[0], "")
        if found not in self.solutions:
            raise NotThereError(f"no model of the configuration has the published_name {name}")
        return found

    def comparison(self, name: str, estimator: str) -> Comparison:
        """The test, by that estimator, of the model that the source calls `name`."""
        model = self.model(name)
        found = [test for test in self.comparisons if model in test.models and test.estimator == estimator]
        if len(found) != 1:
            raise NotThereError(f"{len(found)} comparisons by {estimator} have the model {name}, not one")
        return found[0]

    def at(self, model: str, solution: Solution) -> "Inventory":
        """The results if the fit of that model had ended at another point."""
        rise = solution.criterion - self.solutions[model].criterion
        return replace(
            self,
            solutions={**self.solutions, model: solution},
            comparisons=tuple(
                test.raised(model, rise) if test.estimator == "REML" and model in test.models else test
                for test in self.comparisons
            ),
            variance_explained={
                key: _reduced(entry, solution, key[1]) if key[0] == model else entry
                for key, entry in self.variance_explained.items()
            },
        )


Find = Callable[[Inventory, Row], float]


@dataclass(frozen=True)
class Quantity:
    """Something that a publication prints.

    Attributes
    ----------
    find : what the results say of it; NotThereError where they say nothing
    chosen : where the number was chosen, not found: what to say of it in the ledger
    counted : whether the data alone decide it
    """

    find: Find
    chosen: str = ""
    counted: bool = False


def _reduced(entry: Mapping[str, float | str], solution: Solution, term: str) -> dict[str, float | str]:
    """The variance explained at another point of the model."""
    before = float(entry["baseline_variance"])
    after = next(
        value
        for (column, name), value in solution.random.items()
        if column == "vcov" and term in (name, name.partition(":")[2])
    )
    return {**entry, "variance": after, "explained": (before - after) / before if before > 0 else float("nan")}
