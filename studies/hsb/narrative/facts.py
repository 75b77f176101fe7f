"""The facts behind the story of High School and Beyond, found by name in the results.

What the vignette prints is in the ledger, under the vignette's own names of the models.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import pandas as pd
from twolevel.errors import UserError, listed
from twolevel.report.comparison import Comparison
from twolevel.report.model import FixedEffect, Model
from twolevel.report.study import Material

from hsb.narrative.splits import Minority, Slopes, category_slopes, split_minority

# What the story is about: each model with the baseline that it needs.
BASELINES = {
    "means_by_sector": "one_way_anova",
    "means_by_mean_ses": "one_way_anova",
    "means_by_sector_and_mean_ses": "one_way_anova",
    "random_coefficients_minority": "random_coefficients",
}
MODELS = (
    "one_way_anova",
    *BASELINES,
    "random_intercept",
    "random_intercept_minority",
    "random_coefficients",
    "intercepts_and_slopes",
    "intercepts_and_slopes_expanded",
)
COMPARISONS = ("cses_slope_variance",)
FIGURES = (
    "overall_scatter",
    "within_school_lines",
    "ols_vs_mixed",
    "shrinkage",
    "lines_by_mean_ses",
    "fitted_lines",
)


@dataclass(frozen=True)
class Facts:
    """What the sentences are about.

    Attributes
    ----------
    models : all models
    between : share of the variance between schools
    ses_sd : standard deviation of SES over students; None where there is no such column
    ses : the average slope of SES
    minority : Yes against No, slopes varying
    split : the same within schools and between them
    categories : the schools' own slopes of SES by sector and category of mean SES
    explained : rows of `variance_explained.csv` by model and term
    slope : the slope of SES where mean SES is zero, in schools of the reference sector
    by_mean_ses, by_sector : what mean SES and sector (Catholic against Public) do to it
    sector_alone, sector_beside : what sector does to the school mean; mean SES left out, and held equal
    slope_test : the test of the slope variance
    constrained : `constrained.json` of the model with minority; empty where it was not read
    ledger : `ledger.csv`, where there is one
    same_data : whether the data are known to be those of the vignette, see `same_data`
    """

    models: Mapping[str, Model]
    between: float
    ses_sd: float | None
    ses: FixedEffect
    minority: FixedEffect
    split: Minority | None
    categories: Mapping[str, Mapping[str, Slopes]]
    explained: Mapping[tuple[str, str], Mapping[Any, Any]]
    slope: FixedEffect
    by_mean_ses: FixedEffect
    by_sector: FixedEffect
    sector_alone: FixedEffect
    sector_beside: FixedEffect
    slope_test: Comparison
    constrained: Mapping[str, Any]
    ledger: pd.DataFrame | None
    same_data: bool

    def rows(self, model: str, quantity: str, term: str = "") -> pd.DataFrame:
        """Rows of the ledger about a model and quantities that begin so; none where `same_data` does not hold."""
        if self.ledger is None or not self.same_data:
            return pd.DataFrame(columns=["printed", "verdict"])
        of = (self.ledger["model"] == model) & self.ledger["quantity"].str.startswith(quantity)
        return self.ledger[of & (self.ledger["term"] == term)] if term else self.ledger[of]

    def printed(self, model: str, quantity: str, term: str = "") -> float:
        """What the vignette prints: the number in the first of these rows, NaN without one."""
        return next(map(float, self.rows(model, quantity, term)["printed"]), nan)

    @property
    def one_way(self) -> Model:
        """The model without predictors."""
        return self.models["one_way_anova"]

    @property
    def coefficients(self) -> Model:
        """The model with slopes of SES that vary."""
        return self.models["random_coefficients"]

    @property
    def with_minority(self) -> Model:
        """The model with minority beside SES."""
        return self.models["random_coefficients_minority"]

    @property
    def residual(self) -> Mapping[Any, Any]:
        """How the level-1 variance changes with minority."""
        return self.explained[self.with_minority.name, "Residual"]

    @property
    def sector_slopes(self) -> dict[str, float]:
        """Slope of SES by sector, where mean SES is zero: first of the sector of `by_sector`, then of the other."""
        term = effect_of(self.models["intercepts_and_slopes"], ("cses",), ("sector",))
        (factor,) = term.level2
        slopes = {factor.reference: self.slope.estimate, factor.level: self.slope.estimate + term.estimate}
        (here,) = self.by_sector.level2
        return {name: slopes[name] for name in (here.level, here.reference) if name}


def read_facts(material: Material) -> Facts:
    """Find the facts.

    Raises
    ------
    UserError
        An effect or a baseline that the story needs is not there.
    """
    models, observations, ledger = material.models, material.observations, material.ledger
    between, slopes = models["one_way_anova"].between, models["intercepts_and_slopes"]
    if between is None:
        raise mismatch("a model one_way_anova without predictors")
    for name, baseline in BASELINES.items():
        if models[name].baseline != baseline:
            raise mismatch(f"'baseline: {baseline}' at the model {name}")
    sector = [
        _contrast(models[f"means_by_sector{more}"], "Catholic", (), ("sector",)) for more in ("", "_and_mean_ses")
    ]
    minority = _contrast(models["random_coefficients_minority"], "Yes", ("minority",))
    return Facts(
        models=models,
        between=between,
        ses_sd=float(observations["ses"].std()) if "ses" in observations else None,
        ses=effect_of(models["random_coefficients"], ("cses",)),
        minority=minority,
        split=split_minority(observations, minority),
        categories=category_slopes(observations),
        explained={(row["model"], row["term"]): row for row in material.explained},
        slope=effect_of(slopes, ("cses",)),
        by_mean_ses=effect_of(slopes, ("cses",), ("mean.ses",)),
        by_sector=_contrast(slopes, "Catholic", ("cses",), ("sector",)),
        sector_alone=sector[0],
        sector_beside=sector[1],
        slope_test=material.comparisons["cses_slope_variance"],
        constrained=material.constrained.get("random_coefficients_minority", {}),
        ledger=ledger,
        same_data=same_data(models, ledger),
    )


def same_data(models: Mapping[str, Model], ledger: pd.DataFrame | None) -> bool:
    """Whether the fits have the criteria that the vignette prints, which involve all columns of its models together.

    The criterion of mod3a is none of them, since its printed fit is not the optimum. Without a ledger nothing is known.
    """
    if ledger is None:
        return False
    null, minority = (models[name].fit["ml"]["criterion"] for name in ("random_intercept", "random_intercept_minority"))
    criteria = {
        ("model3", "REML criterion"): models["random_coefficients"].fit["criterion"],
        # mean.ses and sector
        ("mod4", "REML criterion"): models["intercepts_and_slopes"].fit["criterion"],
        # minority: the deviances themselves are printed without decimals, their difference with two
        ("mod3_int", "LRT table: Chisq"): null - minority,
    }
    printed = dict(zip(zip(ledger["model"], ledger["quantity"], strict=True), ledger["printed"], strict=True))
    return all(_as_printed(value, printed.get(row, "")) for row, value in criteria.items())


def mismatch(missing: str) -> UserError:
    """What is said where the story cannot be told."""
    return UserError(
        f"report.narrative: the narrative 'hsb' needs {missing}. "
        "Set narrative to null for the report that works with any data and models."
    )


def check(models: Collection[str], comparisons: Collection[str], figures: Collection[str]) -> None:
    """Refuse results without what the story is about."""
    for what, needed, there in (
        ("model", MODELS, models),
        ("comparison", COMPARISONS, comparisons),
        ("figure", FIGURES, figures),
    ):
        if missing := [name for name in needed if name not in there]:
            raise mismatch(f"the {what} {listed(missing)}")


def effect_of(model: Model, level1: Sequence[str] = (), level2: Sequence[str] = ()) -> FixedEffect:
    """The effect of these columns in a model."""
    effect = model.effect(level1, level2)
    if effect is None:
        raise mismatch(f"an effect of {':'.join([*level1, *level2])} in the model {model.name}")
    return effect


def _contrast(model: Model, level: str, level1: Sequence[str] = (), level2: Sequence[str] = ()) -> FixedEffect:
    """The effect of one level of a factor against the other, whichever is the reference."""
    effect = effect_of(model, level1, level2)
    *_, factor = (*effect.level1, *effect.level2)
    if level not in (factor.level, factor.reference):
        raise mismatch(f"a level {level} of {factor.column} in the model {model.name}")
    return effect if factor.level == level else effect.reversed


def _as_printed(value: float, printed: str) -> bool:
    return f"{value:.{len(printed.partition('.')[2])}f}" == printed
