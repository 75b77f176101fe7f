"""Sentences that follow a model's estimates: their sign, their size, and whether their sign is known."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from math import isfinite

from twolevel.errors import listed
from twolevel.model.terms import Factor
from twolevel.output.numbers import decimals, fixed
from twolevel.output.words import Labels, clean, number, sentence
from twolevel.report.intervals import ParameterIntervals
from twolevel.report.model import FixedEffect, Model, RandomEffect

# With fewer, a variance over groups can be estimated, but nothing should rest on it (Gelman and Hill 2007, p. 247).
ENOUGH_GROUPS = 5


def model_sentences(model: Model, labels: Labels, with_zero: Collection[str]) -> list[str]:
    """What a model's estimates say, and what to know of a fit gone wrong.

    An estimate has a sentence only where one can be true of it and of use; all of them are in the tables.

    Parameters
    ----------
    with_zero : the columns of numbers whose values in the data reach to zero or to both sides of it
    """
    words = _Words(model, labels, with_zero)
    return [
        *filter(None, map(words.fixed, model.fixed)),
        *filter(None, map(words.random, model.random)),
        *words.correlations(),
        words.residual(),
        *warnings(model, labels),
    ]


def held_equal(model: Model, labels: Labels, with_zero: Collection[str]) -> bool:
    """Whether the sentences compare groups or observations that are alike in other predictors."""
    words = _Words(model, labels, with_zero)
    return len(model.predictors) > 1 and any(words.fixed(effect) for effect in model.fixed if effect.factors)


def outcome(model: Model, labels: Labels) -> str:
    """The outcome as a sentence has it: an expression in quotation marks, less the offset where there is one."""
    response = model.fit["response"]
    said = labels.label(response) if response in model.fit["columns"] else f"“{clean(response)}”"
    return " less ".join(
        [said, *(labels.label(of) if {of} == {*columns} else f"“{clean(of)}”" for of, columns in model.offsets.items())]
    )


def left_out(model: Model, labels: Labels) -> str:
    """How many rows a model leaves out because a value is missing; nothing where it leaves out none."""
    found = model.fit["left_out"]
    if not (rows := found["rows"]):
        return ""
    missing = listed(
        f"{count:,} {'has' if count == 1 else 'have'} no {clean(name)}" for name, count in found["missing"].items()
    )
    return (
        f"{sentence(labels.observation_noun.count(rows))} {'is' if rows == 1 else 'are'} left out, since a value that "
        f"the model needs is missing: {missing}."
    )


def warnings(model: Model, labels: Labels) -> Iterator[str]:
    """What to know of a model of few groups, of a fit on the boundary, and of one that cannot be trusted."""
    if model.fit["n_groups"] < ENOUGH_GROUPS:
        yield (
            f"{labels.group_noun.count(model.fit['n_groups'])} say little of how {labels.group_noun.plural} differ: "
            "variances over them are hardly known, and Wald intervals of what differs between them are too short."
        )
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
    """The 95 % interval in brackets, and what it leaves open."""
    return _bracketed(effect, effect.interval)


def interval_of_size(effect: FixedEffect) -> str:
    """The 95 % interval of an effect of which `size` is said, so of how much lower where it is negative."""
    lower, upper = effect.interval
    return _bracketed(effect, (lower, upper) if effect.estimate >= 0 else (-upper, -lower))


def _bracketed(effect: FixedEffect, bounds: tuple[float, float]) -> str:
    lower, upper = (value(effect, bound) for bound in bounds)
    text = f"95 % interval{' by z' if effect.by_z else ''} {lower} to {upper}"
    return f"({text}{'' if effect.clear else ', so its sign is not known'})"


def higher(change: float) -> str:
    """Which way something moves."""
    return "higher" if change > 0 else "lower"


def strength(base: float, change: float) -> str:
    """What a change makes of a slope."""
    if base * (base + change) < 0:
        return "reversed"
    return "stronger" if base * change > 0 else "weaker"


class _Words:
    """The words for one model."""

    def __init__(self, model: Model, labels: Labels, with_zero: Collection[str]) -> None:
        self.model, self.labels, self.with_zero = model, labels, with_zero
        self.outcome = outcome(model, labels)
        self.groups = labels.group_noun.plural
        self.products = [(*e.level1, *e.level2) for e in model.fixed]
        # The variables, by how they are coded: a factor can be in a model in two ways.
        made_of: dict[tuple[str, str], set[str]] = {
            (f.column, f.coding): {labels.sources.get(column, column) for column in f.made_of}
            for product in self.products
            for f in product
        }
        made_of |= {(offset, "offset"): {*columns} for offset, columns in model.offsets.items()}
        self.entangled = {
            one for one, of in made_of.items() for other, columns in made_of.items() if one != other and of & columns
        }

    def sayable(self, effect: FixedEffect) -> bool:
        """Whether a sentence on one effect, the others held equal, can be true; where not, the table says it.

        It cannot for a column of a basis or of a contrast that is no difference from a reference level, for the mean of
        a level, or where another predictor, such as the square, is made of the same column.
        """
        return all(f.coding in ("number", "treatment") and not self._entangled(f) for f in effect.factors)

    def _entangled(self, factor: Factor) -> bool:
        return (factor.column, factor.coding) in self.entangled

    def _can_be_zero(self, factors: Iterable[Factor]) -> bool:
        """Whether these can be said to be zero, or at their reference level, all at once, and not beyond the data."""
        return all(
            not self._entangled(f)
            and (f.coding == "treatment" or (f.coding == "number" and f.column in self.with_zero))
            for f in factors
        )

    def fixed(self, effect: FixedEffect) -> str:
        """One fixed effect; nothing where no sentence on it can be true, or it would say no more than the table."""
        if not self.sayable(effect):
            return ""
        match effect.level1, effect.level2:
            case [], []:
                return self._intercept(effect)
            case ([factor], []) | ([], [factor]):
                return self._main(effect, factor)
            case [inner], [outer]:
                return self._cross_level(effect, inner, outer)
        return ""

    def random(self, effect: RandomEffect) -> str:
        """How far one coefficient differs between groups.

        Nothing of an intercept where zero of a slope's variable is beyond the data, or of a column whose coefficient
        has no meaning of its own.
        """
        slopes = {f for other in self.model.random for f in other.level1}
        if not effect.level1 and not self._can_be_zero(f for f in slopes if f.coding == "number"):
            return ""
        if any(f.coding in ("basis", "contrast") for f in effect.level1):
            return ""
        what = self._slope(effect.level1) if effect.level1 else "intercept"
        alike = " with the same predictors" if effect.predicted else ""
        of = self._intervals("sd", (self.model.random.index(effect),))
        sd = "0" if effect.term in self.model.zero_variances else fixed(effect.sd, of.places)
        start = f"{sentence(what)}: over {self.groups}{alike} its standard deviation is {sd}{self._profile(of)}"
        few = self.model.fit["n_groups"] < ENOUGH_GROUPS
        if effect.plausible is None or sd == "0" or few or not self._has_place(effect.level1):
            return f"{start}."
        lower, upper = (fixed(bound, decimals([effect.sd], 2)) for bound in effect.plausible)
        return f"{start}, so 95 % of {self.groups} are expected between {lower} and {upper}."

    def _has_place(self, level1: Sequence[Factor]) -> bool:
        """Whether the mean of a random coefficient is that of a slope, a difference, or an intercept in the data."""
        if not level1:
            return self._can_be_zero(f for product in self.products for f in product)
        plain = all(f.coding in ("number", "treatment") and not self._entangled(f) for f in level1)
        return plain and not any(map(self._beside, level1))

    def correlations(self) -> Iterator[str]:
        """How the coefficients of a group go together."""
        terms = self.model.fit["random_terms"]
        pairs = [
            f"{clean(terms[k])} with {clean(terms[i])} {fixed(r, max(2, of.places))}{self._profile(of)}"
            for i, row in enumerate(self.model.fit["random_effects_correlation"])
            for k, r in enumerate(row[:i])
            if r is not None and self.model.correlated(i, k)
            for of in [self._intervals("correlation", (i, k))]
        ]
        if pairs:
            yield f"Correlations over {self.groups}: {'; '.join(pairs)}."
        if len(self.model.fit["blocks"]) > 1:
            blocks = "; ".join(
                " with ".join([clean(first), *([listed(map(clean, rest))] if rest else [])])
                for first, *rest in self.model.blocks
            )
            yield f"By the formula, random effects of different blocks are independent of each other: {blocks}."

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
        fixed = [f for product in self.products for f in product]
        others = [*fixed, *(f for r in self.model.random for f in r.level1)]
        if not others:
            return f"Grand mean of {self.outcome} over {self.groups}: {value(effect)} {interval(effect)}."
        if not self._can_be_zero(others):
            return ""
        return f"Intercept: {self.outcome} {self._at_zero(others)} is {value(effect)} {interval(effect)}."

    def _main(self, effect: FixedEffect, factor: Factor) -> str:
        varies = effect.level1 and any(r.level1 == effect.level1 for r in self.model.random)
        average = f" on average over {self.groups}" if varies else ""
        others = self._beside(factor)
        if not self._can_be_zero(others):
            return ""
        where = f", {self._at_zero(others)}" if others else ""
        return (
            f"{self._step(factor)}: {self.outcome} is {size(effect)} {higher(effect.estimate)}{average} "
            f"{interval_of_size(effect)}{where}."
        )

    def _cross_level(self, effect: FixedEffect, inner: Factor, outer: Factor) -> str:
        text = (
            f"{self._step(outer)}: the {self._slope((inner,))} is {size(effect)} {higher(effect.estimate)} "
            f"{interval_of_size(effect)}"
        )
        others = [f for f in self._beside(inner) if f.column != outer.column]
        if not self._can_be_zero(others):
            return ""
        where = f" {self._at_zero(others)}" if others else ""
        base = next((e for e in self.model.fixed if e.level1 == (inner,) and not e.level2), None)
        if base is None or not self._can_be_zero([outer]):
            return f"{text}{where}."
        before, after = base.estimate, base.estimate + effect.estimate
        compared = f"from {value(effect, before)} at 0"  # and to nowhere: one unit of a number may lie beyond the data
        if outer.level:
            compared = f"{value(effect, after)} in place of {value(effect, before)}"
        verdict = ""
        if effect.clear and base.clear and (before * after > 0 or not outer.level):
            verdict = f", and so {'stronger' if before * effect.estimate > 0 else 'weaker'}{' there' if others else ''}"
        return f"{text}, {compared}{where}{verdict}."

    def _beside(self, factor: Factor) -> list[Factor]:
        """The factors that it is multiplied with."""
        return [f for product in self.products if factor in product for f in product if f != factor]

    def _step(self, factor: Factor) -> str:
        """The step that an effect belongs to."""
        label = self._label(factor)
        label = sentence(label) if factor.column in self.labels.columns else label  # a name stays as it is
        if factor.level is None:
            return f"{label}, one unit more"
        return f"{label}, {clean(factor.level)} against {clean(factor.reference or '')}"

    def _slope(self, factors: Sequence[Factor]) -> str:
        """A level-1 coefficient as a noun: a slope, or a difference between two levels."""
        if len(factors) > 1:
            return f"coefficient of {' × '.join(map(self._name, factors))}"
        factor = factors[0]
        if factor.coding in ("basis", "contrast", "indicator"):
            return f"coefficient of {self._name(factor)}"
        if factor.level is None:
            return f"slope of {self._label(factor)}"
        return f"difference of {clean(factor.level)} from {clean(factor.reference or '')} ({self._label(factor)})"

    def _label(self, factor: Factor) -> str:
        """A column by its label, an expression in quotation marks as it is."""
        return self.labels.label(factor.column) if factor.column in factor.made_of else f"“{clean(factor.column)}”"

    def _name(self, factor: Factor) -> str:
        return self._label(factor) if factor.level is None else f"({self._label(factor)} {clean(factor.level)})"

    def _at_zero(self, factors: Iterable[Factor]) -> str:
        """Conditions under which all these factors are zero."""
        conditions = (f"{self._label(f)} is {'0' if f.reference is None else clean(f.reference)}" for f in factors)
        return f"where {listed(dict.fromkeys(conditions))}"
