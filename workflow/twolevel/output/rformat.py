"""Numbers and names as R prints them, so that a summary can be compared with lme4's line by line."""

from collections.abc import Sequence
from math import isfinite

R_PRECISION = 2.0**-52  # .Machine$double.eps

# lme4 shows the correlations of fixed effects up to this many of them (`lme4.summary.cor.max`).
MAX_CORRELATIONS = 12


def format_real(values: Sequence[float], digits: int, min_decimals: int = 0) -> list[str]:
    """Format numbers alike, as R's `format(x, digits, nsmall)` does.

    All share the fewest decimals that show each with at least `digits` significant digits (trailing zeros not counted),
    in scientific notation only where that is narrower; all are padded to one width.
    """
    values = [x + 0.0 for x in values]  # R shows a negative zero as zero
    finite = [x for x in values if isfinite(x)]
    parts = [_significant(x, digits) for x in finite]
    decimals = max([0] + [max(0, len(mantissa) - exponent - 1) for mantissa, exponent in parts])
    left = max([1] + [exponent + 1 for _, exponent in parts])
    negative = any(x < 0 for x in finite)
    fixed_width = negative + left + (decimals + 1 if decimals else 0)
    longest = max([1] + [len(mantissa) for mantissa, _ in parts])
    scientific_width = negative + longest + (longest > 1) + 4
    if fixed_width <= scientific_width:
        decimals = max(decimals, min_decimals)
        texts = [f"{x:.{decimals}f}" if isfinite(x) else "NaN" for x in values]
    else:
        texts = [f"{x:.{longest - 1}e}" if isfinite(x) else "NaN" for x in values]
    width = max(map(len, texts), default=0)
    return [text.rjust(width) for text in texts]


def format_p(p: float, digits: int) -> str:
    """Format a p value as R's `format.pval(p, digits)` does: below the machine precision, as a bound."""
    return "< 2.2e-16" if 0 <= p < R_PRECISION else format_real([p], digits)[0]


def abbreviate(names: Sequence[str], length: int) -> list[str]:
    """Shorten names as R's `abbreviate(names, minlength)` does, longer where two would become the same."""
    lengths = [length] * len(names)
    while True:
        short = [_shorten(name, n) for name, n in zip(names, lengths, strict=True)]
        clashing = [i for i, text in enumerate(short) if short.count(text) > 1 and lengths[i] < len(names[i])]
        if not clashing or len(set(names)) < len(names):
            return short
        lengths = [n + 1 if i in clashing else n for i, n in enumerate(lengths)]


def _significant(x: float, digits: int) -> tuple[str, int]:
    """Digits of x that are shown, without trailing zeros, and its decimal exponent."""
    mantissa, exponent = f"{abs(x):.{digits - 1}e}".split("e")
    return mantissa.replace(".", "").rstrip("0") or "0", int(exponent) if x else 0


def _shorten(name: str, length: int) -> str:
    # Dropped from the end: lower-case vowels, then lower-case letters, then anything; never a word's first letter.
    text = list(name.strip())
    for droppable in (lambda c: c in "aeiou", str.islower, lambda c: c != " "):
        for i in range(len(text) - 1, 0, -1):
            if sum(c != " " for c in text) <= length:
                break
            if droppable(text[i]) and text[i - 1] != " ":
                del text[i]
    kept = "".join(text)
    return kept.replace(" ", "") if len(kept) > length else kept
