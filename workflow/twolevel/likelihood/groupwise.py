"""Compiled sums over groups, from which the criterion and its derivatives are computed.

A number of each group is a vector over groups. Vectors are contiguous, in blocks that fit the processor's cache, so
that every loop here runs over the groups of a block and the processor works on several at once. The arithmetic of one
evaluation is O(J q^2 (q + p)^2), whatever the number of observations. Models with one or two random effects have faster
loops in `few_effects`.
"""

from typing import Any

import numpy as np
from numba import njit

from twolevel.model.design import Floats

# The most groups in a block: a few dozen vectors of this length fit the first-level cache of common processors.
BLOCK = 256

# A product of determinants is turned into a logarithm before it overflows: logarithms are slow, products are not.
LARGE = 1e150


def in_blocks(per_group: Floats) -> Floats:
    """Bring an array (J, ...) into blocks (n, ..., B) of equal size, the last one filled up with zeros.

    A group of zeros adds nothing to any sum.
    """
    n_groups = len(per_group)
    n_blocks = -(-n_groups // BLOCK)
    size = -(-n_groups // n_blocks)
    padded = np.zeros((n_blocks * size, *per_group.shape[1:]))
    padded[:n_groups] = per_group
    return np.ascontiguousarray(np.moveaxis(padded.reshape(n_blocks, size, *per_group.shape[1:]), 1, -1))


def out_of_blocks(blocks: Floats, n_groups: int) -> Floats:
    """Bring an array (n, ..., B) back to (J, ...): the inverse of `in_blocks`."""
    return np.moveaxis(blocks, -1, 1).reshape(-1, *blocks.shape[1:-1])[:n_groups]


# A division by zero gives what NumPy gives: a test at every division would be slow to run and to compile. Nor is time
# spent on compiling ways in that nothing takes: from C, and to what only compiled code calls from Python.
_options: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
_inner: dict[str, Any] = {**_options, "no_cpython_wrapper": True}
compiled, inner = njit(**_options), njit(**_inner)

# The compiler may reorder sums and fuse a product with a sum, so that the processor takes several groups at once.
# Nothing else is relaxed, and NaN stays NaN.
over_groups = njit(**_inner, fastmath={"reassoc", "contract"})


@over_groups
def put(out, factor, x):  # type: ignore[no-untyped-def]
    """Factor x into out."""
    for j in range(len(out)):
        out[j] = factor * x[j]


@over_groups
def add(out, factor, x):  # type: ignore[no-untyped-def]
    """Add factor x to out."""
    for j in range(len(out)):
        out[j] += factor * x[j]


@over_groups
def add_product(out, factor, x, y):  # type: ignore[no-untyped-def]
    """Add factor x y to out."""
    for j in range(len(out)):
        out[j] += factor * x[j] * y[j]


@over_groups
def dot(x, y):  # type: ignore[no-untyped-def]
    """Sum of x y over the groups."""
    total = 0.0
    for j in range(len(x)):
        total += x[j] * y[j]
    return total


@over_groups
def _pivot(rows, row, determinant):  # type: ignore[no-untyped-def]
    """Turn a pivot, the first of `rows`, into its inverse root and multiply the other rows with it."""
    for j in range(len(determinant)):
        determinant[j] *= row[j]
        row[j] = 1.0 / np.sqrt(row[j])
    for a in range(len(rows)):
        for j in range(len(determinant)):
            rows[a, j] *= row[j]


@inner
def sum_of_logs(values):  # type: ignore[no-untyped-def]
    """Sum of the logarithms of numbers of 1 and more."""
    total, product = 0.0, 1.0
    for value in values:
        if product * value > LARGE:
            total += np.log(product)
            product = 1.0
        product *= value
    return total + np.log(product)


@compiled
def reduce_groups(lower, products, solved, totals):  # type: ignore[no-untyped-def]  # noqa: C901  (loops)
    """Weight the cross-products by V^-1, V relative to sigma^2.

    Fills `solved` with Z_j'V_j^-1[Z_j, X_j, y_j] from `products`, Z_j'[Z_j, X_j, y_j], both (n, q, q + p + 1, B), the
    first q columns only below the diagonal; turns the lower triangle of `totals`, [X, y]'[X, y], (p + 1, p + 1), into
    that of [X, y]'V^-1[X, y]. Returns log|V|.

    With k the Cholesky factor of M_j = I + L'A_jL and u = k^-1 L'Z_j'[Z_j, X_j, y_j], V^-1 subtracts u'u. The rows of
    u come one after the other: [M_j - I, u] is eliminated as one matrix.
    """
    n_blocks, q, width, size = products.shape
    m, determinant = np.empty((q, q + width, size)), np.empty(size)
    log_determinant = 0.0
    for block in range(n_blocks):
        data, out = products[block], solved[block]
        for b in range(width):
            for a in range(q):
                put(out[a, b], 1.0, data[a, b])
                put(m[a, q + b], 0.0, data[a, b])
                for c in range(a, q):
                    add(m[a, q + b], lower[c, a], data[c, b])
        for a in range(q):
            for b in range(q):
                for j in range(size):
                    m[a, b, j] = 1.0 if a == b else 0.0
                for c in range(b, q):
                    add(m[a, b], lower[c, b], m[a, q + c])
        for j in range(size):
            determinant[j] = 1.0
        for c in range(q):
            _pivot(m[c, c + 1 :], m[c, c], determinant)
            for a in range(c + 1, q):
                for b in range(a, q + width):
                    add_product(m[a, b], -1.0, m[c, a], m[c, b])
            for a in range(q):
                for b in range(width):
                    if b <= a or b >= q:
                        add_product(out[a, b], -1.0, m[c, q + a], m[c, q + b])
            for b in range(q, width):
                for a in range(q, b + 1):
                    totals[b - q, a - q] -= dot(m[c, q + a], m[c, q + b])
        log_determinant += sum_of_logs(determinant)
    return log_determinant


@inner
def sums(solved, transform, reml, core, py, c):  # type: ignore[no-untyped-def]  # noqa: C901  (loops)
    """Add up what `derivatives.derivatives` is made of; its symbols, its parameters.

    Fills `core` (k,) with the sums of P_j, `py` (k, k) with those of an element of P_j times one of Y_j, and the lower
    triangles of `c` (k, p + 1, p + 1) with F_j'DF_j, twice where D has one element only.
    """
    n_blocks, q, _, size = solved.shape
    width = len(transform)
    first = 0 if reml else width - 1
    f, y = np.empty((q, width, size)), np.empty(size)
    for block in range(n_blocks):
        data = solved[block]
        for a in range(q):
            for b in range(width):
                put(f[a, b], 0.0, data[a, q])
                for d in range(b + 1):
                    add(f[a, b], transform[d, b], data[a, q + d])
        for column in range(q):
            for row in range(column, q):
                t = position(row, column, q)
                for b in range(first, width):
                    for a in range(b + 1):
                        c[t, b, a] += dot(f[row, a], f[column, b]) + dot(f[row, b], f[column, a])
                put(y, -1.0, data[row, column])
                for a in range(first, width):
                    add_product(y, 2.0, f[row, a], f[column, a])
                for j in range(size):
                    core[t] += data[row, column, j]
                for other_column in range(q):
                    for other_row in range(other_column, q):
                        s = position(other_row, other_column, q)
                        py[s, t] += dot(data[other_row, other_column], y)


@inner
def position(row, column, q):  # type: ignore[no-untyped-def]
    """Where an element of a symmetric q x q matrix stands in its lower triangle, column by column."""
    low, high = min(row, column), max(row, column)
    return low * q - low * (low - 1) // 2 + high - low
