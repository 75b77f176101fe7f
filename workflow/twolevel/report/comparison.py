"""A likelihood ratio test as the report tells it: by simulation, and by the distributions that need none."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import chdtri

from twolevel.errors import counted
from twolevel.inference.intervals import proportion_interval
from twolevel.inference.samples import Sample, reached, size
from twolevel.output.numbers import NOTHING, fine_p, fine_p_phrase, fixed, percent
from twolevel.output.words import TESTS
from twolevel.report.model import ALPHA, Model


@dataclass(frozen=True)
class Comparison:
    """A test of one model against another.

    Attributes
    ----------
    name, title : as in the configuration; without a title there, the name as words
    null, alternative : the two models
    result : its `comparison.json`
    table : its `table.csv`, in the layout of R's anova
    tests : its `tests.csv`
    statistics : the statistic of each simulated data set, in blocks; NaN where a fit failed
    """

    name: str
    title: str
    null: Model
    alternative: Model
    result: Mapping[str, Any]
    table: pd.DataFrame
    tests: pd.DataFrame
    statistics: Sample

    @property
    def rows(self) -> list[dict[Any, Any]]:
        """The tests with what each is called; a Monte Carlo error as large as the p value it is of says nothing."""
        rows = [{**row, "label": TESTS[row["test"]]} for row in self.tests.to_dict("records")]
        for row in rows:
            if row["test"] != "PBtest" and not row["monte_carlo_error"] < row["p_value"]:
                row["monte_carlo_error"] = None
        return rows

    def degrees(self, row: Mapping[Any, Any]) -> str:
        """The degrees of freedom of a test as the table has them."""
        df = self.result["df"]
        match row["test"]:
            case "LRT" | "Bartlett":
                return f"{df}"
            case "mixture":
                return f"{df - 1} and {df}"
            case "F" if np.isfinite(row["ddf"]):
                return f"{df} and {fixed(row['ddf'], 1)}"
        return NOTHING

    @property
    def p(self) -> dict[str, float]:
        """The p value of each test."""
        return dict(zip(self.tests["test"], self.tests["p_value"].astype(float), strict=True))

    @cached_property
    def replicates(self) -> int:
        """How many data sets were simulated."""
        return sum(len(values) for values in self.statistics)

    @cached_property
    def simulated(self) -> int:
        """How many of them have a statistic."""
        return size(self.statistics)

    @property
    def reached(self) -> int:
        """How many of them are as large as that of the data: p is (1 + reached) / (1 + simulated)."""
        return round(self.p["PBtest"] * (1 + self.simulated)) - 1

    @property
    def enough(self) -> bool:
        """Whether there are enough simulated data sets for a bootstrap p value of five per cent."""
        return 1 / (1 + self.simulated) <= ALPHA

    @property
    def rejected(self) -> bool:
        """Whether the bootstrap rejects the null model at five per cent."""
        return self.p["PBtest"] <= ALPHA

    @cached_property
    def rejects(self) -> tuple[float, float, float]:
        """Share of the simulated data sets that the chi-square test rejects at five per cent, and its 95 % interval."""
        count = reached(self.statistics, chdtri(self.result["df"], ALPHA))
        return count / self.simulated, *proportion_interval(count, self.simulated)

    @property
    def sentences(self) -> list[str]:
        """What the tests say, and how far each can be believed."""
        return [
            self._verdict(),
            *(
                [*self._limits(), self._side_by_side(), self._how_often()]
                if self.enough
                else [
                    f"By the chi-square distribution with {_degrees(self.result['df'])} {fine_p_phrase(self.p['LRT'])}."
                ]
            ),
            *([self._boundary()] if self.result["on_boundary"] else []),
            self._failures(),
        ]

    def _verdict(self) -> str:
        null, alternative = self.null.called, self.alternative.called
        n, count = f"{self.simulated:,}", self.reached
        reach = {0: "none reaches", 1: "1 reaches"}.get(count, f"{count:,} reach")
        counted = (
            f"the likelihood ratio statistic is {fixed(self.result['statistic'], 2)}, and of {n} data sets simulated "
            f"from {null} {reach} it (bootstrap test, {fine_p_phrase(self.p['PBtest'])})"
        )
        if not self.enough:
            return (
                f"Whether {alternative} fits better than {null} by more than chance cannot be told from so few "
                f"simulated data sets: {n}, from which no p can be below {fine_p(1 / (1 + self.simulated))}. It "
                f"takes {round(1 / ALPHA) - 1} at the least, and a thousand are better (bootstrap.replicates). The "
                f"likelihood ratio statistic is {fixed(self.result['statistic'], 2)}."
            )
        if self.rejected:
            return f"{alternative} fits better than {null} by more than chance would explain: {counted}."
        return f"The data do not show that {alternative} fits better than {null}: {counted}."

    def _limits(self) -> Iterator[str]:
        """What the number of data sets leaves open."""
        n = self.simulated
        if self.reached == 0:
            yield f"The smallest p that {n:,} data sets can give is 1/{n + 1:,}: the true one may be far smaller."
        lower, upper = proportion_interval(self.reached, n)
        if lower < ALPHA < upper:
            yield (
                f"The number of data sets leaves open on which side of {ALPHA} this p lies (95 % interval "
                f"{fixed(lower, 3)} to {fixed(upper, 3)}): more would tell."
            )

    def _side_by_side(self) -> str:
        df = self.result["df"]
        text = f"By the chi-square distribution with {_degrees(df)} {fine_p_phrase(self.p['LRT'])}"
        if "mixture" in self.p:
            text += f", by the mixture {fine_p_phrase(self.p['mixture'])}"
        differ = (self.p["LRT"] <= ALPHA) != self.rejected
        verdict = (
            "; at the level of 0.05 chi-square and bootstrap decide differently, and the bootstrap is the one to go by"
            if differ
            else ""
        )
        return f"{text}{self._against()}{verdict}."

    def _against(self) -> str:
        """How the p value of the nominal distributions compares with the simulated one."""
        if self.reached == 0:
            return "; no simulated data set lies so far out that it could say whether that is right"
        parts = []
        for test, name in (("LRT", "the first"), ("mixture", "the second")):
            if test in self.p:
                subject = name if "mixture" in self.p else "this"
                parts.append(f"{subject} {self._compared(test)}")
        return f": {', '.join(parts)}"

    def _compared(self, test: str) -> str:
        lower, upper = proportion_interval(self.reached, self.simulated)
        if self.p[test] > upper:
            return "is larger than the simulated one by more than Monte Carlo error"
        if self.p[test] < lower:
            return "is smaller than the simulated one by more than Monte Carlo error"
        return "agrees with the simulated one within Monte Carlo error"

    def _how_often(self) -> str:
        share, lower, upper = self.rejects
        verdict = (
            "too seldom, so that its p values are too large on the whole" if upper < ALPHA else "as often as it should"
        )
        if lower > ALPHA:
            verdict = "too often, so that its p values are too small on the whole"
        elif upper >= ALPHA and upper - lower > ALPHA:
            verdict = "too few data sets to tell whether that is as often as it should"
        return (
            f"Of the data sets simulated from {self.null.called}, in which the null model is true, the chi-square test "
            f"at 5 % rejects {percent(share)} (95 % interval {percent(lower)} to {percent(upper)}): {verdict}."
        )

    def _boundary(self) -> str:
        df, added = self.result["df"], self.result["added_random_effects"]
        start = (
            f"The null model sets {'a variance' if added == 1 else 'variances'} to zero, the edge of what a variance "
            "can be, and estimates fall on that edge; the statistic is then on the whole smaller than "
            f"chi-square({df}) has it."
        )
        if added > 1:
            return (
                f"{start} With {added} random effects more at once there is no simple mixture in its place, and the "
                "bootstrap is the test."
            )
        if added < 1:
            return start
        holds = (
            "; but the null model’s own fit is singular, and the mixture does not hold there"
            if self.null.fit["singular"]
            else " in large samples"
        )
        return (
            f"{start} With one random effect added it follows a 50:50 mixture of chi-square({df - 1}) and "
            f"chi-square({df}){holds} (Stram and Lee 1994)."
        )

    def _failures(self) -> str:
        lost = self.replicates - self.simulated
        if not lost:
            return "Both models were fitted to every simulated data set: none failed."
        return f"{lost:,} of {self.replicates:,} simulated data sets gave no statistic and are left out."


def _degrees(df: int) -> str:
    return f"{counted(df, 'degree')} of freedom"
