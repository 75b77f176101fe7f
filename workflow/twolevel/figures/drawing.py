"""A drawn figure with the words that belong to it, and its bytes."""

from dataclasses import dataclass
from io import BytesIO
from typing import Literal

import numpy as np
from matplotlib.collections import Collection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from twolevel.figures.lighter import lighter
from twolevel.figures.style import style
from twolevel.output.words import clean

DPI = {"png": 200, "svg": 150}  # in an SVG, of the marks that are a picture there
_MOST_MARKS = 1000  # drawn as shapes in an SVG, where twenty thousand of them would weigh megabytes


@dataclass(frozen=True)
class Drawing:
    """A figure and its words, which are computed from the same numbers.

    Attributes
    ----------
    figure : the picture, not yet rendered.
    title : what it shows, short; also drawn at its top.
    alt : what a reader who cannot see it needs to know.
    caption : what a reader who sees it needs to know.
    """

    figure: Figure
    title: str
    alt: str
    caption: str

    def __post_init__(self) -> None:
        # Nouns, formulas and names of models come from a person; a control character would break the SVG.
        for name in ("title", "alt", "caption"):
            object.__setattr__(self, name, clean(getattr(self, name)))


@style()
def render(drawing: Drawing, file_format: Literal["svg", "png"]) -> bytes:
    """Bytes of the picture; the same drawing gives the same bytes (no date, no version of matplotlib)."""
    words = {"Title": drawing.title, "Description": drawing.alt}
    silent = {"Date": None, "Creator": None} if file_format == "svg" else {"Software": None}
    buffer = BytesIO()
    for artist in drawing.figure.findobj():
        if isinstance(artist, Line2D | Collection):
            artist.set_rasterized(_marks(artist) > _MOST_MARKS)
    drawing.figure.savefig(buffer, format=file_format, dpi=DPI[file_format], metadata=words | silent)
    if file_format == "svg":
        return lighter(buffer.getvalue().decode("utf-8")).encode("utf-8")
    return buffer.getvalue()


def _marks(artist: Line2D | Collection) -> int:
    """How many points or lines an artist draws, each a shape of its own; a curve is one, whatever it consists of."""
    if isinstance(artist, Collection):
        return max(len(artist.get_paths()), len(np.atleast_2d(artist.get_offsets())))
    return 1 if artist.get_marker() in ("None", " ", "", None) else len(np.asarray(artist.get_xdata()))
