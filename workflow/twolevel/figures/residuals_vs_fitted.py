"""Level-1 residuals of a model against its fitted values, to see whether their centre and spread are constant."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation

from twolevel.figures.drawing import Drawing
from twolevel.figures.style import BLACK, BLUE, MUTED, VERMILION, halo, heading, new_figure, points, style
from twolevel.figures.tables import Floats, Table, numbers
from twolevel.output.words import Labels, clean, number, shorten, wrap

_MOST_SLICES = 20


@style()
def draw(residuals: Table, fit: Mapping[str, Any], labels: Labels, *, model: str) -> Drawing:
    """Residuals against fitted values, with their mean and standard deviation along the way.

    Parameters
    ----------
    residuals : the model's fitted value and residual of every observation.
    fit : the model's formula, response and estimator.
    labels : what things are called.
    model : the model's name in the configuration.
    """
    fitted, values = numbers(residuals, "fitted"), numbers(residuals, "residual")
    outcome = clean(fit["response"])
    centre, mean, sd = _running(fitted, values)

    everybody = labels.observation_noun.count(len(values))
    title = f"Level-1 residuals and fitted values of {everybody}"
    figure = new_figure()
    axes = figure.subplots()
    points(axes, fitted, values)
    pad = 0.05 * np.ptp(values)
    axes.set_ylim(values.min() - pad, values.max() + pad)
    bounds = _draw_bounds(axes, fitted, values, outcome)
    axes.axhline(0, color=MUTED, linewidth=1)
    (centre_line,) = axes.plot(centre, mean, color=VERMILION, linewidth=2.2, path_effects=halo(4.2))
    spread_line, _ = axes.plot(
        centre,
        np.column_stack([mean - sd, mean + sd]),
        color=BLUE,
        linewidth=1.8,
        linestyle=(0, (4, 1.4)),
        path_effects=halo(3.4),
    )
    axes.set(xlabel=wrap(f"fitted {outcome}", 50), ylabel=wrap(f"level-1 residual ({outcome})", 36))
    heading(figure, title, {"mean": centre_line, "mean ± 1 SD": spread_line}, across=2)

    found = (
        f"In {len(mean)} equal slices along the fitted values the mean residual runs from "
        f"{number(mean.min(), 2)} to {number(mean.max(), 2)} and the standard deviation from "
        f"{number(sd.min(), 3)} to {number(sd.max(), 3)}."
    )
    alt = f"Scatter plot of {everybody}, with a line through the means of slices and lines one deviation around it."
    caption = f"Level-1 residuals of {labels.model(model)} against fitted values. {found}{bounds}"
    return Drawing(figure, title, alt, caption)


def _running(fitted: Floats, values: Floats) -> tuple[Floats, Floats, Floats]:
    """Mean fitted value, mean residual and standard deviation in slices of equally many observations."""
    order = np.argsort(fitted, kind="stable")
    slices = np.array_split(order, max(1, min(_MOST_SLICES, len(order) // 10)))
    centre, mean = (np.array([column[s].mean() for s in slices]) for column in (fitted, values))
    return centre, mean, np.array([values[s].std(ddof=1) for s in slices])


def _draw_bounds(axes: Axes, fitted: Floats, values: Floats, outcome: str) -> str:
    """Mark where the outcome's largest and smallest value cut the cloud off, if several have it.

    Fitted value and residual add up to the outcome, so its ceiling or floor is a slanting line.
    """
    observed = fitted + values
    lowest, highest = axes.get_ylim()
    marked = []
    for bound, vertical, away in ((observed.max(), "bottom", 1), (observed.min(), "top", -1)):
        if np.isclose(observed, bound, rtol=0, atol=1e-9 * np.ptp(observed)).sum() < 2:
            continue
        ends = np.clip([fitted.min(), fitted.max()], bound - highest, bound - lowest)
        axes.plot(ends, bound - ends, color=BLACK, linewidth=1, linestyle=(0, (1, 1.6)))
        words = f"{shorten(outcome, 24)} = {number(bound)}"
        marked.append(words)
        axes.text(
            ends.mean(),
            bound - ends.mean(),
            words,
            rotation=-45,  # of the line in the data's own units; the page's angle follows from it
            rotation_mode="anchor",
            transform=axes.transData + ScaledTranslation(0, 4 * away / 72, axes.figure.dpi_scale_trans),
            transform_rotates_text=True,
            path_effects=halo(2.5),
            horizontalalignment="center",
            verticalalignment=vertical,
        )
    if not marked:
        return ""
    return f" Dotted: {' and '.join(marked)}, beyond which nothing was observed."
