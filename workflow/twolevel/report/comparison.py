"""A likelihood ratio test as the report tells it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from twolevel.report.model import Model
from twolevel.report.numbers import NBSP, fixed, p_phrase

ALPHA = 0.05


@dataclass(frozen=True)
class Comparison:
    """A test of one model against another.

    Attributes
    ----------
    name : as in the configuration
    null, alternative : the two models
    result : its `comparison.json`
    table : its `table.csv`, in the layout of R's anova
    """

    name: str
    null: Model
    alternative: Model
    result: Mapping[str, Any]
    table: pd.DataFrame

    @property
    def title(self) -> str:
        """Its name as words."""
        return f"Test: {self.name.replace('_', ' ')}"

    @property
    def rejected(self) -> bool:
        """Whether the null model is rejected at five per cent."""
        return bool(self.result["p_value"] < ALPHA)

    @property
    def test(self) -> str:
        """The test as an article reports it."""
        statistic = fixed(self.result["statistic"], 2)
        return f"χ²({self.result['df']}){NBSP}={NBSP}{statistic}, {p_phrase(self.result['p_value'])}"

    @property
    def sentences(self) -> list[str]:
        """What the test says, and how far it can be believed."""
        null, alternative = self.null.name, self.alternative.name
        said = (
            f"{alternative} fits better than {null} by more than chance would explain: {self.test}."
            if self.rejected
            else f"The data do not show that {alternative} fits better than {null}: {self.test}."
        )
        return [said, *([self._boundary()] if self.result["on_boundary"] else [])]

    def _boundary(self) -> str:
        what_follows = (
            "this one is below 0.05 even so, and the conclusion stands."
            if self.rejected
            else "a variance above zero may have gone unseen."
        )
        return (
            "The null model sets a variance to zero, the edge of what a variance can be. There the chi-square "
            f"distribution with {self.result['df']} degrees of freedom is conservative: its p values are too "
            f"large; {what_follows}"
        )
