"""Standard errors of fixed effects that do not rest on the model's covariance matrix: cluster-robust ones.

Groups are independent; what a model assumes of the observations within a group is taken only for a working guess. All
is computed from S_j = root' X_j'V_j^-1X_j root, p x p, with root root' = (X'V^-1X)^-1, and so from cross-products.
"""

from dataclasses import dataclass

import numpy as np

from twolevel.fitting.fit import Fit
from twolevel.inference.fixed_tests import FixedTests, student
from twolevel.inference.information import weighted
from twolevel.likelihood.crossproducts import CrossProducts, grouped
from twolevel.model.design import Design, Floats

# A direction in which a group decides a coefficient alone keeps this little of its residuals: it has no adjustment.
ALONE = 1e-10


@dataclass(frozen=True)
class Robust:
    """Cluster-robust inference of the p fixed effects.

    Attributes
    ----------
    cr0_std_error : (p,) of the plain sandwich, as HLM's robust standard errors; too small with few groups
    tests : by CR2, with Satterthwaite's degrees of freedom
    """

    cr0_std_error: Floats
    tests: FixedTests


def robust(design: Design, data: CrossProducts, fit: Fit) -> Robust:
    """Standard errors CR0 and CR2, and the degrees of freedom of CR2's t tests (Bell & McCaffrey 2002).

    With A_j such that A_j (V_j - X_j M X_j') A_j' = V_j, M = (X'V^-1X)^-1, the covariance matrix CR2 is
    M [sum_j X_j'V_j^-1 A_j e_j e_j' A_j'V_j^-1X_j] M: it is M in the mean where the working model is right
    (Pustejovsky & Tipton 2018). CR0 has no A_j. Many A_j do so. Here it is C (I - C^-1X_j M X_j'C'^-1)^(-1/2) C^-1,
    V_j = CC', by which CR2 of y is that of least squares of C^-1y; it does not depend on C, nor on the order of a
    group's rows. clubSandwich's choice does: it takes the Cholesky factor of V_j into the root.

    Degrees of freedom are 2 E(v)^2 / Var(v) of the squared standard error v, where the working model is right.
    """
    at = weighted(data, fit)
    basis = design.x @ np.linalg.inv(data.r)
    relative = fit.lower @ fit.lower.T
    xtx = grouped(basis, basis, design) - data.ztx.transpose(0, 2, 1) @ relative @ at.ztx
    residuals = design.y - design.x @ fit.at.beta
    xte = grouped(basis, residuals[:, None], design)[:, :, 0]
    # X_j'V_j^-1 e = X_j'e - X_j'V_j^-1Z S Z_j'e, and Z_j'V_j^-1e is known.
    scores = xte - np.einsum("jap,ab,jb->jp", data.ztx, relative, at.zte * fit.at.sigma)

    root = np.linalg.cholesky(at.xtx_inverse)
    shares = root.T @ xtx @ root
    values, vectors = np.linalg.eigh(shares)
    left = 1.0 - values
    enlarged = np.where(left > ALONE, 1.0 / np.sqrt(np.maximum(left, ALONE)), 0.0)
    # (I - S_j)^(-1/2) root' X_j'V_j^-1e_j
    in_root = np.einsum("jp,pq->jq", scores, root)
    adjusted = np.einsum("jab,jb,jcb,jc->ja", vectors, enlarged, vectors, in_root, optimize=True)
    to_own = np.linalg.solve(data.r, root)
    cr0, cr2 = (np.sqrt(((of @ to_own.T) ** 2).sum(axis=0)) for of in (in_root, adjusted))
    return Robust(cr0, student(fit.beta, cr2, _degrees_of_freedom(to_own, values, vectors, enlarged)))


def _degrees_of_freedom(to_own: Floats, values: Floats, vectors: Floats, enlarged: Floats) -> Floats:
    """Degrees of freedom (p,) of squared standard errors, each a quadratic form whose matrix is not formed.

    For a coefficient with row w of `to_own`, the squared standard error is distributed as sum_j z_j^2, z normal with
    covariance matrix diag(w'S_j(I - S_j)^-1w) - b'b, b_j = S_j(I - S_j)^(-1/2)w.
    """
    along = np.einsum("jab,ka->jkb", vectors, to_own)
    own = ((along * enlarged[:, None]) ** 2 * values[:, None]).sum(axis=2)
    shared = np.einsum("jab,jb,jkb->jka", vectors, values * enlarged, along)
    squares = (shared**2).sum(axis=2)
    products = np.einsum("jka,jkb->kab", shared, shared)
    variance = (own**2 - 2 * own * squares).sum(axis=0) + (products**2).sum(axis=(1, 2))
    return np.asarray((own - squares).sum(axis=0) ** 2 / variance)
