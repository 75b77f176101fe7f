"""An interaction of two predictors: what the fixed effects predict, drawn over the observations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from twolevel.errors import UserError
from twolevel.figures.drawing import Drawing
from twolevel.figures.predicted import QUARTILES, REACH, draw_line, held_values, slope_of
from twolevel.figures.style import BLUE, VERMILION, WIDTH, halo, heading, new_figure, points, style
from twolevel.figures.tables import Floats, Table, numbers, texts
from twolevel.model.predictions import FixedPart, fixed_part
from twolevel.output.words import Labels, clean, number, sentence, shorten

_ACROSS, _HEIGHT, _HEADING = 3, 2.7, 1.3  # panels in a row; inches, of a row and of what stands around it
MOST_PANELS = 9


@dataclass(frozen=True)
class _Panel:
    """A value of the second predictor: what it is called, the value, and which observations are nearest to it."""

    name: str
    value: Any
    nearest: NDArray[np.bool_]


@style()
def draw(observations: Table, fit: Mapping[str, Any], labels: Labels, *, model: str, x: str, by: str) -> Drawing:
    """Outcome against `x`: a panel for each level of `by`, or for its quartiles, with the prediction there.

    The points of a panel are the observations of that level, or those nearest to that quartile. The line, or where `x`
    is a factor the mean of each level, is what the fixed effects predict, with its pointwise 95 % interval; other
    predictors are held at their mean or reference level.

    Parameters
    ----------
    observations : the rows that the model was fitted to.
    fit : the model's formula, response, estimator, hierarchy, meanings, fixed effects and their covariance.
    labels : what things are called.
    model : the model's name in the configuration.
    x, by : columns that interact in the model; of a number and a factor, `x` is the number.
    """
    fixed, y = fixed_part(fit), fit["response"]
    held, held_at = held_values(fixed, {x, by}, observations)
    panels = _panels(observations, by, fixed, labels)
    levels = _levels(observations, x, fixed, labels)
    rows = -(-len(panels) // _ACROSS)
    figure = new_figure(WIDTH, _HEADING + _HEIGHT * rows)
    grid = list(figure.subplots(rows, min(_ACROSS, len(panels)), sharex=True, sharey=True, squeeze=False).ravel())
    for axes in grid[len(panels) :]:
        axes.set_visible(False)
    ys, facts = numbers(observations, y), []
    for axes, panel in zip(grid, panels, strict=False):
        values = held | {by: panel.value}
        mine = panel.nearest
        if levels:
            told = _draw_means(axes, fixed, values, x, levels, texts(observations, x)[mine], ys[mine])
            facts.append(f"At {panel.name}: {told}.")
        else:
            _draw_line(axes, fixed, values, x, numbers(observations, x)[mine], ys[mine])
            facts.append(f"At {panel.name} the slope is {slope_of(fixed, values, x)}.")
        axes.set_title(shorten(panel.name, 24), fontsize=10)
    figure.supxlabel(labels.axis(x), fontsize="medium")
    figure.supylabel(labels.axis(y, 36), fontsize="medium")
    everybody = labels.observation_noun.count(len(ys))
    title = sentence(f"{labels.label(y)}: {labels.label(x)} by {labels.label(by)}")
    key: dict[str, Artist] = {
        "prediction": Line2D([], [], color=VERMILION, linewidth=2.2, marker="D" if levels else ""),
        "95 % interval": Patch(color=BLUE, alpha=0.35, linewidth=0),
    }
    heading(figure, title, key, across=2)

    found = " ".join(facts)
    what = f"{labels.label(y)} of {everybody} against {labels.label(x)}, by {labels.label(by)}"
    alt = f"Points of {everybody} in {len(panels)} panels, each with what the model predicts and a band around it."
    quartiles = (
        ""
        if isinstance(panels[0].value, str)
        else f" The values of {clean(by)} are its quartiles; points are in the nearest."
    )
    caption = (
        f"{sentence(what)}, with what the fixed effects of {labels.model(model)} predict, and pointwise 95 % "
        f"intervals of that.{quartiles}{held_at} {found}"
    )
    return Drawing(figure, title, alt, caption)


def _levels(observations: Table, column: str, fixed: FixedPart, labels: Labels) -> list[str]:
    """The levels that occur of a factor, in their order; of a number none."""
    if all(of.level is None for of in fixed.predictors if of.column == column):
        return []
    occurring = np.unique(texts(observations, column)).tolist()
    return [level for level in labels.levels.get(column, occurring) if level in occurring]


def _panels(observations: Table, by: str, fixed: FixedPart, labels: Labels) -> list[_Panel]:
    """Levels of the second predictor, or its quartiles over observations, coinciding ones once."""
    if levels := _levels(observations, by, fixed, labels):
        if len(levels) > MOST_PANELS:
            raise UserError(
                f"by is {by}, which has {len(levels)} levels, and the figure has at most {MOST_PANELS} panels. Name "
                "the other predictor as `by`, or make a coarser column under `derive`."
            )
        values = texts(observations, by)
        return [_Panel(clean(level), level, values == level) for level in levels]
    given = numbers(observations, by)
    places = np.unique(np.quantile(given, list(QUARTILES.values())))
    nearest = np.abs(given[:, np.newaxis] - places).argmin(axis=1)
    name = shorten(by, 14)
    return [_Panel(f"{name} = {number(value, 3)}", value, nearest == k) for k, value in enumerate(places.tolist())]


def _draw_line(axes: Axes, fixed: FixedPart, values: Mapping[str, Any], x: str, xs: Floats, ys: Floats) -> None:
    """The observations of a panel, and the line over them with its band."""
    if not len(xs):
        return
    points(axes, xs, ys, ink=12)
    line = {"color": VERMILION, "path_effects": halo(3.6)}
    draw_line(axes, fixed, values, x, (xs.min(), xs.max()), band={"color": BLUE, "alpha": 0.35}, line=line)


def _draw_means(
    axes: Axes,
    fixed: FixedPart,
    values: Mapping[str, Any],
    x: str,
    levels: Sequence[str],
    xs: NDArray[np.str_],
    ys: Floats,
) -> str:
    """The observations of a panel beside the predicted mean of each level; what these are, in words."""
    said = []
    for place, level in enumerate(levels):
        mine = np.sort(ys[xs == level])
        # Side by side, so that each can be seen; the order is that of their size.
        aside = place - 0.3 + 0.18 * (np.arange(len(mine)) % 9) / 8
        if len(mine):
            points(axes, aside, mine, ink=12)
        (height,), (error,) = fixed.estimate(fixed.rows({**values, x: [level]}))
        axes.vlines(place + 0.1, height - REACH * error, height + REACH * error, color=BLUE, linewidth=6, alpha=0.35)
        axes.plot(place + 0.1, height, color=VERMILION, marker="D", markersize=6)
        said.append(f"{clean(level)} {number(height)}")
    axes.set_xticks(range(len(levels)), [shorten(level, 12) for level in levels])
    axes.set_xlim(-0.6, len(levels) - 0.4)
    axes.grid(visible=False, axis="x")
    return ", ".join(said)
