"""Fonts for letters that the figures' own font lacks: those of the machine, or a word on what could not be written."""

from collections.abc import Iterator
from dataclasses import replace

from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from twolevel.figures.drawing import Drawing
from twolevel.figures.style import FONT

# It has a box for every letter, which is no letter.
_PLACEHOLDERS = "Last Resort"


def legible(drawing: Drawing) -> Drawing:
    """The drawing with a font for each letter, as far as the machine has one; its caption names the letters without.

    Where the figures' own font, which comes with matplotlib, has all letters, nothing changes.
    """
    lacking = {letter for text in _texts(drawing.figure) for letter in text.get_text() if not letter.isspace()}
    lacking -= _letters(font_manager.findfont(FONT))
    if not lacking:
        return drawing
    families, unknown = _families(frozenset(lacking))
    for text in _texts(drawing.figure):
        text.set_fontfamily([FONT, *families])
    for axes in drawing.figure.axes:
        axes.tick_params(labelfontfamily=[FONT, *families])
    if not unknown:
        return drawing
    shown = "".join(sorted(unknown))
    said = shown if len(shown) <= 20 else f"{shown[:20]}…"
    note = (
        f" No font of the machine that drew the figure has the letters {said}, which are boxes in it; a font of their "
        "script (in Debian: fonts-noto) mends that."
    )
    return replace(drawing, caption=drawing.caption + note)


def _texts(figure: Figure) -> Iterator[Text]:
    """Every text of a figure, names along its axes included."""
    for axes in figure.axes:
        yield from _ticks(axes)
    yield from (artist for artist in figure.findobj(Text) if isinstance(artist, Text))


def _ticks(axes: Axes) -> Iterator[Text]:
    for axis in (axes.xaxis, axes.yaxis):
        yield from axis.get_ticklabels()


def _families(letters: frozenset[str]) -> tuple[list[str], frozenset[str]]:
    """Families that have these letters, the one with most of them first, and the letters that none has."""
    fonts = {font.fname: font.name for font in font_manager.fontManager.ttflist if _PLACEHOLDERS not in font.name}
    having = {file: letters & _letters(file) for file in sorted(fonts)}
    families = []
    while having and (best := max(having, key=lambda file: len(having[file]))) and having[best]:
        families.append(fonts[best])
        letters -= having[best]
        having = {file: held & letters for file, held in having.items()}
    return families, letters


def _letters(file: str) -> set[str]:
    return set(map(chr, font_manager.get_font(file).get_charmap()))
