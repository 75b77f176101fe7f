"""The ledger: what became of every number that a source printed."""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Ledger:
    """What the section shows."""

    table: pd.DataFrame


def read_ledger(table: pd.DataFrame) -> Ledger:
    """Read what the section shows."""
    return Ledger(table)
