"""The story of the High School and Beyond data: what only these models, under these names, allow to say.

It follows sections 8.2 to 8.5 of the vignette in words of our own. Every number, direction and verdict comes
from the results; what the vignette printed is quoted as such, and compared only where the data are the same.
"""

from dataclasses import dataclass

from twolevel.report.comparison import Comparison
from twolevel.report.section import CALIBRATION, ERRATA, INTERVALS, LEDGER, SIDE_BY_SIDE, SOURCES, Section
from twolevel.report.study import Material, Narrative

from hsb.narrative import inference, minority, schools
from hsb.narrative.facts import FIGURES, Facts, check, read_facts
from hsb.narrative.summary import summary
from hsb.textbook.section import Textbook, read_textbook

TEXTBOOK = Section("textbook", "The textbook’s tables", "study/textbook.html.j2")

SECTIONS = (
    Section("data", "The data", "sections/data.html.j2"),
    Section("school-means", "How much schools differ", "study/school_means.html.j2"),
    Section("slopes", "Within-school slopes", "study/slopes.html.j2"),
    Section("random-coefficients", "Random coefficients", "study/random_coefficients.html.j2"),
    Section("minority", "Adding minority", "study/minority.html.j2"),
    Section("intercepts-and-slopes", "Intercepts and slopes as outcomes", "study/intercepts_and_slopes.html.j2"),
    SIDE_BY_SIDE,
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
    """Sentences for the templates.

    Those that hold the vignette against this run are empty with other data, and without a ledger.

    Attributes
    ----------
    same_data : whether the data are known to be those of the vignette
    units : what one point and one unit are
    between, reliability : where the variance lies, and how well school means tell schools apart
    means, sector_means : what sector and mean SES say about school means
    minority_variance : what minority explains at level 1
    published : how the vignette's fit with minority compares
    split : minority within schools and between them
    bounded, wall : where lme4's default search ends; the wall, if one keeps it above the optimum
    mean_ses, categories, sector : what they do to the slope of SES
    misprint : where the vignette's words contradict its own table
    expanded : whether the two ways to write the formula agree
    printed_intervals : how the vignette's bootstrap intervals compare
    printed_test, omitted_test : the bootstrap test that the vignette prints, and the one that it leaves out
    textbook : what the section of the textbook's tables shows; None where they were not made
    """

    same_data: bool
    units: str
    between: str
    reliability: str
    means: str
    sector_means: str
    minority_variance: str
    published: str
    split: str
    bounded: str
    wall: minority.Wall | None
    mean_ses: str
    categories: str
    sector: str
    misprint: str
    expanded: str
    printed_intervals: str
    printed_test: str
    omitted_test: str
    textbook: Textbook | None


def tell(material: Material) -> Narrative:
    """Tell the story from the results.

    Raises
    ------
    UserError
        Something that the story is about is not there: a model, an effect in it, a comparison, a figure.
    """
    check(material.models, material.comparisons, material.figures)
    facts = read_facts(material)
    textbook = None
    if material.tables:
        textbook = read_textbook(material.tables, material.models, material.config["derive"], material.labels)
    walls = [name for name, of in material.figures.items() if of == ("wall", facts.with_minority.name)]
    return Narrative(
        summary=summary(facts),
        sections=[section for section in SECTIONS if section is not TEXTBOOK or textbook],
        story=_story(facts, material.comparisons.get("minority_effect"), textbook),
        inserts={
            "data": "study/data.html.j2",
            "before_tests": "study/random_intercepts.html.j2",
            "after_tests": "study/comparisons.html.j2",
            "intervals": "study/intervals.html.j2",
            "sources": "study/sources.html.j2",
        },
        placed=(*FIGURES, *walls),
        explained_in={"mod3a": "minority"},
        published_in="the vignette",
    )


def _story(facts: Facts, minority_effect: Comparison | None, textbook: Textbook | None) -> Story:
    same = facts.same_data
    return Story(
        same_data=same,
        units=schools.units(facts),
        between=schools.between(facts),
        reliability=schools.reliability(facts),
        means=schools.means(facts),
        sector_means=schools.sector_means(facts),
        minority_variance=minority.minority_variance(facts),
        published=minority.published(facts),
        split=minority.split(facts),
        bounded=minority.bounded(facts),
        wall=minority.wall(facts),
        mean_ses=schools.mean_ses(facts),
        categories=schools.categories(facts),
        sector=schools.sector(facts),
        misprint=schools.misprint(facts) if same else "",
        expanded=schools.expanded(facts),
        printed_intervals=inference.printed_intervals(facts),
        printed_test=inference.printed_test(facts, minority_effect),
        omitted_test=inference.omitted_test(facts.slope_test) if same else "",
        textbook=textbook,
    )
