"""statsmodels' MixedLM: the fit of record, started at the profiled optimum, and any other call of it."""

import warnings
from dataclasses import dataclass, replace

import numpy as np
from statsmodels.regression.mixed_linear_model import MixedLM, MixedLMParams

from twolevel.fitting.fit import NOT_SEARCHED, SEARCHED
from twolevel.likelihood.crossproducts import CrossProducts
from twolevel.model.blocks import Blocks, slices
from twolevel.model.design import Design, Floats

# MixedLM works with the Cholesky factor and the inverse of the covariance matrix, which a singular one lacks. This much
# of its largest element on the diagonal gives it both. It moves the criterion by up to 1e-6; with less, the rounding of
# the inverse moves it more (at 1e-11 MixedLM leaves the optimum).
RIDGE = 1e-9


@dataclass(frozen=True)
class MixedLMFit:
    """Where MixedLM ended, in the units of the data.

    Attributes
    ----------
    criterion : -2 (restricted) log-likelihood; not a number where MixedLM broke down
    beta : (p,) fixed effects
    sigma : residual standard deviation
    covariance : (q, q) covariance matrix of the random effects
    converged : what statsmodels said; by itself it means nothing
    messages : statsmodels' warnings, or why it broke down
    """

    criterion: float
    beta: Floats
    sigma: float
    covariance: Floats
    converged: bool
    messages: tuple[str, ...]


def fit_from(design: Design, data: CrossProducts, reml: bool, beta: Floats, lower: Floats) -> MixedLMFit:
    """Fit by MixedLM (BFGS) from given fixed effects and relative covariance factor, or only evaluate it there.

    Of more than `SEARCHED` observations MixedLM gives its log-likelihood alone: a search evaluates it and its gradient,
    group by group, dozens of times, which is most of the time of such a fit. MixedLM gets the bases of X and Z in which
    `data` was computed: with a predictor in dollars or in calendar years it leaves the optimum.

    Parameters
    ----------
    beta : (p,) fixed effects, in the units of the data
    lower : (q, q) relative covariance factor, in the coordinates of `data`
    """
    root = np.sqrt(data.n_obs)
    to_own = np.linalg.inv(data.s)
    x, z = root * design.x @ np.linalg.inv(data.r), design.z @ to_own
    relative = lower @ lower.T
    ridge = 0.0
    if np.linalg.eigvalsh(relative)[0] <= RIDGE * relative.max():
        ridge = RIDGE * float(max(relative.max(), 1.0))
    start = MixedLMParams.from_components(
        fe_params=data.r @ beta / root, cov_re=relative + ridge * np.eye(len(relative))
    )
    model = MixedLM(design.y, x, groups=design.group_index, exog_re=z)
    if len(design.y) > SEARCHED:
        fit = evaluated(model, reml, start)
    else:
        fit = run(model, reml, start_params=start, method=["bfgs"], free=free_parameters(x.shape[1], design.blocks))
    # The REML criterion depends on the coordinates of X through log|X'X|.
    units = 2 * float(np.log(np.abs(np.diag(data.r)) / root).sum()) if reml else 0.0
    return replace(
        fit,
        criterion=fit.criterion + units,
        beta=root * np.linalg.solve(data.r, fit.beta),
        covariance=to_own @ fit.covariance @ to_own.T,
    )


def free_parameters(p: int, blocks: Blocks) -> MixedLMParams | None:
    """What MixedLM may vary where blocks of random effects are independent; None, for all, where there is one."""
    if len(blocks) == 1:
        return None
    free = np.zeros((sum(blocks),) * 2)
    for block in slices(blocks):
        free[block, block] = 1.0
    return MixedLMParams.from_components(fe_params=np.ones(p), cov_re=free)


def evaluated(model: MixedLM, reml: bool, at: MixedLMParams) -> MixedLMFit:
    """The log-likelihood of a MixedLM at given parameters, without a search."""
    model.reml, model.cov_pen, model.fe_pen = reml, None, None  # as its fit() sets them
    sigma2 = float(model.get_scale(at.fe_params, at.cov_re, at.vcomp))
    return MixedLMFit(
        criterion=-2 * float(model.loglike(at, profile_fe=False)),
        beta=np.asarray(at.fe_params),
        sigma=float(np.sqrt(sigma2)),
        covariance=sigma2 * np.asarray(at.cov_re),
        converged=False,
        messages=(NOT_SEARCHED,),
    )


def run(model: MixedLM, reml: bool, **options: object) -> MixedLMFit:
    """Run the `.fit()` of a MixedLM with these options, and keep what it said.

    Warnings are kept as messages, and so is how its linear algebra broke down; any other error is passed on.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = model.fit(reml=reml, **options)
            criterion = -2 * float(result.llf)
        except (np.linalg.LinAlgError, ValueError) as error:  # how its linear algebra breaks down
            nowhere = np.full((model.k_re, model.k_re), np.nan)
            return MixedLMFit(np.nan, np.full(model.k_fe, np.nan), np.nan, nowhere, False, (str(error),))
    return MixedLMFit(
        criterion=criterion,
        beta=np.asarray(result.fe_params),
        sigma=float(np.sqrt(result.scale)),
        covariance=np.asarray(result.cov_re).reshape(model.k_re, model.k_re),
        converged=bool(result.converged),
        messages=tuple(dict.fromkeys(str(w.message) for w in caught)),
    )
