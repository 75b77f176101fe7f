"""Sums over groups where there are one or two random effects: those of `groupwise`, in fewer passes.

One or two effects are what most models have, and most of the time of a bootstrap goes into these loops. Each of them
does in one pass what takes several where the number of effects is open, and keeps what it needs in registers.
"""

import numpy as np

from twolevel.likelihood.groupwise import dot, inner, over_groups, sum_of_logs


@inner
def reduce_one(lower, products, solved, totals):  # type: ignore[no-untyped-def]
    """Do what `groupwise.reduce_groups` does, for one random effect: V_j^-1 subtracts Z_jZ_j' l^2 / (1 + l^2 A_j)."""
    n_blocks, _, width, size = products.shape
    variance, determinant = lower[0, 0] ** 2, np.empty(size)
    log_determinant = 0.0
    for block in range(n_blocks):
        data, out = products[block, 0], solved[block, 0]
        _solve_one(variance, data, determinant, out)
        for b in range(1, width):
            for a in range(1, b + 1):
                totals[b - 1, a - 1] -= variance * dot(data[a], out[b])
        log_determinant += sum_of_logs(determinant)
    return log_determinant


@over_groups
def _solve_one(variance, data, determinant, out):  # type: ignore[no-untyped-def]
    for j in range(len(determinant)):
        determinant[j] = 1.0 + variance * data[0, j]
    for b in range(len(data)):
        for j in range(len(determinant)):
            out[b, j] = data[b, j] / determinant[j]


@inner
def reduce_two(lower, products, solved, totals):  # type: ignore[no-untyped-def]
    """Do what `groupwise.reduce_groups` does, for two random effects.

    The steps are those, but that u and k's columns are not divided by the roots of the pivots: M_j = kDk' with ones on
    k's diagonal, and V^-1 subtracts u'D^-1u. With square roots, the factorisation would take twice as long.
    """
    n_blocks, _, width, size = products.shape
    factors, u, determinant = np.empty((7, size)), np.empty((width, 2, size)), np.empty(size)
    log_determinant = 0.0
    for block in range(n_blocks):
        data, out = products[block], solved[block]
        _factorise_two(lower, data, factors, determinant, out)
        for b in range(2, width):
            totals[b - 2, b - 2] -= _solve_two(lower, factors, data, b, u, out)
            for a in range(2, b):
                totals[b - 2, a - 2] -= _form_two(factors, u, a, b)
        log_determinant += sum_of_logs(determinant)
    return log_determinant


@over_groups
def _factorise_two(lower, data, factors, determinant, out):  # type: ignore[no-untyped-def]
    """Fill in |M_j|, `factors` and the lower triangle of Z_j'V_j^-1Z_j.

    `factors` are D^-1, the element of k below the diagonal, and the columns of D^-1u that belong to Z_j.
    """
    l00, l10, l11 = lower[0, 0], lower[1, 0], lower[1, 1]
    for j in range(len(determinant)):
        a00, a10, a11 = data[0, 0, j], data[1, 0, j], data[1, 1, j]
        # Rows of L'A.
        la00, la01, la10, la11 = l00 * a00 + l10 * a10, l00 * a10 + l10 * a11, l11 * a10, l11 * a11
        m00, m10 = 1.0 + la00 * l00 + la01 * l10, la10 * l00 + la11 * l10
        i0 = 1.0 / m00
        k10 = m10 * i0
        pivot = 1.0 + la11 * l11 - k10 * m10
        i1 = 1.0 / pivot
        u10, u11 = la10 - k10 * la00, la11 - k10 * la01
        w00, w01, w10, w11 = la00 * i0, la01 * i0, u10 * i1, u11 * i1
        determinant[j] = m00 * pivot
        factors[0, j], factors[1, j], factors[2, j] = i0, i1, k10
        factors[3, j], factors[4, j], factors[5, j], factors[6, j] = w00, w01, w10, w11
        out[0, 0, j] = a00 - w00 * la00 - w10 * u10
        out[1, 0, j] = a10 - w01 * la00 - w11 * u10
        out[1, 1, j] = a11 - w01 * la01 - w11 * u11


@over_groups
def _solve_two(lower, factors, data, column, u, out):  # type: ignore[no-untyped-def]
    """Fill in a column of u, and of Z_j'V_j^-1[Z_j, X_j, y_j]; return the column's u'D^-1u, summed over the groups."""
    l00, l10, l11, total = lower[0, 0], lower[1, 0], lower[1, 1], 0.0
    for j in range(u.shape[2]):
        x, y = data[0, column, j], data[1, column, j]
        u0 = l00 * x + l10 * y
        u1 = l11 * y - factors[2, j] * u0
        u[column, 0, j] = u0
        u[column, 1, j] = u1
        out[0, column, j] = x - factors[3, j] * u0 - factors[5, j] * u1
        out[1, column, j] = y - factors[4, j] * u0 - factors[6, j] * u1
        total += factors[0, j] * u0 * u0 + factors[1, j] * u1 * u1
    return total


@over_groups
def _form_two(factors, u, a, b):  # type: ignore[no-untyped-def]
    """Sum of u_a'D^-1u_b over the groups."""
    total = 0.0
    for j in range(u.shape[2]):
        total += factors[0, j] * u[a, 0, j] * u[b, 0, j] + factors[1, j] * u[a, 1, j] * u[b, 1, j]
    return total


@inner
def sums_of_two(solved, transform, reml, core, py, c):  # type: ignore[no-untyped-def]
    """Do what `groupwise.sums` does, for two random effects. One needs no other code."""
    n_blocks, _, _, size = solved.shape
    width = len(transform)
    f, y = np.empty((2, width, size)), np.empty((3, size))
    for block in range(n_blocks):
        _minus_p(solved[block], y)
        for b in range(width):
            _transformed(solved[block], transform, b, f)
            if reml or b == width - 1:
                for a in range(b + 1):
                    c00, c10, c11 = _products(f, a, b) if a < b else _squares(f, b, y)
                    c[0, b, a] += 2.0 * c00
                    c[1, b, a] += c10
                    c[2, b, a] += 2.0 * c11
        _add_traces(solved[block], y, core, py)


@over_groups
def _minus_p(p, y):  # type: ignore[no-untyped-def]
    for j in range(y.shape[1]):
        y[0, j], y[1, j], y[2, j] = -p[0, 0, j], -p[1, 0, j], -p[1, 1, j]


@over_groups
def _transformed(solved, transform, column, f):  # type: ignore[no-untyped-def]
    """Fill in a column of F_j."""
    for j in range(f.shape[2]):
        f[0, column, j] = transform[0, column] * solved[0, 2, j]
        f[1, column, j] = transform[0, column] * solved[1, 2, j]
    for d in range(1, column + 1):
        for j in range(f.shape[2]):
            f[0, column, j] += transform[d, column] * solved[0, 2 + d, j]
            f[1, column, j] += transform[d, column] * solved[1, 2 + d, j]


@over_groups
def _squares(f, column, y):  # type: ignore[no-untyped-def]
    """Do what `_products` does, of a column with itself, and add its part of 2 F_jF_j' to y."""
    c00 = c10 = c11 = 0.0
    for j in range(y.shape[1]):
        f0, f1 = f[0, column, j], f[1, column, j]
        s00, s10, s11 = f0 * f0, 2.0 * f1 * f0, f1 * f1
        y[0, j] += 2.0 * s00
        y[1, j] += s10
        y[2, j] += 2.0 * s11
        c00, c10, c11 = c00 + s00, c10 + s10, c11 + s11
    return c00, c10, c11


@over_groups
def _products(f, a, b):  # type: ignore[no-untyped-def]
    c00 = c10 = c11 = 0.0
    for j in range(f.shape[2]):
        c00 += f[0, a, j] * f[0, b, j]
        c10 += f[1, a, j] * f[0, b, j] + f[0, a, j] * f[1, b, j]
        c11 += f[1, a, j] * f[1, b, j]
    return c00, c10, c11


@over_groups
def _add_traces(p, y, core, py):  # type: ignore[no-untyped-def]
    t0 = t1 = t2 = t00 = t01 = t02 = t10 = t11 = t12 = t20 = t21 = t22 = 0.0
    for j in range(y.shape[1]):
        p0, p1, p2, y0, y1, y2 = p[0, 0, j], p[1, 0, j], p[1, 1, j], y[0, j], y[1, j], y[2, j]
        t0, t1, t2 = t0 + p0, t1 + p1, t2 + p2
        t00, t01, t02 = t00 + p0 * y0, t01 + p0 * y1, t02 + p0 * y2
        t10, t11, t12 = t10 + p1 * y0, t11 + p1 * y1, t12 + p1 * y2
        t20, t21, t22 = t20 + p2 * y0, t21 + p2 * y1, t22 + p2 * y2
    for t, total in enumerate((t0, t1, t2)):
        core[t] += total
    for s, row in enumerate(((t00, t01, t02), (t10, t11, t12), (t20, t21, t22))):
        for t, total in enumerate(row):
            py[s, t] += total
