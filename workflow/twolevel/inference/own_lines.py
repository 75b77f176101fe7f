"""Each group's own least squares of the level-1 equation, from its own data alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twolevel.likelihood.crossproducts import grouped
from twolevel.model.design import Design, Floats
from twolevel.model.hierarchy import level1_coefficients

# A group has least squares of its own where its Z_j'Z_j, in coordinates where all observations together have
# Z'Z = n I, keeps this much of its largest eigenvalue in every direction. Rounding leaves about 1e-15.
USABLE = 1e-12


@dataclass(frozen=True)
class OwnLines:
    """Least squares in each group; NaN where a group's data allow none.

    Attributes
    ----------
    terms : names of the k level-1 columns
    n : (J,) observations
    computed : (J,) whether the group's data tell its k coefficients apart
    estimate : (J, k)
    std_error : (J, k); NaN too where a group has no more observations than coefficients
    sigma : (J,) residual standard deviations
    """

    terms: tuple[str, ...]
    n: NDArray[np.intp]
    computed: NDArray[np.bool_]
    estimate: Floats
    std_error: Floats
    sigma: Floats


def own_lines(design: Design) -> OwnLines:
    """Fit the level-1 equation in each group, as R's `lmList(..., pool = FALSE)`.

    The level-1 equation has every level-1 predictor of the model, whether its coefficient is random or not.
    """
    found = level1_coefficients(design)
    columns = [np.prod([design.factors[f] for f in (*of.factors,)], axis=0) if of.factors else 1.0 for of in found]
    z = np.stack(np.broadcast_arrays(*columns, np.ones(len(design.y)))[:-1], axis=1)
    basis, r = np.linalg.qr(z)
    basis, to_own = basis * np.sqrt(len(z)), np.linalg.inv(r) * np.sqrt(len(z))
    overall = basis.T @ design.y / len(z)
    left = design.y - basis @ overall
    products, right = grouped(basis, basis, design), grouped(basis, left[:, None], design)[:, :, 0]
    squares = grouped(left[:, None], left[:, None], design)[:, 0, 0]
    k, n = len(found), np.bincount(design.group_index)
    computed = np.linalg.matrix_rank(products, hermitian=True, rtol=USABLE) == k
    inverse = np.linalg.inv(products[computed])
    estimate, std_error, sigma = np.full((len(n), k), np.nan), np.full((len(n), k), np.nan), np.full(len(n), np.nan)
    own = np.einsum("jab,jb->ja", inverse, right[computed])
    estimate[computed] = (overall + own) @ to_own.T
    df = n[computed] - k
    residual = np.maximum(squares[computed] - (own * right[computed]).sum(axis=1), 0.0)
    sigma[computed] = np.sqrt(np.divide(residual, df, out=np.full(len(df), np.nan), where=df > 0))
    roots = np.sqrt(np.diagonal(to_own @ inverse @ to_own.T, axis1=1, axis2=2))
    std_error[computed] = sigma[computed, None] * roots
    return OwnLines(tuple(of.name for of in found), n, computed, estimate, std_error, sigma)
