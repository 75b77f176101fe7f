"""What a formula may call, under R's names and as R defines each; and the values that it works on.

A function gets the values of its arguments: vectors over the n rows (`Number`, `Factor`, `Basis`), or what was written
out (a number, a text, TRUE or FALSE, or several of them by `c()`). It returns one of the three over rows. Values are
computed from all rows of the table, before rows with missing values are left out, as R does. A function whose values
depend on all rows, such as `scale`, takes its constants from the first `deciding` rows: those of the fit, where rows to
predict for follow them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline

from twolevel.model.design import Floats
from twolevel.model.expression import number_as_r


class FunctionError(Exception):
    """What is wrong with a call, in words; the caller knows the formula and the place."""


class DataError(FunctionError):
    """A call that fails on these values of the columns, and could succeed on others."""


@dataclass(frozen=True)
class Number:
    """Numbers (n,), NaN where missing; a comparison or a column of truth values is `logical`, 0 or 1."""

    numbers: Floats
    logical: bool = False


@dataclass(frozen=True)
class Factor:
    """A categorical variable: codes (n,) of its levels, -1 where missing, and how to code it where it is not plain.

    Attributes
    ----------
    contrast : "treatment", "sum" or "helmert", as R's contr.* of that name
    base : of treatment contrasts, the level compared with, counted from 0
    numbered : whether the columns of treatment contrasts have the numbers of their levels, as R's `C()` makes them
    """

    codes: NDArray[np.intp]
    levels: tuple[str, ...]
    contrast: str = "treatment"
    base: int = 0
    numbered: bool = False


@dataclass(frozen=True)
class Basis:
    """Several columns (n, k) that stand for one variable."""

    columns: Floats
    names: tuple[str, ...]


Value = Number | Factor | Basis


def contrast_columns(factor: Factor) -> dict[str, Floats]:
    """Each column of a factor's contrasts as (levels,) values, by the name that R gives it."""
    k = len(factor.levels)
    if factor.contrast == "treatment":
        kept = [level for level in range(k) if level != factor.base]
        names = [str(level + 1) if factor.numbered else factor.levels[level] for level in kept]
        return dict(zip(names, np.eye(k)[kept], strict=True))
    if factor.contrast == "sum":
        return {str(i + 1): np.eye(k)[i] - np.eye(k)[k - 1] for i in range(k - 1)}
    # Helmert: each level against the mean of those before it, in R's scale.
    return {str(i): i * np.eye(k)[i] - (np.arange(k) < i) for i in range(1, k)}


def _number(x: Any, what: str = "x") -> Floats:
    if isinstance(x, Number):
        return x.numbers
    kind = "a factor" if isinstance(x, Factor) else "not a column of numbers"
    raise FunctionError(f"{what} is {kind}; expected a column of numbers")


def _elementwise(function: Callable[[Floats], Floats]) -> Callable[..., Value]:
    def apply(x: Value) -> Value:
        return Number(function(_number(x)))

    return apply


def _log(x: Value, base: float = float(np.e)) -> Value:
    values = np.log(_number(x))
    return Number(values if base == float(np.e) else values / np.log(_scalar(base, "base")))


def _scalar(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FunctionError(f"{what} is {_shown(value)}; expected one number")
    return float(value)


def _whole(value: Any, what: str, least: int = 1) -> int:
    number = _scalar(value, what)
    if not least <= number <= 1000 or number != int(number):
        raise FunctionError(f"{what} is {_shown(value)}; expected a whole number from {least}")
    return int(number)


def _truth(value: Any, what: str) -> bool:
    if not isinstance(value, bool):
        raise FunctionError(f"{what} is {_shown(value)}; expected TRUE or FALSE")
    return value


def _list(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _shown(value: Any) -> str:
    return f"{value!r}" if isinstance(value, int | float | str | tuple) else "a column"


def _identity(x: Value) -> Value:
    return x


def _poly(x: Value, degree: float = 1, raw: bool = False, *, deciding: int) -> Value:
    from formulaic.transforms import poly  # here, because few formulas need it

    values, order = _number(x), _whole(degree, "degree")
    known, new, constants = values[:deciding], values[deciding:], {}  # type: ignore[var-annotated]
    if np.isnan(known).any() and not raw:
        raise DataError("values are missing in its column, which R refuses too; leave those rows out of the data")
    if order >= len(np.unique(known)) and not raw:
        raise DataError(f"the degree {order} must be less than the number of different values")
    columns = np.asarray(poly(known, order, raw=_truth(raw, "raw"), _state=constants))
    return _basis(np.vstack([columns, poly(new, order, raw=raw, _state=constants)]) if len(new) else columns)


def _scale(x: Value, center: Any = True, scale: Any = True, *, deciding: int) -> Value:
    values = _number(x)
    if center is not False:
        values = values - (np.nanmean(values[:deciding]) if center is True else _scalar(center, "center"))
    if scale is not False:
        # R divides by the root mean square of what is left, which after centring is the standard deviation.
        known = values[:deciding]
        n = np.isfinite(known).sum()
        size = np.sqrt(np.nansum(known**2) / max(1, n - 1)) if scale is True else _scalar(scale, "scale")
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
        given = Factor(codes.astype(np.intp), tuple(map(number_as_r, found)))
    if levels is not None:
        names = [value if isinstance(value, str) else _literal(value) for value in _list(levels)]
        if unknown := [name for name in names if name not in given.levels]:
            raise FunctionError(f"there is no level {unknown[0]!r}; there are {', '.join(given.levels)}")
        order = [given.levels.index(name) for name in names]
    else:
        order = sorted(set(given.codes[:deciding].tolist()) - {-1})
    new = np.full(len(given.levels) + 1, -1)
    new[order] = np.arange(len(order))
    return Factor(new[given.codes].astype(np.intp), tuple(given.levels[i] for i in order))


def as_factor(x: Number) -> Factor:
    """A logical as the factor that R makes of it in a model: FALSE, TRUE."""
    return Factor(np.where(np.isnan(x.numbers), -1, x.numbers).astype(np.intp), ("FALSE", "TRUE"))


def _literal(value: Any) -> str:
    return ("TRUE" if value else "FALSE") if isinstance(value, bool) else number_as_r(float(value))


def _relevel(x: Value, ref: Any, *, deciding: int) -> Value:
    factor = _a_factor(x, deciding=deciding)
    if isinstance(ref, str):
        if ref not in factor.levels:
            raise FunctionError(f"there is no level {ref!r}; there are {', '.join(factor.levels)}")
        first = factor.levels.index(ref)
    else:
        first = _whole(ref, "ref") - 1
        if first >= len(factor.levels):
            raise FunctionError(f"ref is {first + 1}, and there are {len(factor.levels)} levels")
    order = [first, *(i for i in range(len(factor.levels)) if i != first)]
    new = np.append(np.argsort(order), -1)
    return Factor(new[factor.codes].astype(np.intp), tuple(factor.levels[i] for i in order))


def _a_factor(x: Value, *, deciding: int) -> Factor:
    return x if isinstance(x, Factor) else _factor(x, deciding=deciding)


def _contrasts(x: Value, contr: str | None = None, base: Any = None, *, deciding: int) -> Value:
    factor = _a_factor(x, deciding=deciding)
    kind = (contr or "contr.treatment").removeprefix("contr.")
    if base is None:
        return replace(factor, contrast=kind, numbered=contr is not None)
    if kind != "treatment":
        raise FunctionError(f"{contr} has no base")
    level = _whole(base, "base") - 1
    if level >= len(factor.levels):
        raise FunctionError(f"base is {level + 1}, and there are {len(factor.levels)} levels")
    return replace(factor, base=level, numbered=True)


def _as_numeric(x: Value) -> Value:
    if isinstance(x, Factor):
        return Number(np.where(x.codes < 0, np.nan, x.codes + 1.0))
    return Number(_number(x))


def _pairwise(function: Any) -> Callable[..., Value]:
    def apply(*values: Any) -> Value:
        if not any(isinstance(value, Number) for value in values):
            raise FunctionError("expected at least one column of numbers")
        parts = [value.numbers if isinstance(value, Number) else _scalar(value, "a value") for value in values]
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
        levels = tuple(sorted({yes, no}))
        codes = np.where(chosen, levels.index(yes), levels.index(no))
        return Factor(np.where(missing, -1, codes).astype(np.intp), levels)
    parts = [value.numbers if isinstance(value, Number) else _scalar(value, "a value") for value in (yes, no)]
    return Number(np.where(missing, np.nan, np.where(chosen, *parts)))


def _cut(
    x: Value, breaks: Any, labels: Any = None, include_lowest: bool = False, right: bool = True, *, deciding: int
) -> Value:
    values, edges = _number(x), np.array([_scalar(edge, "a break") for edge in _list(breaks)])
    if len(edges) == 1:
        count = _whole(breaks, "breaks", 2)
        low, high = np.nanmin(values[:deciding]), np.nanmax(values[:deciding])
        edges = np.linspace(low, high, count + 1)
        edges[[0, -1]] += np.array([-1, 1]) * (high - low) / 1000
    edges = np.sort(edges)
    if (np.diff(edges) == 0).any() or len(edges) < 3:
        raise FunctionError("its breaks make fewer than two ranges, or one is repeated")
    closed_right = _truth(right, "right")
    codes = np.searchsorted(edges, values, side="left" if closed_right else "right") - 1
    if _truth(include_lowest, "include.lowest"):
        codes[values == (edges[0] if closed_right else edges[-1])] = 0 if closed_right else len(edges) - 2
    outside = np.isnan(values) | (codes < 0) | (codes >= len(edges) - 1)
    if labels is None:
        names = _range_names(edges, closed_right, bool(include_lowest))
    elif labels is False:
        return Number(np.where(outside, np.nan, codes + 1.0))
    else:
        names = tuple(map(str, _list(labels)))
        if len(names) != len(edges) - 1 or len(set(names)) != len(names):
            raise FunctionError(f"{len(names)} labels for {len(edges) - 1} ranges; give one for each, all different")
    return Factor(np.where(outside, -1, codes).astype(np.intp), names)


def _range_names(edges: Floats, right: bool, closed: bool) -> tuple[str, ...]:
    """`(0,2]` and so on, with at least three digits, and as many as tell the edges apart."""
    for digits in range(3, 17):
        written = [f"{edge:.{digits}g}".replace("inf", "Inf") for edge in edges]
        if len(set(written)) == len(written):
            break
    names = [f"({a},{b}]" if right else f"[{a},{b})" for a, b in pairwise(written)]
    if closed and right:
        names[0] = f"[{names[0][1:]}"
    elif closed:
        names[-1] = f"{names[-1][:-1]}]"
    return tuple(names)


def _knots(values: Floats, df: Any, knots: Any, taken: int) -> Floats:
    if df is not None and knots is not None:
        raise FunctionError("give df or knots, not both")
    if knots is not None:
        inner = np.array([_scalar(knot, "a knot") for knot in _list(knots)])
        if inner.min() <= values.min() or inner.max() >= values.max():
            raise DataError("a knot lies outside the values of its column, or on their end")
        return np.sort(inner)
    count = 0 if df is None else _whole(df, "df", taken) - taken
    return np.quantile(values, np.linspace(0, 1, count + 2)[1:-1])


def _bs(x: Value, df: Any = None, knots: Any = None, degree: float = 3, *, deciding: int) -> Value:
    from formulaic.transforms import basis_spline

    values, order = _number(x), _whole(degree, "degree")
    inner = _knots(_present(values[:deciding]), df, knots, order)
    options: dict[str, Any] = {"knots": inner.tolist(), "degree": order, "_state": {}}

    def basis(present: Floats, extrapolation: str) -> Floats:
        made = basis_spline(present, **options, extrapolation=extrapolation)
        return np.column_stack([np.asarray(made[key]) for key in sorted(made)])

    return _spread(values, deciding, lambda known: basis(known, "raise"), lambda new: basis(new, "extend"))


def _ns(x: Value, df: Any = None, knots: Any = None, *, deciding: int) -> Value:
    """Natural cubic splines: B-splines, rotated so that second derivatives vanish at both ends, as R's ns does it."""
    values = _number(x)
    inside = _present(values[:deciding])
    inner = _knots(inside, df, knots, 1)
    ends = inside.min(), inside.max()
    spline = BSpline(t := np.r_[[ends[0]] * 4, inner, [ends[1]] * 4], np.eye(len(t) - 4), 3)
    constraints = spline.derivative(2)(np.array(ends))[:, 1:]
    rotation = np.linalg.qr(constraints.T, mode="complete")[0]

    def basis(present: Floats) -> Floats:
        return np.asarray((spline(present)[:, 1:] @ rotation)[:, 2:])

    def straight_on(new: Floats) -> Floats:
        """Beyond its ends a natural spline is a straight line."""
        at = np.clip(new, *ends)
        slope = (spline.derivative(1)(at)[:, 1:] @ rotation)[:, 2:]
        return np.asarray(basis(at) + (new - at)[:, None] * slope)

    return _spread(values, deciding, basis, straight_on)


def _present(values: Floats) -> Floats:
    return values[~np.isnan(values)]


def _spread(values: Floats, deciding: int, known: Callable[[Floats], Floats], new: Callable[[Floats], Floats]) -> Basis:
    """Columns of a basis: by one function on the rows that decide it, by another on those after them."""
    present, first = ~np.isnan(values), np.arange(len(values)) < deciding
    columns = known(values[present & first])
    out = np.full((len(values), columns.shape[1]), np.nan)
    out[present & first] = columns
    if (rest := present & ~first).any():
        out[rest] = new(values[rest])
    return _basis(out)


def _basis(columns: Floats) -> Basis:
    """Columns with their numbers for names; one column alone has none, as in R."""
    k = columns.shape[1]
    return Basis(columns, tuple(str(i + 1) for i in range(k)) if k > 1 else ("",))


CONTRASTS = ("contr.treatment", "contr.sum", "contr.helmert")

FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    "I": _identity,
    "log": _log,
    "log2": _elementwise(np.log2),
    "log10": _elementwise(np.log10),
    "log1p": _elementwise(np.log1p),
    "exp": _elementwise(np.exp),
    "sqrt": _elementwise(np.sqrt),
    "abs": _elementwise(np.abs),
    "poly": _poly,
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
    "bs": _bs,
    "ns": _ns,
}
