"""Counted rates with their intervals, in rows one below the other, against a nominal level."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from twolevel.figures.style import BLACK, BLUE, MUTED, VERMILION
from twolevel.figures.tables import Floats

# A rate is judged by whether its interval contains the nominal level.
COLOURS = {"about right": BLACK, "too low": BLUE, "too high": VERMILION}
MARKERS = {"about right": "o", "too low": "<", "too high": ">"}

_NOMINAL: dict[str, Any] = {"color": MUTED, "linewidth": 1.2, "linestyle": (0, (3, 1.5))}

# Inches for a row, and for all that is not rows.
ROW, AROUND = 0.21, 1.5


def verdicts(nominal: Floats, lower: Floats, upper: Floats) -> list[str]:
    """What to say of each rate: "about right", "too low" or "too high"."""
    low, high = upper < nominal, lower > nominal
    return ["too low" if a else "too high" if b else "about right" for a, b in zip(low, high, strict=True)]


def key_of(of_each: Collection[str]) -> dict[str, Artist]:
    """What the marks of these verdicts mean, and the nominal level's."""
    words = {"about right": "about right", "too low": "too seldom", "too high": "too often"}
    marks: dict[str, Artist] = {
        word: Line2D([], [], color=COLOURS[verdict], marker=MARKERS[verdict], linewidth=1.8, markersize=5)
        for verdict, word in words.items()
        if verdict in of_each
    }
    return marks | {"nominal level": Line2D([], [], **_NOMINAL)}


def draw_rates(axes: Axes, places: Sequence[float], rate: Floats, lower: Floats, upper: Floats, nominal: float) -> None:
    """Draw a row for each rate at those places, top down, in per cent."""
    of_each = verdicts(np.full(len(rate), nominal), lower, upper)
    axes.axvline(100 * nominal, **_NOMINAL)
    for place, verdict, *values in zip(places, of_each, rate, lower, upper, strict=True):
        middle, *ends = (100 * value for value in values)
        axes.plot(ends, [place, place], color=COLOURS[verdict], linewidth=1.8)
        axes.plot(middle, place, MARKERS[verdict], color=COLOURS[verdict], markersize=5)
    axes.set_ylim(max(places) + 0.7, min(places) - 0.7)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")


def stacked(groups: Sequence[str], gap: float = 0.5) -> tuple[list[float], dict[str, float]]:
    """Places of rows that belong to groups, with room above each group for its name; and the places of the names."""
    places: list[float] = []
    names: dict[str, float] = {}
    at = 0.0
    for group in groups:
        if group not in names:
            at += gap if names else 0.0
            names[group] = at
            at += 1.0
        places.append(at)
        at += 1.0
    return places, names
