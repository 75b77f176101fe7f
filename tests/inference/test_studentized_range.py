"""The studentized range, against SciPy's."""

import numpy as np
import pytest
from scipy.stats import studentized_range
from twolevel.inference.studentized_range import quantile, upper_tail


@pytest.mark.parametrize(("k", "df"), [(3, 2.3), (3, 17.0), (4, 9.1), (6, 210.4), (10, 40.0)])
def test_it_is_scipy_s(k, df) -> None:
    # SciPy integrates adaptively, to about 1e-11 (its documentation); R's ptukey is good to about 1e-5.
    for q in (1.0, 3.5, 6.0):
        assert upper_tail(q, k, df) == pytest.approx(studentized_range.sf(q, k, df), abs=1e-8)
    assert studentized_range.sf(quantile(0.95, k, df), k, df) == pytest.approx(0.05, abs=1e-8)


def test_of_two_means_it_is_student_s_t() -> None:
    # Tukey's q of two means is t times the root of 2: R: 2 * pt(-2, 12) is 0.0686494.
    assert upper_tail(2 * np.sqrt(2), 2, 12) == pytest.approx(0.06865, abs=1e-5)
    assert np.isnan(quantile(0.95, 3, np.nan))
    assert np.isnan(upper_tail(2.0, 3, np.nan))
