"""How much schools differ, in their means and in their slopes of SES, and what goes with the differences."""

from math import hypot

from twolevel.errors import listed
from twolevel.output.numbers import fixed, percent
from twolevel.report.prose import higher, interval, interval_of_size, size, strength, value

from hsb.narrative.facts import BASELINES, Facts
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


def design_effect(facts: Facts) -> str:
    """What the intraclass correlation does to the standard error of a mean."""
    fit = facts.one_way.fit
    size = fit["n_obs"] / fit["n_groups"]
    effect = 1 + (size - 1) * facts.between
    return (
        f"A school has {fixed(size, 1)} students on average. If every school had as many, the variance of the mean "
        f"over all students would be 1 + ({fixed(size, 1)} − 1) × {fixed(facts.between, 3)} = {fixed(effect, 1)} times "
        f"that of as many independent students (the design effect): the {fit['n_obs']:,} students tell as much about "
        f"the overall mean as {fixed(fit['n_obs'] / effect, 0)} independent ones."
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
        f"{here.reference} schools {interval_of_size(alone)}. Between schools of the same mean SES"
    )
    if alone.estimate * beside.estimate < 0:
        return f"{start} it is {size(beside)} points {higher(beside.estimate)} {interval_of_size(beside)}."
    compared = "smaller" if abs(beside.estimate) < abs(alone.estimate) else "larger"
    return f"{start} the difference is {compared}: {value(beside)} {interval(beside)}."


def slopes(facts: Facts) -> str:
    """How the slopes of SES vary."""
    slope = next(r for r in facts.coefficients.random if r.level1)
    text = (
        f"One unit more of SES goes with {value(facts.ses)} points on average {interval(facts.ses)}. The slopes have a "
        f"variance of {fixed(slope.variance, 3)}, an SD of {fixed(slope.sd, 2)}"
    )
    if slope.plausible is None:
        return f"{text}."
    lower, upper = (fixed(bound, 2) for bound in slope.plausible)
    return f"{text}: if they are normally distributed, 95 % of schools have a slope between {lower} and {upper}."


def covariance(facts: Facts) -> str:
    """What the covariance of intercepts and slopes says, and how far apart schools are where SES is not average."""
    model = facts.coefficients
    found = next(of for of in model.intervals if of.parameter.kind == "correlation")
    tau = model.fit["random_effects_covariance"]
    sds = [fixed((tau[0][0] + 2 * tau[1][0] * x + tau[1][1] * x * x) ** 0.5, 2) for x in (-1, 0, 1)]
    bounds = found.by_method["profile"]
    open_sign = ", so its sign is not known" if bounds.lower < 0 < bounds.upper else ""
    return (
        f"Here the correlation is {fixed(found.estimate, 2)} "
        f"(95 % profile interval {found.text('profile')}{open_sign}). The SD over schools is {sds[0]} points where "
        f"cses is −1, {sds[1]} where it is 0 and {sds[2]} where it is 1."
    )


def mean_ses(facts: Facts) -> str:
    """What mean SES does to the slope of SES."""
    change = facts.by_mean_ses
    if not change.clear:
        return f"Whether the slope of SES changes with mean SES is open: {value(change)} {interval(change)}."
    steeper = facts.slope.estimate * change.estimate > 0
    text = (
        f"Among schools of one sector, the slope of SES is {'steeper' if steeper else 'flatter'} the higher the mean "
        f"SES of the school, by {size(change)} for each unit {interval_of_size(change)}."
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
    than = "than in" if kind != "reversed" else "from that in"
    return (
        f"The slope of SES is {compared} in {here} schools {than} {there} schools. Where mean SES is 0 it is "
        f"{value(change, slope)} in {here} and {value(change, other)} in {there} schools, "
        f"a difference of {value(change)} {interval(change)}."
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


def slope_variance(facts: Facts) -> str:
    """What mean SES and sector explain of the variance of the slopes, and of the intercepts."""
    model = facts.models["intercepts_and_slopes"]
    rows = [facts.explained.get((model.name, term)) for term in ("cses", "(Intercept)")]
    if None in rows:
        return ""
    slopes, intercepts = (explains(row["explained"]) for row in rows if row)
    return (
        f"Against the model with random coefficients, mean SES and sector together explain {slopes} of the variance of "
        f"the slopes and {intercepts} of that of the intercepts."
    )
