"""Read an expression as R does, whole; or refuse it, with the place marked."""

import re
from collections.abc import Iterator

from twolevel.model.expression import (
    BINDING,
    COMPARISONS,
    RESERVED,
    UNARY,
    Binary,
    Bracket,
    Call,
    Literal,
    Name,
    Node,
    Unary,
    refuse,
)

# No model has a chain of so many terms; a deeper tree would exhaust Python's own stack.
DEEPEST = 200

# No model's formula is longer than this.
LONGEST = 10_000

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)L?
    |(?P<quoted>`(?:[^`\\]|\\.)*`)
    |(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<operator>%in%|\*\*|\|\||==|!=|<=|>=|[-~|!+*/:^<>(),=])
    |(?P<name>(?:[^\W\d]|\.(?!\d))[\w.]*)""",
    re.VERBOSE,
)


def parse(text: str) -> Node:
    """Read the whole of an expression.

    Raises
    ------
    UserError
        It cannot be read; the message marks the place.
    """
    return _Reader(text).whole()


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
        if word in RESERVED:
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
