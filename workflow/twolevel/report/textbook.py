"""Raudenbush and Bryk's chapter 4 as its tables lay it out."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Textbook:
    """What the section shows."""

    tables: Mapping[str, pd.DataFrame]


def read_textbook(tables: Mapping[str, pd.DataFrame]) -> Textbook:
    """Read what the section shows."""
    return Textbook(tables)
