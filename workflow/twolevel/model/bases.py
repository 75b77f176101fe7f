"""Variables that become several columns: polynomials and splines, as R's poly, bs and ns make them."""

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
    """B-splines without the first, which the intercept stands for; beyond its ends a spline goes on as it is there."""
    values, order = number_of(x), whole(degree, "degree")
    spline, _ = _spline(values[:deciding], df, knots, order, taken=order)
    return numbered_basis(np.asarray(spline(values)[:, 1:]))


def natural_splines(x: Value, df: Any = None, knots: Any = None, *, deciding: int) -> Value:
    """Natural cubic splines: B-splines, rotated so that second derivatives vanish at both ends, as R's ns does it.

    Beyond its ends a natural spline is a straight line.
    """
    values = number_of(x)
    spline, ends = _spline(values[:deciding], df, knots, 3, taken=1)
    constraints = spline.derivative(2)(ends)[:, 1:]
    rotation = np.linalg.qr(constraints.T, mode="complete")[0][:, 2:]
    at = np.clip(values, *ends)
    beyond = (values - at)[:, None] * spline.derivative(1)(at)[:, 1:]
    return numbered_basis(np.asarray((spline(at)[:, 1:] + beyond) @ rotation))


def _spline(deciding: Floats, df: Any, knots: Any, order: int, taken: int) -> tuple[Any, Floats]:
    """All B-splines of an order on the knots that some values decide; and the least and the greatest of these, (2,)."""
    from scipy.interpolate import BSpline  # here, because it takes half a second, and few formulas need it

    present = deciding[~np.isnan(deciding)]
    ends = np.array([present.min(), present.max()])
    places = np.concatenate(
        [np.repeat(ends[0], order + 1), _knots(present, df, knots, taken), np.repeat(ends[1], order + 1)]
    )
    return BSpline(places, np.eye(len(places) - order - 1), order), ends


def numbered_basis(columns: Floats) -> Basis:
    """Columns with their numbers for names; one column alone has none, as in R."""
    k = columns.shape[1]
    return Basis(columns, tuple(str(i + 1) for i in range(k)) if k > 1 else ("",))
