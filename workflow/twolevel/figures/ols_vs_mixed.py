"""The pooled regression line against the average line of a mixed model, with an enlargement."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from twolevel.figures.drawing import Drawing
from twolevel.figures.ols import Line, average_line, fit_line
from twolevel.figures.style import BLUE, VERMILION, halo, heading, new_figure, points, style
from twolevel.figures.tables import Floats, Table, varying
from twolevel.output.words import Labels, clean, equation, number, sentence

_OLS: dict[str, Any] = {"color": VERMILION, "linewidth": 2.4, "linestyle": (0, (3, 1.3))}
_MIXED: dict[str, Any] = {"color": BLUE, "linewidth": 2.4}


@style()
def draw(
    observations: Table,
    fixed_effects: Table,
    fit: Mapping[str, Any],
    labels: Labels,
    *,
    model: str,
    x: str,
    y: str,
) -> Drawing:
    """Scatter with both lines, and beside it the middle of the data enlarged until the lines come apart.

    Parameters
    ----------
    observations : the prepared data.
    fixed_effects : term and estimate of each fixed effect of the model.
    fit : the model's formula, response and estimator.
    labels : what things are called.
    model : the model's name in the configuration.
    x, y : columns of the predictor and the outcome, the model's own.
    """
    xs, ys = varying(observations, x), varying(observations, y)
    ols, mixed = fit_line(xs, ys), average_line(fixed_effects, x)

    title = "One line for all: pooled OLS and the mixed model"
    figure = new_figure()
    whole, close = figure.subplots(1, 2, width_ratios=[3, 2])
    ends = np.array([xs.min(), xs.max()])
    for axes, ink, size in ((whole, 17, 6), (close, 30, 16)):
        points(axes, xs, ys, ink, size)
        axes.plot(ends, mixed.at(ends), path_effects=halo(4.4), **_MIXED)
        axes.plot(ends, ols.at(ends), **_OLS)
    whole.set_ylabel(labels.axis(y, 36))
    figure.supxlabel(labels.axis(x), fontsize="medium")
    _enlarge(whole, close, xs, ols, mixed)
    equations = [equation(y, line.intercept, line.slope, x) for line in (ols, mixed)]
    words = [f"pooled OLS: {equations[0]}", f"mixed model: {equations[1]}"]
    heading(figure, title, dict(zip(words, [Line2D([], [], **_OLS), Line2D([], [], **_MIXED)], strict=True)))

    what = f"{labels.label(y)} against {labels.label(x)}"
    gap = float(mixed.at(xs.mean()) - ols.at(xs.mean()))
    found = _found(gap, mixed.at(ends) - ols.at(ends), clean(x), visible=1e-6 * ys.std())
    alt = f"Scatter plot of {labels.observation_noun.count(len(xs))} with two lines, and an enlargement of its middle."
    caption = (
        f"{sentence(what)}, with the pooled OLS line ({equations[0]}, dashed) and the fixed effects of "
        f"{labels.model(model)} by {fit['estimator']} ({equations[1]}, solid). {found} Right: the framed part enlarged."
    )
    return Drawing(figure, title, alt, caption)


def _enlarge(whole: Axes, close: Axes, xs: Floats, ols: Line, mixed: Line) -> None:
    """Show the middle of the data in `close`, large enough for the lines to part, and name them there."""
    middle, spread = float(xs.mean()), float(np.ptp(xs))
    half = 0.025 * spread
    heights = np.concatenate([line.at([middle - half, middle + half]) for line in (ols, mixed)])
    margin = 0.5 * float(np.ptp(heights)) or 1.0
    close.set(
        xlim=(middle - half, middle + half),
        ylim=(heights.min() - margin, heights.max() + margin),
        title="the frame, enlarged",
    )
    close.yaxis.tick_right()
    close.spines[:].set_visible(True)
    whole.indicate_inset(close.viewLim.bounds, edgecolor="black", alpha=1, linewidth=1.4)

    ols_is_upper = bool(ols.at(middle) >= mixed.at(middle))
    upper, lower = ("OLS", "mixed") if ols_is_upper else ("mixed", "OLS")
    rises = ols.slope >= 0
    corners = ((upper, 0.06 if rises else 0.94, 0.7), (lower, 0.94 if rises else 0.06, 0.3))
    for name, across, up in corners:
        close.text(
            across,
            up,
            name,
            transform=close.transAxes,
            color="#A84A00" if name == "OLS" else BLUE,
            weight="bold",
            horizontalalignment="left" if across < 0.5 else "right",
            verticalalignment="center",
            path_effects=halo(3),
        )


def _found(gap: float, at_ends: Floats, x: str, visible: float) -> str:
    """How far the mixed model's line lies from the pooled one, at the mean of x and at both ends."""
    if (np.abs(at_ends) < visible).all():
        return "The two lines are one and the same."
    if abs(gap) < visible:
        return f"At the mean of {x} the two lines meet."
    above = "above" if gap > 0 else "below"
    return f"At the mean of {x} the mixed model's line lies {number(abs(gap), 2)} {above} the pooled one."
