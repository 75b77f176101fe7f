"""Expressions as R writes them: read whole or refused, with the place marked; and written again as R prints them.

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

# No model has a chain of so many terms; a deeper tree would exhaust Python's own stack.
DEEPEST = 200

# No model's formula is longer than this.
LONGEST = 10_000

# How many characters a message shows on each side of a mistake.
MARGIN = 60

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)L?
    |(?P<quoted>`(?:[^`\\]|\\.)*`)
    |(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<operator>%in%|\*\*|\|\||==|!=|<=|>=|[-~|!+*/:^<>(),=])
    |(?P<name>(?:[^\W\d]|\.(?!\d))[\w.]*)""",
    re.VERBOSE,
)
_RESERVED = {"if", "else", "repeat", "while", "function", "for", "next", "break", "TRUE", "FALSE", "NULL", "Inf", "NaN",
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


def parse(text: str) -> Node:
    """Read the whole of an expression.

    Raises
    ------
    UserError
        It cannot be read; the message marks the place.
    """
    return _Reader(text).whole()


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
    plain = re.fullmatch(r"(?:[^\W\d_]|\.(?!\d))[\w.]*", name) and name not in _RESERVED
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


class _Reader:
    """Reads one text from left to right, by the binding strength of the operators (Pratt 1973)."""

    def __init__(self, text: str) -> None:
        self.text, self.position = text, 0
        self.tokens = list(self._split())

    def whole(self) -> Node:
        if len(self.text) > LONGEST:
            raise refuse(
                self.text, LONGEST, f"a formula has at most {LONGEST} characters, and this has {len(self.text)}."
            )
        node = self._expression(0, 0)
        kind, word, at = self.tokens[self.position]
        if kind != "end":
            raise refuse(self.text, at, f"found {word!r} where an operator, such as +, or the end was expected.")
        return node

    def _split(self) -> Iterator[tuple[str, str, int]]:
        at = 0
        while at < len(self.text):
            found = _TOKEN.match(self.text, at)
            if found is None:
                what = {"`": "a backtick", '"': "a quote", "'": "a quote"}.get(self.text[at])
                said = f"{what} that is not closed" if what else f"{self.text[at]!r}, which a formula cannot contain"
                raise refuse(self.text, at, f"found {said}.")
            kind = str(found.lastgroup)
            if kind != "space":
                word = found[kind]
                yield kind, "^" if word == "**" else word, at
            at = found.end()
        yield "end", "the end", len(self.text)

    def _expression(self, least: int, depth: int) -> Node:
        if depth > DEEPEST:
            raise refuse(self.text, self.tokens[self.position][2], f"more than {DEEPEST} nested operations.")
        left = self._operand(depth)
        chained = depth
        while (binding := self._binding()) > least:
            chained += 1
            if chained > DEEPEST:
                at = self.tokens[self.position][2]
                raise refuse(self.text, at, f"more than {DEEPEST} nested operations.")
            _, operator, at = self.tokens[self.position]
            self.position += 1
            # A power binds to the right, and what is raised to may have a sign: 2^-1.
            right = self._expression(UNARY - 1 if operator == "^" else binding, chained + 1)
            left = Binary(operator, left, right, at)
            if operator in COMPARISONS and self.tokens[self.position][1] in COMPARISONS:
                raise refuse(
                    self.text, self.tokens[self.position][2], "the result of a comparison cannot be compared again."
                )
        return left

    def _binding(self) -> int:
        kind, word, _ = self.tokens[self.position]
        return BINDING[word] if kind == "operator" and word in BINDING and word != "!" else 0

    def _operand(self, depth: int) -> Node:
        kind, word, at = self.tokens[self.position]
        self.position += 1
        if kind == "number":
            return Literal(float(word), at)
        if kind == "string":
            return Literal(self._unescaped(word, at), at)
        if kind == "quoted":
            return self._name(self._unescaped(word, at), at)
        if kind == "name":
            return self._named(word, at, depth)
        if word == "(":
            inner = self._expression(0, depth + 1)
            self._close(at)
            return Bracket(inner, at)
        if word in ("-", "+"):
            return Unary(word, self._expression(UNARY, depth + 1), at)
        if word == "!":
            return Unary(word, self._expression(BINDING["!"], depth + 1), at)
        if word == "~":
            raise refuse(self.text, at, "there is no response before '~'. Expected for example: y ~ x + (x | g).")
        raise refuse(self.text, at, f"found {word!r} where a column, a number or a bracket was expected.")

    def _named(self, word: str, at: int, depth: int) -> Node:
        if self.tokens[self.position][1] == "(" and self.tokens[self.position][0] == "operator":
            self.position += 1
            return Call(word, tuple(self._arguments(at, depth)), at)
        if word in ("TRUE", "FALSE"):
            return Literal(word == "TRUE", at)
        if word == "Inf":
            return Literal(float("inf"), at)
        if word in _RESERVED:
            raise refuse(self.text, at, f"{word!r} is a reserved word of R; put a column of that name in backticks.")
        return Name(word, at)

    def _name(self, name: str, at: int) -> Node:
        if self.tokens[self.position][1] == "(" and self.tokens[self.position][0] == "operator":
            raise refuse(self.text, at, f"a name in backticks is a column's, and {name!r} is called like a function.")
        return Name(name, at)

    def _arguments(self, at: int, depth: int) -> Iterator[tuple[str | None, Node]]:
        if self.tokens[self.position][1] == ")":
            self.position += 1
            return
        while True:
            name = None
            kind, word, _ = self.tokens[self.position]
            if kind == "name" and self.tokens[self.position + 1][:2] == ("operator", "="):
                name = word
                self.position += 2
            yield name, self._expression(BINDING["~"], depth + 1)
            kind, word, _ = self.tokens[self.position]
            if (kind, word) != ("operator", ","):
                break
            self.position += 1
        self._close(at)

    def _close(self, opened: int) -> None:
        kind, word, at = self.tokens[self.position]
        if kind == "end":
            raise refuse(self.text, opened, "a bracket is not closed.")
        if word != ")":
            raise refuse(self.text, at, f"found {word!r} where an operator, such as +, or ')' was expected.")
        self.position += 1

    def _unescaped(self, word: str, at: int) -> str:
        """The text between quotes or backticks, with escapes of quotes, backslashes and white space undone."""
        if unknown := next((e for e in re.findall(r"\\(.)", word, re.DOTALL) if e not in _ESCAPES), None):
            raise refuse(self.text, at, f"'\\{unknown}' is not known in a quoted text; a backslash is written twice.")
        return re.sub(r"\\(.)", lambda found: _ESCAPES[found[1]], word[1:-1])


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", **{quote: quote for quote in "\\'\"`"}}
