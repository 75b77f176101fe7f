"""The fit of record: statsmodels' MixedLM, started at the profiled optimum."""

import warnings
from dataclasses import dataclass

import numpy as np
from statsmodels.regression.mixed_linear_model import MixedLM, MixedLMParams

from twolevel.formula import Design, Floats

# MixedLM works with the Cholesky factor and the inverse of the covariance matrix, which a singular one lacks. This much
# of its largest element on the diagonal gives it both. It moves the criterion by up to 1e-6; with less, the rounding of
# the inverse moves it more (at 1e-11 MixedLM wanders off).
RIDGE = 1e-9


@dataclass(frozen=True)
class MixedLMFit:
    """Where MixedLM ended.

    Attributes
    ----------
    criterion : -2 (restricted) log-likelihood
    beta : (p,) fixed effects
    sigma : residual standard deviation
    covariance : (q, q) covariance matrix of the random effects
    converged : what statsmodels said; by itself it means nothing
    messages : statsmodels' warnings
    """

    criterion: float
    beta: Floats
    sigma: float
    covariance: Floats
    converged: bool
    messages: tuple[str, ...]


def fit_from(design: Design, reml: bool, beta: Floats, relative_covariance: Floats) -> MixedLMFit:
    """Fit by MixedLM (BFGS) from given fixed effects and covariance matrix relative to sigma^2."""
    ridge = 0.0
    if np.linalg.eigvalsh(relative_covariance)[0] <= RIDGE * relative_covariance.max():
        ridge = RIDGE * float(max(relative_covariance.max(), 1.0))
    covariance = relative_covariance + ridge * np.eye(design.z.shape[1])
    start = MixedLMParams.from_components(fe_params=beta, cov_re=covariance)
    return _fit(design, reml, start_params=start, method=["bfgs"])


def fit_by_default(design: Design, reml: bool) -> MixedLMFit:
    """Fit by MixedLM as a user's plain `.fit()` does."""
    return _fit(design, reml)


def _fit(design: Design, reml: bool, **options: object) -> MixedLMFit:
    model = MixedLM(design.y, design.x, groups=design.group_index, exog_re=design.z)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = model.fit(reml=reml, **options)
    return MixedLMFit(
        criterion=-2 * float(result.llf),
        beta=np.asarray(result.fe_params),
        sigma=float(np.sqrt(result.scale)),
        covariance=np.asarray(result.cov_re).reshape(design.z.shape[1], -1),
        converged=bool(result.converged),
        messages=tuple(dict.fromkeys(str(w.message) for w in caught)),
    )
