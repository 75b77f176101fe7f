"""Files that the page itself holds: pictures, and tables as CSV behind a link. No script, no other file."""

import csv
import re
from base64 import b64encode
from html.parser import HTMLParser
from io import StringIO
from urllib.parse import quote

import pandas as pd

from twolevel.output.numbers import NBSP, NOTHING

_MINUS = re.compile("\N{MINUS SIGN}(?=[0-9])")
_NUMBER = re.compile(r"[+-]?[0-9][0-9,]*(\.[0-9]+)?")

_VIEW_BOX = re.compile(rb'<svg[^>]* viewBox="0 0 ([0-9.]+) ([0-9.]+)"')

# Rows and columns that a cell covers, and its text.
Cell = tuple[int, int, str]


def picture_address(svg: bytes) -> str:
    """Address that holds a picture."""
    return f"data:image/svg+xml;base64,{b64encode(svg).decode('ascii')}"


def picture_size(svg: bytes) -> tuple[int, int] | None:
    """Width and height of a picture as its view box has them, so that a page can leave room; None where it has none."""
    box = _VIEW_BOX.search(svg)
    return (round(float(box[1])), round(float(box[2]))) if box else None


def table_address(table: pd.DataFrame) -> str:
    """Address that holds a result table, at full precision."""
    return _address(table.to_csv(index=False, lineterminator="\n"))


def shown_address(html: str) -> str:
    """Address that holds a table of the page as it is shown.

    Parameters
    ----------
    html : what stands between the tags of the table: its head and its bodies

    Notes
    -----
    A cell over several rows or columns stands in each of them; a head of several rows becomes one. A formula is given
    in LaTeX. Numbers lose the commas between thousands and have a minus sign that programs read.
    """
    parser = _Rows()
    parser.feed(html)
    head = [" ".join(dict.fromkeys(filter(None, column))) for column in zip(*_filled(parser.head), strict=True)]
    rows = [row for body in parser.bodies for row in _filled(body)]
    content = StringIO()
    csv.writer(content, lineterminator="\n").writerows([head, *rows])
    return _address(content.getvalue())


def file_name(name: str) -> str:
    """A name, of a table or of a result file, as the name of a CSV file."""
    stem = re.sub(r"[^\w.]+", "-", name.removesuffix(".csv")).strip("-.")
    return f"{stem[:80].rstrip('-.') or 'table'}.csv"


def _address(text: str) -> str:
    return f"data:text/csv;charset=utf-8,{quote(text)}"


class _Rows(HTMLParser):
    """The rows of a table: those of its head, and those of each body."""

    def __init__(self) -> None:
        super().__init__()
        self.head: list[list[Cell]] = []
        self.bodies: list[list[list[Cell]]] = []
        self._part = self.head
        self._cell: list[str] | None = None
        self._spans = (1, 1)
        self._formula = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "tbody":
            self._part = []
            self.bodies.append(self._part)
        elif tag == "tr":
            self._part.append([])
        elif tag in ("td", "th"):
            self._cell, self._spans = [], (int(given.get("rowspan") or 1), int(given.get("colspan") or 1))
        elif tag == "math" and self._cell is not None and given.get("alttext"):
            self._cell.append(given["alttext"] or "")
            self._formula = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "math":
            self._formula = False
        elif tag in ("td", "th") and self._cell is not None:
            self._part[-1].append((*self._spans, _plain("".join(self._cell))))
            self._cell = None

    def handle_data(self, data: str) -> None:
        if self._cell is not None and not self._formula:
            self._cell.append(data)


def _filled(rows: list[list[Cell]]) -> list[list[str]]:
    """The rows with every cell that is covered filled."""
    grid: dict[tuple[int, int], str] = {}
    for r, row in enumerate(rows):
        column = 0
        for down, across, text in row:
            while (r, column) in grid:
                column += 1
            grid |= {(r + i, column + k): text for i in range(down) for k in range(across)}
            column += across
    width = 1 + max((column for _, column in grid), default=-1)
    return [[grid.get((r, column), "") for column in range(width)] for r in range(len(rows))]


def _plain(text: str) -> str:
    """What a cell shows as a program reads it."""
    text = _MINUS.sub("-", " ".join(text.replace(NBSP, " ").split()))
    if text == NOTHING:
        return ""
    return text.replace(",", "").removeprefix("+") if _NUMBER.fullmatch(text) else text
