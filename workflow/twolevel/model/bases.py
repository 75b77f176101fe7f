"""Variables that become several columns: polynomials and splines, as R's poly, bs and ns make them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from twolevel.model.design import Floats
from twolevel.model.variables import Basis, DataError, FunctionError, Value, listed, number_of, scalar, truth, whole


def polynomials(x: Value, degree: float = 1, raw: bool = False, *, deciding: int) -> Value:
    """Orthogonal polynomials, or plain powers where `raw`."""
    from formulaic.transforms import poly  # here, because few formulas need it

    values, order = number_of(x), whole(degree, "degree")
    known, new, constants = values[:deciding], values[deciding:], {}  # type: ignore[var-annotated]
    if np.isnan(known).any() and not raw:
        raise DataError("values are missing in its column, which R refuses too; leave those rows out of the data")
    if order >= len(np.unique(known)) and not raw:
        raise DataError(f"the degree {order} must be less than the number of different values")
    columns = np.asarray(poly(known, order, raw=truth(raw, "raw"), _state=constants))
    return numbered_basis(np.vstack([columns, poly(new, order, raw=raw, _state=constants)]) if len(new) else columns)


def _knots(values: Floats, df: Any, knots: Any, taken: int) -> Floats:
    if df is not None and knots is not None:
        raise FunctionError("give df or knots, not both")
    if knots is not None:
        inner = np.array([scalar(knot, "a knot") for knot in listed(knots)])
        if inner.min() <= values.min() or inner.max() >= values.max():
            raise DataError("a knot lies outside the values of its column, or on their end")
        return np.sort(inner)
    count = 0 if df is None else whole(df, "df", taken) - taken
    return np.quantile(values, np.linspace(0, 1, count + 2)[1:-1])


def b_splines(x: Value, df: Any = None, knots: Any = None, degree: float = 3, *, deciding: int) -> Value:
    """B-splines without the first, which the intercept stands for."""
    from formulaic.transforms import basis_spline

    values, order = number_of(x), whole(degree, "degree")
    inner = _knots(_present(values[:deciding]), df, knots, order)
    options: dict[str, Any] = {"knots": inner.tolist(), "degree": order, "_state": {}}

    def basis(present: Floats, extrapolation: str) -> Floats:
        made = basis_spline(present, **options, extrapolation=extrapolation)
        return np.column_stack([np.asarray(made[key]) for key in sorted(made)])

    return _spread(values, deciding, lambda known: basis(known, "raise"), lambda new: basis(new, "extend"))


def natural_splines(x: Value, df: Any = None, knots: Any = None, *, deciding: int) -> Value:
    """Natural cubic splines: B-splines, rotated so that second derivatives vanish at both ends, as R's ns does it."""
    from scipy.interpolate import BSpline  # here, because it takes half a second, and few formulas need it

    values = number_of(x)
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
    return numbered_basis(out)


def numbered_basis(columns: Floats) -> Basis:
    """Columns with their numbers for names; one column alone has none, as in R."""
    k = columns.shape[1]
    return Basis(columns, tuple(str(i + 1) for i in range(k)) if k > 1 else ("",))
