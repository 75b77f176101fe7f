"""Which optimisers, from which starts, can be believed."""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class OptimiserAudit:
    """What the section shows."""

    table: pd.DataFrame


def read_audit(table: pd.DataFrame) -> OptimiserAudit:
    """Read what the section shows."""
    return OptimiserAudit(table)
