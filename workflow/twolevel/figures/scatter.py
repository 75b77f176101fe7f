"""Every observation, and the line that ordinary least squares draws through them all."""

import numpy as np

from twolevel.figures.drawing import Drawing
from twolevel.figures.ols import fit_line
from twolevel.figures.style import VERMILION, halo, heading, new_figure, points, style
from twolevel.figures.tables import Table, texts, varying
from twolevel.output.words import Labels, equation, number, sentence


@style()
def draw(observations: Table, labels: Labels, *, x: str, y: str) -> Drawing:
    """Scatter of `y` against `x` over all observations with the pooled OLS line.

    Parameters
    ----------
    observations : the prepared data.
    labels : what things are called.
    x, y : columns of the predictor and the outcome.
    """
    xs, ys = varying(observations, x), varying(observations, y)
    line = fit_line(xs, ys)
    n, n_groups = len(xs), len(np.unique(texts(observations, labels.group)))
    everybody = labels.observation_noun.count(n)
    groups = labels.group_noun.count(n_groups)

    title = f"All {everybody} of {groups}"
    figure = new_figure()
    axes = figure.subplots()
    points(axes, xs, ys)
    ends = np.array([xs.min(), xs.max()])
    (drawn,) = axes.plot(ends, line.at(ends), color=VERMILION, linewidth=2.4, path_effects=halo(4.4))
    axes.set(xlabel=labels.axis(x), ylabel=labels.axis(y, 36))
    heading(figure, title, {f"OLS line: {equation(y, line.intercept, line.slope, x)}": drawn})

    correlation = number(float(np.corrcoef(xs, ys)[0, 1]), 2)
    direction = "rises" if line.slope > 0 else "falls" if line.slope < 0 else "is level"
    alt = f"Scatter plot with a point for each of {everybody}; a regression line through the cloud {direction}."
    caption = (
        f"{sentence(labels.label(y))} against {labels.label(x)} for {everybody} of {groups}, as if there "
        f"were no {labels.group_noun.plural}. The line is ordinary least squares through all points: "
        f"{equation(y, line.intercept, line.slope, x)} (correlation {correlation})."
    )
    return Drawing(figure, title, alt, caption)
