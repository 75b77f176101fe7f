"""A model's estimates at a given theta: what a fit that ended there would report."""

from typing import Any

import numpy as np

from twolevel.fitting.effects import fitted_values, group_effects
from twolevel.likelihood.crossproducts import CrossProducts
from twolevel.likelihood.deviance import factor, pack, profile
from twolevel.model.design import Design, Floats
from twolevel.model.parameters import correlation_rows


def own_columns(data: CrossProducts) -> CrossProducts:
    """The same data with the columns of Z themselves as the basis, each scaled to a root mean square of one.

    In these coordinates an element of theta is a positive multiple of lme4's own (`to_lme4`), so that a bound at zero
    is the same bound. The coordinates of `cross_products` are better conditioned and mix the elements.
    """
    scale = np.linalg.norm(data.s, axis=0)
    return data.in_basis(data.s / scale, np.diag(scale))


def to_lme4(data: CrossProducts) -> Floats:
    """Factors (k,) that turn theta in the coordinates of `own_columns` into lme4's."""
    return pack(np.tile(1.0 / np.diag(data.s)[:, None], (1, len(data.s))), data.blocks)


def estimates_at(design: Design, data: CrossProducts, theta: Floats) -> dict[str, Any]:
    """Everything of `fit.json` that a summary prints of a REML fit, at any theta.

    Parameters
    ----------
    design, data : the model; its data in the coordinates of `own_columns`
    theta : (k,) in those coordinates, which need not be an optimum
    """
    at, lower = profile(theta, data, reml=True), factor(theta, data.blocks)
    effects = group_effects(design, data, lower, at)
    residuals = design.y - fitted_values(design, at.beta, effects.effect)
    own = theta * to_lme4(data)
    covariance = at.sigma**2 * factor(own, data.blocks) @ factor(own, data.blocks).T
    return {
        "group": design.group,
        "n_obs": len(design.y),
        "n_groups": len(design.group_labels),
        "fixed_terms": list(design.fixed_terms),
        "random_terms": list(design.random_terms),
        "blocks": list(design.blocks),
        "criterion": at.criterion,
        "theta": own.tolist(),
        "sigma": at.sigma,
        "fixed_effects": at.beta.tolist(),
        "fixed_effects_covariance": at.beta_covariance.tolist(),
        "random_effects_covariance": covariance.tolist(),
        "random_effects_correlation": correlation_rows(covariance, design.blocks),
        "scaled_residual_quantiles": np.quantile(residuals / at.sigma, [0, 0.25, 0.5, 0.75, 1]).tolist(),
    }
