"""The bootstrap replicates of every parameter of a model, with its estimate and its percentile interval."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from twolevel.figures.drawing import Drawing
from twolevel.figures.parameter_panels import ACROSS, listed_parameters, new_panels, share
from twolevel.figures.style import BLACK, SKY_BLUE, VERMILION, halo, heading, style
from twolevel.figures.tables import Floats, Table, sparse, texts
from twolevel.inference.samples import Sample, histogram, moments
from twolevel.output.words import Labels

_BINS = 50
_BAR: dict[str, Any] = {"color": VERMILION, "linewidth": 2, "marker": "|", "markersize": 8, "markeredgewidth": 2}
_LINE: dict[str, Any] = {"color": BLACK, "linewidth": 2}


@style()
def draw(
    bootstrap: Mapping[str, Sample], intervals: Table, fit: Mapping[str, Any], labels: Labels, *, model: str
) -> Drawing:
    """Histogram of the replicates of each parameter, the estimate, and the percentile interval below.

    Parameters
    ----------
    bootstrap : the model's replicates, a column for each parameter, in blocks.
    intervals : its intervals, of which the percentile ones are drawn.
    fit : the model's formula, terms and number of groups.
    labels : what things are called.
    model : the model's name in the configuration.
    """
    listed = listed_parameters(fit)
    chosen = texts(intervals, "method") == "percentile"
    names = texts(intervals, "parameter")[chosen].tolist()
    columns = (sparse(intervals, column)[chosen].tolist() for column in ("estimate", "lower", "upper"))
    of = dict(zip(names, zip(*columns, strict=True), strict=True))
    level = f"{100 * float(sparse(intervals, 'level')[0]):g} %"

    figure, panels = new_panels(listed)
    for k, (axes, parameter) in enumerate(zip(panels, listed, strict=True)):
        estimate, lower, upper = of[parameter.name]
        counts, edges = _histogram(bootstrap[parameter.name], *parameter.range)
        axes.stairs(counts, edges, fill=True, color=SKY_BLUE)
        top = max(1.0, float(counts.max()))
        axes.plot([estimate, estimate], [0, top], path_effects=halo(3.8), **_LINE)
        axes.plot([lower, upper], [-0.14 * top, -0.14 * top], clip_on=False, **_BAR)
        axes.set(ylim=(-0.28 * top, 1.05 * top), yticks=[])
        axes.set_ylabel("replicates" if k % ACROSS == 0 else "")
        axes.spines["left"].set_visible(False)

    n, fitted, singular = 0, 0, 0
    for found, at_edge in zip(bootstrap["optimum_found"], bootstrap["singular"], strict=True):
        n, fitted, singular = (
            n + len(found),
            fitted + int(found.sum()),
            singular + int(np.logical_and(found, at_edge).sum()),
        )
    title = f"{n:,} bootstrap replicates of the parameters of {labels.model(model)}"
    key: dict[str, Artist] = {
        "replicates": Patch(color=SKY_BLUE),
        "estimate": Line2D([], [], **_LINE),
        f"{level} percentile interval": Line2D([], [], **_BAR),
    }
    heading(figure, title, key, across=3)

    boundary = _boundary(singular, fitted, n - fitted)
    alt = f"{len(listed)} histograms of {n:,} data sets, one for each parameter, with its estimate and interval marked."
    caption = (
        f"{labels.model(model)}, fitted to {n:,} data sets simulated from its own estimates by {fit['estimator']}: how "
        f"the estimates of each parameter spread. {boundary}"
    )
    return Drawing(figure, title, alt, caption)


def _histogram(sample: Sample, low: float, high: float) -> tuple[Floats, Floats]:
    """Counts and edges of the bins; the edges stay where the parameter can lie."""
    of = moments(sample)
    if not of.count:
        return np.zeros(1), np.array([0.0, 1.0])
    first, last = of.smallest, of.largest
    if last - first <= 1e-9 * max(abs(first), abs(last)):
        margin = 0.01 * abs(last) or 0.01
        first, last = max(first - margin, low), min(last + margin, high)
    return histogram(sample, _BINS, first, last)


def _boundary(singular: int, fitted: int, failed: int) -> str:
    """How many of the fitted replicates are singular, and how many have no optimum."""
    text = (
        f"On the boundary, with a variance of zero or random effects that are tied to each other, as by a correlation "
        f"of 1 or −1: {share(singular, fitted)}."
        if singular
        else "No replicate is on the boundary, where a variance is zero or a correlation 1 or −1."
    )
    lost = f" No optimum was found for {failed:,}, which are left out." if failed else ""
    return f"{text}{lost}"
