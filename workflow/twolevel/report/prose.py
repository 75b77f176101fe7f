"""Sentences that follow a model's estimates: their sign, their size, and whether their sign is known."""

from collections.abc import Iterable, Iterator, Sequence
from math import isfinite

from twolevel.model.terms import Factor
from twolevel.output.numbers import decimals, fine_p_phrase, fixed
from twolevel.output.words import Labels, clean, number, sentence
from twolevel.report.intervals import ParameterIntervals
from twolevel.report.model import FixedEffect, Model, RandomEffect


def model_sentences(model: Model, labels: Labels) -> list[str]:
    """What a model's estimates say, one sentence for each, and what to know of a fit gone wrong."""
    words = _Words(model, labels)
    return [
        *(words.fixed(effect) for effect in model.fixed if words.sayable(effect)),
        *(words.random(effect) for effect in model.random),
        *words.correlations(),
        words.residual(),
        *warnings(model),
    ]


def warnings(model: Model) -> Iterator[str]:
    """What to know of a fit on the boundary, and of one that cannot be trusted."""
    if model.fit["singular"]:
        yield from _singular(model)
    for doubt in model.doubts:
        yield f"Do not trust this fit ({doubt})."


def _singular(model: Model) -> Iterator[str]:
    """Where T is singular. An effect of no variance can go at no loss; one of two that go together need not."""
    zero = model.zero_variances
    if zero:
        plural = len(zero) > 1
        yield (
            f"The fit is singular: the estimated {'variances' if plural else 'variance'} of "
            f"{listed(map(clean, zero))} {'are' if plural else 'is'} zero. A model without "
            f"{'these random effects' if plural else 'this random effect'} would fit as well."
        )
    for one, other, sign in model.tied:
        yield (
            f"The fit is singular: the estimated correlation of {clean(one)} with {clean(other)} is "
            f"{'1' if sign > 0 else '−1'}. Both variances are above zero, so a model without one of the two random "
            "effects may fit worse."
        )
    if not zero and not model.tied:
        yield (
            "The fit is singular: no variance is zero and no correlation is 1 or −1, but a combination of the random "
            "effects does not vary. A model without one of them may fit worse."
        )


def value(effect: FixedEffect, of: float | None = None) -> str:
    """An effect, or another number, to as many decimals as show two digits of its standard error."""
    return fixed(effect.estimate if of is None else of, decimals([effect.std_error], 2))


def size(effect: FixedEffect) -> str:
    """An effect without its sign."""
    return value(effect, abs(effect.estimate))


def interval(effect: FixedEffect) -> str:
    """The 95 % Wald interval in brackets, and what it leaves open."""
    lower, upper = (value(effect, bound) for bound in effect.interval)
    text = f"95 % interval {lower} to {upper}"
    if effect.interval_clear and not effect.clear:
        # With few groups the t distribution is wider than the normal one that the interval is by.
        return f"({text}, but by the t test {fine_p_phrase(effect.test_p)}, so its sign is not known)"
    return f"({text}{'' if effect.clear else ', so its sign is not known'})"


def higher(change: float) -> str:
    """Which way something moves."""
    return "higher" if change > 0 else "lower"


def strength(base: float, change: float) -> str:
    """What a change makes of a slope."""
    if base * (base + change) < 0:
        return "reversed"
    return "stronger" if base * change > 0 else "weaker"


def listed(items: Iterable[str]) -> str:
    """Items as a sentence lists them: a, b and c."""
    *most, last = list(items)
    return f"{', '.join(most)} and {last}" if most else last


class _Words:
    """The words for one model."""

    def __init__(self, model: Model, labels: Labels) -> None:
        self.model, self.labels = model, labels
        self.outcome = labels.label(model.fit["response"])
        self.groups = labels.group_noun.plural
        variables = {f.column: set(f.made_of) for e in model.fixed for f in (*e.level1, *e.level2)}
        self.entangled = {
            one
            for one, of in variables.items()
            for other, columns in variables.items()
            if one != other and of & columns
        }

    def sayable(self, effect: FixedEffect) -> bool:
        """Whether a sentence on one effect, the others held equal, can be true; where not, the table says it.

        It cannot for a column of a basis or of a contrast that is no difference from a reference level, for the mean of
        a level, or where another predictor, such as the square, is made of the same column.
        """
        factors = (*effect.level1, *effect.level2)
        if not factors:
            factors = tuple(f for e in self.model.fixed for f in (*e.level1, *e.level2))
        return all(f.coding in ("number", "treatment") and f.column not in self.entangled for f in factors)

    def fixed(self, effect: FixedEffect) -> str:
        """One fixed effect."""
        match effect.level1, effect.level2:
            case [], []:
                return self._intercept(effect)
            case ([factor], []) | ([], [factor]):
                return self._main(effect, factor)
            case [inner], [outer]:
                return self._cross_level(effect, inner, outer)
            case level1, level2:
                product = " × ".join(map(self._name, level2 + level1))
                return f"{sentence(product)}: the coefficient is {value(effect)} {interval(effect)}."

    def random(self, effect: RandomEffect) -> str:
        """How far one coefficient differs between groups."""
        what = self._slope(effect.level1) if effect.level1 else "intercept"
        alike = " with the same predictors" if effect.predicted else ""
        of = self._intervals("sd", (self.model.random.index(effect),))
        start = f"{sentence(what)}: over {self.groups}{alike} its standard deviation is {fixed(effect.sd, of.places)}"
        start += self._profile(of)
        if effect.plausible is None:
            return f"{start}."
        lower, upper = effect.plausible
        places = decimals([effect.sd], 2)
        signs = ""
        if effect.level1:
            signs = ", on both sides of zero" if lower < 0 < upper else ", all of one sign"
        span = f"between {fixed(lower, places)} and {fixed(upper, places)}"
        return f"{start}, so 95 % of {self.groups} are expected {span}{signs}."

    def correlations(self) -> Iterator[str]:
        """How the coefficients of a group go together."""
        terms = self.model.fit["random_terms"]
        pairs = [
            f"{clean(terms[k])} with {clean(terms[i])} {fixed(r, 2)}"
            f"{self._profile(self._intervals('correlation', (i, k)))}"
            for i, row in enumerate(self.model.fit["random_effects_correlation"])
            for k, r in enumerate(row[:i])
            if r is not None
        ]
        if pairs:
            yield f"Correlations over {self.groups}: {'; '.join(pairs)}."

    def _intervals(self, kind: str, index: tuple[int, ...]) -> ParameterIntervals:
        return next(it for it in self.model.intervals if (it.parameter.kind, it.parameter.index) == (kind, index))

    def _profile(self, of: ParameterIntervals) -> str:
        """The profile interval of a standard deviation or correlation in brackets, and whether it leaves zero out."""
        bounds = of.by_method["profile"]
        if not (isfinite(bounds.lower) and isfinite(bounds.upper)):
            return ""
        verdict = ""
        if bounds.lower <= 0 <= bounds.upper:
            verdict = ", so it may be zero" if of.parameter.kind == "sd" else ", so its sign is not known"
        return f" ({100 * of.level:g} % profile interval {of.text('profile')}{verdict})"

    def residual(self) -> str:
        """The spread within groups."""
        sigma = number(self.model.fit["sigma"], 3)
        several, one = self.labels.observation_noun.plural, self.labels.group_noun.singular
        return f"Within a {one}, {several} spread about the model's equation with a standard deviation of {sigma}."

    def _intercept(self, effect: FixedEffect) -> str:
        others = [f for e in self.model.fixed for f in (*e.level1, *e.level2)]
        if not others:
            return f"Grand mean of {self.outcome} over {self.groups}: {value(effect)} {interval(effect)}."
        return f"Intercept: {self.outcome} {self._at_zero(others)} is {value(effect)} {interval(effect)}."

    def _main(self, effect: FixedEffect, factor: Factor) -> str:
        varies = effect.level1 and any(r.level1 == effect.level1 for r in self.model.random)
        average = f" on average over {self.groups}" if varies else ""
        others = self._beside(factor)
        where = f", {self._at_zero(others)}" if others else ""
        return (
            f"{self._step(factor)}: {self.outcome} is {size(effect)} {higher(effect.estimate)}{average} "
            f"{interval(effect)}{where}."
        )

    def _cross_level(self, effect: FixedEffect, inner: Factor, outer: Factor) -> str:
        text = (
            f"{self._step(outer)}: the {self._slope((inner,))} is {size(effect)} {higher(effect.estimate)} "
            f"{interval(effect)}"
        )
        base = next((e for e in self.model.fixed if e.level1 == (inner,) and not e.level2), None)
        if base is None:
            return f"{text}."
        before = value(effect, base.estimate)
        compared = f"from {before} at 0"  # and to nowhere: one unit of a number may lie beyond the data
        if outer.level:
            compared = f"{value(effect, base.estimate + effect.estimate)} in place of {before}"
        others = [f for f in self._beside(inner) if f.column != outer.column]
        where = f" {self._at_zero(others)}" if others else ""
        verdict = f", and so {strength(base.estimate, effect.estimate)}" if effect.clear else ""
        return f"{text}, {compared}{where}{verdict}{' there' if verdict and others else ''}."

    def _beside(self, factor: Factor) -> list[Factor]:
        """The factors that it is multiplied with."""
        products = [(*e.level1, *e.level2) for e in self.model.fixed]
        return [f for product in products if factor in product for f in product if f != factor]

    def _step(self, factor: Factor) -> str:
        """The step that an effect belongs to."""
        label = sentence(self.labels.label(factor.column))
        if factor.level is None:
            return f"{label}, one unit more"
        return f"{label}, {clean(factor.level)} against {clean(factor.reference or '')}"

    def _slope(self, factors: Sequence[Factor]) -> str:
        """A level-1 coefficient as a noun: a slope, or a difference between two levels."""
        if len(factors) > 1:
            return f"coefficient of {' × '.join(map(self._name, factors))}"
        label, factor = self.labels.label(factors[0].column), factors[0]
        if factor.coding in ("basis", "contrast", "indicator"):
            return f"coefficient of {self._name(factor)}"
        if factor.level is None:
            return f"slope of {label}"
        return f"difference of {clean(factor.level)} from {clean(factor.reference or '')} ({label})"

    def _name(self, factor: Factor) -> str:
        label = self.labels.label(factor.column)
        return label if factor.level is None else f"({label} {clean(factor.level)})"

    def _at_zero(self, factors: Iterable[Factor]) -> str:
        """Conditions under which all these factors are zero."""
        conditions = (
            f"{self.labels.label(f.column)} is {'0' if f.reference is None else clean(f.reference)}" for f in factors
        )
        return f"where {listed(dict.fromkeys(conditions))}"
