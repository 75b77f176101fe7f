"""Six exercises with answers from the results: four to be read off the page, two to be computed."""

from dataclasses import dataclass

import pandas as pd
from twolevel.inference.compare import mixture_p_value
from twolevel.output.numbers import fine_p_phrase, fixed, percent
from twolevel.report.model import ALPHA, RandomEffect
from twolevel.report.prose import value

from hsb.narrative.facts import Facts, effect_of

MEANS = {
    "one_way_anova": "without predictors",
    "means_by_sector": "with sector",
    "means_by_mean_ses": "with mean SES",
    "means_by_sector_and_mean_ses": "with sector and mean SES",
}


@dataclass(frozen=True)
class Exercise:
    """A question, code that it is about, if any, and the answer."""

    question: str
    answer: str
    code: str = ""


def exercises(facts: Facts, answers: pd.DataFrame | None, prepared: str) -> list[Exercise]:
    """All exercises; those to compute only where `exercises/answers.csv` has their models.

    Parameters
    ----------
    answers : that table, where it was made
    prepared : path of the prepared table, for code
    """
    computed = {} if answers is None else {str(name): rows for name, rows in answers.groupby("exercise", sort=False)}
    return [
        _between(facts),
        _ranges(facts),
        _prediction(facts),
        _criteria(facts),
        *([_uncentred(facts, computed["uncentred"])] if "uncentred" in computed else []),
        *([_same_slopes(facts, computed["same_slopes"], prepared)] if "same_slopes" in computed else []),
    ]


def _between(facts: Facts) -> Exercise:
    tau, sigma = facts.one_way.random[0].variance, facts.one_way.fit["sigma"] ** 2
    return Exercise(
        question=(
            "What share of the variance of achievement lies between schools? Compute it from the two variances of the "
            "model without predictors. What does it say of two students of one school?"
        ),
        answer=(
            f"{fixed(tau, 3)} / ({fixed(tau, 3)} + {fixed(sigma, 3)}) = {fixed(tau / (tau + sigma), 3)}, or "
            f"{percent(facts.between)}. It is also the correlation of the scores of two students of one school."
        ),
    )


def _ranges(facts: Facts) -> Exercise:
    means = facts.one_way.random[0]
    slopes = next(effect for effect in facts.coefficients.random if effect.level1)
    return Exercise(
        question=(
            "Between which two values are the means of 95 % of schools expected, if school means are normally "
            "distributed? And the slopes of SES, by the model with random coefficients?"
        ),
        answer=(
            f"The mean and 1.96 standard deviations to either side. Means: {_range(means)}. Slopes: {_range(slopes)}. "
            "These are ranges of schools. The 95 % interval of the average is much shorter."
        ),
    )


def _range(effect: RandomEffect) -> str:
    lower, upper = effect.plausible or (float("nan"), float("nan"))
    return f"{fixed(effect.mean, 2)} ± 1.96 × {fixed(effect.sd, 2)}, from {fixed(lower, 1)} to {fixed(upper, 1)}"


def _prediction(facts: Facts) -> Exercise:
    model = facts.models["intercepts_and_slopes"]
    intercept, cses = effect_of(model), effect_of(model, ("cses",))
    mean, sector = effect_of(model, (), ("mean.ses",)), effect_of(model, (), ("sector",))
    by_mean, by_sector = effect_of(model, ("cses",), ("mean.ses",)), effect_of(model, ("cses",), ("sector",))
    (level,) = sector.level2
    at = 0.5
    height = intercept.estimate + at * mean.estimate + sector.estimate
    slope = cses.estimate + at * by_mean.estimate + by_sector.estimate
    return Exercise(
        question=(
            f"What achievement does the model of intercepts and slopes as outcomes predict for a student of a "
            f"{level.level} school with a mean SES of {at}, whose own SES is 1 above that mean?"
        ),
        answer=(
            f"The intercept of such a school is {value(intercept)} + {at} × ({value(mean)}) + ({value(sector)}) = "
            f"{fixed(height, 2)}, its slope {value(cses)} + {at} × ({value(by_mean)}) + ({value(by_sector)}) = "
            f"{fixed(slope, 2)}. So the prediction is {fixed(height, 2)} + 1 × {fixed(slope, 2)} = "
            f"{fixed(height + slope, 2)}."
        ),
    )


def _criteria(facts: Facts) -> Exercise:
    lowest = {
        name: min(MEANS, key=lambda model, of=of: facts.models[model].fit["ml"][of])  # type: ignore[misc]
        for name, of in (("AIC", "aic"), ("BIC", "bic"))
    }
    best = {name: f"the model {MEANS[model]}" for name, model in lowest.items()}
    both = best["AIC"] == best["BIC"]
    return Exercise(
        question=(
            "Four models of school means have four REML criteria. Why can these not be compared? Which criteria can, "
            "and which of the four models do they favour?"
        ),
        answer=(
            "The REML criterion depends on which fixed effects there are and how they are coded, and these models have "
            "different ones. AIC and BIC by maximum likelihood can be compared. "
            + (f"Both favour {best['AIC']}." if both else f"AIC favours {best['AIC']}, BIC {best['BIC']}.")
        ),
    )


def _uncentred(facts: Facts, computed: pd.DataFrame) -> Exercise:
    slope = computed.loc[computed["quantity"] == "fixed effect", "value"].iloc[1]
    variance = computed.loc[computed["quantity"] == "variance", "value"].iloc[0]
    before = facts.coefficients.random[0].variance
    formula = computed["formula"].iloc[0]
    return Exercise(
        question=(
            "In config.yaml, give the random coefficients model SES as it is in place of SES centred in each school, "
            "and run the pipeline again. What becomes of the average slope and of the variance of the intercepts, and "
            "why?"
        ),
        code=f"formula: {formula}",
        answer=(
            f"The slope is {value(facts.ses, slope)} in place of {value(facts.ses)}, since SES as it is also compares "
            f"students of different schools. The variance of the intercepts is {fixed(variance, 2)} in place of "
            f"{fixed(before, 2)}: an intercept is now a school’s achievement where SES is 0, and no longer its mean, "
            "in which the SES of its students is counted too."
        ),
    )


def _same_slopes(facts: Facts, computed: pd.DataFrame, prepared: str) -> Exercise:
    model = facts.models["intercepts_and_slopes"]
    numbers = computed.set_index("quantity")["value"]
    statistic = max(0.0, numbers["criterion"] - model.fit["criterion"])
    df = round(model.fit["npar"] - numbers["parameters"])
    p = mixture_p_value(statistic, df)
    verdict = "The data do not show" if p > ALPHA else "The data show"
    return Exercise(
        question=(
            "Do slopes still differ between schools once mean SES and sector predict them? Fit the model of intercepts "
            "and slopes as outcomes without the random slope and compare the two. Why may REML be used?"
        ),
        code="\n".join(
            [
                "import pandas as pd",
                "from twolevel import compare, fit",
                "",
                f'data = pd.read_parquet("{prepared}")',
                f'same = fit("{computed["formula"].iloc[0]}", data)',
                f'differ = fit("{model.fit["formula"]}", data)',
                "print(compare(same, differ).T)",
            ]
        ),
        answer=(
            f"The likelihood ratio statistic is {fixed(statistic, 2)}; by the 50:50 mixture of chi-square({df - 1}) "
            f"and chi-square({df}) {fine_p_phrase(p)}. {verdict} that they do. REML may be used, since the fixed "
            "effects of the two models are the same."
        ),
    )
