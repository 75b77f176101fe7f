"""The line that the fixed effects of a model with one predictor make."""

from collections.abc import Mapping
from typing import Any

from twolevel.errors import UserError
from twolevel.figures.ols import Line
from twolevel.figures.tables import Table, numbers, texts


def average_line(fixed_effects: Table, fit: Mapping[str, Any], model: str, x: str, y: str) -> Line:
    """The fixed effects of `model` as a line in `x`.

    Parameters
    ----------
    fixed_effects : term and estimate of each.
    fit : the model's response.
    model : its name in the configuration.
    x, y : the predictor and the outcome that the figure is to show.

    Raises
    ------
    UserError
        The model has other fixed effects than an intercept and `x`, or another outcome.
    """
    if y != fit["response"]:
        raise UserError(
            f"y is {y}, but {model} is a model of {fit['response']}. Name the same outcome, or another model."
        )
    estimates = dict(zip(texts(fixed_effects, "term"), numbers(fixed_effects, "estimate"), strict=True))
    if set(estimates) != {"(Intercept)", x}:
        raise UserError(
            f"the figure shows a model whose fixed effects are (Intercept) and {x}; those of {model} are "
            f"{', '.join(estimates)}. Name another model, or another x."
        )
    return Line(float(estimates["(Intercept)"]), float(estimates[x]))
