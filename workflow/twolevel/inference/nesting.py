"""Whether one model's covariance matrices are among another's, and whether on the boundary of these.

Both are written for one basis W of the columns of Z that either model has: with Z = W A, a model's covariance matrices
are the A T A' with T block diagonal and positive semidefinite. They lie in the space that its free elements of T span,
and a null model is nested where its space is part of the alternative's. `(x || g)` is nested in `(x | g)` so, although
both have the same columns.
"""

from dataclasses import dataclass

import numpy as np

from twolevel.errors import UserError
from twolevel.model.blocks import covariance_directions, slices
from twolevel.model.design import Design, Floats
from twolevel.model.estimable import of_length_one

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
    z = [of_length_one(design.z) for design in (null, alternative)]
    basis = _basis(np.hstack(z))
    first, second = (_space(design, basis.T @ columns) for design, columns in zip((null, alternative), z, strict=True))
    return first, second


def _basis(columns: Floats) -> Floats:
    """Orthonormal columns that span the same space, whatever the units of each."""
    basis, sizes, _ = np.linalg.svd(of_length_one(columns), full_matrices=False)
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


def check_comparable(name: str, estimator: str, null: Design, alternative: Design) -> None:
    """Refuse a comparison that `likelihood_ratio` cannot make; see `compare`."""

    def refuse(reason: str, mend: str) -> None:
        raise UserError(f"{name}: {reason} Null model: {null.formula}; alternative: {alternative.formula}. {mend}")

    if not np.array_equal(null.rows, alternative.rows):
        missing = " and ".join(sorted({*null.dropped} ^ {*alternative.dropped}) or sorted(alternative.dropped))
        refuse(
            f"the models are fitted to different rows, {len(null.rows)} and {len(alternative.rows)}, since values are "
            f"missing in {missing}.",
            f"Leave the rows without {missing} out of the data, so that both models have the same.",
        )
    if null.group != alternative.group or not np.array_equal(null.y, alternative.y):
        refuse(
            "the models have different responses, offsets or groups.",
            "Compare models of one response, with one offset, in one grouping.",
        )
    spaces = common_spaces(null, alternative)
    of_null, of_alternative = (space.directions for space in spaces)
    if not contains(alternative.x, null.x) or not contains(of_alternative, of_null):
        refuse(
            "the models are not nested: the null model has effects, or covariances of random effects, that the "
            "alternative lacks.",
            "Choose a null model whose effects and covariances the alternative has too, or swap the two.",
        )
    if contains(null.x, alternative.x) and contains(of_null, of_alternative):
        refuse("the two models are the same.", "Choose two different models.")
    if estimator == "REML" and not _same_columns(null.x, alternative.x):
        refuse(
            "a REML comparison needs the same fixed effects in both models, in the same units: its criterion depends "
            "on them.",
            "Write the fixed effects alike, or compare by ML: 'estimator: ML' in a config, reml=False in fit().",
        )


def _same_columns(one: Floats, other: Floats) -> bool:
    """Whether two designs have the same columns, in any order."""
    if one.shape != other.shape:
        return False
    return all((column[:, None] == other).all(axis=0).any() for column in one.T)
