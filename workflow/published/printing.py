"""A number as R printed it, or the prose."""

from collections.abc import Callable
from math import floor, log10

from twolevel.output.rformat import format_p, format_real

from published.printed_numbers import Row

Rule = Callable[[float, Row], str]

# Significant digits with which print.anova, and pbkrtest, print a table: getOption("digits") - 2.
TABLE_DIGITS = 5


def as_printed(value: float, row: Row) -> str:
    """Format the result for a row as the source did: by R's rule for its table, else to its decimals."""
    return _rule(row)(value, row)


def half_width(row: Row) -> float:
    """How far a number can be from the printed one and still be printed so; an upper bound."""
    widths: dict[Rule, float] = {to_ten: 5.0, rounded_twice: 0.55 * row.unit}
    return widths.get(_rule(row), 0.5 * row.unit)


def to_decimals(value: float, row: Row) -> str:
    """To the decimals printed; R shows a negative zero as zero."""
    return f"{round(value, row.decimals) + 0.0:.{row.decimals}f}"


def rounded_twice(value: float, _: Row) -> str:
    """Format a column of `anova` that is not a test statistic: first `zapsmall`, then five significant digits.

    `zapsmall(x, 5)` rounds to 5 - log10(max(abs(x))) decimals, itself rounded; the numbers of one column are of one
    size here. Halves go to the even digit: -23256.536 becomes -23256.5, and that becomes -23256.
    """
    zapped = round(value, max(0, floor(TABLE_DIGITS - log10(abs(value)) + 0.5))) if value else value
    return format_real([zapped], TABLE_DIGITS)[0]


def statistic(value: float, _: Row) -> str:
    """Format a test statistic as `printCoefmat` does: to four decimals, then five significant digits."""
    return format_real([round(value, TABLE_DIGITS - 1)], TABLE_DIGITS)[0]


def p_value(value: float, _: Row) -> str:
    """Format a p value as `printCoefmat` does."""
    return format_p(value, TABLE_DIGITS - 1)


def to_ten(value: float, _: Row) -> str:
    """To the nearest ten, which is all that 'about 10 points' in the prose claims."""
    return f"{round(value, -1):.0f}"


# By the beginning of the quantity; the first that fits counts.
RULES: dict[str, Rule] = {
    "LRT table: Pr": p_value,
    "LRT table: Chisq": statistic,
    "LRT table: ": rounded_twice,
    "PBmodcomp p.value": p_value,
    "PBmodcomp stat": statistic,
    "approx ": to_ten,
}


def remark(value: float, row: Row) -> str:
    """A remark on a number that a rule moves further than its decimals would."""
    rule = _rule(row)
    if rule is rounded_twice and rule(value, row) != to_decimals(value, row):
        return f"{value:.3f}: R rounds it to {value:.1f} and then to no decimals, halves to the even digit"
    return ""


def is_rough(row: Row) -> bool:
    """Whether the source gives a number to the nearest ten, which no digits can be held against."""
    return _rule(row) is to_ten


def _rule(row: Row) -> Rule:
    return next((rule for start, rule in RULES.items() if row.quantity.startswith(start)), to_decimals)
