"""Tests of single fixed effects by Student's t, with Satterthwaite's and with Kenward and Roger's degrees of freedom.

The standard error of a fixed effect depends on estimated variances. Both methods choose the degrees of freedom so that
the squared standard error has the mean and variance of a scaled chi-square. They measure that variance in two ways,
from the observed and from the expected information, and Kenward and Roger's also corrects the standard error's bias.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from twolevel.fitting.fit import Fit
from twolevel.inference.information import Information, Weighted, information, weighted
from twolevel.likelihood.crossproducts import CrossProducts
from twolevel.model.design import Floats

# An information matrix, scaled to a diagonal of one, is singular if an eigenvalue is below this; rounding is 1e-14.
SINGULAR_INFORMATION = 1e-10


@dataclass(frozen=True)
class FixedTests:
    """Two-sided tests that each of the p fixed effects is zero, all (p,); NaN where a method gives no answer."""

    std_error: Floats
    statistic: Floats
    df: Floats
    p_value: Floats


def satterthwaite(data: CrossProducts, fit: Fit) -> FixedTests:
    """Test with Satterthwaite's degrees of freedom, as lmerTest does (Kuznetsova, Brockhoff & Christensen 2017).

    Standard errors and statistics are lme4's. The variances' covariance matrix is that of the observed information of
    the fit's own criterion; the degrees of freedom are 2 v^2 / (g'Cg), v the squared standard error, g its gradient.

    There are no degrees of freedom, and no p value, where the fit is singular or the observed information is not
    positive definite: the method takes the estimates of the variances for normal, which they are not on the boundary.
    lmerTest gives there the degrees of freedom of a model in which the variance on the boundary is known, which can be
    far too many: 199 for the mean of 20 groups of 10 whose variance is estimated as zero.
    """
    at = weighted(data, fit)
    about = information(at, data.n_obs, fit.estimator == "REML")
    covariance = np.full_like(about.observed, np.nan) if fit.singular else _covariance(about.observed)
    std_error = np.sqrt(np.diag(fit.beta_covariance))
    return _t_tests(fit.beta, std_error, _degrees_of_freedom(data, at, about, covariance))


def kenward_roger(data: CrossProducts, fit: Fit) -> FixedTests:
    """Test as Kenward & Roger (1997), by the formulas of pbkrtest (Halekoh & Hojsgaard 2014).

    For one coefficient the scaling of the F statistic is 1, and the degrees of freedom are Satterthwaite's with the
    expected information in place of the observed one. The covariance matrix of the fixed effects is
    H + 2 H U H, U = sum over r, s of W_rs (X'V^-1 G_r V^-1 G_s V^-1X - S_r H S_s), W twice the inverse of the expected
    information. The scale of V adds nothing to U: its terms cancel.

    The expected information exists at a singular fit too; so does the answer, as in pbkrtest. There is no answer where
    that information is singular: the design does not tell the variances apart.

    Raises
    ------
    ValueError
        The fit is not by REML, of which the method is an expansion.
    """
    if fit.estimator != "REML":
        raise ValueError(f"Kenward and Roger's method needs a REML fit, not {fit.estimator}")
    at = weighted(data, fit)
    about = information(at, data.n_obs, reml=True)
    covariance = _covariance(about.expected)
    std_error = np.sqrt(np.diag(fit.beta_covariance) + fit.at.sigma**2 * _bias(data, at, about, covariance))
    return _t_tests(fit.beta, std_error, _degrees_of_freedom(data, at, about, covariance))


def _bias(data: CrossProducts, at: Weighted, about: Information, covariance: Floats) -> Floats:
    """Diagonal of 2 H U H, relative to sigma^2, in the units of X."""
    h, fall, of_t = at.xtx_inverse, about.xtx_fall, covariance[:-1, :-1]
    weights = np.einsum("rs,rab,scd->adbc", of_t, about.directions, about.directions, optimize=True)
    middle = np.tensordot(at.ztz, weights, axes=([1, 2], [2, 3]))
    u = np.tensordot(at.ztx, middle @ at.ztx, axes=([0, 1], [0, 1]))
    u = u - np.einsum("rs,rwx,xy,syz->wz", of_t, fall, h, fall, optimize=True)
    lever = h @ np.linalg.inv(data.r).T
    return np.asarray(2.0 * np.einsum("xi,xy,yi->i", lever, u, lever))


def _degrees_of_freedom(data: CrossProducts, at: Weighted, about: Information, covariance: Floats) -> Floats:
    """Degrees of freedom 2 v^2 / (g'Cg) of a squared standard error v with gradient g; C is `covariance`."""
    to_own = np.linalg.inv(data.r).T
    lever = at.xtx_inverse @ to_own
    variance = np.einsum("xi,xi->i", to_own, lever)
    # H grows by H S_r H in the direction of an element of T, and by itself in that of the scale.
    by_element = np.einsum("xi,rxy,yi->ri", lever, about.xtx_fall, lever)
    gradient = np.vstack([by_element, variance])
    return np.asarray(2.0 * variance**2 / np.einsum("ri,rs,si->i", gradient, covariance, gradient))


def _covariance(information_matrix: Floats) -> Floats:
    """Twice the inverse of an information matrix of the criterion; NaN where that is not positive definite."""
    diagonal = np.diag(information_matrix)
    scale = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    scales = np.outer(scale, scale)
    if np.linalg.eigvalsh(information_matrix / scales)[0] < SINGULAR_INFORMATION:
        return np.full_like(information_matrix, np.nan)
    return np.asarray(2.0 * np.linalg.inv(information_matrix / scales) / scales)


def _t_tests(estimate: Floats, std_error: Floats, df: Floats) -> FixedTests:
    statistic = estimate / std_error
    return FixedTests(std_error, statistic, df, 2.0 * stdtr(df, -np.abs(statistic)))
