"""What the coefficients of a random term are called."""

from collections.abc import Mapping
from typing import Any

from twolevel.output.words import clean


def effect_names(term: str, fit: Mapping[str, Any]) -> tuple[str, str]:
    """What the coefficients of a random term are called, and their unit.

    Only the coefficient of a number is a slope; that of a level, for one, is a difference or a mean.

    Parameters
    ----------
    term : as lme4 writes it
    fit : of the model, `response` and `meanings` as in `fit.json`
    """
    outcome = clean(fit["response"])
    if term == "(Intercept)":
        return "intercepts", outcome
    if fit["meanings"].get(term, {}).get("coding") == "number":
        return f"slopes of {clean(term)}", f"{outcome} per unit of {clean(term)}"
    return f"coefficients of {clean(term)}", outcome
