"""Everything that the likelihood of a two-level model needs from the data, group by group."""

from dataclasses import dataclass

import numpy as np

from twolevel.formula import Design, Floats


@dataclass(frozen=True)
class CrossProducts:
    """Cross-products of a design, in coordinates where the arithmetic is well conditioned.

    The profiled criterion does not change when X is replaced by an orthonormal basis Q of its columns and y by its
    residuals from ordinary least squares, apart from a constant; and scaling the columns of Z only rescales the rows
    of the relative covariance factor. So a predictor in dollars, or a response far from zero, costs no digits.

    Attributes
    ----------
    ztz : (J, q, q) Z_j'Z_j of the scaled Z
    ztx : (J, q, p) Z_j'Q_j
    zty : (J, q) Z_j'e_j, with e the least-squares residuals
    xty : (p,) Q'e, zero up to rounding for observed data
    yty : e'e
    n_obs : number of observations
    z_scale : (q,) root mean square of each column of Z, by which it was divided
    r : (p, p) upper triangular, X = Q r
    ols : (p,) ordinary least-squares coefficients
    """

    ztz: Floats
    ztx: Floats
    zty: Floats
    xty: Floats
    yty: float
    n_obs: int
    z_scale: Floats
    r: Floats
    ols: Floats

    @property
    def n_groups(self) -> int:
        """Number of groups, J."""
        return len(self.ztz)


def cross_products(design: Design) -> CrossProducts:
    """Reduce a design to its cross-products, O(n (p + q)^2) once."""
    basis, r = np.linalg.qr(design.x)
    fitted = basis.T @ design.y
    residuals = design.y - basis @ fitted
    z_scale = np.sqrt(np.mean(design.z**2, axis=0))
    z = design.z / z_scale
    return CrossProducts(
        ztz=_grouped(z, z, design),
        ztx=_grouped(z, basis, design),
        zty=_grouped(z, residuals[:, None], design)[:, :, 0],
        xty=basis.T @ residuals,
        yty=float(residuals @ residuals),
        n_obs=len(design.y),
        z_scale=z_scale,
        r=r,
        ols=np.linalg.solve(r, fitted),
    )


def _grouped(left: Floats, right: Floats, design: Design) -> Floats:
    """Left_j' Right_j for every group, (J, a, b). One pair of columns at a time, so that memory stays O(n)."""
    out = np.empty((len(design.group_labels), left.shape[1], right.shape[1]))
    for a in range(left.shape[1]):
        for b in range(right.shape[1]):
            out[:, a, b] = np.bincount(design.group_index, weights=left[:, a] * right[:, b])
    return out
