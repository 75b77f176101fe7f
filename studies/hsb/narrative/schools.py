"""How much schools differ, in their means and in their slopes of SES, and what goes with the differences."""

from math import hypot

from twolevel.output.numbers import fixed, percent
from twolevel.report.model import FixedEffect
from twolevel.report.prose import higher, interval, listed, size, strength, value

from hsb.narrative.facts import BASELINES, Facts, effect_of
from hsb.narrative.summary import explains


def units(facts: Facts) -> str:
    """What one point and one unit are."""
    text = (
        "Achievement is counted in points of the survey's mathematics test. SES (socio-economic status) is an index of "
        "the education, occupation and income of the parents, in units of its own"
    )
    if facts.ses_sd is None:
        return f"{text}."
    return f"{text}: over the students here its standard deviation is {fixed(facts.ses_sd, 2)}."


def between(facts: Facts) -> str:
    """Where the variance lies."""
    within = fixed(facts.one_way.fit["sigma"] ** 2, 2)
    return (
        f"The variance between schools is estimated at {fixed(facts.one_way.random[0].variance, 2)}, that "
        f"within schools at {within}: {percent(facts.between)} of the whole lies between schools. This share "
        "is called the intraclass correlation, since it is also the correlation of two students of one school."
    )


def reliability(facts: Facts) -> str:
    """How well the school means tell schools apart."""
    return (
        "How well do the means of the students who were tested tell the schools apart? Their reliability is the "
        "proportion of the variance of the observed means that reflects real differences between schools; on average "
        f"over schools it is {fixed(facts.one_way.random[0].reliability, 2)}."
    )


def means(facts: Facts) -> str:
    """What sector and mean SES explain of the school means."""
    share = {
        name: explains(facts.explained[name, "(Intercept)"]["explained"])
        for name in BASELINES
        if name.startswith("means")
    }
    return (
        f"Of the variance between schools, sector explains {share['means_by_sector']}, mean SES "
        f"{share['means_by_mean_ses']}, and the two together {share['means_by_sector_and_mean_ses']}."
    )


def sector_means(facts: Facts) -> str:
    """What sector does to the school mean, with mean SES left out and held equal."""
    alone, beside = facts.sector_alone, facts.sector_beside
    (here,) = alone.level2
    start = (
        f"Mean achievement in {here.level} schools is {size(alone)} points {higher(alone.estimate)} than in "
        f"{here.reference} schools {interval(alone)}. Between schools of the same mean SES"
    )
    if alone.estimate * beside.estimate < 0:
        return f"{start} it is {size(beside)} points {higher(beside.estimate)} {interval(beside)}."
    compared = "smaller" if abs(beside.estimate) < abs(alone.estimate) else "larger"
    return f"{start} the difference is {compared}: {value(beside)} {interval(beside)}."


def mean_ses(facts: Facts) -> str:
    """What mean SES does to the slope of SES."""
    change = facts.by_mean_ses
    if not change.clear:
        return f"Whether the slope of SES changes with mean SES is open: {value(change)} {interval(change)}."
    steeper = facts.slope.estimate * change.estimate > 0
    text = (
        f"{change.term} is {_sign(change)}: the slope of SES is {'steeper' if steeper else 'flatter'}, the higher a "
        f"school's mean SES among schools of one sector, by {size(change)} for each unit {interval(change)}."
    )
    if facts.slope.estimate <= 0:
        return text
    counts = "more" if steeper else "less"
    return f"{text} To be better off than one's schoolmates counts for {counts} where the school is well off."


def categories(facts: Facts) -> str:
    """The schools' own slopes by category of mean SES, in all schools and in each sector."""
    if len(facts.categories) < 2 or any(len(of) < 2 for of in facts.categories.values()):
        return ""
    means, steps = [], []
    for name, of in facts.categories.items():
        where = f"in {name} schools" if name else "over all schools"
        counted = f" (of {listed(f'{one.schools:,}' for one in of.values())})" if name else ""
        means.append(f"{where} {listed(fixed(one.mean, 2) for one in of.values())}{counted}")
        if name:
            *_, before, last = of.values()
            error = fixed(hypot(before.std_error, last.std_error), 2)
            steps.append(f"{fixed(last.mean - before.mean, 2)} in {name} schools (standard error {error})")
    return (
        f"The average slopes of the categories, in their order, are {'; '.join(means)}. The last step is "
        f"{listed(steps)}."
    )


def sector(facts: Facts) -> str:
    """What sector does to it."""
    change = facts.by_sector
    if not change.clear:
        return f"Whether the slope of SES differs between sectors is open: {value(change)} {interval(change)}."
    (here, slope), (there, other) = facts.sector_slopes.items()
    compared = {"reversed": "of the other sign"}.get(kind := strength(other, change.estimate), kind)
    term = effect_of(facts.models["intercepts_and_slopes"], ("cses",), ("sector",))
    return (
        f"{term.term} is {_sign(term)}: the slope of SES is {compared} in {here} schools than in {there} schools. "
        f"Where mean SES is 0 it is {value(change, slope)} in {here} and {value(change, other)} in {there} schools, "
        f"a difference of {value(change)} {interval(change)}."
    )


def misprint(facts: Facts) -> str:
    """Where the vignette's words contradict its own table."""
    (_, slope), (_, other) = facts.sector_slopes.items()
    if not facts.by_sector.clear or abs(slope) > abs(other):
        return ""
    return (
        "(The vignette's text says that the slope is weaker in Public schools. Its own table has the same negative "
        "coefficient for Catholic schools as this one.)"
    )


def expanded(facts: Facts) -> str:
    """Whether the two ways to write the formula agree."""
    model, other = (facts.models[f"intercepts_and_slopes{ending}"] for ending in ("", "_expanded"))
    both = zip(model.fixed, other.fixed, strict=False)
    differences = [abs(a.estimate - b.estimate) for a, b in both if a.term == b.term]
    differences.append(abs(model.fit["criterion"] - other.fit["criterion"]))
    if len(differences) == len(model.fixed) + 1 == len(other.fixed) + 1 and max(differences) < 1e-8:
        return "The two give the same criterion and the same estimates, to eight decimals."
    return "In this run the two do not give the same estimates: they are not the same model."


def _sign(effect: FixedEffect) -> str:
    return "positive" if effect.estimate > 0 else "negative"
