"""The panel and the words that both quantile-quantile kinds share."""

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from twolevel.figures.qq import QuantilePlot, normal_quantile_plot
from twolevel.figures.style import BLUE, heading, new_figure, points
from twolevel.figures.tables import Floats
from twolevel.output.words import number, percent

_BAND_COLOUR = "#B9D9EE"
_BAND_CORNERS = 300


def draw_qq(values: ArrayLike, title: str, y_label: str, size: float) -> tuple[Figure, QuantilePlot]:
    """Normal QQ plot with the line through the quartiles and the pointwise 95 % band."""
    figure = new_figure()
    plot, key = add_qq(figure.subplots(), values, y_label, size)
    heading(figure, title, key, across=2)
    return figure, plot


def add_qq(axes: Axes, values: ArrayLike, y_label: str, size: float) -> tuple[QuantilePlot, dict[str, Artist]]:
    """The same in axes that are there; what is drawn, and its key."""
    plot = normal_quantile_plot(values, level=0.95)
    corners = _evenly_spaced(plot.theoretical)
    band = axes.fill_between(
        plot.theoretical[corners],
        plot.lower[corners],
        plot.upper[corners],
        color=_BAND_COLOUR,
        linewidth=0,
    )
    ends = plot.theoretical[[0, -1]]
    (line,) = axes.plot(ends, plot.line.at(ends), color=BLUE, linewidth=1.6, linestyle=(0, (5, 2)))
    points(axes, plot.theoretical, plot.sample, ink=50, size=size)
    axes.set(xlabel="standard normal quantile", ylabel=y_label)
    return plot, {"line through the quartiles": line, "pointwise 95 % band": band}


def describe(plot: QuantilePlot, several: str) -> str:
    """How many points leave the band, and what the tails do."""
    n = len(plot.sample)
    if np.ptp(plot.sample) == 0:
        return f"All {n:,} {several} have the same value, {number(plot.sample[0])}."
    outside = count_outside(plot)
    if outside == 0:
        return f"All {n:,} {several} lie within the band."
    lie = "lies" if outside == 1 else "lie"
    return f"{outside:,} of the {n:,} {several} ({percent(outside, n)}) {lie} outside the band; {_tails(plot)}."


def count_outside(plot: QuantilePlot) -> int:
    """How many points leave the band."""
    return int(((plot.sample < plot.lower) | (plot.sample > plot.upper)).sum())


def _evenly_spaced(theoretical: Floats) -> NDArray[np.int64]:
    """Points that outline the band: all of the tails, and few of the crowded middle."""
    steps = np.linspace(theoretical[0], theoretical[-1], _BAND_CORNERS)
    return np.unique(np.searchsorted(theoretical, steps))


def _tails(plot: QuantilePlot) -> str:
    """What the lowest and the highest twentieth of the points do, by the band."""
    n = max(1, len(plot.sample) // 20)
    above, below = plot.sample > plot.upper, plot.sample < plot.lower
    lower = _tail(short=above[:n], long=below[:n])
    upper = _tail(short=below[-n:], long=above[-n:])
    if lower == upper:
        return f"both tails are {lower}"
    return f"the lower tail is {lower}, the upper one {upper}"


def _tail(short: NDArray[np.bool_], long: NDArray[np.bool_]) -> str:
    """Whether most points of a tail are nearer to the middle, or farther from it, than a normal sample's."""
    if short.mean() > 0.5:
        return "shorter than a normal one"
    if long.mean() > 0.5:
        return "longer than a normal one"
    return "mostly within it"
