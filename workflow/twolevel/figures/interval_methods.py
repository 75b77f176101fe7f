"""Every parameter of a model with its confidence intervals by all methods, one below the other."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from twolevel.figures.drawing import Drawing
from twolevel.figures.parameter_panels import ACROSS, listed_parameters, new_panels
from twolevel.figures.style import BLUE, FAINT, GREEN, MUTED, ORANGE, PURPLE, VERMILION, halo, heading, style
from twolevel.figures.tables import Floats, Table, sparse, texts
from twolevel.model.parameters import Parameter
from twolevel.output.words import Labels, clean, number

# Colour, marker and name of each method, in the order of the rows.
_METHODS = {
    "percentile": (BLUE, "o", "percentile"),
    "basic": (ORANGE, "s", "basic"),
    "normal": (PURPLE, "D", "normal"),
    "profile": (VERMILION, "^", "profile"),
    "wald": (GREEN, "v", "Wald"),
}
_OUTSIDE: dict[str, Any] = {"facecolor": "white", "edgecolor": "#9A9A9A", "hatch": "////", "linewidth": 0}
_BAR: dict[str, Any] = {"linewidth": 2, "markersize": 7, "markeredgewidth": 2}
_CENTRED: dict[str, Any] = {"horizontalalignment": "center", "verticalalignment": "center"}


@style()
def draw(intervals: Table, fit: Mapping[str, Any], labels: Labels, *, model: str) -> Drawing:
    """Intervals by percentile, basic, normal, profile and Wald for every parameter, each on its own scale.

    A bound where the parameter cannot lie is drawn there, in a hatched part of the panel. A bound that was not found
    is a question mark.

    Parameters
    ----------
    intervals : the model's intervals, a row for each method and parameter.
    fit : the model's formula, terms and number of groups.
    labels : what things are called.
    model : the model's name in the configuration.
    """
    listed = listed_parameters(fit)
    bounds = _bounds(intervals)
    used = [method for method in _METHODS if any(method == key[1] for key in bounds)]
    level = f"{100 * float(sparse(intervals, 'level')[0]):g} %"
    figure, panels = new_panels(listed)
    outside = []
    for k, (axes, parameter) in enumerate(zip(panels, listed, strict=True)):
        mine = {method: bounds[parameter.name, method] for method in used if (parameter.name, method) in bounds}
        outside += _draw_panel(axes, parameter, mine, used, named=k % ACROSS == 0)

    title = f"{level} intervals of the parameters of {labels.model(model)}, by {len(used)} methods"
    key: dict[str, Artist] = {"estimate": Line2D([], [], color=MUTED, linewidth=1.2, linestyle=(0, (1, 1.4)))}
    if outside:
        key["where the parameter cannot be"] = Patch(**_OUTSIDE)
    heading(figure, title, key, across=2)

    found = _agreement(listed, bounds)
    impossible = f" Bounds where the parameter cannot be (shaded): {len(outside)}." if outside else ""
    missing = _missing(listed, bounds)
    groups = labels.group_noun.count(fit["n_groups"])
    alt = f"{len(listed)} panels, one for each parameter, with {len(used)} bars each; in data of {groups}."
    caption = f"{level} intervals of {labels.model(model)}, by method. {found}{impossible}{missing}"
    return Drawing(figure, title, alt, caption)


def _bounds(intervals: Table) -> dict[tuple[str, str], tuple[float, float, float]]:
    """Estimate, lower and upper bound by parameter and method; intervals by t are much like Wald's, and not drawn."""
    keys = zip(texts(intervals, "parameter").tolist(), texts(intervals, "method").tolist(), strict=True)
    columns = (sparse(intervals, column).tolist() for column in ("estimate", "lower", "upper"))
    rows = zip(keys, zip(*columns, strict=True), strict=True)
    return {key: row for key, row in rows if key[1] in _METHODS}


def _draw_panel(
    axes: Axes,
    parameter: Parameter,
    mine: Mapping[str, tuple[float, float, float]],
    used: list[str],
    named: bool,
) -> list[str]:
    """Draw the intervals of one parameter; say which bounds lie where it cannot."""
    low, high = parameter.range
    first, last = _limits(np.array([*mine.values()]), low, high)
    for edge, beyond in ((low, first), (high, last)):
        if (beyond - edge) * (edge - (first + last) / 2) > 0:
            axes.axvspan(*sorted((edge, beyond)), **_OUTSIDE)
            axes.axvline(edge, color="#6E6E6E", linewidth=1)
    outside = []
    for row, method in enumerate(used):
        if method not in mine:
            where: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "path_effects": halo(2.5)}
            axes.text(0.5, row, "fixed effects only", size=9, color=MUTED, **where, **_CENTRED)
            continue
        colour, marker, name = _METHODS[method]
        estimate, *ends = mine[method]
        # Not clipped: a bound may be the end of the parameter's range, and so of the panel.
        axes.plot(ends, [row, row], clip_on=False, color=colour, marker="|", **_BAR)
        axes.plot(estimate, row, clip_on=False, color=colour, marker=marker, markersize=6.5)
        for bound, place in zip(ends, (0.03, 0.97), strict=True):
            if np.isnan(bound):
                axes.text(place, row, "?", transform=axes.get_yaxis_transform(), color=colour, **_CENTRED)
            elif not low <= bound <= high:
                outside.append(f"{name}, {clean(parameter.label)}, {number(bound, 3)}")
    reml = mine["percentile"][0] if "percentile" in mine else np.nan
    axes.axvline(reml, color=MUTED, linewidth=1.2, linestyle=(0, (1, 1.4)), zorder=1)
    axes.set(xlim=(first, last), ylim=(len(used) - 0.4, -0.6), yticks=range(len(used)))
    axes.set_yticklabels([_METHODS[method][2] for method in used] if named else [])
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=True, axis="x", color=FAINT)
    return outside


def _limits(values: NDArray[np.float64], low: float, high: float) -> tuple[float, float]:
    """Ends of a panel's scale: a margin around all bounds, within the parameter's range if they are."""
    present = values[np.isfinite(values)]
    if not len(present):
        return (low, high) if np.isfinite([low, high]).all() else (0.0, 1.0)
    least, most = float(present.min()), float(present.max())
    margin = 0.08 * (most - least) or 0.1 * abs(most) or 1.0
    first, last = least - margin, most + margin
    return (max(first, low) if least >= low else first), (min(last, high) if most <= high else last)


def _agreement(listed: tuple[Parameter, ...], bounds: Mapping[tuple[str, str], tuple[float, float, float]]) -> str:
    """For which parameter the methods agree best and for which worst, by how far their bounds lie apart."""
    apart = {}
    for parameter in listed:
        ends: Floats = np.array([value[1:] for key, value in bounds.items() if key[0] == parameter.name])
        width = np.diff(ends, axis=1).mean()
        spread = float(np.ptp(ends, axis=0).max() / width) if width > 0 else np.nan
        if np.isfinite(spread):
            apart[clean(parameter.label)] = spread
    if len(apart) < 2:
        return ""
    best, worst = min(apart, key=apart.__getitem__), max(apart, key=apart.__getitem__)
    return (
        f"The methods agree best for {best}, where the same bound differs by at most {100 * apart[best]:.1f} % of the "
        f"interval's length, and least for {worst}, by {100 * apart[worst]:.0f} %."
    )


def _missing(listed: tuple[Parameter, ...], bounds: Mapping[tuple[str, str], tuple[float, float, float]]) -> str:
    """Bounds that a method did not find."""
    names = {parameter.name: clean(parameter.label) for parameter in listed}
    gaps = [
        f"{names[parameter]} by {_METHODS[method][2]}"
        for (parameter, method), (_, *ends) in bounds.items()
        if np.isnan(ends).any()
    ]
    return f" A bound was not found (question mark) for {'; '.join(gaps)}." if gaps else ""
