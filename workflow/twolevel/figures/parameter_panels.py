"""The grid of panels, one for each parameter of a model, and the words that the kinds with such a grid share."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from twolevel.figures.style import WIDTH, new_figure
from twolevel.model.parameters import Parameter, parameters
from twolevel.output.words import number, percent, wrap

ACROSS = 2
_HEIGHT, _HEADING = 1.7, 1.1  # inches, of a row of panels and of what stands above them


def listed_parameters(fit: Mapping[str, Any]) -> tuple[Parameter, ...]:
    """The model's parameters in the order of its tables."""
    return parameters(fit["random_terms"], fit["fixed_terms"], fit["blocks"])


def new_panels(listed: Iterable[Parameter]) -> tuple[Figure, list[Axes]]:
    """Figure with a panel for each parameter, each with its own scale and the parameter's name above."""
    shown = list(listed)
    rows = -(-len(shown) // ACROSS)
    figure = new_figure(WIDTH, _HEADING + _HEIGHT * rows)
    # The last number under a panel and the first under its neighbour keep apart.
    figure.set_layout_engine("constrained", w_pad=0.12)
    panels = list(figure.subplots(rows, ACROSS, squeeze=False).ravel())
    for axes in panels[len(shown) :]:
        axes.set_visible(False)
    for axes, parameter in zip(panels, shown, strict=False):
        axes.set_title(wrap(parameter.label, 32), fontsize=10)
        axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10], min_n_ticks=3))
        axes.grid(visible=False, axis="y")
    return figure, panels[: len(shown)]


def share(part: int, whole: int) -> str:
    """A count and what percentage of the whole it is."""
    return f"{part:,} of {whole:,} ({percent(part, whole)})"


def span(lower: float, upper: float) -> str:
    """An interval as text; a bound that was not found is said to be missing."""
    low, high = ("not found" if np.isnan(bound) else number(bound, 3) for bound in (lower, upper))
    return f"{low} to {high}"
