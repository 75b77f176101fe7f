"""The profiled deviance of a two-level model, its gradient and its Hessian.

For group j, V_j = sigma^2 (I + Z_j L L' Z_j') with L = Lambda(theta) lower triangular, q x q, and block diagonal where
blocks of random effects are independent. Fixed effects and sigma are profiled out, which leaves a function of theta
alone: -2 log-likelihood (ML), or the REML criterion, with lme4's constants (Bates, Maechler, Bolker & Walker 2015).
With A_j = Z_j'Z_j and M_j = I + L'A_jL, every solve is q x q.

theta is unbounded. Changing the sign of a column of L leaves the covariance matrix as it is, so the boundary of the
covariance cone (a zero on L's diagonal) is an interior point of theta space, and an optimiser can walk across it.
lme4 bounds the diagonal at zero instead, which puts a wall there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, pi, sqrt

import numpy as np

from twolevel.likelihood.crossproducts import CrossProducts
from twolevel.likelihood.derivatives import derivatives
from twolevel.likelihood.few_effects import reduce_one, reduce_two
from twolevel.likelihood.groupwise import compiled, inner, reduce_groups
from twolevel.model.blocks import Blocks, places
from twolevel.model.design import Floats


@dataclass(frozen=True)
class Profile:
    """The criterion at one theta and what was profiled out there.

    Attributes
    ----------
    criterion : REML criterion, or -2 log-likelihood
    gradient, hessian : (k,), (k, k) derivatives with respect to theta
    beta : (p,) fixed effects
    sigma : residual standard deviation
    beta_covariance : (p, p) sigma^2 (X'V^-1X)^-1, V relative to sigma^2: what lme4 reports
    """

    criterion: float
    gradient: Floats
    hessian: Floats
    beta: Floats
    sigma: float
    beta_covariance: Floats


def n_theta(blocks: Blocks) -> int:
    """Number of elements of theta for independent blocks of random effects."""
    return sum(size * (size + 1) // 2 for size in blocks)


def factor(theta: Floats, blocks: Blocks) -> Floats:
    """Unpack theta (..., k) into lower-triangular relative covariance factors, column by column as lme4 stacks it."""
    q = sum(blocks)
    lower = np.zeros((*theta.shape[:-1], q, q))
    rows, columns = places(blocks)
    lower[..., rows, columns] = theta
    return lower


def pack(lower: Floats, blocks: Blocks) -> Floats:
    """Stack the blocks' lower triangles of factors (..., q, q) column by column: the inverse of `factor`."""
    rows, columns = places(blocks)
    return np.asarray(lower[..., rows, columns])


def from_lme4(theta: Sequence[float] | Floats, data: CrossProducts) -> Floats:
    """Relative covariance factor (q, q) in the coordinates of `data`, from theta (k,) in the units of Z, lme4's own."""
    return data.basis_units(factor(np.asarray(theta), data.blocks))


def evaluate(theta: Floats, data: CrossProducts, reml: bool) -> tuple[float, Floats]:
    """Criterion and gradient at `theta`, in the coordinates of `data`: what a search needs, and no more."""
    criterion, gradient, *_ = solve(theta, data, reml)
    return criterion + data.basis_constant(reml), gradient


def profile(theta: Floats, data: CrossProducts, reml: bool) -> Profile:
    """Evaluate the criterion at `theta`, as `evaluate` does, and solve for what it profiles out."""
    criterion, gradient, hessian, delta, residual_ss, transform = solve(theta, data, reml)
    sigma2 = residual_ss / (data.n_obs - len(delta) if reml else data.n_obs)
    r_inverse = np.linalg.inv(data.r)
    root = r_inverse @ transform[:-1, :-1]
    return Profile(
        criterion=criterion + data.basis_constant(reml),
        gradient=gradient,
        hessian=hessian,
        beta=data.ols + r_inverse @ delta,
        sigma=float(np.sqrt(sigma2)),
        beta_covariance=sigma2 * root @ root.T,
    )


def solve(
    theta: Floats, data: CrossProducts, reml: bool, sigma2: float = 0.0
) -> tuple[float, Floats, Floats, Floats, float, Floats]:
    """Evaluate `criterion_at`, with derivatives by theta; the criterion lacks the constant of the basis."""
    lower = factor(np.asarray(theta, dtype=np.float64), data.blocks)
    found = criterion_at(lower, data.stacked, data.xty, data.yty, data.n_obs, reml, sigma2)
    criterion, gradient, hessian, delta, residual_ss, transform = found
    return criterion, gradient[data.free], hessian[np.ix_(data.free, data.free)], delta, residual_ss, transform


def criterion_at(
    lower: Floats, products: Floats, xty: Floats, yty: float, n_obs: int, reml: bool, sigma2: float
) -> tuple[float, Floats, Floats, Floats, float, Floats]:
    """Evaluate the criterion with its derivatives, from what `profile_out` takes, without `solved`.

    Returns
    -------
    criterion without the constant of the basis, gradient and Hessian by the whole lower triangle, delta, the residual
    sum of squares, and the upper triangular t (p + 1, p + 1), whose first p rows and columns are a root of (X'V^-1X)^-1
    """
    solved = np.empty(products.shape)
    found = profile_out(lower, products, solved, xty, yty, n_obs, reml, sigma2)
    criterion, delta, residual_ss, transform, profiled = found
    gradient, hessian = derivatives(lower, solved, transform, profiled, reml)
    return criterion, gradient, hessian, delta, residual_ss, transform


@compiled
def profile_out(lower, products, solved, xty, yty, n_obs, reml, sigma2):  # type: ignore[no-untyped-def]
    """Profile out the coefficients delta of the orthonormal basis of X and, where `sigma2` is 0, the residual variance.

    Parameters
    ----------
    lower : (q, q) relative covariance factor
    products : (n, q, q + p + 1, B) Z_j'[Z_j, X_j, y_j] in blocks of groups, X_j of the orthonormal basis
    solved : of the same shape; filled for `derivatives`
    xty, yty, n_obs : as in `CrossProducts`
    sigma2 : a given residual variance; 0 for its estimate

    Returns
    -------
    criterion without the constant of the basis, delta, the residual sum of squares, and the last two of what
    `derivatives` needs
    """
    p = len(xty)
    totals = np.zeros((p + 1, p + 1))
    for a in range(p):
        totals[a, a] = 1.0
        totals[p, a] = xty[a]
    totals[p, p] = yty
    if len(lower) == 1:
        log_determinant = reduce_one(lower, products, solved, totals)
    elif len(lower) == 2:
        log_determinant = reduce_two(lower, products, solved, totals)
    else:
        log_determinant = reduce_groups(lower, products, solved, totals)
    transform, log_xtvx = _transform(totals)
    residual_ss = 1.0 / transform[p, p] ** 2
    free = n_obs - p if reml else n_obs
    if sigma2 == 0.0:
        variance, profiled = residual_ss / free, 1.0 / free
        criterion = log_determinant + free * (1.0 + log(2.0 * pi * variance))
    else:
        variance, profiled = sigma2, 0.0
        criterion = log_determinant + free * log(2.0 * pi * variance) + residual_ss / variance
    if reml:
        criterion += log_xtvx
    delta, to_variance = np.empty(p), sqrt(residual_ss / variance)
    for a in range(p):
        delta[a] = -transform[a, p] / transform[p, p]
    for a in range(p + 1):
        transform[a, p] *= to_variance
    return criterion, delta, residual_ss, transform, profiled


@inner
def _transform(c):  # type: ignore[no-untyped-def]
    """Return the upper triangular t with [X, y]t orthonormal in V^-1, and log|X'V^-1X|.

    `c` is [X, y]'V^-1[X, y], its lower triangle, which turns into its Cholesky factor. The last column of t is
    y - X delta over the root of the residual sum of squares.
    """
    width = len(c)
    for a in range(width):
        for b in range(a + 1):
            for d in range(b):
                c[a, b] -= c[a, d] * c[b, d]
            c[a, b] = np.sqrt(c[a, a]) if a == b else c[a, b] / c[b, b]
    t, log_determinant = np.zeros((width, width)), 0.0
    for b in range(width):
        t[b, b] = 1.0 / c[b, b]
        for a in range(b + 1, width):
            for d in range(b, a):
                t[b, a] -= c[a, d] * t[b, d]
            t[b, a] /= c[a, a]
        if b < width - 1:
            log_determinant += 2.0 * log(c[b, b])
    return t, log_determinant
