"""The upper tail of the chi-square distribution, of zero degrees of freedom too."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from twolevel.model.design import Floats


def upper_tail(df: int, x: ArrayLike) -> Floats:
    """Share of chi-square(df) at or above `x`, which is not negative; chi-square(0) is the constant zero."""
    return np.asarray(chdtrc(df, x) if df > 0 else np.where(np.asarray(x) > 0, 0.0, 1.0))
