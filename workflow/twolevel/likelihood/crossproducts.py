"""Everything that the likelihood of a two-level model needs from the data, group by group."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from twolevel.errors import UserError
from twolevel.likelihood.groupwise import in_blocks
from twolevel.model.blocks import Blocks, Places, free_elements, slices
from twolevel.model.design import Design, Floats

# Where a variance is zero, a search ends near zero. What is left changes the criterion by less than 1e-7.
ZERO = 1e-5


@dataclass(frozen=True)
class CrossProducts:
    """Cross-products of a design, in coordinates where the arithmetic is well conditioned.

    The profiled criterion does not change when X is replaced by an orthonormal basis Q of its columns and y by its
    residuals from ordinary least squares, apart from a constant; a basis of Z's columns in place of Z transforms the
    covariance matrix T in a known way. Each independent block of random effects has a basis of its own, so that T is
    block diagonal for the basis too. So a predictor in dollars or in calendar years, or a response far from zero,
    costs few digits.

    Attributes
    ----------
    ztz : (J, q, q) Z_j'Z_j of the basis of Z
    ztx : (J, q, p) Z_j'Q_j
    zty : (J, q) Z_j'e_j, with e the least-squares residuals
    xty : (p,) Q'e, zero up to rounding for observed data
    yty : e'e
    n_obs : number of observations
    s : (q, q) upper triangular and block diagonal, Z = basis s; within a block the basis has Z'Z = n I, so its columns
        have a root mean square of 1
    r : (p, p) upper triangular, X = Q r
    ols : (p,) ordinary least-squares coefficients
    blocks : sizes of the independent blocks of random effects, in the order of the basis
    """

    ztz: Floats
    ztx: Floats
    zty: Floats
    xty: Floats
    yty: float
    n_obs: int
    s: Floats
    r: Floats
    ols: Floats
    blocks: Blocks

    @cached_property
    def stacked(self) -> Floats:
        """Z_j'[Z_j, Q_j, e_j] in blocks of groups, (n, q, q + p + 1, B)."""
        return in_blocks(np.concatenate([self.ztz, self.ztx, self.zty[:, :, None]], axis=2))

    @cached_property
    def free(self) -> Places:
        """Where the elements of theta (k,) stand in the whole lower triangle of the factor."""
        return free_elements(self.blocks)

    def basis_constant(self, reml: bool) -> float:
        """What the units of X add to the criterion: by REML the log of |r'r|, by ML nothing."""
        return 2 * float(np.log(np.abs(np.diag(self.r))).sum()) if reml else 0.0

    def in_basis(self, columns: Floats, s: Floats) -> "CrossProducts":
        """The same data with another basis of Z: the present one times `columns` (q, q), with Z = basis s.

        `columns` keeps the blocks apart.
        """
        ztz, ztx = columns.T @ self.ztz @ columns, columns.T @ self.ztx
        return replace(self, ztz=ztz, ztx=ztx, zty=self.zty @ columns, s=s)

    def own_units(self, lower: Floats) -> Floats:
        """Relative covariance factors (..., q, q) in the units of Z, from those of its basis.

        A random effect with an SD below `ZERO` residual SDs is set to zero.
        """
        own = triangular(np.asarray(np.linalg.solve(self.s, lower)))
        sizes = np.linalg.norm(own, axis=-1) * np.linalg.norm(self.s, axis=0)
        return np.where(sizes[..., None] < ZERO, 0.0, own)

    def basis_units(self, lower: Floats) -> Floats:
        """Relative covariance factors of the basis of Z, from those in Z's own units: the inverse of `own_units`."""
        return triangular(self.s @ lower)


def cross_products(design: Design) -> CrossProducts:
    """Reduce a design to its cross-products, O(n (p + q)^2) once.

    Raises
    ------
    UserError
        The fixed effects describe the groups so fully that nothing is left to estimate a variance from.
    """
    basis, r = np.linalg.qr(design.x)
    fitted = basis.T @ design.y
    residuals = design.y - basis @ fitted
    z, s = _block_bases(design)
    data = CrossProducts(
        ztz=grouped(z, z, design),
        ztx=grouped(z, basis, design),
        zty=grouped(z, residuals[:, None], design)[:, :, 0],
        xty=basis.T @ residuals,
        yty=float(residuals @ residuals),
        n_obs=len(design.y),
        s=s,
        r=r,
        ols=np.linalg.solve(r, fitted),
        blocks=design.blocks,
    )
    _check_identified(design, data)
    return data


def _block_bases(design: Design) -> tuple[Floats, Floats]:
    """A basis (n, q) of Z's columns, block by block, and s (q, q) with Z = basis s."""
    z, s = np.empty_like(design.z), np.zeros((sum(design.blocks),) * 2)
    for block in slices(design.blocks):
        orthonormal, upper = np.linalg.qr(design.z[:, block])
        signed_root = np.sqrt(len(design.y)) * np.where(np.diag(upper) < 0, -1.0, 1.0)
        z[:, block], s[block, block] = orthonormal * signed_root, upper / signed_root[:, None]
    return z, s


def _check_identified(design: Design, data: CrossProducts) -> None:
    lost = fully_described(data)
    if lost.any():
        names = ", ".join(np.array(design.random_terms)[lost])
        raise UserError(
            f"formula '{design.formula}': the fixed effects describe every {design.group} fully, so the variance of "
            f"{names} cannot be estimated. Use fewer level-2 predictors, or take the random effect out."
        )


def fully_described(data: CrossProducts) -> NDArray[np.bool_]:
    """Which random effects (q,) the fixed effects describe fully in every group, so that no variance is left."""
    # What is left of each group's columns of Z when X is taken out of them, relative to the columns.
    whole = np.diagonal(data.ztz, axis1=1, axis2=2)
    left = whole - (data.ztx**2).sum(axis=2)
    return np.asarray((left <= 1e-9 * np.maximum(whole, np.finfo(float).tiny)).all(axis=0))


def triangular(factors: Floats) -> Floats:
    """Lower triangular factors (..., q, q) of matrix matrix', with a non-negative diagonal."""
    lower = np.swapaxes(np.linalg.qr(np.swapaxes(factors, -1, -2), mode="r"), -1, -2)
    signs = np.where(np.diagonal(lower, axis1=-2, axis2=-1) < 0, -1.0, 1.0)
    return np.asarray(lower * signs[..., None, :])


def grouped(left: Floats, right: Floats, design: Design) -> Floats:
    """Left_j' Right_j for every group, (J, a, b). One pair of columns at a time, so that memory stays O(n)."""
    out = np.empty((len(design.group_labels), left.shape[1], right.shape[1]))
    for a in range(left.shape[1]):
        for b in range(right.shape[1]):
            if left is right and b < a:
                out[:, a, b] = out[:, b, a]
            else:
                out[:, a, b] = np.bincount(design.group_index, weights=left[:, a] * right[:, b])
    return out
