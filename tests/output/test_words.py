"""Numbers, p values, equations and names as a reader sees them."""

import pytest
from twolevel.output.words import Noun, chance, clean, equation, number, shorten, wrap


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12.7478, "12.75"),
        (-2.191, "\N{MINUS SIGN}2.191"),
        (0.0, "0"),
        (-0.0, "0"),
        (0.69417, "0.6942"),
        (7185.0, "7,185"),
        (1234567.8, "1,234,568"),
        (-0.0000123456, "\N{MINUS SIGN}1.235\xa0×\xa010⁻⁵"),
        (9.99996, "10.00"),
    ],
)
def test_numbers_have_four_significant_digits(value, text):
    assert number(value) == text


def test_a_p_value_has_two_digits_and_is_never_zero():
    assert [chance(p) for p in (0.04978, 0.00012, 0.000099, 0.0, 1.0)] == [
        "0.050",
        "0.00012",
        "below 0.0001",
        "below 0.0001",
        "1.0",
    ]


def test_equation_follows_the_sign():
    assert equation("y", -1.0, -0.5, "x") == "y = \N{MINUS SIGN}1.000 \N{MINUS SIGN} 0.5000 x"
    assert equation("y", 1.0, 0.5, "x") == "y = 1.000 + 0.5000 x"


def test_nouns_agree_with_their_number():
    assert [Noun("class", "classes").count(n) for n in (0, 1, 2, 7185)] == [
        "0 classes",
        "1 class",
        "2 classes",
        "7,185 classes",
    ]


def test_text_is_shortened_with_an_ellipsis_and_wrapped_in_two_lines():
    assert shorten("a" * 10, 10) == "a" * 10
    assert shorten("a" * 11, 10) == "a" * 9 + "…"
    assert wrap("one two three four five", 9) == "one two\nthree …"
    assert wrap("b" * 300, 20).count("\n") == 1
    assert clean(" a\x00b\n\tc ") == "a b c"
