"""What the data say about the variances at a fit: the observed and the expected information.

The covariance matrix of y, sigma^2 V, is linear in the elements of T and in sigma^2. Tests of fixed effects do not
depend on which linear coordinates these parameters have, and two choices make everything here a sum over groups of
q x q and q x p matrices, in units where sigma = 1:

- the elements of T are those for the basis of Z, but for what the data do not tell apart (`identified.py`). A change in
  element r changes V by Z_j E_r Z_j' in each group, E_r being symmetric with ones at the element's place;
- in place of sigma^2 alone, the last parameter scales V as a whole. In its direction V^-1 dV V^-1 is V^-1 itself, so
  that V^-2 and V^-3, which an identity matrix there would bring in, are never needed.
"""

from dataclasses import dataclass

import numpy as np

from twolevel.fitting.fit import Fit
from twolevel.fitting.identified import direction_traces, independent_directions
from twolevel.likelihood.crossproducts import CrossProducts
from twolevel.model.design import Floats


@dataclass(frozen=True)
class Weighted:
    """A design as V^-1 weights it, in the coordinates of the cross-products and in units where sigma = 1.

    Attributes
    ----------
    ztz : (J, q, q) P_j = Z_j'V_j^-1Z_j
    ztx : (J, q, p) Q_j = Z_j'V_j^-1X_j
    zte : (J, q) e_j = Z_j'V_j^-1(y_j - X_j beta)
    xtx_inverse : (p, p) H = (X'V^-1X)^-1
    directions : (k, q, q) E_r, of what the data tell apart in T
    """

    ztz: Floats
    ztx: Floats
    zte: Floats
    xtx_inverse: Floats
    directions: Floats


def weighted(data: CrossProducts, fit: Fit) -> Weighted:
    """Weight the cross-products by V^-1 at a fit, without forming V.

    With S = LL', Z'V^-1 = (I + Z'Z S)^-1 Z' and V^-1 = I - Z S Z'V^-1.
    """
    relative = fit.lower @ fit.lower.T
    q, p = data.ztx.shape[1:]
    products = np.concatenate([data.ztz, data.ztx, data.zty[:, :, None]], axis=2)
    products = np.linalg.solve(np.eye(q) + data.ztz @ relative, products)
    ztz, ztx, zty = products[:, :, :q], products[:, :, q:-1], products[:, :, -1]
    xtx = np.eye(p) - np.tensordot(data.ztx, relative @ ztx, axes=([0, 1], [0, 1]))
    xtx_inverse = np.asarray(np.linalg.inv(xtx), dtype=np.float64)
    delta = xtx_inverse @ (data.xty - np.tensordot(data.ztx, zty @ relative, axes=([0, 1], [0, 1])))
    return Weighted(ztz, ztx, (zty - ztx @ delta) / fit.at.sigma, xtx_inverse, independent_directions(data))


@dataclass(frozen=True)
class Information:
    """Second derivatives of the criterion by the k free elements of T and the scale of V, the scale last.

    They are those of the criterion, which is -2 log-likelihood: twice the inverse is a covariance matrix.

    Attributes
    ----------
    directions : (k, q, q) E_r
    xtx_fall : (k, p, p) S_r = X'V^-1 (Z E_r Z') V^-1X, by which X'V^-1X falls in direction r
    observed : (k + 1, k + 1) at the data
    expected : (k + 1, k + 1) over data from the fitted model
    """

    directions: Floats
    xtx_fall: Floats
    observed: Floats
    expected: Floats


def information(at: Weighted, n_obs: int, reml: bool) -> Information:
    """Observed and expected information.

    For REML, with R = V^-1 - V^-1X H X'V^-1 and G_r the change of V in direction r, the expected information is
    tr(R G_r R G_s) and the observed one 2 y'R G_r R G_s R y less that (Jennrich & Schluchter 1986). ML has V^-1 for R
    in the traces.
    """
    p, h = len(at.xtx_inverse), at.xtx_inverse
    directions = at.directions
    xtx_fall = np.einsum("rab,axby->rxy", directions, np.tensordot(at.ztx, at.ztx, axes=(0, 0)))
    residual_products = at.zte[:, :, None] * at.zte[:, None, :]
    removed = np.einsum("rab,axb->rx", directions, np.tensordot(at.ztx, at.zte, axes=(0, 0)))

    trace = np.einsum("rab,ba->r", directions, at.ztz.sum(axis=0))
    traces = direction_traces(directions, at.ztz, at.ztz)
    if reml:
        projected = xtx_fall @ h
        trace = trace - np.einsum("rxx->r", projected)
        traces = traces - 2.0 * direction_traces(directions, at.ztz, at.ztx @ h @ at.ztx.transpose(0, 2, 1))
        traces = traces + np.einsum("rxy,syx->rs", projected, projected)
    free = n_obs - p if reml else n_obs
    quadratic = np.einsum("rab,ba->r", directions, residual_products.sum(axis=0))
    quadratics = direction_traces(directions, at.ztz, residual_products) - removed @ h @ removed.T
    # Sigma is the estimate, so y'Ry equals `free` too.
    return Information(
        directions=directions,
        xtx_fall=xtx_fall,
        observed=_bordered(2.0 * quadratics - traces, 2.0 * quadratic - trace, free),
        expected=_bordered(traces, trace, free),
    )


def _bordered(block: Floats, edge: Floats, corner: float) -> Floats:
    return np.block([[block, edge[:, None]], [edge[None, :], np.array([[corner]])]])
