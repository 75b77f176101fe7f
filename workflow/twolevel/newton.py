"""Newton's method on the profiled deviance, compiled: one search from one start."""

import numpy as np
from numba import njit

from twolevel.deviance import criterion_at

# A gradient below this counts as zero: with a curvature of 10 or more it leaves the criterion within 1e-12 of the best.
GRADIENT = 1e-6

# Differences of the criterion below this share of it are rounding; there the gradient decides.
ROUNDING = 1e-13

# Evaluations after which a search is given up: those of this project take 5 to 35, or are stuck.
MAX_EVALUATIONS = 60


@njit(cache=True, nogil=True)
def minimise(start, products, xty, yty, n_obs, reml):  # type: ignore[no-untyped-def]
    """Minimise the criterion from `start` by damped Newton steps (Levenberg 1944, Marquardt 1963).

    The parameters are those of `deviance.criterion_at`, with theta (k,) in place of the factor.

    Returns
    -------
    theta (k,), criterion without the constant of the basis, gradient (k,), Hessian (k, k), delta (p,), residual sum of
    squares, evaluations. Where the gradient is not small in the end, nothing was found.
    """
    q = products.shape[1]
    theta, trial = start.copy(), np.empty_like(start)
    here = criterion_at(_factor(theta, q), products, xty, yty, n_obs, reml, 0.0)
    evaluations, damping = 1, 0.0
    while _largest(here[1]) > GRADIENT and evaluations < MAX_EVALUATIONS:
        step, positive = _step(here[2], here[1], damping)
        accepted = False
        if positive:
            expected = 0.0
            for a in range(len(theta)):
                trial[a] = theta[a] + step[a]
                expected += 0.5 * (step[a] * here[1][a] - damping * step[a] ** 2)
            there = criterion_at(_factor(trial, q), products, xty, yty, n_obs, reml, 0.0)
            evaluations += 1
            fall = here[0] - there[0]
            if fall > -0.1 * expected:
                accepted = True
            elif abs(fall) <= ROUNDING * abs(here[0]):
                accepted = _largest(there[1]) < _largest(here[1])
                if not accepted:
                    break
            if accepted:
                theta[:] = trial
                here = there
                damping = damping / 10.0 if damping > 1e-6 * _largest(np.diag(here[2])) else 0.0
        if not accepted:
            damping = max(4.0 * damping, 1e-3 * _largest(np.diag(here[2])))
    return theta, here[0], here[1], here[2], here[3], here[4], evaluations


@njit(cache=True, nogil=True)
def _factor(theta, q):  # type: ignore[no-untyped-def]
    lower, t = np.zeros((q, q)), 0
    for column in range(q):
        for row in range(column, q):
            lower[row, column] = theta[t]
            t += 1
    return lower


@njit(cache=True, nogil=True)
def _largest(values):  # type: ignore[no-untyped-def]
    largest = 0.0
    for value in values:
        if not abs(value) <= largest:  # also where it is not a number
            largest = abs(value)
    return largest


@njit(cache=True, nogil=True)
def is_minimum(gradient, hessian, flat):  # type: ignore[no-untyped-def]
    """Whether the gradient is zero and no curvature is below -flat."""
    return _largest(gradient) <= GRADIENT and _step(hessian, gradient, flat)[1]


@njit(cache=True, nogil=True)
def _step(hessian, gradient, damping):  # type: ignore[no-untyped-def]
    """Solve (hessian + damping I) step = -gradient; also whether that matrix is positive definite."""
    k = len(gradient)
    c, step = np.empty((k, k)), np.empty(k)
    for a in range(k):
        for b in range(a + 1):
            total = hessian[a, b] + (damping if a == b else 0.0)
            for d in range(b):
                total -= c[a, d] * c[b, d]
            if a == b:
                if not total > 0.0:
                    return step, False
                c[a, a] = np.sqrt(total)
            else:
                c[a, b] = total / c[b, b]
    for a in range(k):
        step[a] = -gradient[a]
        for b in range(a):
            step[a] -= c[a, b] * step[b]
        step[a] /= c[a, a]
    for a in range(k - 1, -1, -1):
        for b in range(a + 1, k):
            step[a] -= c[b, a] * step[b]
        step[a] /= c[a, a]
    return step, True
