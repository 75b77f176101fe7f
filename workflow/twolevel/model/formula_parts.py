"""An lme4 formula taken apart: the response, the fixed part, and the terms in `( ... | group)`."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

from twolevel.model.expansion import Expansion, expand
from twolevel.model.expression import (
    Binary,
    Bracket,
    Call,
    Literal,
    Name,
    Node,
    Unary,
    deparse,
    names_in,
    quoted,
    refuse,
)
from twolevel.model.parser import parse


@dataclass(frozen=True)
class FormulaParts:
    """What a formula says, before any data.

    Attributes
    ----------
    text : as it was written
    formula : as R prints it
    response : the expression on the left
    fixed : the terms of the fixed effects
    blocks : the terms of each independent block of random effects: one for `(x | g)`, several for `(x || g)`
    group : the grouping column
    names : every column that the formula names, in the order of the text, once each
    """

    text: str
    formula: str
    response: Node
    fixed: Expansion
    blocks: tuple[Expansion, ...]
    group: str
    names: tuple[Name, ...]


def take_apart(text: str, group: str | None = None) -> FormulaParts:
    """Read a formula; where `group` is given, every random part must have it.

    Raises
    ------
    UserError
        The text cannot be read, or is no formula of a two-level model; the message marks the place.
    """
    whole = parse(text)
    if not (isinstance(whole, Binary) and whole.operator == "~"):
        raise refuse(text, None, "there is no '~'. Expected for example: y ~ x + (x | g).")
    summands = list(_summands(whole.right))
    bars = [bar for summand in summands if (bar := _bar(summand)) is not None]
    rest = [summand for summand in summands if _bar(summand) is None]
    _check_response(text, whole.left)
    if stray := next((bar for summand in rest for bar in _bars_in(summand)), None):
        raise refuse(text, stray.at, "random effects must be added by themselves: + (x | g).")
    fixed = expand(text, reduce(lambda left, right: Binary("+", left, right), rest) if rest else None)
    if deparse(whole.left) in map(deparse, fixed.variables):
        raise refuse(
            text, None, f"{deparse(whole.left)} is the response and a predictor; take it out of the predictors."
        )
    if not bars:
        mend = "A two-level model has some: add (1 | g), with the column of groups for g."
        raise refuse(text, None, f"there are no random effects. {mend}")
    return FormulaParts(
        text=text,
        formula=deparse(whole),
        response=whole.left,
        fixed=fixed,
        blocks=tuple(block for bar in bars for block in _blocks(text, bar)),
        group=_group(text, bars, group),
        names=tuple({name.name: name for name in reversed(list(names_in(whole)))}.values())[::-1],
    )


def _summands(node: Node) -> Iterator[Node]:
    """What is added on the top level; a difference and all before it are one summand, apart from random parts."""
    if isinstance(node, Binary) and node.operator == "+":
        yield from _summands(node.left)
        yield from _summands(node.right)
    elif isinstance(node, Binary) and node.operator == "-" and _bar(node.right) is None:
        before = list(_summands(node.left))
        rest = [summand for summand in before if _bar(summand) is None]
        yield from (summand for summand in before if _bar(summand) is not None)
        # `- 1` takes out the intercept even with nothing before it.
        left = reduce(lambda a, b: Binary("+", a, b), rest) if rest else Literal(1.0, node.at)
        yield Binary("-", left, node.right, node.at)
    elif isinstance(node, Bracket) and _bar(node) is None:
        yield from _summands(node.inner)
    else:
        yield node


def _bar(node: Node) -> Binary | None:
    """The `x | g` of a random part in brackets."""
    while isinstance(node, Bracket):
        node = node.inner
        if isinstance(node, Binary) and node.operator in ("|", "||"):
            return node
    return None


def _bars_in(node: Node) -> Iterator[Binary]:
    """Every bar in an expression."""
    match node:
        case Bracket(inner) | Unary(_, inner):
            yield from _bars_in(inner)
        case Binary(operator, left, right):
            if operator in ("|", "||"):
                yield node
            yield from _bars_in(left)
            yield from _bars_in(right)
        case Call(_, arguments):
            for _, value in arguments:
                yield from _bars_in(value)


def _check_response(text: str, response: Node) -> None:
    inner = response
    while isinstance(inner, Bracket):
        inner = inner.inner
    if isinstance(inner, Literal) or (isinstance(inner, Binary) and inner.operator in ("|", "||", "~", "%in%", ":")):
        raise refuse(text, inner.at, f"the response is one column or one expression of columns, not {deparse(inner)}.")


def _blocks(text: str, bar: Binary) -> Iterator[Expansion]:
    """The independent blocks of a random part, as lme4 expands `||`: the intercept, then each term with `0 +`."""
    terms = expand(text, bar.left)
    if terms.offsets:
        raise refuse(text, bar.at, "an offset cannot be a random effect; add it outside the brackets: + offset(x).")
    if not terms.intercept and not terms.terms:
        raise refuse(text, bar.at, "there is no random effect before the bar; write (1 | g) or (0 + x | g).")
    if bar.operator == "|":
        yield terms
        return
    if terms.intercept:
        yield Expansion((), True, ())
    for term in terms.terms:
        of = sorted(term)
        yield Expansion(tuple(terms.variables[i] for i in of), False, (frozenset(range(len(of))),))


def _group(text: str, bars: list[Binary], group: str | None) -> str:
    """The grouping column, which follows every bar."""
    first = None
    for bar in bars:
        right = bar.right
        while isinstance(right, Bracket):
            right = right.inner
        if isinstance(right, Binary) and right.operator in (":", "/", "*", "+", "%in%"):
            kind = f"{deparse(right)} stands for nested or crossed groups, which are not fitted"
            raise refuse(text, right.at, f"{kind}; a two-level model has one column of groups.")
        if not isinstance(right, Name):
            raise refuse(text, right.at, f"after the bar comes the column of groups, not {deparse(right)}.")
        expected = group or first or right.name
        if right.name != expected:
            told = f"the column of groups is {group!r}" if group else f"the term before has {expected!r}"
            kind = f"random effects by {right.name!r}, where {told}: crossed or nested groups are not fitted"
            raise refuse(text, right.at, f"{kind}. Write (... | {quoted(expected)}), or take the term out.")
        first = right.name
    return expected
