"""Tests of fixed effects and of their linear combinations, with Satterthwaite's and with Kenward and Roger's method.

The standard error of a fixed effect depends on estimated variances. Both methods choose the degrees of freedom so that
the squared standard error has the mean and variance of a scaled chi-square. They measure that variance in two ways,
from the observed and from the expected information, and Kenward and Roger's also corrects the standard error's bias.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import fdtrc, stdtr, stdtrit

from twolevel.fitting.fit import Fit
from twolevel.inference.information import Information, Weighted, information, weighted
from twolevel.likelihood.crossproducts import CrossProducts
from twolevel.model.design import Floats

# An information matrix, scaled to a diagonal of one, is singular if an eigenvalue is below this; rounding is 1e-14.
SINGULAR_INFORMATION = 1e-10

# Of several combinations, one whose variance is below this share of the largest is a combination of the others.
DEPENDENT = 1e-8


@dataclass(frozen=True)
class FixedTests:
    """Two-sided t tests that each of m combinations of fixed effects is zero, all (m,); NaN for no answer."""

    estimate: Floats
    std_error: Floats
    statistic: Floats
    df: Floats
    p_value: Floats

    def interval(self, level: float) -> tuple[Floats, Floats]:
        """Bounds (m,) and (m,), which leave zero out exactly where the p value is below 1 - `level`."""
        reach = stdtrit(self.df, (1 + level) / 2) * self.std_error
        return self.estimate - reach, self.estimate + reach


@dataclass(frozen=True)
class JointTest:
    """An F test that several combinations of fixed effects are all zero; NaN where a method gives no answer."""

    statistic: float
    df: int
    ddf: float
    p_value: float


@dataclass(frozen=True)
class SmallSamples:
    """What a method says of the fixed effects, in the coordinates of the cross-products, where X = basis r.

    Attributes
    ----------
    method : which of the two
    r : (p, p)
    beta : (p,) fixed effects, in the units of X
    covariance : (p, p) of the basis's coefficients, by which they are tested; Kenward and Roger's is adjusted
    unadjusted : (p, p) sigma^2 H, H = (X'V^-1X)^-1
    gradients : (k + 1, p, p) of `unadjusted` by the elements of T and the scale of V
    parameters : (k + 1, k + 1) covariance matrix of these; NaN where there is none
    """

    method: Literal["satterthwaite", "kenward_roger"]
    r: Floats
    beta: Floats
    covariance: Floats
    unadjusted: Floats
    gradients: Floats
    parameters: Floats


def satterthwaite(data: CrossProducts, fit: Fit) -> SmallSamples:
    """Satterthwaite's method, as in lmerTest (Kuznetsova, Brockhoff & Christensen 2017).

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
    unadjusted, gradients = _unadjusted(fit, at, about)
    return SmallSamples("satterthwaite", data.r, fit.beta, unadjusted, unadjusted, gradients, covariance)


def kenward_roger(data: CrossProducts, fit: Fit) -> SmallSamples:
    """Kenward & Roger's method (1997), by the formulas of pbkrtest (Halekoh & Hojsgaard 2014).

    The covariance matrix of the fixed effects is
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
    unadjusted, gradients = _unadjusted(fit, at, about)
    adjusted = unadjusted + fit.at.sigma**2 * _bias(at, about, covariance)
    return SmallSamples("kenward_roger", data.r, fit.beta, adjusted, unadjusted, gradients, covariance)


def t_tests(of: SmallSamples, contrasts: Floats | None = None) -> FixedTests:
    """Test each of the fixed effects or, where `contrasts` (m, p) are given, each of these combinations of them.

    For one combination the scaling of Kenward and Roger's F statistic is 1, and the degrees of freedom are
    Satterthwaite's with the expected information in place of the observed one.
    """
    contrasts = np.eye(len(of.beta)) if contrasts is None else contrasts
    rows = _in_basis(of, contrasts)
    estimate, std_error = contrasts @ of.beta, np.sqrt(_diagonal(rows, of.covariance))
    return student(estimate, std_error, _degrees_of_freedom(of, rows))


def student(estimate: Floats, std_error: Floats, df: Floats) -> FixedTests:
    """Two-sided t tests of estimates (m,) with these standard errors and degrees of freedom."""
    statistic = estimate / std_error
    return FixedTests(estimate, std_error, statistic, df, 2.0 * stdtr(df, -np.abs(statistic)))


def joint_test(of: SmallSamples, contrasts: Floats) -> JointTest:
    """Test that combinations (m, p) of the fixed effects are all zero.

    Of combinations that depend on each other, as many are tested as do not.
    """
    rows = _in_basis(of, contrasts)
    values, vectors = np.linalg.eigh(rows @ of.covariance @ rows.T)
    kept = values > DEPENDENT * values[-1]
    independent, variances = vectors[:, kept].T, values[kept]
    statistics = (independent @ contrasts @ of.beta) ** 2 / variances
    q = len(variances)
    rows = independent @ rows
    if of.method == "satterthwaite":
        scale, ddf = 1.0, _fai_cornelius(_degrees_of_freedom(of, rows))
    else:
        scale, ddf = _kenward_roger_scale(of, rows)
    statistic = scale * float(statistics.mean())
    return JointTest(statistic, q, ddf, float(fdtrc(q, ddf, statistic)))


def _fai_cornelius(dfs: Floats) -> float:
    """Degrees of freedom of a mean of squared t statistics: those of the F distribution with its mean.

    Fai & Cornelius (1996); where they are few or equal, as lmerTest.
    """
    if np.ptp(dfs) < 1e-8:
        return float(dfs.mean())
    if (dfs <= 2).any():
        return 2.0
    total = (dfs / (dfs - 2)).sum()
    return float(2 * total / (total - len(dfs)))


def _kenward_roger_scale(of: SmallSamples, rows: Floats) -> tuple[float, float]:
    """The scaling and the denominator's degrees of freedom of an F statistic of q combinations.

    They give it the mean and variance that its expansion has, exactly where F is exact (Kenward & Roger 1997, section
    3).
    """
    q = len(rows)
    whole = rows @ of.unadjusted @ rows.T
    ratios = np.linalg.solve(whole, rows @ of.gradients @ rows.T)
    traces = np.einsum("raa->r", ratios)
    a1 = float(traces @ of.parameters @ traces)
    a2 = float(np.einsum("rs,rab,sba->", of.parameters, ratios, ratios))
    b = (a1 + 6 * a2) / (2 * q)
    g = ((q + 1) * a1 - (q + 4) * a2) / ((q + 2) * a2)
    c = np.array([g, q - g, q + 2 - g]) / (3 * q + 2 * (1 - g))
    mean_inverse = 1 - a2 / q
    # For q = 1 the factors of numerator and denominator are the same, and both can be zero.
    factors = 1.0 if q == 1 else mean_inverse / (1 - c[1] * b)
    rho = factors**2 * (1 + c[0] * b) / (1 - c[2] * b) / q
    ddf = float(4 + (q + 2) / (q * rho - 1))
    # pbkrtest leaves the statistic as it is where an F distribution of so few degrees of freedom has no mean.
    return (1.0 if q == 1 or abs(ddf - 2) < 1e-2 else ddf * mean_inverse / (ddf - 2)), ddf


def _unadjusted(fit: Fit, at: Weighted, about: Information) -> tuple[Floats, Floats]:
    """sigma^2 H and its gradients by the elements of T and the scale of V.

    H grows by H S_r H in the direction of an element of T, and by itself in that of the scale.
    """
    h = at.xtx_inverse
    gradients = np.concatenate([h @ about.xtx_fall @ h, h[None]])
    return fit.at.sigma**2 * h, fit.at.sigma**2 * gradients


def _bias(at: Weighted, about: Information, covariance: Floats) -> Floats:
    """2 H U H (p, p), relative to sigma^2."""
    h, fall, of_t = at.xtx_inverse, about.xtx_fall, covariance[:-1, :-1]
    weights = np.einsum("rs,rab,scd->adbc", of_t, about.directions, about.directions, optimize=True)
    middle = np.tensordot(at.ztz, weights, axes=([1, 2], [2, 3]))
    u = np.tensordot(at.ztx, middle @ at.ztx, axes=([0, 1], [0, 1]))
    u = u - np.einsum("rs,rwx,xy,syz->wz", of_t, fall, h, fall, optimize=True)
    return np.asarray(2.0 * h @ u @ h)


def _in_basis(of: SmallSamples, contrasts: Floats) -> Floats:
    """Combinations of the fixed effects as combinations of the basis's coefficients, (m, p)."""
    return np.asarray(contrasts @ np.linalg.inv(of.r))


def _diagonal(rows: Floats, matrix: Floats) -> Floats:
    return np.asarray(np.einsum("ia,...ab,ib->...i", rows, matrix, rows, optimize=True))


def _degrees_of_freedom(of: SmallSamples, rows: Floats) -> Floats:
    """Degrees of freedom 2 v^2 / (g'Cg) of squared standard errors v with gradients g; C is `parameters`."""
    variance, gradient = _diagonal(rows, of.unadjusted), _diagonal(rows, of.gradients)
    return np.asarray(2.0 * variance**2 / np.einsum("ri,rs,si->i", gradient, of.parameters, gradient))


def _covariance(information_matrix: Floats) -> Floats:
    """Twice the inverse of an information matrix of the criterion; NaN where that is not positive definite."""
    diagonal = np.diag(information_matrix)
    scale = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    scales = np.outer(scale, scale)
    if np.linalg.eigvalsh(information_matrix / scales)[0] < SINGULAR_INFORMATION:
        return np.full_like(information_matrix, np.nan)
    return np.asarray(2.0 * np.linalg.inv(information_matrix / scales) / scales)
