"""Gradient and Hessian of the criterion, from sums over groups."""

import numpy as np

from twolevel.likelihood.few_effects import sums_of_two
from twolevel.likelihood.groupwise import compiled, inner, position, sums


@compiled
def derivatives(lower, solved, transform, profiled, reml):  # type: ignore[no-untyped-def]
    """Gradient (k,) and Hessian (k, k) of the criterion with respect to theta.

    Let S = LL', P_j = Z_j'V_j^-1Z_j and F_j = Z_j'V_j^-1[X_j root, y_j - X_j beta] with its last column divided by
    the residual SD, where root root' is the inverse of X'V^-1X. The derivative of the criterion in a direction D of S
    is sum_j tr(D (P_j - F_jF_j')), and the second derivative in directions D and E is

        sum_j tr(D P_j E Y_j) - sum of the elements of C_D * C_E,    Y_j = 2 F_jF_j' - P_j,    C_D = sum_j F_j'DF_j

    made symmetric in D and E; by ML, FF' and CC have no terms from X alone. A residual variance that is profiled out
    takes the last element of C, (p, p), with the inverse of its degrees of freedom; one that is given does not take it.

    A symmetric q x q matrix is kept as its lower triangle, column by column as theta is. Its k elements stand for the
    directions with ones at (a, b) and (b, a).

    Parameters
    ----------
    solved : (n, q, q + p + 1, B) from `reduce_groups`
    transform : (p + 1, p + 1) upper triangular, Z_j'V_j^-1[X_j, y_j] transform = F_j
    profiled : inverse degrees of freedom of the residual variance, 0 where it is given
    """
    q, width = len(lower), len(transform)
    k = q * (q + 1) // 2
    core, py, c = np.zeros(k), np.zeros((k, k)), np.zeros((k, width, width))
    if q == 2:
        sums_of_two(solved, transform, reml, core, py, c)
    else:
        sums(solved, transform, reml, core, py, c)
    for t in range(k):
        for a in range(0 if reml else width - 1, width):
            core[t] -= c[t, a, a] / 2.0
    return _in_theta(lower, core, _second(py, c, profiled, q))


@inner
def _second(py, c, profiled, q):  # type: ignore[no-untyped-def]
    """Second derivatives (k, k) with respect to the elements of S."""
    k, width, _ = c.shape
    second = np.empty((k, k))
    for i in range(q):
        for j in range(i + 1):
            for d in range(q):
                for e in range(d + 1):
                    s, t = position(i, j, q), position(d, e, q)
                    total = _both(py, i, d, e, j, q) + _both(py, i, e, d, j, q)
                    total += _both(py, j, d, e, i, q) + _both(py, j, e, d, i, q)
                    for a in range(width):
                        for b in range(a):
                            total -= 2.0 * c[s, a, b] * c[t, a, b]
                        total -= (1.0 if a < width - 1 else profiled) * c[s, a, a] * c[t, a, a]
                    second[s, t] = total / ((2.0 if i == j else 1.0) * (2.0 if d == e else 1.0))
    return second


@inner
def _both(py, a, b, d, e, q):  # type: ignore[no-untyped-def]
    one, other = position(a, b, q), position(d, e, q)
    return (py[one, other] + py[other, one]) / 2.0


@inner
def _in_theta(lower, core, second):  # type: ignore[no-untyped-def]
    """Gradient and Hessian with respect to theta from those with respect to S = LL'."""
    q, k = len(lower), len(core)
    jacobian, gradient, hessian = np.zeros((k, k)), np.zeros(k), np.zeros((k, k))
    for column in range(q):
        for row in range(column, q):
            t = position(row, column, q)
            for i in range(q):
                jacobian[position(row, i, q), t] += lower[i, column] * (2.0 if i == row else 1.0)
                gradient[t] += 2.0 * core[position(row, i, q)] * lower[i, column]
            for other in range(column, q):
                hessian[t, position(other, column, q)] += 2.0 * core[position(row, other, q)]
    for t in range(k):
        for a in range(k):
            product = 0.0
            for b in range(k):
                product += second[a, b] * jacobian[b, t]
            for s in range(k):
                hessian[s, t] += jacobian[a, s] * product
    return gradient, hessian
