"""The terms that one side of a formula stands for, by R's rules of expansion, order and coding.

A term is a set of variables; a variable is an expression that is evaluated as a whole: `x`, `log(x)`, `poly(x, 2)`.
The rules are those of R's `terms.formula` and `model.matrix` (Chambers & Hastie 1992, chapter 2): `a*b` is a + b + a:b,
`a/b` is a + a:b, `a %in% b` is a:b, a power crosses a sum with itself, `-` takes terms out. Terms are ordered by the
number of their variables, then as they were written; the variables of a term as the formula first names them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

from twolevel.model.expression import Binary, Bracket, Call, Literal, Node, Unary, deparse, refuse

Term = frozenset[int]

# A formula with more terms than this is a mistake, such as (a + ... + z)^26.
MOST_TERMS = 1000


@dataclass(frozen=True)
class Expansion:
    """The terms of one side of a formula.

    Attributes
    ----------
    variables : the expressions, in the order in which the formula first names them
    intercept : whether there is one
    terms : sets of positions in `variables`, in R's order; the intercept is not among them
    offsets : the expressions in `offset()`
    """

    variables: tuple[Node, ...]
    intercept: bool
    terms: tuple[Term, ...]
    offsets: tuple[Node, ...] = ()

    def label(self, term: Term) -> str:
        """Name a term as R does: `x:log(z)`."""
        return ":".join(deparse(self.variables[i]) for i in sorted(term))


def expand(text: str, side: Node | None) -> Expansion:
    """Expand one side of the formula `text`; None stands for an intercept alone.

    Raises
    ------
    UserError
        It contains something that is not a term: a number other than 0 and 1, or a product with a number.
    """
    maker = _Expander(text)
    terms = maker.terms(side) if side is not None else []
    return Expansion(
        variables=tuple(maker.variables.values()),
        intercept=maker.intercept,
        terms=tuple(sorted(terms, key=len)),  # sorting is stable: terms of equal size keep their order
        offsets=tuple(maker.offsets),
    )


def coded_by_contrasts(terms: tuple[Term, ...], number: int, variable: int) -> bool:
    """Whether a factor in a term is coded by contrasts; if not, by an indicator of every level.

    The rule of R's `terms.formula`: by contrasts where what is left of the term without the factor is nothing, or is
    part of a term before it.
    """
    rest = terms[number] - {variable}
    return not rest or any(rest <= before for before in terms[:number])


class _Expander:
    """Walks through one side and records what R records: the variables seen, and whether there is an intercept."""

    def __init__(self, text: str) -> None:
        self.text, self.variables = text, dict[str, Node]()
        self.offsets: list[Node] = []
        self.intercept, self.adding = True, True

    def terms(self, node: Node) -> list[Term]:
        match node:
            case Bracket(inner) | Unary("+", inner):
                return self.terms(inner)
            case Literal():
                return self._number(node)
            case Unary("-", operand):
                return self._without([], operand)
            case Binary("-", left, right):
                return self._without(self.terms(left), right)
            case Binary("^", left, right):
                return self._power(self.terms(left), right)
            case Binary(operator, Literal() as number, _) | Binary(operator, _, Literal() as number) if (
                operator in _PRODUCTS
            ):
                message = f"{deparse(number)} cannot be part of a product of terms. Put arithmetic into I(): I(2 * x)."
                raise refuse(self.text, number.at, message)
            case Binary(operator, left, right) if operator in _COMBINATIONS:
                return self._few(_COMBINATIONS[operator](self.terms(left), self.terms(right)), node.at)
            case Binary("|" | "||" | "~" as operator, _, _, at):
                raise refuse(self.text, at, f"'{operator}' cannot stand here. Random effects are added: + (x | g).")
            case Call("offset", arguments, at):
                return self._offset(arguments, at)
            case _:
                self.variables.setdefault(deparse(node), node)
                return [frozenset({list(self.variables).index(deparse(node))})]

    def _number(self, node: Literal) -> list[Term]:
        if isinstance(node.value, str | bool) or node.value not in (0, 1):
            message = (
                f"{deparse(node)} is not a term; 1 or 0 keeps or drops the intercept. For arithmetic write I(2 * x)."
            )
            raise refuse(self.text, node.at, message)
        self.intercept = (node.value == 1) == self.adding
        return []

    def _without(self, terms: list[Term], right: Node) -> list[Term]:
        self.adding = not self.adding
        taken = self.terms(right)
        self.adding = not self.adding
        return [term for term in terms if term not in taken]

    def _power(self, terms: list[Term], exponent: Node) -> list[Term]:
        value = exponent.value if isinstance(exponent, Literal) else None
        if isinstance(value, str | bool) or value is None or not 2 <= value < inf or value != int(value):
            shown = deparse(exponent)
            raise refuse(
                self.text,
                exponent.at,
                f"the power of a term must be a whole number from 2; found {shown}. The square of a column is I(x^2).",
            )
        product = terms
        for _ in range(int(value) - 1):
            # A power stops growing when it has all interactions.
            before, product = product, self._few(_interactions(terms, product), exponent.at)
            if product == before:
                break
        return product

    def _offset(self, arguments: tuple[tuple[str | None, Node], ...], at: int) -> list[Term]:
        if len(arguments) != 1 or arguments[0][0] not in (None, "object") or not self.adding:
            raise refuse(self.text, at, "an offset is one expression, and is added: + offset(x).")
        # R adds an offset once, however often it is written.
        if deparse(arguments[0][1]) not in map(deparse, self.offsets):
            self.offsets.append(arguments[0][1])
        return []

    def _few(self, terms: list[Term], at: int) -> list[Term]:
        if len(terms) > MOST_TERMS:
            raise refuse(self.text, at, f"this stands for more than {MOST_TERMS} terms.")
        return terms


def _unique(terms: Iterable[Term]) -> list[Term]:
    return list(dict.fromkeys(terms))


def _sum(left: list[Term], right: list[Term]) -> list[Term]:
    return _unique(left + right)


def _interactions(left: list[Term], right: list[Term]) -> list[Term]:
    return _unique(one | other for one in left for other in right)


def _crossed(left: list[Term], right: list[Term]) -> list[Term]:
    return _unique(left + right + _interactions(left, right))


def _nested(left: list[Term], right: list[Term]) -> list[Term]:
    whole = frozenset().union(*left)
    return _unique(left + [whole | term for term in right])


def _within(left: list[Term], right: list[Term]) -> list[Term]:
    whole = frozenset().union(*right)
    return _unique(term | whole for term in left)


_PRODUCTS = ("*", "/", ":", "%in%")
_COMBINATIONS = {"+": _sum, ":": _interactions, "*": _crossed, "/": _nested, "%in%": _within}
