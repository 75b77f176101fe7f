"""Identifiers that may be one are named; those that cannot are not."""

import pandas as pd
import pytest
from twolevel.data.look_alikes import look_alikes, warnings_of


@pytest.mark.parametrize(
    ("names", "sets"),
    [
        (["A1", "a1 ", "A01", "A10"], [("A1", "a1 ", "A01")]),
        (["007", "7", "70", "0"], [("007", "7")]),
        (["North End", "northend", "South"], [("North End", "northend")]),
        (["caf\u00e9", "cafe\u0301", "cafe"], [("caf\u00e9", "cafe\u0301")]),  # the same letters, stored in two ways
        (["1.05", "1.5", "10", "1", "100"], []),
        (["a", None, "b"], []),
    ],
)
def test_look_alikes(names: list[str], sets: list[tuple[str, ...]]) -> None:
    assert look_alikes(pd.Series(names)) == sets


def test_the_warning_names_the_column_and_the_names() -> None:
    table = pd.DataFrame({"ward": ["7", "07", "8"], "arm": ["a", "A", "b"]})
    (told,) = warnings_of(table, {"ward": {"type": "identifier"}, "arm": {"type": "factor", "levels": ["a", "A", "b"]}})
    assert told.startswith("column ward: names that differ only in blanks, case or leading zeros count as different")
    assert "'7', '07'" in told
