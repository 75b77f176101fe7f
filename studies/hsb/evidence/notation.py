"""Evidence on symbols: which parameter each stands for, by the models' own equations."""

import re

from published.run import Finding, Run
from published.solution import NotThereError
from twolevel.model.terms import read_meanings
from twolevel.output.equations import Equations, equations

_GREEK = {r"\beta": "β", r"\gamma": "γ", r"\tau": "τ"}


def second_fixed_effect(run: Run) -> Finding:
    """The mean slope of cses is gamma_10."""
    mine, gamma = _gamma(run, "model3", "cses"), _gammas(run, "mod4")
    others = " and ".join(f"{symbol} is that of {term}" for term, symbol in gamma.items() if symbol in ("γ_01", "γ_11"))
    return Finding(
        mine == "γ_10",
        f"In the equations of model3 the coefficient of cses, the mean slope, is {mine}"
        f"{f'; in those of mod4 {others}' if others else ''}.",
    )


def effects_of_betas(run: Run) -> Finding:
    """The random effects stand in the equations of the betas, one for each."""
    written = [_plain(equation.latex) for equation in _equations(run, "model3").level2]
    return Finding(
        all(re.match(r"β_\d+j = γ_.*u_", text) for text in written) and len(written) > 1,
        f"The level-2 equations of model3 are {' and '.join(written)}: a β differs between groups, a γ is one number.",
    )


def minority_not_sex(run: Run) -> Finding:
    """The third random effect of mod3a, and its second predictor, is minority; sex is not in the model."""
    fit = run.fit("mod3a")
    terms = [*fit["random_terms"], *fit["fixed_terms"]]
    third = fit["random_terms"][2] if len(fit["random_terms"]) > 2 else "missing"
    there = any(term.startswith("sex") for term in terms)
    return Finding(
        third.startswith("minority") and not there,
        f"The random effects of mod3a are {', '.join(fit['random_terms'])}, so u_2j belongs to {third}; sex is "
        f"{'a term' if there else 'no term'} of the model.",
    )


def slope_effect(run: Run) -> Finding:
    """The random effect that is multiplied by cses is u_1j, of the group alone."""
    fit = run.fit("mod4")
    if "cses" not in fit["random_terms"]:
        raise NotThereError("mod4 has no random slope of cses")
    tau = _equations(run, "mod4").random_symbols[fit["random_terms"].index("cses")].latex
    number = re.sub(r"\D", "", tau)[:1]
    return Finding(
        number == "1",
        f"In the equations of mod4 the random slope of cses is u_{number}j, with the variance {_plain(tau)}: there is "
        f"one for each of the {fit['n_groups']} groups, none for each observation.",
    )


def _equations(run: Run, model: str) -> Equations:
    fit = run.fit(model)
    return equations(fit["hierarchy"], fit["response"], read_meanings(fit["meanings"]), fit["blocks"])


def _gammas(run: Run, model: str) -> dict[str, str]:
    """Symbol of each fixed effect."""
    symbols = [_plain(symbol.latex) for symbol in _equations(run, model).fixed_symbols]
    return dict(zip(run.fit(model)["fixed_terms"], symbols, strict=True))


def _gamma(run: Run, model: str, term: str) -> str:
    run.estimate(model, term)  # the model has it
    return _gammas(run, model)[term]


def _plain(latex: str) -> str:
    """A short formula as text: gamma_10 with its Greek letter."""
    for command, letter in _GREEK.items():
        latex = latex.replace(command, letter)
    return latex.replace("{", "").replace("}", "")
