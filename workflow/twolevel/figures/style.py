"""The one style of every figure."""

from collections.abc import Mapping
from typing import Any

import matplotlib
import matplotlib.patheffects
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twolevel.figures.tables import Floats
from twolevel.output.words import wrap

# The palette made for colour-blind readers by Okabe and Ito (2008).
PALETTE = ("#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7")
BLACK, ORANGE, SKY_BLUE, GREEN, YELLOW, BLUE, VERMILION, PURPLE = PALETTE
MUTED = "#595959"  # secondary text: 7 to 1 against white
FAINT = "#D6D6D6"  # what is there for context only

FONT = "DejaVu Sans"  # comes with matplotlib, so it is the same on every machine
MOST_NAMED = 40  # groups, whose names can still be read side by side
WIDTH, HEIGHT = 6.4, 4.3  # inches; at half the width of a page an 11 point letter is still 6 points high

_STYLE: dict[str, Any] = {
    "font.family": FONT,
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.labelsize": 11,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "legend.fontsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.7,
    "xtick.color": "#333333",
    "ytick.color": "#333333",
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    # A label is text, never a formula: a `$` or a `_` in somebody's data is printed as it is.
    "text.parse_math": False,
    # Letters as outlines: the picture is the same on every machine, whatever fonts it has. The words that a
    # reader may search or listen to are in the title, the alt text and the caption.
    "svg.fonttype": "path",
    "svg.hashsalt": "twolevel",
}


def style() -> Any:
    """Context manager, and decorator, under which a figure is drawn and rendered."""
    return matplotlib.rc_context(_STYLE)  # type: ignore[arg-type]  # it wants the type of every key spelt out


def new_figure(width: float = WIDTH, height: float = HEIGHT) -> Figure:
    """Empty figure of the usual size."""
    return Figure(figsize=(width, height), layout="constrained")


def heading(figure: Figure, title: str, key: Mapping[str, Artist], across: int = 1) -> None:
    """Put the title at the top left and under it the key: what each word's mark looks like.

    The title is the legend's own, since the layout would let a separate one and the legend overlap.
    """
    figure.legend(
        list(key.values()),
        list(key),
        title=wrap(title, 56),
        title_fontproperties={"weight": "bold", "size": 12.5},
        alignment="left",
        loc="outside upper left",
        ncols=across,
        handlelength=2.6,
        columnspacing=2.5,
        borderpad=0.3,
        borderaxespad=0,
    )


def points(axes: Axes, x: Floats, y: Floats, ink: float = 19, size: float = 7) -> None:
    """Scatter, the paler the more points there are: opacity is `ink` over the root of their number."""
    axes.scatter(x, y, s=size, color=BLACK, alpha=min(0.8, ink / len(x) ** 0.5), linewidths=0)


def halo(width: float) -> list[matplotlib.patheffects.AbstractPathEffect]:
    """White edge that keeps a line or a word legible on top of points."""
    return [matplotlib.patheffects.withStroke(linewidth=width, foreground="white")]
