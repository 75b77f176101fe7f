"""Expressions as R has them, written as R prints them; and the message on a mistake in one, with the place marked.

A formula is an expression too: `~` has two sides, `|` stands between the terms and the group of a random part. What an
operator means in a formula is for `formula_parts` and `expansion`, what it means for numbers for `values`. Nothing is
evaluated here, and nothing here can be: the tree has only the nodes below.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from twolevel.errors import UserError

# How R's operators bind, the loosest first (R's ?Syntax). `**` is read as `^`.
BINDING = {"~": 1, "|": 2, "||": 2, "!": 4, "+": 6, "-": 6, "*": 7, "/": 7, "%in%": 8, ":": 9, "^": 11}
COMPARISONS = ("==", "!=", "<=", ">=", "<", ">")
BINDING |= dict.fromkeys(COMPARISONS, 5)
UNARY = 10
TIGHT = ("^", ":", "/")  # R prints these without spaces

# How many characters a message shows on each side of a mistake.
MARGIN = 60

# R's words that no name is.
RESERVED = {"if", "else", "repeat", "while", "function", "for", "next", "break", "TRUE", "FALSE", "NULL", "Inf", "NaN",
             "NA", "NA_integer_", "NA_real_", "NA_character_", "in"}  # fmt: skip


@dataclass(frozen=True)
class Name:
    """A name, of a column where it stands alone."""

    name: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Literal:
    """A number, a text, or TRUE or FALSE."""

    value: float | str | bool
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Bracket:
    """An expression in round brackets, which R keeps."""

    inner: "Node"
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Unary:
    """`-x`, `+x` or `!x`."""

    operator: str
    operand: "Node"
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Binary:
    """Two expressions with an operator of `BINDING` between them."""

    operator: str
    left: "Node"
    right: "Node"
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Call:
    """A function's name and its arguments, each with its own name or None."""

    function: str
    arguments: tuple[tuple[str | None, "Node"], ...]
    at: int = field(default=0, compare=False)


Node = Name | Literal | Bracket | Unary | Binary | Call


def refuse(text: str, at: int | None, message: str) -> UserError:
    """Build the error for a mistake in a formula; at its character `at`, counted from 0, the place is marked."""
    named = f"formula '{_shortened(text, 4 * MARGIN)}'"
    if at is None:
        return UserError(f"{named}: {message}")
    first = max(0, at - MARGIN)
    shown = re.sub(r"\s", " ", text[first : at + MARGIN])
    place = f"\n    {shown}\n    {' ' * (at - first)}^"
    return UserError(f"{named}, character {at + 1}: {_shortened(message, 10 * MARGIN)}{place}")


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]} ..."


def deparse(node: Node) -> str:
    """Write an expression as R's `deparse` does."""
    match node:
        case Name(name):
            return quoted(name)
        case Literal(value):
            return _literal(value)
        case Bracket(inner):
            return f"({deparse(inner)})"
        case Unary(operator, operand):
            return f"{operator}{deparse(operand)}"
        case Binary(operator, left, right):
            gap = "" if operator in TIGHT else " "
            return f"{deparse(left)}{gap}{operator}{gap}{deparse(right)}"
        case Call(function, arguments):
            written = (f"{name} = {deparse(value)}" if name else deparse(value) for name, value in arguments)
            return f"{function}({', '.join(written)})"


def quoted(name: str) -> str:
    """Write a name as R does: in backticks where it could not be read otherwise."""
    plain = re.fullmatch(r"(?:[^\W\d_]|\.(?!\d))[\w.]*", name) and name not in RESERVED
    return name if plain else "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def names_in(node: Node) -> Iterator[Name]:
    """Every name in an expression that stands for a column, from left to right; a function's or contrast's does not."""
    match node:
        case Name():
            yield node
        case Bracket(inner):
            yield from names_in(inner)
        case Unary(_, operand):
            yield from names_in(operand)
        case Binary(_, left, right):
            yield from names_in(left)
            yield from names_in(right)
        case Call(function, arguments):
            # What follows the factor in C() names a contrast.
            for _, value in arguments[: 1 if function == "C" else None]:
                yield from names_in(value)


def _literal(value: float | str | bool) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'
    return number_as_r(value)


def number_as_r(value: float) -> str:
    """Write a number as R does, with up to 15 significant digits: 0.5, 1e+05, 123456."""
    if value in (float("inf"), float("-inf")):
        return "Inf" if value > 0 else "-Inf"
    digits = next(d for d in range(15) if d == 14 or float(f"{value:.{d}e}") == float(f"{value:.14e}"))
    scientific = f"{value:.{digits}e}"
    exponent = int(scientific.partition("e")[2])
    fixed = f"{value:.{max(digits - exponent, 0)}f}"
    return fixed if len(fixed) <= len(scientific) else scientific
