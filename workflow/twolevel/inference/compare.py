"""Likelihood ratio tests of nested models."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from twolevel.inference.chi_square import upper_tail
from twolevel.inference.nesting import check_comparable, common_spaces, lost_rank
from twolevel.model.design import Design


@dataclass(frozen=True)
class Comparison:
    """A likelihood ratio test.

    Attributes
    ----------
    statistic : fall of the criterion from the null model to the alternative
    df : difference in the number of parameters
    p_value : of the statistic under chi-square(df)
    on_boundary : whether the null model puts a variance at zero, where the chi-square p value is too large
    added_random_effects : how many the alternative has beyond the null model's; 0 where it adds covariances alone
    """

    statistic: float
    df: int
    p_value: float
    on_boundary: bool
    added_random_effects: int


def likelihood_ratio(
    name: str, null: dict[str, Any], alternative: dict[str, Any], designs: tuple[Design, Design]
) -> Comparison:
    """Test a null model against an alternative that contains it.

    Parameters
    ----------
    name : what messages call the comparison
    null, alternative : the estimates of the two models by one estimator, as in `fit.json`
    designs : their designs on the same data

    Raises
    ------
    UserError
        The models are not nested, are the same, have another response, other groups or other rows; or are fitted by
        REML and differ in their fixed effects.
    """
    check_comparable(name, null["estimator"], *designs)
    statistic, df = null["criterion"] - alternative["criterion"], alternative["npar"] - null["npar"]
    added = added_random_effects(*designs)
    return Comparison(statistic, df, float(chdtrc(df, max(statistic, 0.0))), added > 0, added)


def mixture_p_value(statistic: float, df: int) -> float:
    """Of a statistic, not negative, under half chi-square(df - 1), half chi-square(df): one random effect is added."""
    return float(upper_tail(df - 1, statistic) + upper_tail(df, statistic)) / 2


def added_random_effects(null: Design, alternative: Design) -> int:
    """How many random effects the alternative has beyond those of the null model that is nested in it.

    0 where it adds covariances alone, as `(x | g)` does to `(x || g)`.
    """
    return lost_rank(*common_spaces(null, alternative))


def comparison_table(
    names: tuple[str, str], fits: tuple[dict[str, Any], dict[str, Any]], test: Comparison
) -> pd.DataFrame:
    """The two models in the layout of R's `anova`: npar, AIC, BIC, logLik, deviance, chisq, df, p_value."""
    rows = [
        {
            "model": name,
            "npar": fit["npar"],
            "AIC": fit["aic"],
            "BIC": fit["bic"],
            "logLik": fit["log_likelihood"],
            "deviance": fit["criterion"],
        }
        for name, fit in zip(names, fits, strict=True)
    ]
    table = pd.DataFrame(rows)
    table["chisq"] = [np.nan, test.statistic]
    table["df"] = pd.array([None, test.df], dtype="Int64")
    table["p_value"] = [np.nan, test.p_value]
    return table
