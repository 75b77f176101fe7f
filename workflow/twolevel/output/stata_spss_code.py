"""A model as one command of Stata and of SPSS, where nothing about its translation is open."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from twolevel.output.prepared import Snippet, text

Fit = Mapping[str, Any]

_STATA_NAME = re.compile(r"[A-Za-z_]\w{0,31}", re.ASCII)
_SPSS_NAME = re.compile(r"[A-Za-z](?:[\w.]{0,62}\w)?", re.ASCII)
_SPSS_WORDS = {"ALL", "AND", "BY", "EQ", "GE", "GT", "LE", "LT", "NE", "NOT", "OR", "TO", "WITH"}

_UNTESTED = "Not tested: this program is not at hand where this project is made."
_INDICATORS = "A level of a factor is a variable of its own here, 1 where it holds and 0 elsewhere."


def stata_model(fit: Fit) -> Snippet | None:
    """Stata's `mixed`; None where the translation is not certain."""
    products = _plain_products(fit)
    if products is None:
        return None
    used = dict.fromkeys([*fit["columns"], *fit["meanings"]])
    names = {name: name.replace(".", "_") for name in used}
    if len({*names.values()}) < len(names) or not all(map(_STATA_NAME.fullmatch, names.values())):
        return None
    fixed = ["#".join(f"c.{names[f]}" for f in of) if len(of) > 1 else names[of[0]] for of in products if of]
    slopes = [names[term] for term in fit["random_terms"] if term != "(Intercept)"]
    structure = "unstructured" if len(fit["blocks"]) == 1 else "independent"
    options = [*([f"covariance({structure})"] if len(fit["random_terms"]) > 1 else [])]
    options += ["noconstant"] if "(Intercept)" not in fit["random_terms"] else []
    options += ["reml", "dfmethod(satterthwaite)"] if fit["estimator"] == "REML" else ["mle"]
    lines = [
        *(f"generate {names[name]} = {names[of['column']]} == {text(of['level'])}" for name, of in _levels(fit)),
        " ".join(["mixed", names[fit["response"]], *fixed, "||", f"{names[fit['group']]}:", *slopes])
        + f", {' '.join(options)}",
    ]
    dotted = next((name for name in names if "." in name), None)
    renamed = f"Stata’s names have no dots: {names[dotted]} stands for {dotted}." if dotted else ""
    return Snippet("Stata", "\n".join(lines), _note(renamed, _INDICATORS if _levels(fit) else "", _UNTESTED))


def spss_model(fit: Fit) -> Snippet | None:
    """SPSS's `MIXED`; None where the translation is not certain."""
    products = _plain_products(fit)
    if products is None:
        return None
    names = [fit["response"], fit["group"], *fit["meanings"]]
    if not all(_SPSS_NAME.fullmatch(name) and name.upper() not in _SPSS_WORDS for name in names):
        return None
    if len({name.upper() for name in names}) < len(names):
        return None  # SPSS does not tell capital letters from small ones
    predictors = names[2:]
    fixed = " ".join("*".join(of) for of in products if of)
    effects = " ".join("INTERCEPT" if term == "(Intercept)" else term for term in fit["random_terms"])
    structure = "UN" if len(fit["blocks"]) == 1 and len(fit["random_terms"]) > 1 else "VC"
    lines = [
        *(f"COMPUTE {name} = ({of['column']} = {text(of['level'])})." for name, of in _levels(fit)),
        f"MIXED {fit['response']}" + (f" WITH {' '.join(predictors)}" if predictors else ""),
        f"  /FIXED={fixed}{' ' if fixed else ''}| SSTYPE(3)",
        f"  /METHOD={fit['estimator']}",
        "  /PRINT=SOLUTION TESTCOV",
        f"  /RANDOM={effects} | SUBJECT({fit['group']}) COVTYPE({structure}).",
    ]
    return Snippet("SPSS", "\n".join(lines), _note(_INDICATORS if _levels(fit) else "", _UNTESTED))


def _plain_products(fit: Fit) -> list[list[str]] | None:
    """The factors of each fixed effect; None where something about the translation is open."""
    products = {
        column: [*coefficient["factors"], *predictor]
        for coefficient in fit["hierarchy"]
        for column, predictor in coefficient["predictors"]
    }
    ordered = [products[column] for column in range(len(fit["fixed_terms"]))]
    meanings = fit["meanings"]
    plain = all(
        [*of["made_of"]] == [of["column"]] and of["coding"] in ("number", "treatment") for of in meanings.values()
    )
    levels, blocks = [of["level"] for _, of in _levels(fit)], fit["blocks"]
    certain = (
        plain
        # Levels written as numbers may have been read as numbers there, and a missing level would become a 0.
        and not any(map(_is_number, levels))
        and not (levels and fit["left_out"]["rows"])
        and fit["fixed_terms"][0] == "(Intercept)"
        and fit["response"] in fit["columns"]
        and "offset(" not in fit["formula"]
        and (len(blocks) == 1 or max(blocks) == 1)
        and all(term == "(Intercept)" or term in meanings for term in fit["random_terms"])
    )
    return ordered if certain else None


def _is_number(level: str) -> bool:
    try:
        float(level)
    except ValueError:
        return False
    return True


def _levels(fit: Fit) -> Sequence[tuple[str, Mapping[str, Any]]]:
    """The columns that mark a level, and what they mean."""
    return [(name, of) for name, of in fit["meanings"].items() if of["level"] is not None]


def _note(*sentences: str) -> str:
    return " ".join(filter(None, sentences))
