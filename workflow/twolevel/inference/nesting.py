"""Whether one model's covariance matrices are among another's, and whether on the boundary of these.

Both are written for one basis W of the columns of Z that either model has: with Z = W A, a model's covariance matrices
are the A T A' with T block diagonal and positive semidefinite. They lie in the space that its free elements of T span,
and a null model is nested where its space is part of the alternative's. `(x || g)` is nested in `(x | g)` so, although
both have the same columns.
"""

from dataclasses import dataclass

import numpy as np

from twolevel.model.blocks import covariance_directions, slices
from twolevel.model.design import Design, Floats

# The remainder of a column or a direction, when others are projected out, counts as zero below this share of it.
NOTHING = 1e-9


@dataclass(frozen=True)
class CovarianceSpace:
    """The covariance matrices of one model in the coordinates of a common basis.

    Attributes
    ----------
    design : the model
    columns : (r, q) A, the model's Z = W A, with columns of length one
    directions : (r r, k) what each free element of T adds to A T A'
    """

    design: Design
    columns: Floats
    directions: Floats


def common_spaces(null: Design, alternative: Design) -> tuple[CovarianceSpace, CovarianceSpace]:
    """Two models on the same observations, in one basis."""
    z = [_of_length_one(design.z) for design in (null, alternative)]
    basis = _basis(np.hstack(z))
    first, second = (_space(design, basis.T @ columns) for design, columns in zip((null, alternative), z, strict=True))
    return first, second


def _of_length_one(columns: Floats) -> Floats:
    return np.asarray(columns / np.linalg.norm(columns, axis=0))


def _basis(columns: Floats) -> Floats:
    """Orthonormal columns that span the same space, whatever the units of each."""
    basis, sizes, _ = np.linalg.svd(_of_length_one(columns), full_matrices=False)
    return basis[:, sizes > NOTHING * sizes[0]]


def _space(design: Design, columns: Floats) -> CovarianceSpace:
    directions = columns @ covariance_directions(design.blocks) @ columns.T
    return CovarianceSpace(design, columns, directions.reshape(len(directions), -1).T)


def contains(matrix: Floats, other: Floats) -> bool:
    """Whether every column of `other` is a combination of the columns of `matrix`, to a relative tolerance of 1e-9."""
    basis = _basis(matrix)
    left_over = other - basis @ (basis.T @ other)
    return bool((np.linalg.norm(left_over, axis=0) <= NOTHING * np.linalg.norm(other, axis=0)).all())


def lost_rank(null: CovarianceSpace, alternative: CovarianceSpace) -> int:
    """How many variances of the alternative the nested null model sets to zero, those of combinations of effects too.

    It is the rank that the alternative's T, block by block, lacks where the null model is true. If it is 0, the null
    model lies inside the alternative: it sets only covariances to zero, which can have either sign.
    """
    # T of the null model with unequal variances, as a matrix of the alternative.
    sizes = np.sqrt(1.0 + np.arange(null.columns.shape[1]))
    typical = ((null.columns * sizes) @ (null.columns * sizes).T).ravel()
    elements = np.linalg.lstsq(alternative.directions, typical, rcond=NOTHING)[0]
    covariance = np.tensordot(elements, covariance_directions(alternative.design.blocks), axes=1)
    blocks = slices(alternative.design.blocks)
    tolerance = 1e-6 * np.abs(covariance).max()
    ranks = [np.linalg.matrix_rank(covariance[block, block], tol=tolerance, hermitian=True) for block in blocks]
    return len(covariance) - int(sum(ranks))
