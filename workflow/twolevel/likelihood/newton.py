"""Newton's method on the profiled deviance, compiled: one search from one start."""

import numpy as np

from twolevel.likelihood.derivatives import derivatives
from twolevel.likelihood.deviance import profile_out
from twolevel.likelihood.groupwise import compiled, inner

# A gradient below this counts as zero: with a curvature of 10 or more it leaves the criterion within 1e-12 of the best.
GRADIENT = 1e-6

# The criterion is known to about this much; a step that promises less gains nothing.
PROMISE = 1e-8

# After an undamped step that promised less than this, derivatives would only confirm that it led to the optimum: such
# a step squares the error.
LAST = 1e-10

# Differences of the criterion below this share of it are rounding; there the gradient decides.
ROUNDING = 1e-13

# A search is given up after this many evaluations: the searches of this project take 5 to 35, or never end.
MAX_EVALUATIONS = 60

# The damping grows fourfold each time; after this many times it exceeds any curvature.
MAX_DAMPINGS = 50


@compiled
def minimise(start, free, products, xty, yty, n_obs, reml):  # type: ignore[no-untyped-def]
    """Minimise the criterion from `start` by damped Newton steps (Levenberg 1944, Marquardt 1963).

    The parameters are those of `deviance.profile_out`, with theta (k,) in place of the factor and `free` (k,), where
    its elements stand in the whole lower triangle, column by column.

    Returns
    -------
    theta (k,), criterion without the constant of the basis, gradient (k,), Hessian (k, k), delta (p,), residual sum of
    squares, evaluations. Where that gradient is not small, no optimum was found. Gradient and Hessian are those before
    the last step, where that promised next to nothing.
    """
    q, k = products.shape[1], len(start)
    solved, theta, trial = np.empty(products.shape), start.copy(), start.copy()
    criterion, gradient, hessian = np.inf, np.full(k, np.inf), np.zeros((k, k))
    delta, residual_ss = np.zeros(len(xty)), np.inf
    evaluations, damping, promised = 0, 0.0, 0.0
    while evaluations < MAX_EVALUATIONS:
        lower = _factor(trial, free, q)
        found = profile_out(lower, products, solved, xty, yty, n_obs, reml, 0.0)
        evaluations += 1
        fall = criterion - found[0]
        rounding = evaluations > 1 and abs(fall) <= ROUNDING * abs(criterion)
        if evaluations > 1 and promised <= LAST and damping == 0.0 and (fall > 0.1 * promised or rounding):
            theta, criterion, delta, residual_ss = trial, found[0], found[1], found[2]
            break
        found_gradient, found_hessian = _free_part(derivatives(lower, solved, found[3], found[4], reml), free)
        if fall > 0.1 * promised or (rounding and _largest(found_gradient) < _largest(gradient)):
            criterion, gradient, hessian, delta, residual_ss = (
                found[0],
                found_gradient,
                found_hessian,
                found[1],
                found[2],
            )
            theta, trial = trial, theta
            damping = damping / 10.0 if damping > 1e-6 * _scale(hessian) else 0.0
        elif rounding:
            break
        else:
            damping = max(4.0 * damping, 1e-3 * _scale(hessian))
        if not _largest(gradient) > GRADIENT or not np.isfinite(criterion):
            break
        damping, promised = _try_step(theta, hessian, gradient, damping, trial)
    return theta, criterion, gradient, hessian, delta, residual_ss, evaluations


@inner
def _try_step(theta, hessian, gradient, damping, trial):  # type: ignore[no-untyped-def]
    """Fill `trial` with theta plus a step, damped until it leads downhill; return the damping and the fall promised."""
    step, positive = _step(hessian, gradient, damping)
    for _ in range(MAX_DAMPINGS):
        if positive:
            break
        damping = max(4.0 * damping, 1e-3 * _scale(hessian))
        step, positive = _step(hessian, gradient, damping)
    promised = 0.0
    for a in range(len(theta)):
        trial[a] = theta[a] + step[a]
        promised += 0.5 * (damping * step[a] ** 2 - step[a] * gradient[a])
    return damping, promised


@inner
def _scale(hessian):  # type: ignore[no-untyped-def]
    """The largest curvature along an axis."""
    largest = 0.0
    for a in range(len(hessian)):
        largest = max(largest, abs(hessian[a, a]))
    return largest


@inner
def _factor(theta, free, q):  # type: ignore[no-untyped-def]
    lower, position, t = np.zeros((q, q)), 0, 0
    for column in range(q):
        for row in range(column, q):
            if t < len(free) and free[t] == position:
                lower[row, column] = theta[t]
                t += 1
            position += 1
    return lower


@inner
def _free_part(of_all, free):  # type: ignore[no-untyped-def]
    """Gradient and Hessian by the free elements, from those by the whole lower triangle."""
    (gradient, hessian), k = of_all, len(free)
    if k == len(gradient):
        return gradient, hessian
    few, square = np.empty(k), np.empty((k, k))
    for a in range(k):
        few[a] = gradient[free[a]]
        for b in range(k):
            square[a, b] = hessian[free[a], free[b]]
    return few, square


@inner
def _largest(values):  # type: ignore[no-untyped-def]
    largest = 0.0
    for value in values:
        if np.isnan(value):
            return np.nan
        largest = max(largest, abs(value))
    return largest


@compiled
def is_minimum(gradient, hessian, flat):  # type: ignore[no-untyped-def]
    """Whether no curvature is below -flat, and a Newton step promises no fall of the criterion.

    The promise has no units: where the groups differ by a hundred residual SDs, rounding alone makes a gradient that
    is not small, on a criterion that is flat.
    """
    step, positive = _step(hessian, gradient, flat)
    promised = 0.0
    for a in range(len(step)):
        promised -= 0.5 * step[a] * gradient[a]
    return positive and promised <= PROMISE


@inner
def _step(hessian, gradient, damping):  # type: ignore[no-untyped-def]
    """Solve (hessian + damping I) step = -gradient; also whether that matrix is positive definite."""
    k = len(gradient)
    c, step = np.empty((k, k)), np.zeros(k)
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
