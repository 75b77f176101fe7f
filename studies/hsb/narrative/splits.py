"""What no model of the configuration says: differences taken apart, within schools and between them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import nan, sqrt

import numpy as np
import pandas as pd
from twolevel.errors import UserError
from twolevel.figures.ols import fit_group_lines
from twolevel.fitting.search import search, starts
from twolevel.likelihood.crossproducts import cross_products
from twolevel.likelihood.deviance import profile
from twolevel.model.formula import build_design
from twolevel.report.model import FixedEffect

SPLIT = "mathach ~ cses + minority_within + minority_share + (cses + minority_within | school)"

# Searches for its optimum, beside the two fixed ones.
RANDOM_STARTS, SEED = 4, 2002


@dataclass(frozen=True)
class Minority:
    """What a model says that has minority within schools (0 or 1 less the school's share) and the share itself.

    Attributes
    ----------
    within : the difference between students of one school
    between : what a school of minority students alone has more than one without any
    """

    within: FixedEffect
    between: FixedEffect


def split_minority(observations: pd.DataFrame, like: FixedEffect) -> Minority | None:
    """Fit minority within and between schools; nothing where the data do not allow it.

    Parameters
    ----------
    like : the effect of minority that is taken apart
    """
    if not {"school", "minority", "cses", "mathach"} <= {*observations}:
        return None
    member = (observations["minority"].astype(str) == "Yes").astype(float)
    share = member.groupby(observations["school"].astype(str)).transform("mean")
    try:
        design = build_design(SPLIT, observations.assign(minority_within=member - share, minority_share=share))
    except UserError:
        return None
    data = cross_products(design)
    at = profile(search(data, True, starts(data, RANDOM_STARTS, SEED)).best.theta, data, True)
    errors = np.sqrt(np.diag(at.beta_covariance))

    def effect(term: str) -> FixedEffect:
        column = design.fixed_terms.index(term)
        found, error = float(at.beta[column]), float(errors[column])
        return replace(
            like,
            term=term,
            estimate=found,
            std_error=error,
            statistic=found / error,
            df=nan,
            p_value=nan,
            kr_df=nan,
            kr_p_value=nan,
        )

    return Minority(effect("minority_within"), effect("minority_share"))


@dataclass(frozen=True)
class Slopes:
    """The mean of the schools' own slopes of SES, its standard error, and how many schools it is of."""

    mean: float
    std_error: float
    schools: int


def category_slopes(observations: pd.DataFrame) -> Mapping[str, Mapping[str, Slopes]]:
    """The schools' own slopes by sector, and in it by category of mean SES; those of all schools under "".

    Nothing where a column is missing.
    """
    if not {"school", "sector", "mean.ses.cat", "cses", "mathach"} <= {*observations}:
        return {}
    group = observations["school"].astype(str)
    lines = fit_group_lines(group.to_numpy(), *(observations[name].to_numpy(float) for name in ("cses", "mathach")))
    schools = observations.assign(school=group).drop_duplicates("school").set_index("school").loc[list(lines.group)]
    slope = pd.Series(lines.slope, index=schools.index)[lines.has_line]
    of = {"": slope} | {str(sector): part for sector, part in slope.groupby(schools["sector"], observed=True)}
    return {
        sector: {
            str(category): Slopes(float(some.mean()), float(some.std()) / sqrt(len(some)), len(some))
            for category, some in part.groupby(schools["mean.ses.cat"], observed=True)
        }
        for sector, part in of.items()
    }
