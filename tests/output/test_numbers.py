"""Numbers as a reader wants them, by hand."""

import pytest
from twolevel.output.numbers import fixed


@pytest.mark.parametrize(
    ("value", "decimals", "shown"),
    [
        (1234.5678, 2, "1,234.57"),
        (-0.004, 2, "0.00"),
        (-1.5, 1, "\N{MINUS SIGN}1.5"),
        (7.9e-7, 8, "7.9 × 10⁻⁷"),
        (0.0, 8, "0"),
        (-1e-12, 8, "0"),
        (0.0, 6, "0.000000"),
        (None, 2, "–"),
    ],
)
def test_a_number_has_its_decimals_or_a_power_of_ten(value: float | None, decimals: int, shown: str) -> None:
    assert fixed(value, decimals).replace("\N{NO-BREAK SPACE}", " ") == shown
