"""A model's equations by level and combined, in the notation of Raudenbush & Bryk (2002, pp. 75-81)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twolevel.model.terms import Meanings
from twolevel.output.mathml import Math, Pieces, Words, math

# A line of an equation breaks after about this many letters, which a telephone can show.
LINE = 44


@dataclass(frozen=True)
class Estimates:
    """Estimates as LaTeX, to stand in the place of their symbols.

    Attributes
    ----------
    fixed : each fixed effect, in the order of the columns
    covariance : the matrix T
    residual : the residual variance
    """

    fixed: Sequence[str]
    covariance: Sequence[Sequence[str]]
    residual: str


@dataclass(frozen=True)
class Equations:
    """A two-level model as equations, and the symbols of its parameters.

    Attributes
    ----------
    level1 : the level-1 equation
    level2 : one equation for each level-1 coefficient
    combined : the level-2 equations put into the level-1 equation
    distributions : of the level-1 residual and of the level-2 effects
    covariance : the matrix T, where there is more than one random effect
    fixed_symbols : gamma of each fixed effect, in the order of the columns
    random_symbols : the variance tau of each random effect, in the order of the columns
    """

    level1: Math
    level2: tuple[Math, ...]
    combined: Math
    distributions: tuple[Math, ...]
    covariance: Math | None
    fixed_symbols: tuple[Math, ...]
    random_symbols: tuple[Math, ...]


@dataclass(frozen=True)
class _Coefficient:
    """One level-1 coefficient beta_q, in LaTeX.

    Attributes
    ----------
    beta, effect : its symbol, and that of its random effect u_q where it has one
    gammas : symbol of each fixed effect that predicts it, with the column of that effect
    factor : what it multiplies; nothing for the intercept
    predictors : what each of `gammas` multiplies; nothing for the constant
    q, random : its number; the column of its random effect
    """

    beta: str
    effect: str | None
    gammas: tuple[tuple[int, str], ...]
    factor: Pieces
    predictors: tuple[Pieces, ...]
    q: int
    random: int | None

    @property
    def own(self) -> list[Pieces]:
        """Its terms in its level-2 equation."""
        terms = [_times(g, x) for (_, g), x in zip(self.gammas, self.predictors, strict=True)]
        return terms + ([(self.effect,)] if self.effect else [])

    @property
    def fixed(self) -> list[Pieces]:
        """Its fixed terms in the combined equation."""
        both = [_product([x, self.factor]) for x in self.predictors]
        return [_times(g, product) for (_, g), product in zip(self.gammas, both, strict=True)]


def equations(
    hierarchy: Sequence[Mapping[str, Any]],
    response: str,
    meanings: Meanings,
    blocks: Sequence[int],
    offsets: Sequence[str] = (),
    estimates: Estimates | None = None,
) -> Equations:
    """Write a model as equations, in symbols or with its estimates in the place of gamma, tau and sigma squared.

    Parameters
    ----------
    hierarchy : the level-1 coefficients, as in `fit.json`: term, factors, predictors, random
    response : the outcome
    meanings : what each factor of the columns means
    blocks : sizes of the independent blocks of random effects, between which T has zeros
    offsets : what is added to the level-1 equation as it is
    """
    coefficients = _coefficients(hierarchy, meanings, estimates.fixed if estimates else None)
    random = sorted((c for c in coefficients if c.random is not None), key=lambda c: c.random or 0)
    outcome: Pieces = (Words(response), "_{ij}")
    residual: Pieces = ("r_{ij}",)
    added: list[Pieces] = [(Words(offset), "_{ij}") for offset in offsets]
    random_part = [_times(c.effect, c.factor) for c in coefficients if c.effect]
    gammas = dict(pair for c in coefficients for pair in c.gammas)
    block = [number for number, size in enumerate(blocks) for _ in range(size)]
    known = estimates.covariance if estimates else [[_tau(a, b) for b in random] for a in random]
    taus = [[tau if block[i] == block[k] else "0" for k, tau in enumerate(row)] for i, row in enumerate(known)]
    variance = estimates.residual if estimates else r"\sigma^{2}"
    return Equations(
        level1=_equation(outcome, [*added, *(_times(c.beta, c.factor) for c in coefficients), residual]),
        level2=tuple(_equation((c.beta,), c.own) for c in coefficients),
        combined=_equation(outcome, [*added, *(t for c in coefficients for t in c.fixed)], [*random_part, residual]),
        distributions=(math(rf"r_{{ij}} \sim N(0,\, {variance})"), _distribution(random, taus)),
        covariance=_matrix(taus) if len(random) > 1 else None,
        fixed_symbols=tuple(math(gammas[column]) for column in sorted(gammas)),
        random_symbols=tuple(math(row[i]) for i, row in enumerate(taus)),
    )


def _tau(a: _Coefficient, b: _Coefficient) -> str:
    return rf"\tau_{{{_index(a.q, b.q)}}}"


def _coefficients(
    hierarchy: Sequence[Mapping[str, Any]], meanings: Meanings, fixed: Sequence[str] | None
) -> list[_Coefficient]:
    """Number the level-1 coefficients, and the predictors of each; `fixed` takes the place of their gammas."""
    found = []
    for q, entry in _numbered([(c["factors"], c) for c in hierarchy]):
        predictors = _numbered([(factors, (column, factors)) for column, factors in entry["predictors"]])
        found.append(
            _Coefficient(
                beta=rf"\beta_{{{_index(q)}j}}",
                effect=rf"u_{{{_index(q)}j}}" if entry["random"] is not None else None,
                gammas=tuple(
                    (column, fixed[column] if fixed else rf"\gamma_{{{_index(q, s)}}}") for s, (column, _) in predictors
                ),
                factor=_factors(entry["factors"], "ij", meanings),
                predictors=tuple(_factors(factors, "j", meanings) for _, (_, factors) in predictors),
                q=q,
                random=entry["random"],
            )
        )
    return found


def _numbered(items: Sequence[tuple[Sequence[str], Any]]) -> list[tuple[int, Any]]:
    """Number items: 0 for the one without factors (the constant) where there is one, the others from 1."""
    ordered = sorted(items, key=lambda item: len(item[0]) > 0)
    first = 0 if ordered and not ordered[0][0] else 1
    return [(number, item) for number, (_, item) in enumerate(ordered, start=first)]


def _index(*numbers: int) -> str:
    """Indices side by side, with commas where one of them has two digits; alone it stands before a j."""
    if max(numbers) < 10:
        return "".join(map(str, numbers))
    return f"{numbers[0]}," if len(numbers) == 1 else ",".join(map(str, numbers))


def _factors(names: Sequence[str], index: str, meanings: Meanings) -> Pieces:
    """A product of variables; a level of a categorical one is written as the condition for which it is 1."""
    product: list[Pieces] = []
    for name in names:
        factor = meanings[name]
        if factor.level is None:
            # Of a basis or a contrast, the name says which column.
            product.append((Words(name), f"_{{{index}}}"))
        else:
            product.append(("(", Words(factor.column), " = ", Words(factor.level), f")_{{{index}}}"))
    return _product(product)


def _product(factors: Sequence[Pieces]) -> Pieces:
    pieces: list[str | Words] = []
    for factor in filter(None, factors):
        pieces += [r" \times ", *factor] if pieces else factor
    return tuple(pieces)


def _times(coefficient: str | None, factor: Pieces) -> Pieces:
    return (coefficient or "", r"\,", *factor) if factor else (coefficient or "",)


def _equation(left: Pieces, *parts: Sequence[Pieces]) -> Math:
    """Write an equation with a sum on its right. Where that is long, each part of it begins a line."""
    whole = [term for part in parts for term in part]
    one_line = _length(left) + sum(map(_length, whole)) <= LINE
    lines: list[list[str | Words]] = [[]]
    length = _length(left)
    for part in [whole] if one_line else parts:
        for i, term in enumerate(part):
            length += _length(term)
            if lines[-1] and (length > LINE or i == 0):
                lines.append([])
                length = _length(term)
            first = lines == [[]]
            lines[-1] += _leading(term) if first else _added(term)
    if len(lines) == 1:
        return math(*left, " = ", *lines[0])
    rows = [piece for line in lines[1:] for piece in (r" \\ & ", *line)]
    return math(r"\begin{align*} ", *left, " = {} & ", *lines[0], *rows, r" \end{align*}")


def _leading(term: Pieces) -> Pieces:
    """A term without a sign before it; the minus of a negative number stands close to it."""
    coefficient, *factor = term
    if isinstance(coefficient, str) and coefficient.startswith("-"):
        return (f"{{{coefficient}}}", *factor)
    return term


def _added(term: Pieces) -> Pieces:
    """A term with the sign before it: of a negative number, a minus."""
    coefficient, *factor = term
    if isinstance(coefficient, str) and coefficient.startswith("-"):
        return (" - ", coefficient[1:], *factor)
    return (" + ", *term)


def _length(term: Pieces) -> int:
    """About how many letters wide, with the sign before it."""
    return 2 + sum(len(p.text) if isinstance(p, Words) else _width(p.strip()) for p in term)


def _width(latex: str) -> int:
    return len(latex) if latex.lstrip("-")[:1].isdigit() else _WIDTHS.get(latex, 3)


# LaTeX between words and symbols is not shown; a symbol with its indices is as wide as three letters.
_WIDTHS = {"": 0, r"\,": 0, "(": 1, "=": 2, r"\times": 2, "_{j}": 1, "_{ij}": 1, ")_{j}": 2, ")_{ij}": 2}


def _distribution(random: Sequence[_Coefficient], taus: Sequence[Sequence[str]]) -> Math:
    if len(random) == 1:
        return math(rf"{random[0].effect} \sim N(0,\, {taus[0][0]})")
    vector = r",\, ".join(c.effect or "" for c in random)
    return math(rf"({vector}) \sim N(0,\, \mathbf{{T}})")


def _matrix(taus: Sequence[Sequence[str]]) -> Math:
    rows = r" \\ ".join(" & ".join(row) for row in taus)
    return math(rf"\mathbf{{T}} = \begin{{pmatrix}} {rows} \end{{pmatrix}}")
