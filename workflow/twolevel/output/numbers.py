"""Numbers as a reader wants them: few digits, true minus signs, commas between thousands."""

import math
from collections.abc import Iterable

from twolevel.output.words import MINUS, number, power_of_ten

# With more decimals than these, what is small is told by a power of ten: 7.61 × 10⁻¹⁰.
MOST_DECIMALS = 6

# What a cell without a number shows, and a space that does not break.
NOTHING = "–"
NBSP = "\N{NO-BREAK SPACE}"


def fixed(value: float | None, decimals: int) -> str:
    """Value with so many decimals, where they are many by a power of ten; a dash for none."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if decimals > MOST_DECIMALS and 0.5 * 10.0**-decimals <= abs(value) < 1e-4:
        return power_of_ten(value, max(0, decimals + math.floor(math.log10(abs(value)))))
    text = f"{value:,.{decimals}f}"
    is_zero = not text.strip("-0.,")
    if is_zero and decimals > MOST_DECIMALS:
        return "0"  # beside powers of ten a row of zeros says nothing
    return text.replace("-", "" if is_zero else MINUS)


def signed(value: float | None, decimals: int) -> str:
    """As `fixed`, with a plus sign before what is above zero."""
    text = fixed(value, decimals)
    return f"+{text}" if value is not None and value > 0 and text.strip("0.,") else text


def decimals(values: Iterable[float | None], digits: int = 3) -> int:
    """How many decimals show each value to at least `digits` significant digits.

    Values below a thousandth of the largest do not count: their digits are of no use beside it.
    """
    sizes = [abs(v) for v in values if v is not None and math.isfinite(v) and v != 0]
    if not sizes:
        return 0
    smallest = min(size for size in sizes if size >= max(sizes) / 1000)
    return max(0, digits - 1 - math.floor(math.log10(smallest)))


def digits(value: float | None, count: int = 4) -> str:
    """Value to so many significant digits, and all digits before the decimal point; a dash for none."""
    return fixed(value, decimals([value], count))


def share(value: float | None) -> str:
    """A share of one to three decimals, which is shown as zero only where it is."""
    return f"<{NBSP}0.001" if value is not None and 0 < value < 0.0005 else fixed(value, 3)


def p_value(p: float | None) -> str:
    """A p value to three decimals, never zero."""
    if p is None or not math.isfinite(p):
        return NOTHING
    return f"<{NBSP}0.001" if p < 0.001 else fixed(p, 3)


def fine_p(p: float | None) -> str:
    """A p value to two significant digits, for where several are set side by side."""
    if p is None or not math.isfinite(p):
        return NOTHING
    return f"<{NBSP}0.0001" if p < 1e-4 else number(p, 2)


def fine_p_phrase(p: float) -> str:
    """The same in a sentence: p < 0.0001, p = 0.0042."""
    text = fine_p(p)
    return f"p{NBSP}{text}" if text[0] == "<" else f"p{NBSP}={NBSP}{text}"


def percent(share: float | None) -> str:
    """Share of one as a percentage with one decimal, or with as many as it takes not to stand as zero."""
    if share is None or not math.isfinite(share):
        return NOTHING
    if 0 < share < 1e-6:
        return f"<{NBSP}0.0001{NBSP}%"
    places = decimals([100 * share], 1) if 1e-6 <= abs(share) < 0.0005 else 1
    return f"{fixed(100 * share, places)}{NBSP}%"
