"""Formulas as LaTeX, to be copied, and as MathML, which a browser shows without any script."""

import re
from dataclasses import dataclass
from functools import cache
from html import escape

from latex2mathml.converter import convert

from twolevel.output.words import clean


@dataclass(frozen=True)
class Math:
    """A formula.

    Attributes
    ----------
    latex : as LaTeX, without delimiters
    mathml : as a `<math>` element that carries the LaTeX as its annotation
    """

    latex: str
    mathml: str


@dataclass(frozen=True)
class Words:
    """Words inside a formula: a name from somebody's data, which may hold anything."""

    text: str


# Part of a formula: LaTeX of our own, and words.
Pieces = tuple[str | Words, ...]


def math(*pieces: str | Words) -> Math:
    """Write a formula.

    latex2mathml copies text into its result as it is, so it gets numbered place-holders for words; the words
    themselves are put in afterwards, escaped.
    """
    words = [clean(piece.text) for piece in pieces if isinstance(piece, Words)]
    numbers = iter(range(len(words)))
    latex = "".join(p if isinstance(p, str) else rf"\text{{{latex_text(clean(p.text))}}}" for p in pieces)
    source = "".join(p if isinstance(p, str) else rf"\text{{word{next(numbers)}}}" for p in pieces)
    inner = _converted(source).partition(">")[2].removesuffix("</math>")
    inner = inner.replace("<mi>&#x0007E;</mi>", "<mo>&#x0223C;</mo>")  # it makes a tilde of \sim
    inner = re.sub(r"(?<=<mtext>)word(\d+)(?=</mtext>)", lambda match: escape(words[int(match[1])]), inner)
    annotation = f'<annotation encoding="application/x-tex">{escape(latex)}</annotation>'
    return Math(
        latex=latex,
        mathml=f'<math alttext="{escape(latex)}"><semantics>{inner}{annotation}</semantics></math>',
    )


@cache
def _converted(latex: str) -> str:
    """MathML of a formula; a report has most formulas several times."""
    return convert(latex)


_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{character: f"\\{character}" for character in "{}$&#_%"},
}


def latex_text(text: str) -> str:
    """Text such that LaTeX prints it as it is."""
    return "".join(_SPECIAL.get(character, character) for character in text)
