"""Empirical Bayes: the groups' effects and coefficients given the estimates."""

from dataclasses import dataclass

import numpy as np

from twolevel.likelihood.crossproducts import CrossProducts
from twolevel.likelihood.deviance import Profile
from twolevel.model.design import Design, Floats
from twolevel.model.hierarchy import level2_design


@dataclass(frozen=True)
class GroupEffects:
    """Predicted effects u_j and coefficients W_j gamma + u_j of every group, all (J, q).

    Attributes
    ----------
    effect : conditional mean of u_j given the data
    effect_std_error : its conditional standard deviation at the estimates, as lme4's `ranef(condVar = TRUE)`
    coefficient : empirical Bayes estimate of the group's own coefficient (Raudenbush & Bryk 2002, chapter 3)
    coefficient_std_error : of its prediction error, the uncertainty of the fixed effects included
    """

    effect: Floats
    effect_std_error: Floats
    coefficient: Floats
    coefficient_std_error: Floats


def group_effects(design: Design, data: CrossProducts, lower: Floats, at: Profile) -> GroupEffects:
    """Predict the effects of every group.

    Parameters
    ----------
    lower : (q, q) relative covariance factor, in the coordinates of `data`
    at : the profile at the same theta
    """
    identity = np.eye(len(lower))
    middle = np.linalg.inv(identity + lower.T @ data.ztz @ lower)
    # D_j = L M_j^-1 L' is the conditional covariance of u_j relative to sigma^2, in the coordinates of the basis of Z.
    conditional = lower @ middle @ lower.T
    delta = data.r @ (at.beta - data.ols)
    to_own = np.linalg.inv(data.s)
    effect = np.einsum("jab,jb->ja", conditional, data.zty - data.ztx @ delta) @ to_own.T
    covariance = at.sigma**2 * to_own @ conditional @ to_own.T
    # Moving beta by d moves the predicted u_j by -D_j Z_j'X_j d.
    shift = to_own @ conditional @ data.ztx @ data.r
    w = level2_design(design)
    lever = w - shift
    prediction = covariance + lever @ at.beta_covariance @ lever.transpose(0, 2, 1)
    return GroupEffects(
        effect=effect,
        effect_std_error=_root_of_diagonals(covariance),
        coefficient=w @ at.beta + effect,
        coefficient_std_error=_root_of_diagonals(prediction),
    )


def fitted_values(design: Design, beta: Floats, effect: Floats) -> Floats:
    """Conditional fitted values X beta + Z u, (n,)."""
    return np.asarray(design.x @ beta + (design.z * effect[design.group_index]).sum(axis=1))


def _root_of_diagonals(matrices: Floats) -> Floats:
    return np.sqrt(np.maximum(np.diagonal(matrices, axis1=1, axis2=2), 0.0))
