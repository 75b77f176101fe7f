"""Where the time of one replicate goes, and how long its arithmetic alone would take; writes results/replicate.csv.

    python benchmarks/anatomy.py

The floor counts the multiplications and additions that the formulas ask for (a symmetric matrix once), as if each pair
of them were one instruction on numbers already in registers, at the rate that a compiled loop reaches on this core.
Square roots, divisions, logarithms and memory cost nothing there, so no program reaches it. Every search is taken to
end with an evaluation of the criterion alone; the derivatives of the two in five that do not are among the rest.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numba import njit
from ours import COEFFICIENTS, Fitted, read
from peers import HERE
from twolevel.bootstrap.replicates import Target, _response, replicate_fits
from twolevel.bootstrap.simulate import projection
from twolevel.bootstrap.streams import draw, stream_key
from twolevel.likelihood.derivatives import derivatives
from twolevel.likelihood.deviance import factor, profile, profile_out

REPLICATES = 2000
REPEATS = 25


def shortest(*works: Callable[[], Any]) -> list[float]:
    """Shortest time of each call. They take turns, so that whatever else the machine does meets all alike."""
    times = np.empty((REPEATS + 1, len(works)))
    for turn in times:
        for i, work in enumerate(works):
            start = time.perf_counter()
            work()
            turn[i] = time.perf_counter() - start
    return list(map(float, times[1:].min(axis=0)))  # the first compiles


def multiply_adds_of_criterion(q: int, p: int) -> int:
    """For each group: the criterion of a model with q random and p fixed effects, by REML.

    The steps and the symbols are those of twolevel/likelihood/groupwise.py.
    """
    k, w = q * (q + 1) // 2, p + 1
    l_products = k * (q + w)  # L'Z'[Z, X, y]
    m = sum(a * a for a in range(1, q + 1))  # M = I + L'AL, from L'A
    cholesky = q * (q + 1) * (q + 2) // 6
    u = k * (q + w)  # forward substitution
    removed = k * q + q * q * w + q * w * (w + 1) // 2  # u'u from Z'Z, from Z'[X, y] and from [X, y]'[X, y]
    return l_products + m + cholesky + u + removed


def multiply_adds_of_derivatives(q: int, p: int) -> int:
    """For each group: gradient and Hessian, from what the criterion left."""
    k, w = q * (q + 1) // 2, p + 1
    f = q * w * (w + 1) // 2  # Z'V^-1[X, y] times a triangle
    c = q * w * (w + 1) // 2 + (k - q) * w * w  # F'DF for each of the k directions D
    y = k * w  # 2FF' - P
    traces = k + k * k  # with P, and of each pair of directions
    return f + c + y + traces


def multiply_adds_of_simulation(q: int, p: int, r: int) -> int:
    """For each group: Z'y, X'y and y'y from r normals."""
    return (q + p) * r + r * (r + 1) // 2 + r


@njit(fastmath={"contract", "reassoc"})
def _horner(x: Any, times: int) -> float:
    total = 0.0
    for _ in range(times):
        for j in range(len(x)):
            y = x[j]
            for _ in range(32):
                y = y * 0.999 + 0.001
            total += y
    return total


def multiply_adds_per_second() -> float:
    """How many this core does, vectorised, with the numbers in its registers."""
    x, times = np.ones(256), 2000
    return 32 * len(x) * times / shortest(lambda: _horner(x, times))[0]


@njit
def _evaluate(times: int, derive: bool, lower: Any, products: Any, xty: Any, yty: float, n_obs: int) -> float:
    total, solved = 0.0, np.empty(products.shape)
    for _ in range(times):
        criterion, _, _, transform, profiled = profile_out(lower, products, solved, xty, yty, n_obs, True, 0.0)
        total += criterion
        if derive:
            total += derivatives(lower, solved, transform, profiled, True)[0][0]
    return total


@njit
def _respond(normals: Any, root: Any, z: Any, x: Any, products: Any, xty: Any) -> float:
    total = 0.0
    for i in range(len(normals)):
        total += _response(normals[i], root, z, x, products, xty)
    return total


def anatomy(model: Fitted) -> pd.DataFrame:
    """Return a row for each part of a replicate: microseconds, share, and the floor of the arithmetic."""
    data, n = model.data, REPLICATES
    lower = factor(model.theta, data.blocks)
    sigma = profile(model.theta, data, model.reml).sigma
    simulate = projection((model.design,), (data,)).simulator(lower, sigma)
    targets, key = (Target(data, model.theta, model.reml),), stream_key(1, "anatomy")
    evaluations = float(np.mean(replicate_fits(simulate, targets, key, range(n))[0].evaluations))

    n_blocks, r, _, size = simulate.root.shape
    n_normals, df, view = n_blocks * r * size, simulate.residual_df, simulate.views[0]
    normals = draw(key, range(n), n_normals, df)[0].reshape(n, n_blocks, r, size)
    products, xty = data.stacked.copy(), np.zeros(len(data.ols))
    times = shortest(
        lambda: replicate_fits(simulate, targets, key, range(n)),
        lambda: draw(key, range(n), n_normals, df),
        lambda: _respond(normals, simulate.root, view.z, view.x, products, xty),
        lambda: _evaluate(n, False, lower, data.stacked, data.xty, data.yty, data.n_obs),
        lambda: _evaluate(n, True, lower, data.stacked, data.xty, data.yty, data.n_obs),
        lambda: np.random.default_rng(1).standard_normal(n * n_normals),
    )
    whole, drawing, simulation, criterion, evaluation, in_bulk = (of_all / n for of_all in times)
    per_second = multiply_adds_per_second()
    groups, (q, p) = len(data.zty), (len(data.s), len(data.ols))
    one_criterion = groups * multiply_adds_of_criterion(q, p) / per_second
    one_evaluation = one_criterion + groups * multiply_adds_of_derivatives(q, p) / per_second
    one_simulation = groups * multiply_adds_of_simulation(q, p, r) / per_second
    full = evaluations - 1
    rest = whole - drawing - simulation - full * evaluation - criterion
    rows = [
        (f"{n_normals} normals and a chi-square", drawing, in_bulk),
        ("simulated cross-products from them", simulation, one_simulation),
        (f"{full:.2f} evaluations of criterion, gradient and Hessian", full * evaluation, full * one_evaluation),
        ("a last one of the criterion", criterion, one_criterion),
        ("Newton steps, tests of convergence, keeping of results", rest, 0.0),
    ]
    rows.append(("one replicate", whole, sum(row[2] for row in rows)))
    print(f"  {per_second / 1e9:.1f} thousand million multiply-adds a second", flush=True)
    counts = multiply_adds_of_criterion(q, p), multiply_adds_of_derivatives(q, p)
    print("  {} of them for a group in a criterion, {} more in its derivatives".format(*counts), flush=True)
    table = pd.DataFrame(rows, columns=["part", "microseconds", "floor_microseconds"])
    table[["microseconds", "floor_microseconds"]] *= 1e6
    table["share"] = table["microseconds"] / (whole * 1e6)
    table["times_floor"] = (table["microseconds"] / table["floor_microseconds"]).where(table["floor_microseconds"] > 0)
    return table


def main() -> None:
    """Measure, then write."""
    (HERE / "results").mkdir(exist_ok=True)
    table = anatomy(read(COEFFICIENTS, reml=True))
    print(table.to_string(index=False))
    table.to_csv(HERE / "results" / "replicate.csv", index=False, float_format="%.4g", lineterminator="\n")


if __name__ == "__main__":
    main()
