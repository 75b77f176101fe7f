"""The regression line of every group, one panel per category, with all the others behind for comparison."""

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from twolevel.figures.drawing import Drawing
from twolevel.figures.ols import GroupLines, fit_group_lines
from twolevel.figures.style import BLACK, FAINT, PALETTE, WIDTH, YELLOW, halo, heading, new_figure, style
from twolevel.figures.tables import Table, levels_of, numbers, of_groups, texts
from twolevel.output.words import Labels, clean, number, sentence, shorten, without_line

_COLOURS = [colour for colour in PALETTE if colour != YELLOW]  # thin yellow lines vanish on white
_MOST_LEVELS = 12
_PANELS_ACROSS = 3
# White with a black edge, which stands out from lines of any colour, black too.
_AVERAGE: dict[str, Any] = {
    "color": "white",
    "linewidth": 1.6,
    "path_effects": [*halo(7), withStroke(linewidth=4.4, foreground=BLACK)],
}


@style()
def draw(observations: Table, labels: Labels, *, x: str, y: str, category: str) -> Drawing:
    """OLS line of every group in the colour of its category, and the average line of each category.

    A panel per category, rather than one for all, stays legible in grey and where lines cross in crowds.

    Parameters
    ----------
    observations : the prepared data.
    labels : what things are called.
    x, y : columns of the predictor and the outcome.
    category : column of the category, the same for every observation of a group.
    """
    group = texts(observations, labels.group)
    lines = fit_group_lines(group, numbers(observations, x), numbers(observations, y))
    category_of_group = of_groups(observations, category, labels).astype(str)
    levels = levels_of(category_of_group, category, labels, _MOST_LEVELS)
    drawn, category_of_line = lines.take(lines.has_line), category_of_group[lines.has_line]

    rows, columns = math.ceil(len(levels) / _PANELS_ACROSS), min(len(levels), _PANELS_ACROSS)
    title = f"OLS lines of {labels.group_noun.count(len(drawn.group))}, by {labels.label(category)}"
    figure = new_figure(WIDTH, 1.5 + 3.5 * rows)
    key = {
        "average line of the category": Line2D([], [], **_AVERAGE),
        "other categories": Line2D([], [], color=FAINT, linewidth=1.5),
    }
    heading(figure, title, key, across=2)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    panels = grid.ravel()
    facts = []
    for axes, level, colour in zip(panels, levels, _cycle(len(levels)), strict=False):
        mine = category_of_line == level
        slope = _draw_panel(axes, drawn, mine, colour)
        groups = labels.group_noun.count(int((category_of_group == level).sum()))
        axes.set_title(f"{shorten(level, 18)}\n{shorten(groups, 18)}\n{slope}")
        facts.append(f"{clean(level)}, {groups}, {slope}")
    for axes in panels[len(levels) :]:
        axes.set_visible(False)
    figure.supxlabel(labels.axis(x), fontsize="medium")
    for axes in grid[:, 0]:
        axes.set_ylabel(labels.axis(y, 30))

    skipped = without_line(len(lines.group) - len(drawn.group), labels, x)
    found = f"{'; '.join(facts)}.{skipped}"
    everybody = labels.group_noun.count(len(lines.group))
    alt = f"{len(levels)} panels of straight lines, those of {everybody} in all: in each panel one category stands out."
    caption = (
        f"OLS lines of {labels.label(y)} on {labels.label(x)} in {everybody}, by "
        f"{labels.label(category)}; grey: the other categories; white in black: mean intercept and mean slope of the "
        f"category. {sentence(found)}"
    )
    return Drawing(figure, title, alt, caption)


def _draw_panel(axes: Axes, lines: GroupLines, mine: NDArray[np.bool_], colour: str) -> str:
    """Draw the lines of one category over the others; say their mean slope."""
    segments = lines.segments()
    axes.add_collection(LineCollection(list(segments[~mine]), colors=FAINT, linewidths=0.6))
    axes.add_collection(LineCollection(list(segments[mine]), colors=colour, linewidths=1.0))
    axes.autoscale_view()
    if not mine.any():
        return "no line"
    own = lines.take(mine)
    ends = np.array([own.x_min.mean(), own.x_max.mean()])
    heights = own.intercept.mean() + own.slope.mean() * ends
    axes.plot(ends, heights, **_AVERAGE)
    return f"mean slope {number(own.slope.mean(), 3)}"


def _cycle(n: int) -> list[str]:
    return [_COLOURS[i % len(_COLOURS)] for i in range(n)]
