"""Responses written out in full, to set beside what the bootstrap draws without writing them out."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from twolevel.bootstrap.experiment import Experiment, target
from twolevel.bootstrap.replicates import Target, replicate_fits
from twolevel.bootstrap.simulate import Simulator, projection, simulated
from twolevel.bootstrap.streams import draw, stream_key
from twolevel.fitting.search import search, starts
from twolevel.likelihood.crossproducts import CrossProducts, cross_products
from twolevel.likelihood.groupwise import out_of_blocks
from twolevel.model.design import Design

SEED = 2002


def unbalanced_table() -> pd.DataFrame:
    """Groups of 1 to 25 rows in mixed order.

    Two groups have one row, so that 1, x and t are one column there; in others x is constant, or t is 2 - 3x.
    """
    rng = np.random.default_rng(11)
    sizes = [1, 1, 2, 2, 3, 3, 4, 5, 6, 6, 7, 8, 8, 9, 10, 11, 12, 12, 14, 15, 17, 18, 20, 25]
    group = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    x, t, w = rng.normal(size=len(group)), rng.normal(size=len(group)), rng.normal(size=len(sizes))
    x[np.isin(group, [5, 9])] = 0.7
    collinear = np.isin(group, [3, 12])
    t[collinear] = 2 - 3 * x[collinear]
    u = rng.normal(size=(len(sizes), 3)) * [2.0, 0.8, 0.5]
    y = 10 + x + w[group] + u[group, 0] + u[group, 1] * x + u[group, 2] * t + 1.5 * rng.normal(size=len(group))
    return pd.DataFrame({"g": group, "x": x, "t": t, "w": w[group], "y": y})


def experiment(
    designs: tuple[Design, ...], lowers: tuple[np.ndarray, ...], sigma: float, *, reml: bool, name: str = "experiment"
) -> Experiment:
    """What the pipeline's scripts make, from relative covariance factors in the coordinates of the cross-products."""
    data = tuple(map(cross_products, designs))
    return Experiment(
        name,
        projection(designs, data).simulator(lowers[0], sigma),
        tuple(target(of, lower, reml=reml) for of, lower in zip(data, lowers, strict=True)),
    )


def explicit_responses(
    designs: tuple[Design, ...], of: Experiment, replicates: range, seed: int = SEED
) -> Iterator[np.ndarray]:
    """For each replicate a response, row by row, with the cross-products that the replicate has with every model.

    What Z_j and X_j of all models see of y_j is the least-squares solution of W_j'y_j = drawn, W_j = [Z_j, X_j, ...];
    the rest is any vector orthogonal to W_j with the squared length that was drawn. The fixed part is left out.
    """
    key, shape = stream_key(seed, of.name), of.simulator.root[:, 0].shape
    normals, chi_squares = draw(key, replicates, int(np.prod(shape)), of.simulator.residual_df)
    w = columns(designs, of.targets)
    rng = np.random.default_rng(3)
    n_groups = len(designs[0].group_labels)
    rows = [np.flatnonzero(designs[0].group_index == j) for j in range(n_groups)]
    views = drawn_from(of.simulator, n_groups)
    for one, chi_square in zip(normals, chi_squares, strict=True):
        e = out_of_blocks(one.reshape(shape), n_groups)
        y, rest = np.empty(len(w)), rng.standard_normal(len(w))
        for j, row in enumerate(rows):
            products = views[j] @ e[j]
            y[row] = np.linalg.lstsq(w[row].T, products, rcond=1e-10)[0]
            assert np.abs(w[row].T @ y[row] - products).max() < 1e-8, "no response has these cross-products"
            rest[row] -= w[row] @ np.linalg.lstsq(w[row], rest[row], rcond=1e-10)[0]
        length = np.sqrt(of.simulator.residual_variance * chi_square)
        yield y + rest * (length / np.linalg.norm(rest) if length else 0.0)


def simulated_data(of: Experiment, replicates: range, seed: int = SEED) -> Iterator[tuple[CrossProducts, ...]]:
    """For each replicate the cross-products that every model sees."""
    key, shape = stream_key(seed, of.name), of.simulator.root[:, 0].shape
    normals, chi_squares = draw(key, replicates, int(np.prod(shape)), of.simulator.residual_df)
    for one, chi_square in zip(normals, chi_squares, strict=True):
        yield tuple(
            simulated(of.simulator, view, model.data, one, chi_square, np.zeros(len(model.data.ols)))
            for model, view in zip(of.targets, of.simulator.views, strict=True)
        )


def gaps(of: Experiment, replicates: range, random_starts: int, seed: int = SEED) -> np.ndarray:
    """How far each replicate of each model is above the best that searches from several starts find, (targets, R).

    The starts: every random effect as large as the residual, a tenth of that, and random factors from a hundredth to
    ten times as large. Infinite where a replicate says that it found no optimum.
    """
    fits = replicate_fits(of.simulator, of.targets, stream_key(seed, of.name), replicates)
    out = np.empty((len(of.targets), len(replicates)))
    for i, data in enumerate(simulated_data(of, replicates, seed)):
        for t, (one, model) in enumerate(zip(data, of.targets, strict=True)):
            named = starts(one, random_starts, seed=replicates[i])
            rng = np.random.default_rng(replicates[i])
            named |= {name: theta * 10 ** rng.uniform(-2, 1) for name, theta in named.items() if "random" in name}
            best = search(one, model.reml, named).best.criterion
            out[t, i] = fits[t].criterion[i] - best if fits[t].found[i] else np.inf
    return out


def columns(designs: tuple[Design, ...], targets: tuple[Target, ...]) -> np.ndarray:
    """Z and X of every model in the coordinates of its cross-products, side by side."""
    bases = [
        (design.z @ np.linalg.inv(model.data.s), design.x @ np.linalg.inv(model.data.r))
        for design, model in zip(designs, targets, strict=True)
    ]
    return np.hstack([part for pair in bases for part in pair])


def drawn_from(of: Simulator, n_groups: int) -> np.ndarray:
    """What all models see of the standard normals, (J, columns, r)."""
    parts = [out_of_blocks(part, n_groups) for view in of.views for part in (view.z, view.x)]
    return np.concatenate(parts, axis=1)


def with_response(design: Design, y: np.ndarray) -> CrossProducts:
    """The cross-products of a design with another response."""
    return cross_products(replace(design, y=y))
