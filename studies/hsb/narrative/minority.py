"""Adding minority: the fit that lme4's bounds lead to, and the optimum behind the wall."""

from dataclasses import dataclass
from math import isfinite
from typing import Any

from twolevel.errors import listed
from twolevel.output.numbers import decimals, fixed, percent, signed
from twolevel.output.words import theta_symbol
from twolevel.report.model import Model, Z, tied_pairs
from twolevel.report.optimum import audit
from twolevel.report.prose import interval, value

from hsb.narrative.facts import Facts

# What is tried, of all that lme4 offers.
DEFAULT = "NLopt's BOBYQA, which lmer() uses unless told otherwise, from the identity and within lme4's bounds,"

COLUMNS = {"1": "first", "2": "second", "3": "third"}


@dataclass(frozen=True)
class Row:
    """What one number is on the wall and at the optimum: a label, the terms that it is about, and both as text."""

    label: str
    terms: tuple[str, ...]
    wall: str
    optimum: str


@dataclass(frozen=True)
class Wall:
    """The lowest point that lme4's bounds allow, where it is not the optimum.

    Attributes
    ----------
    names : the elements of theta that are zero there, as "θ₂₂"
    sides : what the criterion does on either side of it, a sentence for each element
    rows : what is read off at both points
    changes : what that means, in sentences
    """

    names: str
    sides: list[str]
    rows: list[Row]
    changes: list[str]


def minority_variance(facts: Facts) -> str:
    """What minority explains at level 1."""
    row = facts.residual
    before, after = fixed(row["baseline_variance"], 2), fixed(row["variance"], 2)
    if row["explained"] <= 0:
        return f"The level-1 variance does not fall: it is {before} without minority and {after} with it."
    text = f"With minority, the level-1 variance falls from {before} to {after}: {percent(row['explained'])} less."
    if facts.minority.clear and row["explained"] < 0.05:
        text += " That is little for so clear an effect: most of the variance within schools is due to other things."
    printed = facts.printed("mod3a", "L1 variance explained")
    if isfinite(printed):
        text += (
            f" The vignette has {percent(printed)}, computed from the rounded variances of the fit that the next "
            "paragraphs are about."
        )
    return text


def published(facts: Facts) -> str:
    """How the fit that the vignette prints compares."""
    fit, printed = facts.with_minority.fit, facts.printed("mod3a", "REML criterion")
    if not isfinite(printed):
        return ""
    lower = f", {fixed(printed - fit['criterion'], 1)} lower" if printed - fit["criterion"] > 0.1 else ""
    return (
        f"The vignette prints this model with a REML criterion of {fixed(printed, 1)} and a warning that the fit "
        f"is singular: a variance is zero, or a correlation is 1 or −1. The optimum of this run is "
        f"{fixed(fit['criterion'], 2)}{lower}, and it is {'singular' if fit['singular'] else 'not singular'}."
    )


def bounded(facts: Facts) -> str:
    """Where a search within lme4's bounds ends."""
    found, search = audit(facts.with_minority), facts.with_minority.fit["optimiser"]["defaults"]["lme4_bounds"]
    if found.bounded is None:
        return f"{DEFAULT} ends without a finite criterion."
    within = f"{DEFAULT} ends at {fixed(search['criterion'], 2)}"
    if not found.bounded_missed:
        return f"{within}, the same optimum."
    face = facts.constrained.get("face")
    at = f", with {listed(map(theta_symbol, face))} at the bound of zero" if face else ""
    return f"{within}, {fixed(found.bounded, 2)} above the optimum{at}."


def split(facts: Facts) -> str:
    """Minority within schools and between them."""
    if facts.split is None:
        return ""
    within, between = facts.split.within, facts.split.between
    return (
        "Taken apart into a student's difference from the school's share of minority students and this share itself, "
        f"the coefficient is {value(within)} within schools {interval(within)} and {value(between)} between a school "
        f"of minority students alone and one without any {interval(between)}."
    )


def wall(facts: Facts) -> Wall | None:
    """The point on the wall beside the optimum; nothing where the bounds keep no search from it."""
    at = facts.constrained.get("fit")
    if not at:
        return None
    names = listed(map(theta_symbol, facts.constrained["face"]))
    sides = [_sides(found) for found in facts.constrained["walls"]]
    return Wall(names, sides, _rows(facts, at), [*_changes(facts, at, names)])


def _sides(found: Any) -> str:
    """The slope of the criterion on both sides."""
    name, column = theta_symbol(found["element"]), COLUMNS.get(found["element"][-1], "same")
    here, there = (signed(found[key], 1) for key in ("derivative", "derivative_column_flipped"))
    text = (
        f"At this point the derivative of the criterion with respect to {name} is {here}: away from the bound the "
        "criterion at first rises, and the search stopped."
    )
    if found["derivative"] <= 0:
        text = f"At this point the derivative of the criterion with respect to {name} is {here}."
    text += f" With the sign of the {column} column changed it is {there}"
    if found["derivative_column_flipped"] < 0:
        return f"{text}: that way the criterion falls, and a search that may pass finds a lower point."
    return f"{text}: that way, too, the criterion does not fall at once; the lower point is elsewhere."


def _rows(facts: Facts, at: Any) -> list[Row]:
    fit, baseline = facts.with_minority.fit, facts.residual["baseline_variance"]
    both = (at, fit)
    rows = [Row("REML criterion", (), *(fixed(of["criterion"], 2) for of in both))]
    for i, term in enumerate(fit["random_terms"]):
        sds = [of["random_effects_covariance"][i][i] ** 0.5 for of in both]
        rows.append(Row("SD over schools of", (term,), *(fixed(sd, 2) for sd in sds)))
    for i, term in enumerate(fit["random_terms"]):
        for k, other in enumerate(fit["random_terms"][:i]):
            pair = [fixed(of["random_effects_correlation"][i][k], 2) for of in both]
            rows.append(Row("Correlation of", (other, term), *pair))
    rows.append(Row("Level-1 variance", (), *(fixed(of["sigma"] ** 2, 2) for of in both)))
    shares = [percent((baseline - of["sigma"] ** 2) / baseline) for of in both]
    rows.append(Row("Level-1 variance explained by minority", (), *shares))
    means = [at["fixed_effects"], [e.estimate for e in facts.with_minority.fixed]]
    for i, effect in enumerate(facts.with_minority.fixed):
        rows.append(
            Row("Fixed effect of", (effect.term,), *(fixed(of[i], decimals([effect.std_error], 2)) for of in means))
        )
    return rows


def _changes(facts: Facts, at: Any, names: str) -> list[str]:
    """What a reader of the one fit would say otherwise from the other."""
    model = facts.with_minority
    said = [_spread(model, at, names)]
    if not model.tied and (tied := tied_pairs(at)):
        pairs = listed(f"{'1' if r > 0 else '−1'} of {one} with {other}" for one, other, r in tied)
        several = len(tied) > 1
        said.append(
            f"The correlation{'s' if several else ''} {pairs} {'belong' if several else 'belongs'} to that point, "
            "not to the data: at the optimum no two random effects are tied to each other."
        )
    shifts = [abs(e.estimate - v) / e.std_error for e, v in zip(model.fixed, at["fixed_effects"], strict=True)]
    said.append(
        f"The fixed effects {'hardly change' if max(shifts) < 0.5 else 'change'}: the largest shift is "
        f"{fixed(max(shifts), 2)} of a standard error."
    )
    return said


def _spread(model: Model, at: Any, names: str) -> str:
    """How far the slopes of SES differ between schools, by both fits."""
    i, effect = next((i, r) for i, r in enumerate(model.random) if [f.column for f in r.level1] == ["cses"])
    sd = at["random_effects_covariance"][i][i] ** 0.5
    mean = next(v for e, v in zip(model.fixed, at["fixed_effects"], strict=True) if e.level1 == effect.level1)
    lower, upper = (fixed(mean + side * Z * sd, 2) for side in (-1, 1))
    text = (
        f"With {names} at zero the slopes of SES have a standard deviation of {fixed(sd, 2)} over schools, and 95 % of "
        f"schools would be expected between {lower} and {upper}; at the optimum it is {fixed(effect.sd, 2)}"
    )
    if effect.plausible is None:
        return f"{text}."
    return f"{text}, and they are expected between {' and '.join(fixed(b, 2) for b in effect.plausible)}."
