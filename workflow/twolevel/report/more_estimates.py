"""Of one model what a reader looks up: its equations with the estimates, T, correlations, two methods of tests."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from twolevel.model.parameters import correlation
from twolevel.model.terms import read_meanings
from twolevel.output.equations import Equations, Estimates, equations
from twolevel.output.numbers import decimals
from twolevel.output.rformat import MAX_CORRELATIONS
from twolevel.report.model import ALPHA, FixedEffect, Model

# Two methods of tests differ where, for one effect, their standard errors or degrees of freedom do by such a share, or
# where they decide differently.
ERRORS_DIFFER, DEGREES_DIFFER = 0.01, 0.05


@dataclass(frozen=True)
class MoreEstimates:
    """More of a model's estimates.

    Attributes
    ----------
    equations : with the estimates in the place of the symbols
    correlations : of the fixed effects, (p, p); empty where there is one, or more than lme4 shows
    methods_differ : whether Kenward and Roger's tests are worth a look beside Satterthwaite's; None without both
    """

    equations: Equations
    correlations: Sequence[Sequence[float]]
    methods_differ: bool | None


def more_estimates(model: Model) -> MoreEstimates:
    """Gather what stands behind the tables of one model."""
    covariance = np.array(model.fit["fixed_effects_covariance"])
    shown = 1 < len(covariance) <= MAX_CORRELATIONS
    both = [effect for effect in model.fixed if effect.tested and effect.tested_otherwise]
    return MoreEstimates(
        equations=estimated_equations(model),
        correlations=correlation(covariance).tolist() if shown else [],
        methods_differ=any(map(_differ, both)) if both else None,
    )


def estimated_equations(model: Model) -> Equations:
    """A model's equations with its estimates, each with the digits that its standard error allows."""
    fit, zero = model.fit, model.zero_variances
    terms = fit["random_terms"]
    covariance = [
        ["0" if {terms[i], terms[k]} & {*zero} else latex_number(value) for k, value in enumerate(row)]
        for i, row in enumerate(fit["random_effects_covariance"])
    ]
    estimates = Estimates(
        fixed=[latex_number(effect.estimate, decimals([effect.std_error], 2)) for effect in model.fixed],
        covariance=covariance,
        residual=latex_number(fit["sigma"] ** 2),
    )
    meanings = read_meanings(fit["meanings"])
    return equations(fit["hierarchy"], fit["response"], meanings, fit["blocks"], [*model.offsets], estimates)


def latex_number(value: float, places: int | None = None) -> str:
    """A number as LaTeX, to so many decimals, else to three significant digits; small ones by a power of ten."""
    places = decimals([value]) if places is None else places
    if 0 < abs(value) < 1e-4:
        digits, _, power = f"{value:.{max(0, places + int(f'{value:e}'.partition('e')[2]))}e}".partition("e")
        return rf"{digits} \times 10^{{{int(power)}}}"
    return re.sub(r"^-(?=0\.?0*$)", "", f"{value:.{places}f}")


def _differ(effect: FixedEffect) -> bool:
    return (
        not isfinite(effect.kr_std_error)
        or abs(effect.kr_std_error / effect.std_error - 1) > ERRORS_DIFFER
        or abs(effect.kr_df / effect.df - 1) > DEGREES_DIFFER
        or (effect.p_value <= ALPHA) != (effect.kr_p_value <= ALPHA)
    )
