"""What a figure of a model needs of that model: checked before anything is fitted, and again when it is drawn."""

from collections.abc import Collection, Mapping
from typing import Any

from twolevel.errors import UserError
from twolevel.model.formula_parts import take_apart
from twolevel.model.predictions import UNREAD
from twolevel.model.terms import Factor, read_meanings


def check_model_of_figure(settings: Mapping[str, Any], fit: Mapping[str, Any], columns: Collection[str]) -> None:
    """Refuse a figure of a model that cannot be shown so.

    Parameters
    ----------
    settings : the figure's entry in the configuration
    fit : of the model, `formula`, `response`, `fixed_terms`, `random_terms` and `meanings` as in `fit.json`
    columns : the columns of the prepared data

    Raises
    ------
    UserError
        The model has another outcome, other effects or other predictors than the figure shows.
    """
    kind, model = settings["kind"], settings.get("model", "")
    if kind in ("ols_vs_mixed", "shrinkage", "fitted_lines") and settings["y"] != fit["response"]:
        raise UserError(
            f"y is {settings['y']}, but {model} is a model of {fit['response']}. Name the same outcome, or another "
            "model."
        )
    if kind in ("ols_vs_mixed", "shrinkage"):
        _check_line("fixed", fit["fixed_terms"], model, settings["x"])
    if kind == "shrinkage":
        _check_line("random", fit["random_terms"], model, settings["x"])
    if kind == "qq_level2" and settings["term"] not in fit["random_terms"]:
        raise UserError(
            f"the model has no random effect of {settings['term']!r}; it has {', '.join(fit['random_terms'])}. "
            "Name one of these as `term`."
        )
    if kind in ("fitted_lines", "interaction"):
        factors = list(read_meanings(fit["meanings"]).values())
        if kind == "interaction":
            _check_interaction({factor.column for factor in factors}, settings, fit["response"], columns)
        else:
            _check_levels(factors, settings)
        _check_predictors(factors, settings, columns)
        if take_apart(fit["formula"]).fixed.offsets:
            raise UserError(f"{model} has an offset, and the figure shows the fixed effects alone. Name another model.")


def _check_line(which: str, terms: Collection[str], model: str, x: str) -> None:
    if set(terms) != {"(Intercept)", x}:
        raise UserError(
            f"the figure shows a model whose {which} effects are (Intercept) and {x}; those of {model} are "
            f"{', '.join(terms)}. Name another model, or another x."
        )


def _check_interaction(
    predictors: Collection[str], settings: Mapping[str, Any], response: str, columns: Collection[str]
) -> None:
    for setting in ("x", "by"):
        if settings[setting] not in predictors:
            there = ", ".join(sorted(predictors)) or "none"
            raise UserError(
                f"{setting} is {settings[setting]}, but the predictors of {settings['model']} are: {there}. Name one "
                "of these, or another model."
            )
    if settings["x"] == settings["by"]:
        raise UserError(f"x and by are both {settings['x']}; name two predictors that interact.")
    if response not in columns:
        raise UserError(
            f"{settings['model']} is a model of {response}, which is no column, and the figure shows the observations. "
            "Make it a column of the data under `derive`, or name another model."
        )


def _check_levels(factors: Collection[Factor], settings: Mapping[str, Any]) -> None:
    categorical = {factor.column: factor.level is not None for factor in factors}
    for setting, is_factor in (("x", False), ("at", False), ("category", True)):
        if categorical.get(settings[setting]) is not is_factor:
            kind = "factors" if is_factor else "numeric predictors"
            there = ", ".join(name for name, other in categorical.items() if other is is_factor) or "none"
            raise UserError(
                f"{setting} is {settings[setting]}, but the {kind} of {settings['model']} are: {there}. Name one of "
                "these, or another model."
            )


def _check_predictors(factors: Collection[Factor], settings: Mapping[str, Any], columns: Collection[str]) -> None:
    if expressions := [f.column for f in factors if f.column not in columns or f.coding in UNREAD]:
        raise UserError(
            f"{settings['model']} has the predictor {expressions[0]}, which is no column, and the figure cannot "
            "compute it. Make it a column of the data, or name another model."
        )
