"""From the terms of a formula and the values of its variables to the columns of a design, coded and named as R does."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from twolevel.model import terms, variables
from twolevel.model.design import Factors, Floats
from twolevel.model.expansion import Expansion, coded_by_contrasts
from twolevel.model.expression import Node, deparse, names_in
from twolevel.model.variables import Basis, Number, Value, as_factor, contrast_columns


@dataclass(frozen=True)
class Piece:
    """One column of one variable.

    Attributes
    ----------
    variable : the expression, as R prints it
    suffix : what R appends to its name: a level, the number of a contrast; empty for a number
    column : (n,)
    meaning : what a 1, or a difference of 1, stands for
    """

    variable: str
    suffix: str
    column: Floats
    meaning: terms.Factor


Columns = list[tuple[Piece, ...]]


def count_columns(expansion: Expansion, values: Mapping[str, Value]) -> int:
    """The largest number of columns that `columns_of` can give."""
    sizes: list[int] = [_size(values[deparse(variable)]) for variable in expansion.variables]
    return sum((math.prod([sizes[i] for i in term]) for term in expansion.terms), start=int(expansion.intercept))


def _size(value: Value) -> int:
    if isinstance(value, Basis):
        return int(value.columns.shape[1])
    categorical = _categorical(value)
    return len(categorical.levels) if isinstance(categorical, variables.Factor) else 1


def columns_of(expansion: Expansion, values: Mapping[str, Value]) -> Iterator[tuple[Piece, ...]]:
    """Each column, as the pieces that are multiplied to make it; none for the intercept.

    Parameters
    ----------
    expansion : the terms
    values : of each variable, by its name as R prints it, on the rows that the model uses
    """
    if expansion.intercept:
        yield ()
    labels = [deparse(variable) for variable in expansion.variables]
    of = [_categorical(values[label]) for label in labels]
    categorical = [isinstance(value, variables.Factor) for value in of]
    # Without an intercept, the first factor of the first term that has one is coded by all its levels.
    first = next(
        ((number, i) for number, term in enumerate(expansion.terms) for i in sorted(term) if categorical[i]), None
    )
    for number, term in enumerate(expansion.terms):
        parts = []
        for i in sorted(term):
            contrasts = coded_by_contrasts(expansion.terms, number, i)
            if not expansion.intercept and first == (number, i):
                contrasts = False
            parts.append(list(_pieces(expansion.variables[i], of[i], contrasts)))
        # R varies the first variable's columns fastest, itertools the last's.
        for combination in product(*reversed(parts)):
            yield tuple(reversed(combination))


def named(columns: Sequence[Columns]) -> tuple[list[list[Factors]], dict[str, Piece]]:
    """Name the pieces of each column, in several lists of columns that are named together; and each piece by its name.

    R gives the name wave2 to the level 2 of `wave` and to a column wave2 alike. Where that happens, the level is
    written in square brackets: wave[2].
    """
    sources: dict[str, set[tuple[str, str]]] = {}
    for piece in (piece for of in columns for pieces in of for piece in pieces):
        sources.setdefault(piece.variable + piece.suffix, set()).add((piece.variable, piece.suffix))
    names = [[tuple(_name(piece, sources) for piece in pieces) for pieces in of] for of in columns]
    return names, {_name(piece, sources): piece for of in columns for pieces in of for piece in pieces}


def _name(piece: Piece, sources: Mapping[str, set[tuple[str, str]]]) -> str:
    plain = piece.variable + piece.suffix
    return plain if len(sources[plain]) == 1 or not piece.suffix else f"{piece.variable}[{piece.suffix}]"


def _categorical(value: Value) -> Value:
    return as_factor(value) if isinstance(value, Number) and value.logical else value


def _pieces(variable: Node, value: Value, contrasts: bool) -> Iterator[Piece]:
    label, made_of = deparse(variable), tuple(dict.fromkeys(name.name for name in names_in(variable)))
    whole = terms.Factor(label, made_of=made_of)
    if isinstance(value, Number):
        yield Piece(label, "", value.numbers, whole)
    elif isinstance(value, Basis):
        for name, column in zip(value.names, value.columns.T, strict=True):
            yield Piece(label, name, column, replace(whole, coding="basis"))
    elif contrasts:
        compared = [level for code, level in enumerate(value.levels) if code != value.base]
        for number, (name, by_level) in enumerate(contrast_columns(value).items()):
            meaning = replace(whole, coding="contrast")
            if value.contrast == "treatment":
                level, reference = compared[number], value.levels[value.base]
                meaning = replace(whole, level=level, reference=reference, coding="treatment")
            yield Piece(label, name, by_level[value.codes], meaning)
    else:
        for code, level in enumerate(value.levels):
            meaning = replace(whole, level=level, coding="indicator")
            yield Piece(label, level, (value.codes == code).astype(np.float64), meaning)
