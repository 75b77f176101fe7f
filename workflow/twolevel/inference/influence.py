"""How much each group moves the estimates: they are computed once more without it."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twolevel.fitting.fit import Fit
from twolevel.fitting.search import FLAT, search
from twolevel.likelihood.crossproducts import CrossProducts, fully_described, grouped
from twolevel.likelihood.deviance import factor, pack, profile
from twolevel.model.blocks import slices
from twolevel.model.design import Design, Floats
from twolevel.model.estimable import REDUNDANT
from twolevel.model.parameters import parameter_values

# So many of the most influential groups are left out of a fit of their own.
MOST_REFITTED = 5


@dataclass(frozen=True)
class Refit:
    """The model fitted to all groups but one.

    Attributes
    ----------
    group : number of the group that is left out
    parameters : (k + 1 + p,) their values, in the order of `model.parameters`
    cooks_distance : of these fixed effects
    """

    group: int
    parameters: Floats
    cooks_distance: float


@dataclass(frozen=True)
class Influence:
    """Estimates without each group.

    Attributes
    ----------
    beta : (J, p) fixed effects without the group, T and sigma held at their estimates; NaN where they cannot be
        estimated without it
    cooks_distance : (J,) how far `beta` is from the fixed effects b of all groups: (b - beta_j)' C^-1 (b - beta_j) / p,
        with C the covariance matrix of b (Demidenko & Stukel 2005)
    refits : the model fitted anew without each of the groups of largest distance, largest first; fewer where without a
        group no optimum was found or a variance could not be estimated
    """

    beta: Floats
    cooks_distance: Floats
    refits: tuple[Refit, ...]


@dataclass(frozen=True)
class _OwnProducts:
    """What a group adds to the cross-products of all: of the basis Q of X, and of the least-squares residuals e.

    Attributes
    ----------
    xtx : (J, p, p) Q_j'Q_j
    xty : (J, p) Q_j'e_j
    yty : (J,) e_j'e_j
    n_obs : (J,)
    """

    xtx: Floats
    xty: Floats
    yty: Floats
    n_obs: NDArray[np.intp]


def influence(design: Design, data: CrossProducts, fit: Fit) -> Influence:
    """Leave out one group after another, in closed form, and the most influential ones from a fit of their own.

    With V_j known, leaving group j out takes X_j'V_j^-1 X_j and X_j'V_j^-1 y_j away from their sums over groups. So all
    groups together cost about as much as one evaluation of the criterion and one pass over the rows.
    """
    own = _own_products(design, data)
    delta = data.r @ (fit.beta - data.ols)
    identity = np.eye(len(fit.lower))
    middle = np.linalg.inv(identity + fit.lower.T @ data.ztz @ fit.lower)
    conditional = fit.lower @ middle @ fit.lower.T
    # X_j'V_j^-1 X_j and X_j'V_j^-1 (y_j - X_j beta), relative to sigma^2, in the basis of X.
    weighted = np.swapaxes(data.ztx, 1, 2) @ conditional
    information = own.xtx - weighted @ data.ztx
    score = own.xty - own.xtx @ delta - np.einsum("jaq,jq->ja", weighted, data.zty - data.ztx @ delta)

    root = np.linalg.cholesky(information.sum(axis=0))
    scaled = np.linalg.solve(root, np.swapaxes(np.linalg.solve(root, information), 1, 2))
    sizes, axes = np.linalg.eigh(scaled)
    # A direction of which the group has all the information cannot be estimated without it.
    kept = np.where((sizes[:, -1:] < 1 - REDUNDANT), 1 - sizes, np.nan)
    along = np.einsum("jba,jb->ja", axes, np.linalg.solve(root, score.T).T) / kept
    moved = np.einsum("jab,jb->ja", axes, along)
    beta = fit.beta - np.linalg.solve(data.r, np.linalg.solve(root.T, moved.T)).T
    distance = (moved**2).sum(axis=1) / (len(fit.beta) * fit.sigma**2)

    order = np.argsort(-distance, kind="stable")[:MOST_REFITTED]
    refits = (_refit(int(j), own, data, fit) for j in order if np.isfinite(distance[j]))
    return Influence(beta, distance, tuple(refit for refit in refits if refit))


def _own_products(design: Design, data: CrossProducts) -> _OwnProducts:
    basis = np.asarray(np.linalg.solve(data.r.T, design.x.T).T, dtype=np.float64)
    residuals = (design.y - design.x @ data.ols)[:, None]
    return _OwnProducts(
        xtx=grouped(basis, basis, design),
        xty=grouped(basis, residuals, design)[:, :, 0],
        yty=grouped(residuals, residuals, design)[:, 0, 0],
        n_obs=np.bincount(design.group_index),
    )


def _refit(group: int, own: _OwnProducts, data: CrossProducts, fit: Fit) -> Refit | None:
    """Fit the model without a group, from the estimates of all and from the identity; None where that gives no fit."""
    rest = without_group(group, own, data)
    variances = rest.ztz.sum(axis=0) / rest.n_obs
    if any(np.linalg.eigvalsh(variances[block, block])[0] < REDUNDANT for block in slices(rest.blocks)):
        return None
    if fully_described(rest).any():
        return None
    identity = pack(np.eye(len(rest.s)), rest.blocks)
    reml = fit.estimator == "REML"
    best = search(rest, reml, {"all groups": pack(fit.lower, rest.blocks), "identity": identity}).best
    if not best.gradient_norm <= FLAT:
        return None
    at, lower = profile(best.theta, rest, reml), factor(best.theta, rest.blocks)
    moved = fit.beta - at.beta
    distance = moved @ np.linalg.solve(fit.beta_covariance, moved) / len(moved)
    return Refit(group, parameter_values(rest.own_units(lower), at.sigma, at.beta, rest.blocks), float(distance))


def without_group(group: int, own: _OwnProducts, data: CrossProducts) -> CrossProducts:
    """The cross-products of the other groups, with an orthonormal basis of what is left of X."""
    kept = np.arange(len(data.ztz)) != group
    root = np.linalg.cholesky(np.eye(len(data.r)) - own.xtx[group]).T
    return replace(
        data,
        ztz=data.ztz[kept],
        ztx=np.linalg.solve(root.T, np.swapaxes(data.ztx[kept], 1, 2)).swapaxes(1, 2),
        zty=data.zty[kept],
        xty=np.linalg.solve(root.T, data.xty - own.xty[group]),
        yty=data.yty - float(own.yty[group]),
        n_obs=data.n_obs - int(own.n_obs[group]),
        r=root @ data.r,
    )
