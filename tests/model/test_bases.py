"""Splines within and beyond the values that decide them, as R has them."""

import numpy as np
import pytest
from twolevel.model.bases import b_splines, natural_splines
from twolevel.model.variables import Basis, Number

X = [0.0, 1, 2, 3, 5, 8, 9, 10]
NEW = [-2.0, 4, 12]
# library(splines); x <- c(0, 1, 2, 3, 5, 8, 9, 10); format(predict(bs(x, df = 5), c(-2, 4, 12)), digits = 15)
BS = [
    [-6.4198250728862973, 0.1180758017492710, 0.0000000000000000],
    [1.0635568513119538, 0.5455444289517050, -0.0347826086956521],
    [-0.0489795918367347, 0.3195015624397208, 0.7178323881537485],
    [0.0000000000000000, 0.0168782068593033, -4.3126794090877230],
    [0.0000000000000000, 0.0000000000000000, 4.6296296296296262],
]
# format(predict(ns(x, df = 3), c(-2, 4, 12)), digits = 15)
NS = [
    [0.1388565874319041, 0.1824250260251486, -0.7325581395348836],
    [-0.4937123108689921, 0.5042614474444488, 0.6046511627906976],
    [0.3548557234370879, -0.3503067041705732, 1.1279069767441865],
]


@pytest.mark.parametrize(("make", "df", "expected"), [(b_splines, 5, BS), (natural_splines, 3, NS)])
def test_new_rows_get_r_s_values_and_missing_ones_none(make, df, expected) -> None:
    basis = make(Number(np.array([*X, np.nan, *NEW])), df, deciding=len(X) + 1)
    assert isinstance(basis, Basis)
    # R prints 15 digits of numbers up to 6.4.
    np.testing.assert_allclose(basis.columns[len(X) + 1 :].T, expected, rtol=0, atol=1e-13)
    assert np.isnan(basis.columns[len(X)]).all()
    assert np.isfinite(basis.columns[: len(X)]).all()
