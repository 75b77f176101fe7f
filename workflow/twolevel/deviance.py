"""The profiled deviance of a two-level model and its gradient.

For group j, V_j = sigma^2 (I + Z_j L L' Z_j') with L = Lambda(theta) lower triangular, q x q. Fixed effects and sigma are
profiled out, which leaves a function of theta alone: -2 log-likelihood (ML), or the REML criterion, with lme4's
constants (Bates, Maechler, Bolker & Walker 2015, section 3.4). With M_j = I + L'A_jL, every solve is q x q.

theta is unbounded. Changing the sign of a column of L leaves the covariance matrix as it is, so the boundary of the
covariance cone (a zero on L's diagonal) is an interior point of theta space, and an optimiser can walk across it.
lme4 bounds the diagonal at zero instead, which puts a wall there.
"""

from dataclasses import dataclass
from math import log, pi

import numpy as np
from numba import njit

from twolevel.crossproducts import CrossProducts
from twolevel.formula import Floats


@dataclass(frozen=True)
class Profile:
    """The criterion at one theta and what was profiled out there.

    Attributes
    ----------
    criterion : REML criterion, or -2 log-likelihood
    gradient : (k,) derivative with respect to theta
    beta : (p,) fixed effects
    sigma : residual standard deviation
    beta_covariance : (p, p) sigma^2 (X'V^-1X)^-1, V relative to sigma^2: what lme4 reports
    """

    criterion: float
    gradient: Floats
    beta: Floats
    sigma: float
    beta_covariance: Floats


def n_theta(q: int) -> int:
    """Number of elements of theta for q random effects."""
    return q * (q + 1) // 2


def factor(theta: Floats, q: int) -> Floats:
    """Unpack theta into the lower-triangular relative covariance factor, column by column as lme4 stacks it."""
    lower = np.zeros((q, q))
    lower.T[np.triu_indices(q)] = theta
    return lower


def pack(lower: Floats) -> Floats:
    """Stack the lower triangle of a factor column by column: the inverse of `factor`."""
    return lower.T[np.triu_indices(len(lower))]


def profile(theta: Floats, data: CrossProducts, reml: bool) -> Profile:
    """Evaluate the criterion at `theta` (in the scaled coordinates of `data`) and solve for what it profiles out."""
    lower = factor(np.asarray(theta, dtype=float), len(data.z_scale))
    criterion, slope, delta, residual_ss, xtvx = criterion_and_gradient(
        lower, data.ztz, data.ztx, data.zty, data.xty, data.yty, data.n_obs, reml
    )
    p = len(delta)
    sigma2 = residual_ss / (data.n_obs - p if reml else data.n_obs)
    r_inverse = np.linalg.inv(data.r)
    # log|X'V^-1X| is that of the orthonormal basis plus log|r'r|; ML does not have the term.
    constant = 2 * float(np.log(np.abs(np.diag(data.r))).sum()) if reml else 0.0
    return Profile(
        criterion=criterion + constant,
        gradient=pack(slope),
        beta=data.ols + r_inverse @ delta,
        sigma=float(np.sqrt(sigma2)),
        beta_covariance=sigma2 * r_inverse @ np.linalg.inv(xtvx) @ r_inverse.T,
    )


@njit(cache=True)
def criterion_and_gradient(lower, ztz, ztx, zty, xty, yty, n_obs, reml):  # type: ignore[no-untyped-def]
    """Criterion in the coordinates of `CrossProducts`, and its gradient with respect to the factor L.

    Returns
    -------
    criterion : the criterion, without the constant log|r'r| of REML
    slope : (q, q) lower triangle of the derivative with respect to L
    delta : (p,) generalised least-squares coefficients in the orthonormal basis
    residual_ss : the minimised (y - X beta)'V^-1(y - X beta), V relative to sigma^2
    xtvx : (p, p) X'V^-1X in the orthonormal basis

    Notes
    -----
    The derivative is 2 G L, with G = sum_j P_j - Q_j H Q_j' - (n - p)/r^2 e_j e_j' (ML: without the H term, n for n - p),
    where P_j = Z_j'V_j^-1Z_j, Q_j = Z_j'V_j^-1X_j, e_j = Z_j'V_j^-1(y_j - X_j beta), H = (X'V^-1X)^-1.
    """
    n_groups, q, p = ztx.shape
    # Z_j, X_j and y_j side by side: Z_j'[Z_j, X_j, y_j] before the solve, Z_j'V_j^-1[Z_j, X_j, y_j] after it.
    products = np.empty((n_groups, q, q + p + 1))
    products[:, :, :q] = ztz
    products[:, :, q : q + p] = ztx
    products[:, :, q + p] = zty
    xtvx = np.eye(p)
    xtvy = xty.copy()
    ytvy = yty
    log_determinant = 0.0
    k = np.empty((q, q))
    u = np.empty((q, q + p + 1))
    for j in range(n_groups):
        log_determinant += _half_solve(lower, products[j], k, u)
        for c in range(q):
            for a in range(p):
                for b in range(p):
                    xtvx[a, b] -= u[c, q + a] * u[c, q + b]
                xtvy[a] -= u[c, q + a] * u[c, q + p]
            ytvy -= u[c, q + p] ** 2
            for a in range(q):
                for b in range(q + p + 1):
                    products[j, a, b] -= u[c, a] * u[c, b]

    h = np.linalg.inv(xtvx)
    delta = h @ xtvy
    residual_ss = ytvy - delta @ xtvy
    free = n_obs - p if reml else n_obs
    criterion = log_determinant + free * (1.0 + log(2.0 * pi * residual_ss / free))
    if reml:
        criterion += np.linalg.slogdet(xtvx)[1]
    else:
        h = np.zeros_like(h)
    g = _gradient_core(products, delta, h, free / residual_ss)
    return criterion, np.tril(2.0 * g @ lower), delta, residual_ss, xtvx


@njit(cache=True)
def _half_solve(lower, products, k, u):  # type: ignore[no-untyped-def]
    """Fill k with the Cholesky factor of M_j = I + L'A_jL and u with k^-1 L'[A_j, B_j, a_j]; return log|M_j|."""
    q, width = products.shape
    for a in range(q):
        for b in range(width):
            total = 0.0
            for c in range(a, q):
                total += lower[c, a] * products[c, b]
            u[a, b] = total
    log_determinant = 0.0
    for a in range(q):
        for b in range(a + 1):
            total = 1.0 if a == b else 0.0
            for c in range(b, q):
                total += u[a, c] * lower[c, b]
            for c in range(b):
                total -= k[a, c] * k[b, c]
            k[a, b] = np.sqrt(total) if a == b else total / k[b, b]
        log_determinant += 2.0 * np.log(k[a, a])
    for a in range(q):
        for b in range(width):
            total = u[a, b]
            for c in range(a):
                total -= k[a, c] * u[c, b]
            u[a, b] = total / k[a, a]
    return log_determinant


@njit(cache=True)
def _gradient_core(products, delta, h, weight):  # type: ignore[no-untyped-def]
    """Sum over groups of P_j - Q_j h Q_j' - weight e_j e_j', from Z_j'V_j^-1[Z_j, X_j, y_j]."""
    n_groups, q, _ = products.shape
    p = len(delta)
    g = np.zeros((q, q))
    e = np.empty(q)
    for j in range(n_groups):
        for a in range(q):
            e[a] = products[j, a, q + p]
            for b in range(p):
                e[a] -= products[j, a, q + b] * delta[b]
        for a in range(q):
            for b in range(q):
                total = products[j, a, b] - weight * e[a] * e[b]
                for c in range(p):
                    for d in range(p):
                        total -= products[j, a, q + c] * h[c, d] * products[j, b, q + d]
                g[a, b] += total
    return g
