"""What no model of the configuration says: differences taken apart, within schools and between them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import sqrt

import pandas as pd
from twolevel import fit
from twolevel.errors import UserError
from twolevel.figures.ols import fit_group_lines
from twolevel.report.model import FixedEffect

SPLIT = "mathach ~ cses + minority_within + minority_share + (cses + minority_within | school)"


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
        found = fit(SPLIT, observations.assign(minority_within=member - share, minority_share=share)).fixed_effects
    except UserError:
        return None

    def effect(term: str) -> FixedEffect:
        values = found.loc[term].rename({"t": "statistic", "p": "p_value", "kr_p": "kr_p_value"}).drop("kr_t")
        return replace(like, term=term, **values)

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
