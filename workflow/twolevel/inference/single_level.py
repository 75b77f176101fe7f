"""A model's fixed part by least squares: over all rows as if there were no groups, and over the groups' means.

Raudenbush & Bryk (2002, chapter 5) set the two beside the mixed model: a coefficient that differs between them mixes
what a predictor does within groups with what it does between them.
"""

from dataclasses import dataclass
from math import log, pi

import numpy as np
from scipy.special import chdtrc

from twolevel.fitting.fit import Fit
from twolevel.inference.compare import mixture_p_value
from twolevel.inference.fixed_tests import FixedTests, student
from twolevel.likelihood.crossproducts import CrossProducts, grouped
from twolevel.model.design import Design

# Of a column's root mean square, what its means must keep beside the columns before it to count as another one.
DEPENDENT = 1e-8


@dataclass(frozen=True)
class SingleLevelTest:
    """A likelihood ratio test of the same fixed part without random effects against the mixed model.

    Attributes
    ----------
    criterion : of the least squares, by the mixed model's estimator
    statistic, df : fall of the criterion; free elements of T, all of which the null hypothesis puts at zero
    p_chi_square : by chi-square(df), which is too large since the null hypothesis is on the boundary
    p_mixture : for one random effect, by half chi-square(0) and half chi-square(1); NaN for more, where the weights
        depend on the data
    """

    criterion: float
    statistic: float
    df: int
    p_chi_square: float
    p_mixture: float


def pooled(data: CrossProducts) -> FixedTests:
    """Ordinary least squares of all rows, with the usual t tests, as R's `lm`."""
    df = data.n_obs - len(data.ols)
    to_own = np.linalg.inv(data.r)
    std_error = np.sqrt(data.yty / df * (to_own**2).sum(axis=1))
    return student(data.ols, std_error, np.full(len(data.ols), float(df)))


def between(design: Design) -> FixedTests:
    """Least squares of the groups' means on the means of the fixed part's columns, each group once.

    A column whose means are all zero, or are a combination of those before it, has no coefficient: NaN.
    """
    counts = np.bincount(design.group_index)[:, None]
    ones = np.ones((len(design.y), 1))
    x, y = (grouped(ones, of, design)[:, 0] / counts for of in (design.x, design.y[:, None]))
    sizes = np.sqrt((design.x**2).mean(axis=0))
    kept: list[int] = []
    for column in range(x.shape[1]):
        basis = np.linalg.qr(x[:, kept] / sizes[kept])[0]
        left = x[:, column] / sizes[column]
        left = left - basis @ (basis.T @ left)
        if np.sqrt((left**2).mean()) > DEPENDENT:
            kept.append(column)
    estimate, std_error = np.full((2, x.shape[1]), np.nan)
    basis, r = np.linalg.qr(x[:, kept])
    estimate[kept] = np.linalg.solve(r, basis.T @ y[:, 0])
    df = len(x) - len(kept)
    residuals = y[:, 0] - x[:, kept] @ estimate[kept]
    if df > 0:
        std_error[kept] = np.sqrt(residuals @ residuals / df * (np.linalg.inv(r) ** 2).sum(axis=1))
    return student(estimate, std_error, np.full(len(estimate), float(df) if df > 0 else np.nan))


def single_level_test(data: CrossProducts, fit: Fit) -> SingleLevelTest:
    """Test the mixed model against least squares with the same fixed part, by the fit's own criterion."""
    reml = fit.estimator == "REML"
    free = data.n_obs - len(data.ols) if reml else data.n_obs
    criterion = free * (1 + log(2 * pi * data.yty / free)) + data.basis_constant(reml)
    statistic, df = max(criterion - fit.criterion, 0.0), fit.npar - len(fit.beta) - 1
    mixture = mixture_p_value(statistic, df) if len(fit.covariance) == 1 else np.nan
    return SingleLevelTest(criterion, statistic, df, float(chdtrc(df, statistic)), mixture)
