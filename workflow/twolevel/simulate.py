"""Cross-products of simulated data, drawn without simulating the data.

Everything that the likelihood needs of a response y is Z_j'y, X'y and y'y. Project y_j on the columns of [Z_j, X_j],
through F_j with F_jF_j' = [Z_j, X_j]'[Z_j, X_j] and as many columns as these have rank. If the true relative
covariance matrix is S, the projection is h_j ~ N(0, sigma^2 (I + F_Zj'S F_Zj)), F_Zj being the rows of F_j for Z_j.
Then [Z_j, X_j]'y_j = F_j h_j, and y'y = sum_j h_j'h_j + sigma^2 chi^2, with a chi-square on n - sum_j rank F_j
degrees of freedom for all that the likelihood does not see. The cost does not depend on the number of observations.

The fixed part X beta is left out: the criterion does not depend on it, and it only adds to the estimates.
"""

from dataclasses import dataclass

import numpy as np

from twolevel.crossproducts import CrossProducts, grouped
from twolevel.design import Design, Floats
from twolevel.groupwise import in_blocks

# Eigenvalues of a group's cross-products below this share of the largest count as zero.
# ASSUME: predictors that vary by less than a hundred-thousandth of their size within a group do not vary there.
RANK = 1e-10


@dataclass(frozen=True)
class View:
    """How one model sees a simulated response.

    Attributes
    ----------
    z, x : (n, q, r, B), (n, p, r, B), in blocks of groups: Z_j'y_j and X_j'y_j are their products with r standard
        normals for each group, in the coordinates of the model's `CrossProducts`
    """

    z: Floats
    x: Floats


@dataclass(frozen=True)
class Simulator:
    """What the response of one model is simulated from, and how it and other models see the response.

    Attributes
    ----------
    root : (n, r, r, B) lower triangular: times r standard normals for each group, the projection h_j
    residual_variance, residual_df : of the chi-square for all that no model sees
    views : one for each model; the first is the model simulated from
    """

    root: Floats
    residual_variance: float
    residual_df: int
    views: tuple[View, ...]


def simulator(designs: tuple[Design, ...], data: tuple[CrossProducts, ...], lower: Floats, sigma: float) -> Simulator:
    """Prepare to simulate from the first model, for the eyes of all.

    Parameters
    ----------
    designs, data : the models, on the same observations and groups, and their cross-products
    lower : (q, q) relative covariance factor of the first model, in the coordinates of its cross-products
    sigma : residual standard deviation
    """
    first = designs[0]
    columns = [
        part
        for design, of in zip(designs, data, strict=True)
        for part in (design.z @ np.linalg.inv(of.s), design.x @ np.linalg.inv(of.r))
    ]
    basis, coordinates = _basis(np.hstack(columns))
    factors, ranks = _factors(grouped(basis, basis, first))
    parts = [
        np.einsum("ab,jac->jbc", part, factors)
        for part in np.split(coordinates, np.cumsum([part.shape[1] for part in columns])[:-1], axis=1)
    ]
    spread = np.einsum("jab,ac->jbc", parts[0], lower)
    used = np.arange(factors.shape[2]) < ranks[:, None]
    root = sigma * np.linalg.cholesky(np.eye(factors.shape[2]) + spread @ np.swapaxes(spread, 1, 2)) * used[:, :, None]
    views = [View(in_blocks(z @ root), in_blocks(x @ root)) for z, x in zip(parts[::2], parts[1::2], strict=True)]
    return Simulator(in_blocks(root), sigma**2, len(first.y) - int(ranks.sum()), tuple(views))


def _basis(columns: Floats) -> tuple[Floats, Floats]:
    """An orthonormal basis of columns that may depend on one another, and their coordinates in it."""
    orthonormal, upper = np.linalg.qr(columns)
    left, values, right = np.linalg.svd(upper)
    rank = int((values > RANK * values[0]).sum())
    return orthonormal @ left[:, :rank], values[:rank, None] * right[:rank]


def _factors(grams: Floats) -> tuple[Floats, np.ndarray]:
    """F_j (J, k, r) with F_jF_j' = gram_j, columns beyond the rank zero; and the ranks."""
    values, vectors = np.linalg.eigh(grams)
    values, vectors = values[:, ::-1], vectors[:, :, ::-1]
    kept = values > RANK * values[:, :1]
    ranks = kept.sum(axis=1)
    factors = vectors * np.sqrt(np.where(kept, values, 0.0))[:, None, :]
    return factors[:, :, : ranks.max()], ranks
