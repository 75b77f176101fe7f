"""The ledger and its witnesses as the files of the results contract (docs/results.md)."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from published.verdicts import Found, Line
from published.witness import SLACK

COLUMNS = ["id", "chapter", "section", "model", "quantity", "term", "printed", "computed", "verdict", "reason"]


def ledger_table(lines: Sequence[Line]) -> pd.DataFrame:
    """A row for each printed number."""
    of_row = COLUMNS[: COLUMNS.index("computed")]
    rows = [[*(getattr(line.row, name) for name in of_row), line.computed, line.verdict, line.reason] for line in lines]
    return pd.DataFrame(rows, columns=COLUMNS)


def witnesses_json(found: Sequence[Found]) -> dict[str, Any]:
    """The points that verdicts rest on."""
    return {
        "slack": SLACK,
        "witnesses": [
            {
                "model": point.model,
                "vignette_name": point.vignette_name,
                "face": list(point.face),
                "theta": point.witness.estimates["theta"],
                "criterion": point.witness.estimates["criterion"],
                "excess": point.witness.excess,
                "printed": list(point.witness.printed),
            }
            for point in found
        ],
    }
