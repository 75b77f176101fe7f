"""What the figures of predictions share: at which values other predictors are held, and slopes in words."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from twolevel.figures.tables import Table, numbers
from twolevel.model.predictions import FixedPart
from twolevel.output.words import clean, number

REACH = 1.959963984540054  # the normal distribution's 0.975 quantile
CORNERS = 41
QUARTILES = {"lower quartile": 0.25, "median": 0.5, "upper quartile": 0.75}


def held_values(fixed: FixedPart, shown: set[str], observations: Table) -> tuple[dict[str, Any], str]:
    """Values at which the other predictors are held, and a sentence on them."""
    values: dict[str, Any] = {}
    said = []
    for predictor in fixed.predictors:
        if predictor.column in shown or predictor.column in values:
            continue
        if predictor.level is None:
            mean = float(numbers(observations, predictor.column).mean())
            values[predictor.column] = mean
            said.append(f"{clean(predictor.column)} at its mean, {number(mean, 3)}")
        else:
            values[predictor.column] = predictor.reference
            said.append(f"{clean(predictor.column)} at {clean(predictor.reference or '')}")
    return values, f" Held fixed: {', '.join(said)}." if said else ""


def slope_at(fixed: FixedPart, values: Mapping[str, Any], x: str) -> tuple[float, float]:
    """The slope of one line and its standard error."""
    bottom, top = (fixed.rows({**values, x: [end]}) for end in (0.0, 1.0))
    (slope,), (error,) = fixed.estimate(top - bottom)
    return float(slope), float(error)


def slope_of(fixed: FixedPart, values: Mapping[str, Any], x: str) -> str:
    """The slope of one line with its 95 % interval, in words."""
    slope, error = slope_at(fixed, values, x)
    low, high = (number(slope + sign * REACH * error, 3) for sign in (-1, 1))
    return f"{number(slope, 3)} ({low} to {high})"


def draw_line(
    axes: Axes,
    fixed: FixedPart,
    values: Mapping[str, Any],
    x: str,
    ends: tuple[float, float],
    *,
    band: Mapping[str, Any],
    line: Mapping[str, Any],
) -> None:
    """Draw the line that is predicted between two values of x, over its pointwise 95 % band.

    Parameters
    ----------
    values : at which the other predictors are held.
    band, line : their looks, as matplotlib names them.
    """
    grid = np.linspace(*ends, CORNERS)
    height, error = fixed.estimate(fixed.rows({**values, x: grid}))
    axes.fill_between(grid, height - REACH * error, height + REACH * error, linewidth=0, **band)
    axes.plot(grid, height, linewidth=2.2, **line)
