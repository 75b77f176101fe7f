"""Parametric bootstrap: data simulated from a fitted model, and models fitted to them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from itertools import pairwise
from operator import itemgetter

import numpy as np

from twolevel.bootstrap.simulate import Simulator, View, simulated
from twolevel.bootstrap.streams import draw, sharing
from twolevel.fitting.search import FLAT, descend
from twolevel.likelihood.crossproducts import CrossProducts
from twolevel.likelihood.deviance import profile
from twolevel.likelihood.groupwise import add_product, compiled, dot, inner, put
from twolevel.likelihood.newton import is_minimum, minimise
from twolevel.model.design import Floats

# The most random numbers drawn at a time: few enough to stay in the processor's cache.
DRAWS = 100_000

# The fewest chunks for each thread, so that all are busy to the end.
CHUNKS = 5


@dataclass(frozen=True)
class Target:
    """A model to fit to simulated data.

    Attributes
    ----------
    data : its cross-products; those of the observed response are not used
    start : (k,) theta to search from
    reml : by REML or by ML
    """

    data: CrossProducts
    start: Floats
    reml: bool


@dataclass(frozen=True)
class Replicates:
    """One model fitted to simulated data sets, a row for each, in the coordinates of its cross-products.

    Attributes
    ----------
    criterion : (R,) REML criterion or -2 log-likelihood at the optimum
    theta : (R, k) relative covariance factors
    delta : (R, p) errors of the fixed effects: estimates less the truth
    sigma : (R,) residual standard deviations
    evaluations : (R,) of the criterion
    found : (R,) whether the search ended at an optimum; if not, the row says where it ended
    """

    criterion: Floats
    theta: Floats
    delta: Floats
    sigma: Floats
    evaluations: np.ndarray
    found: np.ndarray


def replicate_fits(
    simulator: Simulator, targets: tuple[Target, ...], key: int, replicates: range, threads: int = 1
) -> tuple[Replicates, ...]:
    """Simulate and fit the replicates of those numbers, every target to the same simulated data.

    A replicate depends on the key and on its number alone.

    Parameters
    ----------
    simulator : made for the models of the targets, in their order
    key : of the random streams, from `streams.stream_key`
    threads : that draw and fit at the same time
    """
    n_normals = simulator.root[:, 0].size
    chunks = iter([*enumerate(_chunks(replicates, n_normals, threads))])

    def work() -> list[tuple[int, tuple[Replicates, ...]]]:
        """One chunk after the other, of those that no thread has taken."""
        return [
            (i, _fit_chunk(simulator, targets, *draw(key, chunk, n_normals, simulator.residual_df)))
            for i, chunk in chunks
        ]

    # This thread works too: of two new ones, both tend to begin on the same processor.
    with ThreadPoolExecutor(max(1, threads - 1)) as pool:
        others = [pool.submit(work) for _ in range(threads - 1)]
        done = work() + [of_chunk for other in others for of_chunk in other.result()]
    fits = [of_chunk for _, of_chunk in sorted(done, key=itemgetter(0))]
    return tuple(joined(parts) for parts in zip(*fits, strict=True))


def _chunks(replicates: range, n_normals: int, threads: int) -> list[range]:
    """Replicates to draw and fit at a time. Those of one stream stay together: it is drawn from its start."""
    share = sharing(n_normals)
    size = share * max(1, min(DRAWS // n_normals, len(replicates) // (CHUNKS * threads)) // share)
    inside = range(replicates.start + size - replicates.start % size, replicates.stop, size)
    edges = [replicates.start, *inside, replicates.stop]
    return [range(first, end) for first, end in pairwise(edges)]


def _fit_chunk(
    simulator: Simulator, targets: tuple[Target, ...], normals: Floats, chi_squares: Floats
) -> tuple[Replicates, ...]:
    n_blocks, r, _, size = simulator.root.shape
    normals = normals.reshape(-1, n_blocks, r, size)
    return tuple(
        _fit_target(simulator, view, target, normals, chi_squares)
        for view, target in zip(simulator.views, targets, strict=True)
    )


def _fit_target(simulator: Simulator, view: View, target: Target, normals: Floats, chi_squares: Floats) -> Replicates:
    data, n = target.data, len(normals)
    out = Replicates(
        criterion=np.empty(n),
        theta=np.empty((n, len(target.start))),
        delta=np.empty((n, len(data.ols))),
        sigma=np.empty(n),
        evaluations=np.empty(n, dtype=np.int64),
        found=np.empty(n, dtype=np.bool_),
    )
    products, unseen = data.stacked.copy(), simulator.residual_variance * chi_squares
    _fit_all(
        normals, unseen, simulator.root, view.z, view.x, products, target.start, data.free, data.n_obs, target.reml,
        out.criterion, out.theta, out.delta, out.sigma, out.evaluations, out.found,
    )  # fmt: skip
    for i in map(int, np.flatnonzero(~out.found)):
        response = simulated(simulator, view, data, normals[i], float(chi_squares[i]), np.zeros(len(data.ols)))
        _search_on(out, i, response, target.reml)
    out.criterion[:] += data.basis_constant(target.reml)
    return out


@compiled
def _fit_all(  # type: ignore[no-untyped-def]
    normals,
    unseen,
    root,
    z,
    x,
    products,
    start,
    free_places,
    n_obs,
    reml,
    criterion,
    theta,
    delta,
    sigma,
    evaluations,
    found,
):
    """Fit one model to each simulated data set.

    `products` holds Z_j'[Z_j, X_j, y_j]; its last column is overwritten. The arguments after `reml` are filled.
    """
    p = x.shape[1]
    xty = np.empty(p)
    free = n_obs - p if reml else n_obs
    for i in range(len(normals)):
        yty = unseen[i] + _response(normals[i], root, z, x, products, xty)
        end = minimise(start, free_places, products, xty, yty, n_obs, reml)
        for a in range(len(start)):
            theta[i, a] = end[0][a]
        for a in range(p):
            delta[i, a] = end[4][a]
        criterion[i], sigma[i], evaluations[i] = end[1], np.sqrt(end[5] / free), end[6]
        found[i] = is_minimum(end[2], end[3], FLAT)


@inner
def _response(normals, root, z, x, products, xty):  # type: ignore[no-untyped-def]
    """Write Z'y into the last column of `products` and X'y into `xty`; return y'y of the projection."""
    n_blocks, r, size = normals.shape
    q, p = z.shape[1], len(xty)
    last = q + p
    seen = 0.0
    h = np.empty(size)
    for a in range(p):
        xty[a] = 0.0
    for block in range(n_blocks):
        for a in range(q):
            put(products[block, a, last], 0.0, normals[block, 0])
            for b in range(r):
                add_product(products[block, a, last], 1.0, z[block, a, b], normals[block, b])
        for a in range(p):
            for b in range(r):
                xty[a] += dot(x[block, a, b], normals[block, b])
        for a in range(r):
            put(h, 0.0, normals[block, 0])
            for b in range(a + 1):
                add_product(h, 1.0, root[block, a, b], normals[block, b])
            seen += dot(h, h)
    return seen


def _search_on(out: Replicates, i: int, response: CrossProducts, reml: bool) -> None:
    """Continue the search of replicate i from where it stopped, with the slower means of `fitting.search`."""
    run = descend(response, reml, "replicate", out.theta[i])
    at = profile(run.theta, response, reml)
    out.theta[i], out.sigma[i], out.delta[i] = run.theta, at.sigma, response.r @ at.beta
    out.criterion[i] = at.criterion - response.basis_constant(reml)
    out.evaluations[i] += run.evaluations
    out.found[i] = is_minimum(at.gradient, at.hessian, FLAT)


def joined(parts: Sequence[Replicates]) -> Replicates:
    """The rows of all parts, one part after the other."""
    names = [field.name for field in fields(Replicates)]
    return Replicates(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})
