"""Shares of the response's variance: intraclass correlation, marginal and conditional R2."""

from dataclasses import dataclass

import numpy as np

from twolevel.fitting.fit import Fit
from twolevel.model.design import Design


@dataclass(frozen=True)
class Shares:
    """How the variance of the response splits, by the model's estimates.

    Attributes
    ----------
    intraclass_correlation : share of the random effects in what the fixed effects leave unexplained. Without
        predictors it is the intraclass correlation tau_00 / (tau_00 + sigma^2); with predictors it is conditional on
        them (Raudenbush & Bryk 2002, chapter 4), which Nakagawa et al. (2017) call adjusted
    r2_marginal : share of the fixed effects in the whole
    r2_conditional : share of the fixed and the random effects in the whole
    """

    intraclass_correlation: float
    r2_marginal: float
    r2_conditional: float


def variance_shares(design: Design, fit: Fit) -> Shares:
    """Split the variance into that of X gamma, that of the random effects, and sigma^2.

    The variance of X gamma is the sample variance of its values (Nakagawa & Schielzeth 2013). With random slopes the
    variance of the random effects differs between observations: it is z_i'T z_i, and its mean over them is taken
    (Johnson 2014).
    """
    # By the covariance of X's columns: exactly zero where there is nothing but an intercept.
    fixed = float(fit.beta @ np.atleast_2d(np.cov(design.x, rowvar=False)) @ fit.beta)
    random = float(((design.z @ fit.covariance) * design.z).sum(axis=1).mean())
    residual = fit.sigma**2
    whole = fixed + random + residual
    return Shares(
        intraclass_correlation=random / (random + residual),
        r2_marginal=fixed / whole,
        r2_conditional=(fixed + random) / whole,
    )
