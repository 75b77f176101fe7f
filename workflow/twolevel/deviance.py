"""The profiled deviance of a two-level model and its gradient.

For group j, V_j = sigma^2 (I + Z_j L L' Z_j') with L = Lambda(theta) lower triangular, q x q. Fixed effects and sigma
are profiled out, which leaves a function of theta alone: -2 log-likelihood (ML), or the REML criterion, with lme4's
constants (Bates, Maechler, Bolker & Walker 2015). With A_j = Z_j'Z_j and M_j = I + L'A_jL, every solve is q x q.

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


def evaluate(theta: Floats, data: CrossProducts, reml: bool) -> tuple[float, Floats]:
    """Criterion and gradient at `theta`, in the coordinates of `data`: what a search needs, and no more."""
    at = _solve(theta, data, reml)
    return at.criterion + _basis_constant(data, reml), at.gradient


def profile(theta: Floats, data: CrossProducts, reml: bool) -> Profile:
    """Evaluate the criterion at `theta`, as `evaluate` does, and solve for what it profiles out."""
    at = _solve(theta, data, reml)
    sigma2 = at.residual_ss / (data.n_obs - len(at.delta) if reml else data.n_obs)
    r_inverse = np.linalg.inv(data.r)
    return Profile(
        criterion=at.criterion + _basis_constant(data, reml),
        gradient=at.gradient,
        beta=data.ols + r_inverse @ at.delta,
        sigma=float(np.sqrt(sigma2)),
        beta_covariance=sigma2 * r_inverse @ at.xtvx_inverse @ r_inverse.T,
    )


@dataclass(frozen=True)
class _Solution:
    """The criterion in the coordinates of `CrossProducts`, without the constant of the basis; see `_solve`."""

    criterion: float
    gradient: Floats
    delta: Floats
    residual_ss: float
    xtvx_inverse: Floats


def _solve(theta: Floats, data: CrossProducts, reml: bool) -> _Solution:
    """Profile out the coefficients delta of the orthonormal basis and the residual sum of squares r^2.

    The gradient with respect to L is 2 G L, with G = sum_j P_j - Q_j H Q_j' - (n - p)/r^2 e_j e_j' (ML: without the H
    term, n for n - p), where P_j = Z_j'V_j^-1Z_j, Q_j = Z_j'V_j^-1X_j, e_j = Z_j'V_j^-1(y_j - X_j beta) and
    H = (X'V^-1X)^-1.
    """
    lower = factor(theta, len(data.s))
    products = np.concatenate([data.ztz, data.ztx, data.zty[:, :, None]], axis=2)
    xtvx, xtvy = np.eye(len(data.r)), data.xty.copy()
    log_determinant, yty_removed = _reduce(lower, products, xtvx, xtvy)
    h = np.asarray(np.linalg.inv(xtvx), dtype=np.float64)
    delta = h @ xtvy
    residual_ss = data.yty - yty_removed - delta @ xtvy
    free = data.n_obs - len(delta) if reml else data.n_obs
    criterion = log_determinant + free * (1.0 + log(2.0 * pi * residual_ss / free))
    if reml:
        criterion += np.linalg.slogdet(xtvx)[1]
    g = _gradient_core(products, delta, h if reml else np.zeros_like(h), free / residual_ss)
    return _Solution(float(criterion), pack(2.0 * g @ lower), delta, float(residual_ss), h)


def _basis_constant(data: CrossProducts, reml: bool) -> float:
    # log|X'V^-1X| is that of the orthonormal basis plus log|r'r|; ML does not have the term.
    return 2 * float(np.log(np.abs(np.diag(data.r))).sum()) if reml else 0.0


# The loops below compile in seconds because they are loops alone: every array they fill is made in NumPy above.
@njit(cache=True)
def _reduce(lower, products, xtvx, xtvy):  # type: ignore[no-untyped-def]
    """Bring V^-1, V relative to sigma^2, into the cross-products, in place.

    Turns products, Z_j'[Z_j, X_j, y_j], into Z_j'V_j^-1[Z_j, X_j, y_j]; X'X into X'V^-1X; X'y into X'V^-1y. Returns
    log|V| and y'y - y'V^-1y.
    """
    n_groups, q, width = products.shape
    p = len(xtvy)
    log_determinant = 0.0
    yty_removed = 0.0
    k = np.empty((q, q))
    u = np.empty((q, width))
    for j in range(n_groups):
        log_determinant += _half_solve(lower, products[j], k, u)
        for c in range(q):
            for a in range(p):
                for b in range(p):
                    xtvx[a, b] -= u[c, q + a] * u[c, q + b]
                xtvy[a] -= u[c, q + a] * u[c, q + p]
            yty_removed += u[c, q + p] ** 2
            for a in range(q):
                for b in range(width):
                    products[j, a, b] -= u[c, a] * u[c, b]
    return log_determinant, yty_removed


@njit(cache=True)
def _half_solve(lower, products, k, u):  # type: ignore[no-untyped-def]  # noqa: C901  (loops, not branches)
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
