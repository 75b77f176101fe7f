"""What evidence is computed from: a run's results by the source's names, and the numbers that the source printed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from twolevel.inference.samples import Sample
from twolevel.output.numbers import fixed

from published.printed_numbers import Row
from published.printing import as_printed
from published.solution import NotThereError


@dataclass(frozen=True)
class Finding:
    """The evidence of the results on a claim.

    Attributes
    ----------
    shown : whether they bear it out
    evidence : the numbers, in a sentence or two that are true in either case
    """

    shown: bool
    evidence: str


@dataclass(frozen=True)
class Comparison:
    """A likelihood ratio statistic, and those of the data sets simulated under the null model, in blocks."""

    statistic: float
    simulated: Sample


@dataclass(frozen=True)
class Run:
    """The results; what is asked for and is not there raises NotThereError.

    Attributes
    ----------
    fits, constrained : `fit.json` and `constrained.json` of each model, by the name that the source gave it
    residuals : its `residuals.parquet`
    comparisons : by the names of the null model and of the alternative
    observations, group : the prepared table, and its column that names the groups
    printed : the numbers that the source printed
    """

    fits: Mapping[str, Mapping[str, Any]]
    constrained: Mapping[str, Mapping[str, Any]]
    residuals: Mapping[str, pd.DataFrame]
    comparisons: Mapping[tuple[str, str], Comparison]
    observations: pd.DataFrame
    group: str
    printed: tuple[Row, ...]

    def fit(self, model: str) -> Mapping[str, Any]:
        """REML fit of a model."""
        if model not in self.fits:
            raise NotThereError(f"no model of the configuration has the published_name {model}")
        if self.fits[model]["estimator"] != "REML":
            raise NotThereError(f"the results have {model} by ML, the source by REML")
        return self.fits[model]

    def estimate(self, model: str, term: str) -> float:
        """A fixed effect."""
        fit = self.fit(model)
        if term not in fit["fixed_terms"]:
            raise NotThereError(f"{model} has no fixed effect {term}")
        return float(fit["fixed_effects"][fit["fixed_terms"].index(term)])

    def at_wall(self, model: str) -> Mapping[str, Any]:
        """Where lme4's bounds stop a search short of the optimum: `constrained.json`, its `fit` and `walls` there."""
        self.fit(model)
        story = self.constrained[model]
        if story["fit"] is None:
            raise NotThereError(f"a search within lme4's bounds is stopped by none of them in {model}")
        return story

    def comparison(self, null: str, alternative: str) -> Comparison:
        """A comparison of two models."""
        if (null, alternative) not in self.comparisons:
            raise NotThereError(f"no comparison of the configuration is of {null} against {alternative}")
        return self.comparisons[null, alternative]

    def column(self, name: str) -> pd.Series:
        """A column of the observations."""
        if name not in self.observations:
            raise NotThereError(f"the data have no column {name}")
        return self.observations[name]

    def by_group(self, name: str) -> pd.Series:
        """The first value of a column in each group."""
        return self.column(name).groupby(self.observations[self.group], observed=True, sort=True).first()

    def row(self, model: str, quantity: str, term: str = "") -> Row:
        """A number that the source printed."""
        for row in self.printed:
            if (row.model, row.quantity, row.term) == (model, quantity, term):
                return row
        raise NotThereError(f"the source's numbers have no {quantity} {term} of {model}")

    def prints(self, value: float, model: str, quantity: str, term: str = "") -> bool:
        """Whether a number comes out as the source printed it."""
        row = self.row(model, quantity, term)
        return as_printed(value, row) == row.printed


def said(value: float, decimals: int = 2) -> str:
    """A number for a sentence."""
    return fixed(value, decimals)
