"""The table that models were fitted to, as code in another language has to read it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Prepared:
    """The prepared table.

    Attributes
    ----------
    csv, parquet : its two files, by their paths from the folder of the analysis
    group : the column of groups, which is text
    levels : the levels of each factor, in order
    """

    csv: str
    parquet: str
    group: str
    levels: Mapping[str, Sequence[str]]

    def factors(self, fits: Iterable[Mapping[str, Any]]) -> dict[str, Sequence[str]]:
        """The factors among the columns of these models, with their levels."""
        used = {column: None for fit in fits for column in fit["columns"]}
        return {column: self.levels[column] for column in used if column in self.levels}


@dataclass(frozen=True)
class Snippet:
    """Code to copy.

    Attributes
    ----------
    language : the program, and the package of it
    code : lines that run as they stand, from the folder of the analysis; empty where the program cannot do it
    note : what to know of it, in sentences; empty for nothing
    """

    language: str
    code: str
    note: str = ""


def text(value: str) -> str:
    """A text in double quotes, as R, Python, Stata and SPSS read it where it has neither quotes nor backslashes."""
    return json.dumps(value, ensure_ascii=False)
