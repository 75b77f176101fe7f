"""What the sources got wrong, as the report tells it."""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Errata:
    """What the section shows."""

    table: pd.DataFrame


def read_errata(table: pd.DataFrame) -> Errata:
    """Read what the section shows."""
    return Errata(table)
