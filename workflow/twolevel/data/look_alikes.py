"""Identifiers that count as different and may be the same."""

import re
import unicodedata
from collections.abc import Mapping

import pandas as pd

from twolevel.data.kinds import Column, as_text
from twolevel.errors import some


def look_alikes(values: pd.Series) -> list[tuple[str, ...]]:
    """Find names that differ only in blanks, case, leading zeros or the way an accent is stored, and are one, perhaps.

    Returns
    -------
    Each set of such names, in the order in which they come.
    """
    alike: dict[str, list[str]] = {}
    for name in as_text(values.dropna()).unique():
        alike.setdefault(_without_dress(name), []).append(name)
    return [tuple(names) for names in alike.values() if len(names) > 1]


def _without_dress(name: str) -> str:
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", name)).casefold()
    return re.sub(r"(?<!\d)(?<!\d[.,])0+(?=\d)", "", plain)


def warnings_of(table: pd.DataFrame, columns: Mapping[str, Column]) -> list[str]:
    """What a person should know of identifiers that count as different and look alike."""
    told = []
    for name, declared in columns.items():
        if declared["type"] != "identifier" or name not in table:
            continue
        sets = look_alikes(table[name])
        if sets:
            shown = some((", ".join(map(repr, names)) for names in sets), "; ")
            told.append(
                f"column {name}: names that differ only in blanks, case or leading zeros count as different: {shown}. "
                "Where they are meant to be the same, correct the file."
            )
    return told
