"""The REML criterion on both sides of a bound of lme4's at which a search has stopped."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from twolevel.figures.drawing import Drawing
from twolevel.figures.style import BLACK, BLUE, FAINT, HEIGHT, MUTED, VERMILION, halo, heading, new_figure, style
from twolevel.figures.tables import Floats
from twolevel.output.words import MINUS, Labels, number, shorten, theta_symbol, wrap

_OPEN: dict[str, Any] = {"color": BLUE, "linewidth": 2.4}
_BARRED: dict[str, Any] = {"color": VERMILION, "linewidth": 2.4, "linestyle": (0, (4, 1.4))}
_BEST: dict[str, Any] = {"color": BLACK, "linewidth": 1.4, "linestyle": (0, (1, 1.5))}
_END: dict[str, Any] = {"color": BLACK, "marker": "o", "markersize": 8, "linestyle": "none", "clip_on": False}

# The criterion is drawn up to this many times the height at which the search stopped.
_TOP = 1.7
# With a smaller derivative than this the criterion is level: the element's column has no other element.
_LEVEL = 1e-3


@dataclass(frozen=True)
class _Wall:
    """One element at its bound of zero: the criterion above the optimum on either side."""

    symbol: str
    term: str
    slope: float
    slope_flipped: float
    value: Floats
    allowed: Floats
    barred: Floats

    @property
    def height(self) -> float:
        return float(self.allowed[0])

    @property
    def lowest(self) -> int:
        return int(self.barred.argmin())


@style()
def draw(constrained: Mapping[str, Any], fit: Mapping[str, Any], labels: Labels, *, model: str) -> Drawing:
    """Draw the criterion along each element of theta that a search within lme4's bounds left at zero.

    A negative diagonal element stands for the positive one with the sign of its column changed, which is the same
    covariance matrix. So one axis shows both, and the bound as a wall across it. Where no bound holds the search up,
    the figure says so: data can change, and the model that the configuration names need not meet a wall.

    Parameters
    ----------
    constrained : where the bounded search ended, the walls it met, and the criterion on the way through them.
    fit : the model's formula and number of groups.
    labels : what things are called.
    model : the model's name in the configuration.
    """
    walls = [_read(wall, constrained["optimum"]) for wall in constrained["walls"]]
    if not walls:
        return _nothing_to_see(constrained, fit, labels, model)
    figure = new_figure(height=0.8 + (HEIGHT - 0.8) * len(walls))
    for axes, wall in zip(figure.subplots(len(walls), squeeze=False)[:, 0], walls, strict=True):
        _draw_wall(axes, wall)
    symbols = " and ".join(wall.symbol for wall in walls)
    title = f"Both sides of lme4’s bound on {symbols}"
    key: dict[str, Artist] = {
        "open to lme4": Line2D([], [], **_OPEN),
        "behind its bound": Line2D([], [], **_BARRED),
        "where a search within the bounds ends": Line2D([], [], **_END),
        "the optimum": Line2D([], [], **_BEST),
    }
    heading(figure, title, key, across=2)

    reach = number(float(walls[0].value[-1]), 2)
    alt = (
        f"A curve along {symbols} from {MINUS}{reach} to {reach} with a wall at 0 that closes the negative side; in "
        f"data of {labels.group_noun.count(fit['n_groups'])}."
    )
    caption = (
        f"The REML criterion of {labels.model(model)} along {symbols} of lme4’s factor, the other elements held where "
        f"a search within the bounds ends. {' '.join(_describe(wall) for wall in walls)}"
    )
    return Drawing(figure, title, alt, caption)


def _read(wall: Mapping[str, Any], optimum: float) -> _Wall:
    path = {name: np.array(values) for name, values in wall["path"].items()}
    return _Wall(
        symbol=theta_symbol(wall["element"]),
        term=wall["term"],
        slope=wall["derivative"],
        slope_flipped=wall["derivative_column_flipped"],
        value=path["value"],
        allowed=path["criterion"] - optimum,
        barred=path["criterion_column_flipped"] - optimum,
    )


def _draw_wall(axes: Axes, wall: _Wall) -> None:
    """The criterion as one curve over negative and positive values, and the wall that parts it."""
    reach, height, top = float(wall.value[-1]), wall.height, _TOP * wall.height
    axes.axvspan(-reach, 0, facecolor="white", edgecolor=FAINT, hatch="//", linewidth=0, zorder=0.5)
    axes.axvline(0, color=BLACK, linewidth=4, zorder=1.5)
    axes.axhline(0, **_BEST)
    axes.plot(wall.value, wall.allowed, **_OPEN)
    axes.plot(-wall.value, wall.barred, path_effects=halo(4), **_BARRED)
    axes.plot([0], [height], zorder=5, **_END)
    axes.annotate(
        "",
        xy=(0.05 * reach, 0),
        xytext=(0.05 * reach, height),
        arrowprops={"arrowstyle": "<|-|>", "color": MUTED, "linewidth": 1.2, "shrinkA": 4, "shrinkB": 0},
    )
    words: dict[str, Any] = {"va": "center", "path_effects": halo(4)}
    axes.text(0.09 * reach, 0.3 * height, f"{height:.2f} above\nthe optimum", ha="left", **words)
    slope = "leaving the wall,\nslope {}".format
    axes.text(0.1 * reach, 0.73 * height, slope(_signed(wall.slope)), color=BLUE, ha="left", **words)
    axes.text(-0.1 * reach, 1.2 * height, slope(_signed(wall.slope_flipped)), color=VERMILION, ha="right", **words)
    heads: dict[str, Any] = {"va": "top", "ha": "center", "weight": "bold", "path_effects": halo(4)}
    axes.text(-0.5 * reach, 0.97 * top, f"barred: {wall.symbol} < 0", color=VERMILION, **heads)
    axes.text(0.5 * reach, 0.97 * top, f"open: {wall.symbol} ≥ 0", color=BLUE, **heads)
    axes.set(xlim=(-reach, reach), ylim=(-0.08 * top, top), ylabel="REML criterion\nabove the optimum")
    axes.set_xlabel(wrap(f"{wall.symbol}, the diagonal element for {shorten(wall.term, 30)}", 60))
    axes.grid(visible=False)


def _describe(wall: _Wall) -> str:
    """Say what is on either side of the wall."""
    name = f"{wall.symbol}, the diagonal element for {wall.term}"
    if abs(wall.slope) < _LEVEL:
        return f"For {name}, zero is no wall: the criterion is level there and the same on both sides."
    deepest = float(wall.barred[wall.lowest])
    open_side = "rises and stays higher" if wall.allowed.min() >= wall.height else "rises at first"
    return (
        f"There {wall.symbol} is zero. On the open side the slope is {_signed(wall.slope)}: the criterion {open_side}. "
        f"Behind the bound the slope is {_signed(wall.slope_flipped)}: the criterion falls by "
        f"{wall.height - deepest:.2f}, at {wall.symbol} = {number(-float(wall.value[wall.lowest]), 2)}."
    )


def _criterion(value: float) -> str:
    return f"{value:,.2f}".replace("-", MINUS)


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{number(value, 4)}"


def _end(bounded: Mapping[str, Any]) -> str:
    """Say where a search ended that was not stopped by a bound."""
    if bounded["criterion"] is None:
        return "finds no finite criterion. No bound is known to hold it up."
    above = round(bounded["above_optimum"], 2)
    where = f"at {_criterion(bounded['criterion'])}, {f'{above:.2f} above ' if above else ''}the optimum"
    return f"ends {where}. No bound holds it up."


def _nothing_to_see(constrained: Mapping[str, Any], fit: Mapping[str, Any], labels: Labels, model: str) -> Drawing:
    """A figure that says that no bound holds the search up."""
    title = f"No bound of lme4’s stands in the way of {labels.model(model)}"
    found = f"NLopt’s BOBYQA, from the identity and within lme4’s bounds, {_end(constrained['bounded_search'])}"
    figure = new_figure(height=HEIGHT / 3)
    axes = figure.subplots()
    axes.axis("off")
    axes.text(0.0, 1.0, wrap(found, 62, lines=4), va="top")
    heading(figure, title, {})
    alt = f"No curve, but a sentence: in data of {labels.group_noun.count(fit['n_groups'])} the model meets no wall."
    caption = f"{labels.model(model)}: {found} So there is no other side of a bound to show."
    return Drawing(figure, title, alt, caption)
