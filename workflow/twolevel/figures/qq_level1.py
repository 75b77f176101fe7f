"""Level-1 residuals of a model against the normal distribution."""

from collections.abc import Mapping
from typing import Any

from twolevel.figures.drawing import Drawing
from twolevel.figures.qq_panel import describe, draw_qq
from twolevel.figures.style import style
from twolevel.figures.tables import Table, numbers
from twolevel.output.words import Labels, clean, wrap


@style()
def draw(residuals: Table, fit: Mapping[str, Any], labels: Labels, *, model: str) -> Drawing:
    """Normal QQ plot of the residuals.

    Parameters
    ----------
    residuals : the model's residual of every observation.
    fit : the model's formula, response and estimator.
    labels : what things are called.
    model : the model's name in the configuration.
    """
    values = numbers(residuals, "residual")
    everybody = labels.observation_noun.count(len(values))
    title = f"Level-1 residuals of {everybody}"
    figure, plot = draw_qq(values, title, wrap(f"level-1 residual ({clean(fit['response'])})", 36), size=8)
    found = describe(plot, "residuals")
    alt = f"Normal quantile-quantile plot of {everybody}, with a line and a band around it."
    caption = (
        f"Level-1 residuals of {labels.model(model)} against the normal distribution, with the line through the "
        f"quartiles and the band in which each point of a normal sample lies with probability 0.95. {found}"
    )
    return Drawing(figure, title, alt, caption)
