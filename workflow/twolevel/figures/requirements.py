"""What a figure of a model needs of that model: checked before anything is fitted, and again when it is drawn."""

from collections.abc import Collection, Mapping
from typing import Any

from twolevel.errors import UserError
from twolevel.model.predictions import UNREAD
from twolevel.model.terms import Factor, read_meanings


def check_model_of_figure(settings: Mapping[str, Any], fit: Mapping[str, Any], columns: Collection[str]) -> None:
    """Refuse a figure of a model that cannot be shown so.

    Parameters
    ----------
    settings : the figure's entry in the configuration
    fit : of the model, `response`, `fixed_terms`, `random_terms` and `meanings` as in `fit.json`
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
    if kind == "fitted_lines":
        _check_predictors(list(read_meanings(fit["meanings"]).values()), settings, columns)


def _check_line(which: str, terms: Collection[str], model: str, x: str) -> None:
    if set(terms) != {"(Intercept)", x}:
        raise UserError(
            f"the figure shows a model whose {which} effects are (Intercept) and {x}; those of {model} are "
            f"{', '.join(terms)}. Name another model, or another x."
        )


def _check_predictors(factors: Collection[Factor], settings: Mapping[str, Any], columns: Collection[str]) -> None:
    categorical = {factor.column: factor.level is not None for factor in factors}
    for setting, is_factor in (("x", False), ("at", False), ("category", True)):
        if categorical.get(settings[setting]) is not is_factor:
            kind = "factors" if is_factor else "numeric predictors"
            there = ", ".join(name for name, other in categorical.items() if other is is_factor) or "none"
            raise UserError(
                f"{setting} is {settings[setting]}, but the {kind} of {settings['model']} are: {there}. Name one of "
                "these, or another model."
            )
    if expressions := [f.column for f in factors if f.column not in columns or f.coding in UNREAD]:
        raise UserError(
            f"{settings['model']} has the predictor {expressions[0]}, which is no column, and the figure cannot "
            "compute it. Make it a column of the data, or name another model."
        )
