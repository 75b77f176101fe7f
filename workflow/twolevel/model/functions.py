"""What a formula may call, under R's names and as R defines each.

A function gets the values of its arguments: vectors over the n rows (`variables`), or what was written out (a number,
a text, TRUE or FALSE, or several of them by `c()`). It returns a vector over rows. Values are computed from all rows of
the table, before rows with missing values are left out, as R does. A function whose values depend on all rows, such as
`scale`, takes its constants from the first `deciding` rows: those of the fit, where rows to predict for follow them.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from twolevel.model.bases import b_splines, natural_splines, polynomials
from twolevel.model.design import Floats
from twolevel.model.expression import number_as_r
from twolevel.model.variables import (
    DataError,
    Factor,
    FunctionError,
    Number,
    Value,
    alphabetical,
    as_factor,
    listed,
    number_of,
    scalar,
    truth,
    whole,
)


def _elementwise(function: Callable[[Floats], Floats]) -> Callable[..., Value]:
    def apply(x: Value) -> Value:
        return Number(function(number_of(x)))

    return apply


def _log(x: Value, base: float = float(np.e)) -> Value:
    values = np.log(number_of(x))
    return Number(values if base == float(np.e) else values / np.log(scalar(base, "base")))


def _identity(x: Value) -> Value:
    return x


def _scale(x: Value, center: Any = True, scale: Any = True, *, deciding: int) -> Value:
    values = number_of(x)
    if center is not False:
        values = values - (np.nanmean(values[:deciding]) if center is True else scalar(center, "center"))
    if scale is not False:
        # R divides by the root mean square of what is left, which after centring is the standard deviation.
        known = values[:deciding]
        n = np.isfinite(known).sum()
        size = np.sqrt(np.nansum(known**2) / max(1, n - 1)) if scale is True else scalar(scale, "scale")
        values = values / size
    return Number(values)


def _center(x: Value, *, deciding: int) -> Value:
    return _scale(x, True, False, deciding=deciding)


def _factor(x: Value, levels: Any = None, *, deciding: int) -> Factor:
    if not isinstance(x, Number | Factor):
        raise FunctionError("a factor is made of one column")
    if isinstance(x, Factor):
        given = x
    elif x.logical:
        given = as_factor(x)
    else:
        known = x.numbers[:deciding]
        found = np.unique(known[~np.isnan(known)])
        codes = np.where(np.isin(x.numbers, found), np.searchsorted(found, x.numbers), -1)
        given = Factor(codes.astype(np.intp), tuple(map(number_as_r, found)), of_numbers=True)
        if twice := [level for i, level in enumerate(given.levels) if level in given.levels[:i]]:
            raise DataError(f"two different numbers are both written {twice[0]}; round them in the data")
    if levels is not None:
        names = [value if isinstance(value, str) else _literal(value) for value in listed(levels)]
        order = [given.place(name) for name in names]
    else:
        order = sorted(set(given.codes[:deciding].tolist()) - {-1})
    new = np.full(len(given.levels) + 1, -1)
    new[order] = np.arange(len(order))
    levels_kept = tuple(given.levels[i] for i in order)
    return Factor(new[given.codes].astype(np.intp), levels_kept, of_numbers=given.of_numbers)


def _literal(value: Any) -> str:
    return ("TRUE" if value else "FALSE") if isinstance(value, bool) else number_as_r(float(value))


def _relevel(x: Value, ref: Any, *, deciding: int) -> Value:
    factor = _a_factor(x, deciding=deciding)
    first = factor.place(ref, "ref")
    order = [first, *(i for i in range(len(factor.levels)) if i != first)]
    new = np.append(np.argsort(order), -1)
    return replace(factor, codes=new[factor.codes].astype(np.intp), levels=tuple(factor.levels[i] for i in order))


def _a_factor(x: Value, *, deciding: int) -> Factor:
    return x if isinstance(x, Factor) else _factor(x, deciding=deciding)


def _contrasts(x: Value, contr: str | None = None, base: Any = None, *, deciding: int) -> Value:
    if isinstance(x, Number) and not x.logical:
        raise FunctionError("a column of numbers is not a factor; write C(factor(x), ...)")
    factor = _a_factor(x, deciding=deciding)
    kind = (contr or "contr.treatment").removeprefix("contr.")
    if base is None:
        return replace(factor, contrast=kind, numbered=contr is not None)
    if kind != "treatment":
        raise FunctionError(f"{contr} takes no base")
    return replace(factor, base=factor.place(base, "base"), numbered=True)


def _as_numeric(x: Value) -> Value:
    if isinstance(x, Factor):
        return Number(np.where(x.codes < 0, np.nan, x.codes + 1.0))
    return Number(number_of(x))


def _pairwise(function: Any) -> Callable[..., Value]:
    def apply(*values: Any) -> Value:
        if not any(isinstance(value, Number) for value in values):
            raise FunctionError("expected at least one column of numbers")
        parts = [value.numbers if isinstance(value, Number) else scalar(value, "a value") for value in values]
        result = parts[0]
        for part in parts[1:]:
            result = function(result, part)
        return Number(np.asarray(result, dtype=float))

    return apply


def _ifelse(test: Value, yes: Any, no: Any) -> Value:
    if not (isinstance(test, Number) and test.logical):
        raise FunctionError("its first argument must be a comparison, such as x > 3")
    missing, chosen = np.isnan(test.numbers), test.numbers == 1
    if isinstance(yes, str) and isinstance(no, str):
        levels = alphabetical({yes, no})
        codes = np.where(chosen, levels.index(yes), levels.index(no))
        return Factor(np.where(missing, -1, codes).astype(np.intp), levels)
    parts = [value.numbers if isinstance(value, Number) else scalar(value, "a value") for value in (yes, no)]
    return Number(np.where(missing, np.nan, np.where(chosen, *parts)))


def _cut(
    x: Value, breaks: Any, labels: Any = None, include_lowest: bool = False, right: bool = True, *, deciding: int
) -> Value:
    values, edges = number_of(x), np.array([scalar(edge, "a break") for edge in listed(breaks)])
    if len(edges) == 1:
        count = whole(breaks, "breaks", 2)
        low, high = np.nanmin(values[:deciding]), np.nanmax(values[:deciding])
        edges = np.linspace(low, high, count + 1)
        edges[[0, -1]] += np.array([-1, 1]) * (high - low) / 1000
    edges = np.sort(edges)
    if (np.diff(edges) == 0).any() or len(edges) < 3:
        raise FunctionError("its breaks make fewer than two ranges, or one is repeated")
    closed_right = truth(right, "right")
    codes = np.searchsorted(edges, values, side="left" if closed_right else "right") - 1
    if truth(include_lowest, "include.lowest"):
        codes[values == (edges[0] if closed_right else edges[-1])] = 0 if closed_right else len(edges) - 2
    outside = np.isnan(values) | (codes < 0) | (codes >= len(edges) - 1)
    if labels is None:
        names = _range_names(edges, closed_right, bool(include_lowest))
    elif labels is False:
        return Number(np.where(outside, np.nan, codes + 1.0))
    else:
        names = tuple(map(str, listed(labels)))
        if len(names) != len(edges) - 1 or len(set(names)) != len(names):
            raise FunctionError(f"{len(names)} labels for {len(edges) - 1} ranges; give one for each, all different")
    return Factor(np.where(outside, -1, codes).astype(np.intp), names)


def _range_names(edges: Floats, right: bool, closed: bool) -> tuple[str, ...]:
    """`(0,2]` and so on, with at least three digits, and as many as tell the edges apart."""
    for digits in range(3, 17):
        # As R's formatC has it, an infinite end is four characters wide.
        written = [f"{edge:.{digits}g}" if np.isfinite(edge) else "-Inf" if edge < 0 else " Inf" for edge in edges]
        if len(set(written)) == len(written):
            break
    names = [f"({a},{b}]" if right else f"[{a},{b})" for a, b in pairwise(written)]
    if closed and right:
        names[0] = f"[{names[0][1:]}"
    elif closed:
        names[-1] = f"{names[-1][:-1]}]"
    return tuple(names)


CONTRASTS = ("contr.treatment", "contr.sum", "contr.helmert")

# Arguments that R takes by their names alone: what stands there without one is another argument.
ONLY_NAMED = {("C", "base"), ("poly", "raw")}

FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    "I": _identity,
    "log": _log,
    "log2": _elementwise(np.log2),
    "log10": _elementwise(np.log10),
    "log1p": _elementwise(np.log1p),
    "exp": _elementwise(np.exp),
    "sqrt": _elementwise(np.sqrt),
    "abs": _elementwise(np.abs),
    "poly": polynomials,
    "scale": _scale,
    "center": _center,
    "factor": _factor,
    "as.factor": _a_factor,
    "as.numeric": _as_numeric,
    "C": _contrasts,
    "relevel": _relevel,
    "pmin": _pairwise(np.minimum),
    "pmax": _pairwise(np.maximum),
    "ifelse": _ifelse,
    "cut": _cut,
    "bs": b_splines,
    "ns": natural_splines,
}
