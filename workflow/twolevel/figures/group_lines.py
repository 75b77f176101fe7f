"""A random sample of groups, each with its own regression line."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from twolevel.figures.drawing import Drawing
from twolevel.figures.ols import GroupLines, fit_group_lines
from twolevel.figures.style import SKY_BLUE, VERMILION, halo, heading, new_figure, points, style
from twolevel.figures.tables import Table, numbers, texts
from twolevel.output.words import Labels, number, sentence, without_line


@style()
def draw(observations: Table, labels: Labels, *, x: str, y: str, sample: int, seed: int) -> Drawing:
    """Observations and OLS lines of `sample` distinct groups, the lines that fall set apart from the others.

    The points are not jittered: they stand where the data put them.

    Parameters
    ----------
    observations : the prepared data.
    labels : what things are called.
    x, y : columns of the predictor and the outcome.
    sample : how many groups to draw without replacement; all of them where there are no more.
    seed : of the random sample.
    """
    group = texts(observations, labels.group)
    xs, ys = numbers(observations, x), numbers(observations, y)
    everything = fit_group_lines(group, xs, ys)
    n_groups = len(everything.group)
    chosen = np.random.default_rng(seed).choice(n_groups, size=min(sample, n_groups), replace=False)
    lines = everything.take(np.sort(chosen))
    drawn = lines.take(lines.has_line)
    n_chosen, n_drawn, n_falling = len(lines.group), len(drawn.group), int((drawn.slope < 0).sum())

    plural = labels.group_noun.plural
    both = "both" if n_groups == 2 else f"all {n_groups:,}"
    every = f"{sentence(both)} {labels.group_noun.plural}" if n_chosen == n_groups else None
    some = f"{n_chosen:,} of {labels.group_noun.count(n_groups)}"
    own = "each with its own OLS line" if n_drawn == n_chosen else f"{n_drawn:,} with an OLS line of their own"
    title = f"{every or some}, {own}"
    figure = new_figure()
    axes = figure.subplots()
    member = np.isin(group, lines.group)
    points(axes, xs[member], ys[member], ink=12)
    other, falling = _add_lines(axes, drawn)
    axes.set(xlabel=labels.axis(x), ylabel=labels.axis(y, 36))
    key = {f"rising or level: {n_drawn - n_falling}": other, f"falling: {n_falling}": falling}
    heading(figure, title, key, across=2)

    skipped = without_line(n_chosen - n_drawn, labels, x)
    spread = (
        f" Their slopes run from {number(drawn.slope.min(), 3)} to {number(drawn.slope.max(), 3)}, "
        f"their mean is {number(drawn.slope.mean(), 3)}."
        if n_drawn
        else ""
    )
    falls = f"{n_falling:,} of {n_drawn:,} lines {'falls' if n_falling == 1 else 'fall'}"
    where = f"{both} {plural}" if every else f"{n_chosen:,} {plural}"
    drawn_so = "" if every else f" drawn at random without replacement from {n_groups:,} (seed {seed})"
    alt = f"Points of {where}, and a straight line for each of {n_drawn:,} through its own points; {n_falling:,} fall."
    caption = (
        f"{sentence(labels.label(y))} against {labels.label(x)} in {where}{drawn_so}, with the OLS "
        f"line of each over its own range: {falls} (dashed).{spread}{skipped}"
    )
    return Drawing(figure, title, alt, caption)


def _add_lines(axes: Axes, lines: GroupLines) -> tuple[LineCollection, LineCollection]:
    """Draw the lines, and over them, heavier and dashed, those that fall."""
    segments, falls = lines.segments(), lines.slope < 0
    other = LineCollection(list(segments[~falls]), colors=SKY_BLUE, linewidths=1.3)
    dashed = [(0, (4, 1.4))]
    falling = LineCollection(list(segments[falls]), colors=VERMILION, linewidths=2.2, linestyles=dashed)
    falling.set_path_effects(halo(4))
    axes.add_collection(other)
    axes.add_collection(falling)
    axes.autoscale_view()
    return other, falling
