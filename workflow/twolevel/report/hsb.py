"""The story of the High School and Beyond data: what only these models, under these names, allow to say.

It follows sections 8.2 to 8.5 of the vignette in words of our own. Every number, direction and verdict comes
from the results; what the vignette printed is quoted as such, and compared only where the data are the same.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twolevel.errors import UserError
from twolevel.report import hsb_inference
from twolevel.report.comparison import Comparison
from twolevel.report.model import FixedEffect, Model
from twolevel.report.numbers import fine_p_phrase, fixed, percent
from twolevel.report.optimum import audit
from twolevel.report.prose import higher, interval, listed, size, strength, value
from twolevel.report.section import CALIBRATION, ERRATA, INTERVALS, LEDGER, TEXTBOOK, Section

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
)

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
    "random_coefficients",
    "intercepts_and_slopes",
    "intercepts_and_slopes_expanded",
)
COMPARISONS = ("cses_slope_variance",)
FIGURES = ("overall_scatter", "within_school_lines", "ols_vs_mixed", "lines_by_mean_ses")

# What the vignette prints: REML criteria, and the level-1 variances of its two random-coefficients models.
PRINTED = {"random_coefficients": 46714.2, "random_coefficients_minority": 46503.4}
PRINTED_VARIANCES = (36.700, 35.91)


@dataclass(frozen=True)
class Story:
    """Sentences for the templates in `report/hsb/`.

    Attributes
    ----------
    same_data : whether the data are those of the vignette
    summary : the opening
    between : where the variance lies
    means : what sector and mean SES say about school means
    minority_variance : what minority explains at level 1
    published : how the vignette's fit with minority compares; nothing with other data
    bounded, wall : where a search within lme4's bounds ends; whether a bound keeps it above the optimum
    mean_ses, sector : what they do to the slope of SES
    misprint : where the vignette's words contradict its own table; nothing with other data
    expanded : whether the two ways to write the formula agree
    reliability : how well school means tell schools apart
    printed_intervals : how the vignette's bootstrap intervals compare; nothing with other data
    printed_test, omitted_test : the bootstrap test that the vignette prints, and the one that it leaves out; nothing
        with other data
    """

    same_data: bool
    summary: list[str]
    between: str
    means: str
    minority_variance: str
    published: str
    bounded: str
    wall: bool
    mean_ses: str
    sector: str
    misprint: str
    expanded: str
    reliability: str
    printed_intervals: str
    printed_test: str
    omitted_test: str


@dataclass(frozen=True)
class _Facts:
    """What the sentences are about."""

    one_way: Model
    between: float
    ses: FixedEffect
    with_minority: Model
    minority: FixedEffect
    explained: Mapping[tuple[str, str], Mapping[Any, Any]]
    slopes: Model
    slope: FixedEffect
    by_mean_ses: FixedEffect
    by_sector: FixedEffect
    slope_test: Comparison
    same_data: bool

    @property
    def residual(self) -> Mapping[Any, Any]:
        """How the level-1 variance changes with minority."""
        return self.explained[self.with_minority.name, "Residual"]

    @property
    def sector_slopes(self) -> dict[str, float]:
        """Slope of SES by sector, where mean SES is zero: first of the sector of `by_sector`, then of the other."""
        term = _effect(self.slopes, ("cses",), ("sector",))
        (factor,) = term.level2
        slopes = {factor.reference: self.slope.estimate, factor.level: self.slope.estimate + term.estimate}
        (here,) = self.by_sector.level2
        return {name: slopes[name] for name in (here.level, here.reference) if name}


def tell(
    models: Mapping[str, Model],
    comparisons: Mapping[str, Comparison],
    figures: Collection[str],
    explained: Sequence[Mapping[Any, Any]],
) -> Story:
    """Tell the story from the results.

    Raises
    ------
    UserError
        Something that the story is about is not there: a model, an effect in it, a comparison, a figure.
    """
    _check(models, comparisons, figures)
    facts = _facts(models, comparisons, explained)
    return Story(
        same_data=facts.same_data,
        summary=[*_summary(facts), _verdict(models, facts)],
        between=_between(facts),
        means=_means(facts),
        minority_variance=_minority_variance(facts),
        published=_published(facts) if facts.same_data else "",
        bounded=_bounded(facts),
        wall=audit(facts.with_minority).bounded_missed and _at_bound(facts.with_minority) != "",
        mean_ses=_mean_ses(facts),
        sector=_sector(facts),
        misprint=_misprint(facts) if facts.same_data else "",
        expanded=_expanded(facts.slopes, models["intercepts_and_slopes_expanded"]),
        reliability=hsb_inference.reliability(facts.one_way),
        printed_intervals=hsb_inference.printed_intervals(models["random_coefficients"]) if facts.same_data else "",
        printed_test=hsb_inference.printed_test(comparisons.get("minority_effect")) if facts.same_data else "",
        omitted_test=hsb_inference.omitted_test(facts.slope_test) if facts.same_data else "",
    )


def _mismatch(missing: str) -> UserError:
    return UserError(
        f"config.yaml, report.narrative: the narrative 'hsb' needs {missing}. "
        "Set narrative to null for the report that works with any data and models."
    )


def _check(models: Collection[str], comparisons: Collection[str], figures: Collection[str]) -> None:
    for what, needed, there in (
        ("model", MODELS, models),
        ("comparison", COMPARISONS, comparisons),
        ("figure", FIGURES, figures),
    ):
        if missing := [name for name in needed if name not in there]:
            raise _mismatch(f"the {what} {listed(missing)}")


def _facts(
    models: Mapping[str, Model],
    comparisons: Mapping[str, Comparison],
    explained: Sequence[Mapping[Any, Any]],
) -> _Facts:
    slopes, with_minority = models["intercepts_and_slopes"], models["random_coefficients_minority"]
    between, printed = models["one_way_anova"].between, PRINTED["random_coefficients"]
    if between is None:
        raise _mismatch("a model one_way_anova without predictors")
    for name, baseline in BASELINES.items():
        if models[name].baseline != baseline:
            raise _mismatch(f"'baseline: {baseline}' at the model {name}")
    return _Facts(
        one_way=models["one_way_anova"],
        between=between,
        ses=_effect(models["random_coefficients"], ("cses",)),
        with_minority=with_minority,
        minority=_contrast(with_minority, "Yes", ("minority",)),
        explained={(row["model"], row["term"]): row for row in explained},
        slopes=slopes,
        slope=_effect(slopes, ("cses",)),
        by_mean_ses=_effect(slopes, ("cses",), ("mean.ses",)),
        by_sector=_contrast(slopes, "Catholic", ("cses",), ("sector",)),
        slope_test=comparisons["cses_slope_variance"],
        same_data=f"{models['random_coefficients'].fit['criterion']:.1f}" == f"{printed:.1f}",
    )


def _effect(model: Model, level1: Sequence[str] = (), level2: Sequence[str] = ()) -> FixedEffect:
    effect = model.effect(level1, level2)
    if effect is None:
        raise _mismatch(f"an effect of {':'.join([*level1, *level2])} in the model {model.name}")
    return effect


def _contrast(model: Model, level: str, level1: Sequence[str] = (), level2: Sequence[str] = ()) -> FixedEffect:
    """The effect of one level of a factor against the other, whichever is the reference."""
    effect = _effect(model, level1, level2)
    *_, factor = (*effect.level1, *effect.level2)
    if level not in (factor.level, factor.reference):
        raise _mismatch(f"a level {level} of {factor.column} in the model {model.name}")
    return effect if factor.level == level else effect.reversed


def _between(facts: _Facts) -> str:
    within = fixed(facts.one_way.fit["sigma"] ** 2, 2)
    return (
        f"The variance between schools is estimated at {fixed(facts.one_way.random[0].variance, 2)}, that "
        f"within schools at {within}: {percent(facts.between)} of the whole lies between schools. This share "
        "is called the intraclass correlation, since it is also the correlation of two students of one school."
    )


def _means(facts: _Facts) -> str:
    share = {
        name: percent(facts.explained[name, "(Intercept)"]["explained"])
        for name in BASELINES
        if name.startswith("means")
    }
    return (
        f"Of the variance between schools, sector explains {share['means_by_sector']}, mean SES "
        f"{share['means_by_mean_ses']}, and the two together {share['means_by_sector_and_mean_ses']}."
    )


def _minority_variance(facts: _Facts) -> str:
    row = facts.residual
    before, after = fixed(row["baseline_variance"], 2), fixed(row["variance"], 2)
    if row["explained"] <= 0:
        return f"The level-1 variance does not fall: it is {before} without minority and {after} with it."
    text = f"With minority, the level-1 variance falls from {before} to {after}: {percent(row['explained'])} less."
    if facts.minority.clear and row["explained"] < 0.05:
        text += " That is little for so clear an effect: most of the variance within schools is due to other things."
    if facts.same_data:
        printed = (PRINTED_VARIANCES[0] - PRINTED_VARIANCES[1]) / PRINTED_VARIANCES[0]
        text += f" The vignette has {percent(printed)}, from the fit that the next paragraphs are about."
    return text


def _published(facts: _Facts) -> str:
    fit, printed = facts.with_minority.fit, PRINTED[facts.with_minority.name]
    lower = f", {fixed(printed - fit['criterion'], 1)} lower" if printed - fit["criterion"] > 0.1 else ""
    return (
        f"The vignette prints this model with a REML criterion of {fixed(printed, 1)} and a warning that the fit "
        f"is singular: a variance is zero, or a correlation is 1 or −1. The optimum of this run is "
        f"{fixed(fit['criterion'], 2)}{lower}, and it is {'singular' if fit['singular'] else 'not singular'}."
    )


def _bounded(facts: _Facts) -> str:
    found, search = audit(facts.with_minority), facts.with_minority.fit["optimiser"]["defaults"]["lme4_bounds"]
    if found.bounded is None:
        return "A search within lme4's bounds, from lme4's own start, ends without a finite criterion."
    within = f"A search within lme4's bounds, from lme4's own start, ends at {fixed(search['criterion'], 2)}"
    if not found.bounded_missed:
        return f"{within}, the same optimum."
    return f"{within}, {fixed(found.bounded, 2)} too high{_at_bound(facts.with_minority)}."


def _at_bound(model: Model) -> str:
    """Say if the search of three random effects left the second diagonal element at its bound."""
    theta = model.fit["optimiser"]["defaults"]["lme4_bounds"]["theta"]
    if len(theta) != 6 or abs(theta[3]) > 1e-4 or theta[0] * theta[1] == 0:
        return ""
    correlation = "1" if theta[0] * theta[1] > 0 else "−1"
    return f", with θ₂₂ at its bound of zero, where intercepts and slopes of SES have a correlation of {correlation}"


def _mean_ses(facts: _Facts) -> str:
    change = facts.by_mean_ses
    if not change.clear:
        return f"Whether the slope of SES changes with mean SES is open: {value(change)} {interval(change)}."
    steeper = facts.slope.estimate * change.estimate > 0
    return (
        f"{change.term} is {_sign(change)}: the slope of SES is {'steeper' if steeper else 'flatter'}, the higher a "
        f"school's mean SES among schools of one sector, by {size(change)} for each unit {interval(change)}. "
        "To be better off than one's "
        f"schoolmates counts for {'more' if steeper else 'less'} where the school is well off."
    )


def _sector(facts: _Facts) -> str:
    change = facts.by_sector
    if not change.clear:
        return f"Whether the slope of SES differs between sectors is open: {value(change)} {interval(change)}."
    (here, slope), (there, other) = facts.sector_slopes.items()
    compared = {"reversed": "of the other sign"}.get(kind := strength(other, change.estimate), kind)
    term = _effect(facts.slopes, ("cses",), ("sector",))
    return (
        f"{term.term} is {_sign(term)}: the slope of SES is {compared} in {here} schools than in {there} schools. "
        f"Where mean SES is 0 it is {value(change, slope)} in {here} and {value(change, other)} in {there} schools, "
        f"a difference of {value(change)} {interval(change)}."
    )


def _sign(effect: FixedEffect) -> str:
    return "positive" if effect.estimate > 0 else "negative"


def _misprint(facts: _Facts) -> str:
    (_, slope), (_, other) = facts.sector_slopes.items()
    if not facts.by_sector.clear or abs(slope) > abs(other):
        return ""
    return (
        "(The vignette's text says that the slope is weaker in Public schools. Its own table has the same negative "
        "coefficient for Catholic schools as this one.)"
    )


def _expanded(model: Model, expanded: Model) -> str:
    both = zip(model.fixed, expanded.fixed, strict=False)
    differences = [abs(a.estimate - b.estimate) for a, b in both if a.term == b.term]
    differences.append(abs(model.fit["criterion"] - expanded.fit["criterion"]))
    if len(differences) == len(model.fixed) + 1 == len(expanded.fixed) + 1 and max(differences) < 1e-8:
        return "The two give the same criterion and the same estimates, to eight decimals."
    return "In this run the two do not give the same estimates: they are not the same model."


def _summary(facts: _Facts) -> list[str]:
    ses, minority, fit = facts.ses, facts.minority, facts.one_way.fit
    (here, slope), (there, other) = facts.sector_slopes.items()
    p = fine_p_phrase(facts.slope_test.p["PBtest"])
    differs = f"and this slope differs between schools (bootstrap test, {p})"
    if not facts.slope_test.rejected:
        differs = f"while it is not clear that this slope differs between schools (bootstrap test, {p})"
    steeper = facts.slope.estimate * facts.by_mean_ses.estimate > 0
    return [
        f"Of the variance in mathematics achievement of {fit['n_obs']:,} students, {percent(facts.between)} lies "
        f"between their {fit['n_groups']:,} schools, the rest between students of the same school.",
        f"Within schools, one unit more of socio-economic status (SES) goes with {size(ses)} points "
        f"{'more' if ses.estimate > 0 else 'less'} on average {interval(ses)}, {differs}.",
        f"At the same SES, students of a minority score {size(minority)} points {higher(minority.estimate)} than "
        f"others in their school {interval(minority)}; this explains {percent(facts.residual['explained'])} of the "
        "variance within schools.",
        f"The slope of SES is {'steeper' if steeper else 'flatter'} in schools of higher mean SES, sector being equal"
        f"{_open(facts.by_mean_ses)}, and {'flatter' if abs(slope) < abs(other) else 'steeper'} in {here} schools "
        f"({value(facts.by_sector, slope)}) than in {there} schools ({value(facts.by_sector, other)}) "
        f"where mean SES is 0{_open(facts.by_sector)}.",
    ]


def _open(effect: FixedEffect) -> str:
    return "" if effect.clear else ", by no more than chance may do"


def _verdict(models: Mapping[str, Model], facts: _Facts) -> str:
    if doubted := [model.name for model in models.values() if model.doubts]:
        return f"Not every fit can be trusted: see {listed(doubted)}."
    text = f"The optimum of each of the {len(models)} models was found and confirmed"
    excess = PRINTED[facts.with_minority.name] - facts.with_minority.fit["criterion"]
    if facts.same_data and excess > 0.1:
        lower = (
            f"its REML criterion is {fixed(excess, 1)} lower, and so better, than in the fit that the vignette prints"
        )
        text += f"; with a random slope of minority {lower}"
    return f"{text}."
