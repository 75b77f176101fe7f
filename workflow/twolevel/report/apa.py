"""A sentence to copy for each model and each test, with numbers in the style of the APA."""

from collections.abc import Sequence
from typing import TypeVar

from twolevel.errors import listed
from twolevel.output.numbers import NBSP, decimals, digits, fixed
from twolevel.output.words import Labels, clean, sentence
from twolevel.report.comparison import Comparison
from twolevel.report.model import ALPHA, Factors, FixedEffect, Model, RandomEffect
from twolevel.report.prose import outcome

# A sentence with more effects than these is no sentence: a table says it better.
MOST_EFFECTS = 9


def model_sentence(model: Model, labels: Labels) -> str:
    """What a model estimates; nothing where the fit cannot be trusted, or has too many effects for a sentence."""
    if model.doubts or len(model.fixed) + len(model.random) > MOST_EFFECTS:
        return ""
    size = f"{labels.observation_noun.count(model.fit['n_obs'])} in {labels.group_noun.count(model.fit['n_groups'])}"
    effects = "; ".join(_fixed_effect(effect, labels) for effect in model.fixed)
    return (
        f"In a linear mixed model of {outcome(model, labels)} ({size}; {_method(model)}), the fixed "
        f"{'effect was' if len(model.fixed) == 1 else 'effects were'}: {effects}; {_random_part(model, labels)}, "
        f"and the residual standard deviation was {digits(model.fit['sigma'], 3)}."
    )


def test_sentence(it: Comparison, labels: Labels) -> str:
    """What a test decides, by bootstrap, else by chi-square.

    Nothing where a fit cannot be trusted, or where neither the bootstrap nor the chi-square distribution can be.
    """
    boundary = bool(it.result["on_boundary"])
    if it.null.doubts or it.alternative.doubts or (boundary and not it.enough):
        return ""
    p = it.p["PBtest"] if it.enough else it.p["LRT"]
    how = f" by parametric bootstrap with {it.simulated:,} samples" if it.enough else ""
    verdict = "significantly improved" if p <= ALPHA else "did not significantly improve"
    return (
        f"{sentence(_change(it.null, it.alternative, labels))} {verdict} the fit (likelihood ratio test by "
        f"{it.result['estimator']}), χ²({it.result['df']}){NBSP}={NBSP}{fixed(it.result['statistic'], 2)}, "
        f"{_p(p)}{how}."
    )


def _method(model: Model) -> str:
    """How the model is fitted, and what its tests and intervals are by."""
    fitted = "restricted maximum likelihood" if model.fit["estimator"] == "REML" else "maximum likelihood"
    if any(effect.by_z for effect in model.fixed):
        return f"{fitted}, intervals by the normal distribution"
    by = "Satterthwaite’s" if all(effect.tested for effect in model.fixed) else "Kenward and Roger’s"
    what = "t tests and intervals" if any(map(_has_test, model.fixed)) else "intervals by t"
    return f"{fitted}, {what} with {by} degrees of freedom"


def _has_test(effect: FixedEffect) -> bool:
    """Whether a test against zero is of interest: not that of an intercept or of the mean of a level."""
    return not effect.by_z and any(factor.coding != "indicator" for factor in effect.factors)


def _fixed_effect(effect: FixedEffect, labels: Labels) -> str:
    std_error, df, p = effect.best_test
    places = decimals([std_error], 2)
    lower, upper = (fixed(bound, places) for bound in effect.interval)
    text = (
        f"{_name(effect.term, effect.factors, labels)}, b{NBSP}={NBSP}{fixed(effect.estimate, places)}, "
        f"SE{NBSP}={NBSP}{fixed(std_error, places)}, 95% CI [{lower}, {upper}]"
    )
    if not _has_test(effect):
        return text
    return f"{text}, t({fixed(df, 1)}){NBSP}={NBSP}{fixed(effect.estimate / std_error, 2)}, {_p(p)}"


def _name(term: str, factors: Factors, labels: Labels) -> str:
    """What an effect is of, in words; a column of a basis or a contrast by its name in the formula."""
    if not factors:
        return "intercept"
    if any(factor.coding in ("basis", "contrast") for factor in factors):
        return clean(term)
    words = []
    for factor in factors:
        label = labels.label(factor.column)
        if factor.reference is not None:
            label += f" ({clean(factor.level or '')} vs. {clean(factor.reference)})"
        elif factor.level is not None:
            label += f" ({clean(factor.level)})"
        words.append(label)
    return " × ".join(words)


def _random_part(model: Model, labels: Labels) -> str:
    """The spread of the random effects over groups, and the correlation of two."""
    zero = model.zero_variances
    sds = [
        f"{'0' if effect.term in zero else digits(effect.sd, 3)} ({_name(effect.term, effect.level1, labels)})"
        for effect in model.random
    ]
    several = len(sds) > 1
    text = (
        f"the standard deviation{'s' if several else ''} over {labels.group_noun.plural} "
        f"{'were' if several else 'was'} {listed(sds)}"
    )
    if len(sds) == 2 and model.correlated(0, 1) and not zero:
        r = model.fit["random_effects_correlation"][1][0]
        text += f" with a correlation of {_below_one(fixed(r, 2))}"
    return text


def _change(null: Model, alternative: Model, labels: Labels) -> str:
    """What the alternative has beyond the null model, as the subject of a sentence."""
    fixed_effects, random_effects = _more(null.fixed, alternative.fixed), _more(null.random, alternative.random)
    if fixed_effects is None or random_effects is None:
        return f"the model {alternative.fit['formula']} in place of {null.fit['formula']}"
    added = []
    if fixed_effects:
        names = listed(_name(e.term, e.factors, labels) for e in fixed_effects)
        added.append(f"{'a fixed effect' if len(fixed_effects) == 1 else 'fixed effects'} of {names}")
    if any(not e.level1 for e in random_effects):
        added.append("random intercepts")
    if slopes := [_name(e.term, e.level1, labels) for e in random_effects if e.level1]:
        added.append(f"random slopes of {listed(slopes)}")
    return f"adding {listed(added)}" if added else "letting the random effects correlate"


Effect = TypeVar("Effect", FixedEffect, RandomEffect)


def _more(before: Sequence[Effect], after: Sequence[Effect]) -> list[Effect] | None:
    """The effects that come in; None where one before is not there after."""
    old, new = ({(e.term, e.level1) for e in effects} for effects in (before, after))
    return [e for e in after if (e.term, e.level1) not in old] if old <= new else None


def _p(p: float) -> str:
    if p < 0.001:
        return f"p{NBSP}<{NBSP}.001"
    return f"p{NBSP}={NBSP}{_below_one(fixed(p, 3))}"


def _below_one(text: str) -> str:
    """A number that cannot be beyond 1, without the zero before its point."""
    return text.replace("0.", ".", 1) if text.lstrip("−").startswith("0.") else text
