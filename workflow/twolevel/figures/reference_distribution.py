"""The simulated distribution of a likelihood ratio statistic under the null model, against the chi-square."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from scipy.special import betaincinv, chdtri

from twolevel.figures.drawing import Drawing
from twolevel.figures.style import BLACK, BLUE, SKY_BLUE, VERMILION, halo, heading, new_figure, style
from twolevel.figures.tables import Floats, Table, sparse, texts
from twolevel.inference.chi_square import upper_tail
from twolevel.inference.quantiles import quantile
from twolevel.inference.samples import Sample, finite, histogram, moments, ordered
from twolevel.output.words import Labels, chance, number

_BINS = 40
_CORNERS = 250
_BAND = "#B9D9EE"
_CURVES: tuple[dict[str, Any], ...] = (
    {"color": VERMILION, "linewidth": 2, "linestyle": (0, (5, 1.6))},
    {"color": BLACK, "linewidth": 1.8, "linestyle": (0, (1, 1.3))},
)


@style()
def draw(
    reference_distribution: Mapping[str, Sample], tests: Table, result: Mapping[str, Any], labels: Labels
) -> Drawing:
    """The simulated statistics as a histogram, and beside it the p value that each statistic would get.

    The histogram shows the shape; the p values, on a logarithmic scale, show the tail, on which a test depends.

    Parameters
    ----------
    reference_distribution : the statistic of every simulated data set, in blocks; missing where a fit failed.
    tests : the comparison's tests, of which LRT, mixture and PBtest are drawn.
    result : the comparison's models, estimator and statistic.
    labels : what things are called.
    """
    simulated = reference_distribution["statistic"]
    of = moments(simulated)
    observed, df, n, largest = float(result["statistic"]), int(result["df"]), of.count, of.largest
    p = dict(zip(texts(tests, "test").tolist(), sparse(tests, "p_value").tolist(), strict=True))
    curves = {f"chi-square({df})": [df]}
    if "mixture" in p:
        curves[f"half chi-square({df - 1}), half chi-square({df})"] = [df - 1, df]

    # The axis ends where the chi-square's p value is that of a single one of the simulated data sets.
    end = 1.04 * max(largest, _chi_square(df, n / (n + 1)))
    title = f"The statistic in {n:,} data sets simulated from {labels.model(result['null_model'])}"
    figure = new_figure()
    shape, tail = figure.subplots(1, 2)
    _draw_shape(shape, simulated, n, curves, end)
    _draw_tail(tail, simulated, n, curves, end)
    for axes in (shape, tail):
        _mark(axes, observed, end)
    figure.supxlabel("likelihood ratio statistic", fontsize="medium")
    key: dict[str, Artist] = {"simulated": Patch(color=SKY_BLUE)}
    key |= {name: Line2D([], [], **look) for name, look in zip(curves, _CURVES, strict=False)}
    key["the data"] = Line2D([], [], color=BLUE, linewidth=2)
    heading(figure, title, key, across=2)

    found = (
        f"Of the simulated statistics 95 % are below {number(quantile(ordered(simulated), 0.95)[0], 3)}; of "
        f"chi-square({df}) they are below {number(_chi_square(df, 0.95), 3)}."
    )
    values = ", ".join(
        f"{chance(p[test])} by {name}"
        for test, name in (("LRT", f"chi-square({df})"), ("mixture", "the mixture"), ("PBtest", "the bootstrap"))
        if test in p
    )
    beyond = ", larger than any of the simulated ones" if observed > largest else ""
    verdict = f"The data's statistic is {number(observed, 4)}{beyond}: p is {values}."
    lost = sum(len(values) for values in simulated) - n
    failed = f" {lost:,} more gave no statistic." if lost else ""
    null, alternative = labels.model(result["null_model"]), labels.model(result["alternative_model"])
    alt = (
        f"The test of {null} against {alternative}: left, a histogram of {n:,} data sets "
        f"with the density of {' and of '.join(curves)}; "
        "right, p values on a logarithmic scale, with bands."
    )
    caption = (
        f"{null} against {alternative}, by {result['estimator']}, in {n:,} data sets simulated from the former. "
        f" {found} {verdict}{failed}"
    )
    return Drawing(figure, title, alt, caption)


def _draw_shape(axes: Axes, simulated: Sample, n: int, curves: Mapping[str, list[int]], end: float) -> None:
    """Histogram as a density, and the densities; what is higher than any bar is cut off."""
    counts, edges = histogram(simulated, _BINS, 0.0, end)
    density = counts / (n * np.diff(edges))
    axes.stairs(density, edges, fill=True, color=SKY_BLUE)
    x = np.linspace(0, end, 2 * _CORNERS + 1)[1:]
    for components, look in zip(curves.values(), _CURVES, strict=False):
        fall = -np.gradient(_upper_tail(components, x), x)
        axes.plot(x, fall, **look)
    axes.set(title="how often", ylim=(0, 1.15 * density.max()), xlim=(0, end), ylabel="density")


def _draw_tail(axes: Axes, simulated: Sample, n: int, curves: Mapping[str, list[int]], end: float) -> None:
    """The share of statistics at least so large, with its exact pointwise interval, and the same of the curves."""
    x = np.linspace(0, end, _CORNERS)
    larger = sum(len(values) - np.searchsorted(np.sort(values), x, side="left") for values in finite(simulated))
    # Clopper & Pearson (1934).
    lower = np.where(larger > 0, betaincinv(np.maximum(larger, 1), n - larger + 1, 0.025), 0.0)
    upper = np.where(larger < n, betaincinv(larger + 1, np.maximum(n - larger, 1), 0.975), 1.0)
    floor = 0.5 / (n + 1)
    axes.fill_between(x, np.maximum(lower, floor / 10), upper, color=_BAND, linewidth=0)
    axes.plot(x, (1 + larger) / (1 + n), color=SKY_BLUE, linewidth=3)
    for components, look in zip(curves.values(), _CURVES, strict=False):
        axes.plot(x, _upper_tail(components, x), **look)
    axes.set(title="p value", yscale="log", ylim=(floor, 1.3), xlim=(0, end))
    axes.yaxis.set_major_formatter("{x:g}")


def _mark(axes: Axes, observed: float, end: float) -> None:
    """Mark the observed statistic: a line, or an arrow and the number where it lies beyond the scale."""
    if observed <= end:
        axes.axvline(observed, color=BLUE, linewidth=2)
        return
    axes.annotate(
        f"the data:\n{number(observed, 4)}",
        xy=(1.0, 0.85),
        xytext=(0.58, 0.85),
        xycoords="axes fraction",
        color=BLUE,
        weight="bold",
        ha="center",
        va="center",
        path_effects=halo(3),
        arrowprops={"arrowstyle": "-|>", "color": BLUE, "linewidth": 2},
    )


def _upper_tail(components: list[int], x: Floats) -> Floats:
    """Share of an equal mixture of chi-squares at or above `x`."""
    return np.asarray(np.mean([upper_tail(df, x) for df in components], axis=0))


def _chi_square(df: int, probability: float) -> float:
    return float(chdtri(df, 1 - probability))
