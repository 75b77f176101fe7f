"""What the sources got wrong, as the report tells it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup, escape

from twolevel.output.numbers import NBSP

HEADINGS = {
    "statistics": "Statistics",
    "wording": "What a number is",
    "notation": "Symbols",
    "code": "Code",
    "misprint": "Numbers",
}


@dataclass(frozen=True)
class Erratum:
    """One claim that the results bear out: where it stands, what is said there, what is right, and the evidence."""

    id: str
    section: str
    says: Markup
    correct: Markup
    evidence: Markup


@dataclass(frozen=True)
class Errata:
    """What the section shows.

    Attributes
    ----------
    groups : heading and claims of each kind, in the order of the table
    shown, left_out : how many claims the results bear out, and how many they do not, which are not told
    """

    groups: Sequence[tuple[str, Sequence[Erratum]]]
    shown: int
    left_out: int


def read_errata(table: pd.DataFrame) -> Errata:
    """Read what the section shows."""
    shown = table[table["shown"].astype(bool)]
    groups = [
        (HEADINGS[str(kind)], [_erratum(row) for row in rows.to_dict("records")])
        for kind, rows in shown.groupby("kind", sort=False)
    ]
    return Errata(groups, len(shown), len(table) - len(shown))


def _erratum(row: Mapping[Any, Any]) -> Erratum:
    says, correct, evidence = (_words(str(row[column])) for column in ("source_says", "correct", "evidence"))
    return Erratum(str(row["id"]), str(row["section"]), says, correct, evidence)


def _words(text: str) -> Markup:
    """Text for the page: symbols have their indices as such, and what stands between backticks is code."""
    whole = re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text)).replace(" %", f"{NBSP}%"))
    return Markup(re.sub(r"\b([βγτuθ])_(\d+j?|ij)\b", r"<i>\1</i><sub>\2</sub>", whole))  # noqa: S704
