"""What a fit's files say of the data that it is of."""

import numpy as np
import pandas as pd
import pytest
from twolevel.model.formula import build_design
from twolevel.output.results import notes_on


@pytest.mark.parametrize(
    ("formula", "says"),
    [
        ("passed ~ (1 | g)", "The response passed has two values only, 0 and 1."),
        ("passed ~ offset(x) + (1 | g)", "The response passed has two values only, 0 and 1."),
        ("I(passed + 2) ~ (1 | g)", "has two values only, 2 and 3."),
        ("x ~ (1 | g)", None),
    ],
)
def test_a_response_of_two_values_is_noted(formula: str, says: str | None) -> None:
    x = np.arange(12.0)
    table = pd.DataFrame({"g": np.repeat([*"abc"], 4), "x": x, "passed": x % 2})
    notes = notes_on(build_design(formula, table))
    assert [says in note for note in notes] == ([True] if says else [])
