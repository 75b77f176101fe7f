"""The story of the High School and Beyond data: what only these models, under these names, allow to say.

It follows sections 8.2 to 8.5 of the vignette in words of our own. Every number, direction and verdict comes
from the results; what the vignette printed is quoted as such, and compared only where the data are the same.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from twolevel.report import hsb_inference, hsb_minority, hsb_schools
from twolevel.report.comparison import Comparison
from twolevel.report.hsb_facts import FIGURES, check, read_facts
from twolevel.report.hsb_summary import summary
from twolevel.report.model import Model
from twolevel.report.section import CALIBRATION, ERRATA, INTERVALS, LEDGER, SOURCES, TEXTBOOK, Section

SECTIONS = (
    Section("data", "The data", "sections/data.html.j2"),
    Section("school-means", "How much schools differ", "hsb/school_means.html.j2"),
    Section("slopes", "Within-school slopes", "hsb/slopes.html.j2"),
    Section("random-coefficients", "Random coefficients", "hsb/random_coefficients.html.j2"),
    Section("minority", "Adding minority", "hsb/minority.html.j2"),
    Section("intercepts-and-slopes", "Intercepts and slopes as outcomes", "hsb/intercepts_and_slopes.html.j2"),
    Section("comparisons", "Comparing models", "sections/comparisons.html.j2"),
    CALIBRATION,
    INTERVALS,
    Section("diagnostics", "Diagnostics", "sections/diagnostics.html.j2"),
    Section("variance-explained", "Variance explained", "sections/variance_explained.html.j2"),
    TEXTBOOK,
    ERRATA,
    LEDGER,
    Section("optimum", "How each optimum was found and checked", "sections/optimum.html.j2"),
    Section("rerun", "How to rerun it", "sections/rerun.html.j2"),
    SOURCES,
)


@dataclass(frozen=True)
class Story:
    """Sentences for the templates in `report/hsb/`.

    Those that hold the vignette against this run are empty with other data, and without a ledger.

    Attributes
    ----------
    same_data : whether the data are known to be those of the vignette
    summary : the opening
    units : what one point and one unit are
    between, reliability : where the variance lies, and how well school means tell schools apart
    means, sector_means : what sector and mean SES say about school means
    minority_variance : what minority explains at level 1
    published : how the vignette's fit with minority compares
    bounded, wall : where a search within lme4's bounds ends; the wall, if one keeps it above the optimum
    mean_ses, sector : what they do to the slope of SES
    misprint : where the vignette's words contradict its own table
    expanded : whether the two ways to write the formula agree
    printed_intervals : how the vignette's bootstrap intervals compare
    printed_test, omitted_test : the bootstrap test that the vignette prints, and the one that it leaves out
    placed : figures that have a place of their own in the story
    """

    same_data: bool
    summary: list[str]
    units: str
    between: str
    reliability: str
    means: str
    sector_means: str
    minority_variance: str
    published: str
    bounded: str
    wall: hsb_minority.Wall | None
    mean_ses: str
    sector: str
    misprint: str
    expanded: str
    printed_intervals: str
    printed_test: str
    omitted_test: str
    placed: Collection[str] = FIGURES


def tell(
    models: Mapping[str, Model],
    comparisons: Mapping[str, Comparison],
    figures: Collection[str],
    explained: Sequence[Mapping[Any, Any]],
    observations: pd.DataFrame,
    constrained: Mapping[str, Mapping[str, Any]],
    ledger: pd.DataFrame | None,
) -> Story:
    """Tell the story from the results.

    Raises
    ------
    UserError
        Something that the story is about is not there: a model, an effect in it, a comparison, a figure.
    """
    check(models, comparisons, figures)
    facts = read_facts(models, comparisons, explained, observations, constrained, ledger)
    same = facts.same_data
    return Story(
        same_data=same,
        summary=summary(facts),
        units=hsb_schools.units(facts),
        between=hsb_schools.between(facts),
        reliability=hsb_schools.reliability(facts),
        means=hsb_schools.means(facts),
        sector_means=hsb_schools.sector_means(facts),
        minority_variance=hsb_minority.minority_variance(facts),
        published=hsb_minority.published(facts),
        bounded=hsb_minority.bounded(facts),
        wall=hsb_minority.wall(facts),
        mean_ses=hsb_schools.mean_ses(facts),
        sector=hsb_schools.sector(facts),
        misprint=hsb_schools.misprint(facts) if same else "",
        expanded=hsb_schools.expanded(facts),
        printed_intervals=hsb_inference.printed_intervals(facts),
        printed_test=hsb_inference.printed_test(facts, comparisons.get("minority_effect")),
        omitted_test=hsb_inference.omitted_test(facts.slope_test) if same else "",
    )
