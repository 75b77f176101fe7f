"""What reading a file gives, and what a person may say of how it is to be read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from twolevel.errors import UserError


@dataclass(frozen=True)
class Choices:
    """How a file is to be read, where the file itself does not say; the keys of these names in `data`.

    Attributes
    ----------
    separator : what stands between the values of a text file; " " is one blank or more
    decimal : the decimal mark of a text file, "." or ","
    encoding : the encoding of texts, where it is not UTF-8 and the file does not name it
    sheet : the name of the sheet in a workbook
    """

    separator: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    sheet: str | None = None

    def made(self) -> dict[str, str]:
        """The choices that were made, by their keys."""
        return {key: choice for key, choice in vars(self).items() if choice is not None}


@dataclass(frozen=True)
class FileRead:
    """A table as a file holds it.

    Attributes
    ----------
    table : one row per observation; labelled values are categories
    unreadable : the columns that are left out because no model can use what they hold: what that is, and the mend
    notes : what a person should know of how the file was read
    labels : what a column is in prose, where the file says it
    """

    table: pd.DataFrame
    unreadable: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


def check_encoding(name: str) -> None:
    """Refuse an encoding that Python does not know."""
    try:
        "".encode(name)
    except LookupError:
        raise UserError(
            f"data.encoding: found {name!r}; expected the name of an encoding, such as utf-8 or windows-1252."
        ) from None


def labelled(values: pd.Series, labels: Mapping[Any, str], column: str) -> tuple[pd.Series, str | None]:
    """Give values their labels, where each value has one, in the order of the values; else leave them and say so.

    Returns
    -------
    The column, and what to say of it. A column keeps its values where some that occur have no label, as in a scale with
    names for its ends only, and where two values share a label, since the two would become one.
    """
    named = {value: str(label) for value, label in sorted(labels.items(), key=lambda pair: pair[0])}
    used = set(values.dropna().unique())
    bare = sorted(value for value in used if value not in named)
    if bare:
        if not used & set(named):
            return values, None  # labels of codes that do not occur, such as those of missing values
        shown = ", ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in bare[:5])
        return values, f"column {column} keeps its numbers, since some have no label ({shown})"
    if len(set(named.values())) < len(named):
        return values, f"column {column} keeps its numbers, since two of them have the same label"
    known = [value for value in named if value in used] if len(used) < len(named) else list(named)
    # Levels that no row has would be in the way of every declaration; R drops them by droplevels().
    codes = values.map({value: code for code, value in enumerate(known)})
    levels = pd.CategoricalDtype([named[value] for value in known])
    made = pd.Categorical.from_codes(codes.fillna(-1).astype(int).tolist(), dtype=levels)
    return pd.Series(made, index=values.index, name=values.name), None
