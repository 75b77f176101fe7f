"""Fit a two-level model: find the optimum, and weigh whether it can be trusted."""

from dataclasses import dataclass
from math import log, nan
from typing import TYPE_CHECKING

import numpy as np

from twolevel.fitting.identified import overlapping_blocks
from twolevel.fitting.search import FLAT, Search, is_singular, search, starts
from twolevel.likelihood.crossproducts import CrossProducts
from twolevel.likelihood.deviance import Profile, factor, pack, profile
from twolevel.model.blocks import slices
from twolevel.model.design import Design, Floats

if TYPE_CHECKING:
    from twolevel.fitting.mixedlm import MixedLMFit  # statsmodels takes a second to import, and a fit does not need it


# With more observations statsmodels' MixedLM does not search, but gives its log-likelihood at the optimum (`mixedlm`).
# With a million a search by either estimator took 9 of the 10 s of a fit.
SEARCHED = 200_000
NOT_SEARCHED = (
    f"more than {SEARCHED:,} observations: MixedLM's log-likelihood at the optimum, without a search from there"
)


@dataclass(frozen=True)
class Fit:
    """One model fitted by one estimator.

    Attributes
    ----------
    estimator : "REML" or "ML"
    criterion : REML criterion, or -2 log-likelihood
    n_obs, npar : observations; parameters (fixed effects, free elements of T, sigma)
    theta : (k,) lower triangles of the relative covariance factor's blocks, column by column, diagonal non-negative
    sigma : residual standard deviation
    beta : (p,) fixed effects
    beta_covariance : (p, p) their covariance matrix, sigma^2 (X'V^-1X)^-1
    covariance : (q, q) covariance matrix T of the random effects
    singular : whether T has a zero variance or a correlation of one in absolute value
    doubts : why the fit cannot be trusted; empty where it can
    search : the searches from several starts
    at : the profile at the optimum
    lower : (q, q) relative covariance factor in the coordinates of the cross-products
    record : where statsmodels' MixedLM ended from the optimum; None where it was not asked
    """

    estimator: str
    criterion: float
    n_obs: int
    npar: int
    theta: Floats
    sigma: float
    beta: Floats
    beta_covariance: Floats
    covariance: Floats
    singular: bool
    doubts: tuple[str, ...]
    search: Search
    at: Profile
    lower: Floats
    record: "MixedLMFit | None" = None

    @property
    def searched_by_mixedlm(self) -> bool:
        """Whether MixedLM searched from the optimum, or only gave its log-likelihood there."""
        return self.record is None or NOT_SEARCHED not in self.record.messages

    @property
    def trustworthy(self) -> bool:
        """Whether nothing speaks against the optimum."""
        return not self.doubts

    @property
    def log_likelihood(self) -> float:
        """(Restricted) log-likelihood."""
        return -self.criterion / 2

    @property
    def aic(self) -> float:
        """Akaike's information criterion, from the criterion of this estimator as lme4 has it."""
        return self.criterion + 2 * self.npar

    @property
    def aicc(self) -> float:
        """The same, corrected for small samples (Hurvich & Tsai 1989), with n the number of observations; NaN below."""
        k, left = self.npar, self.n_obs - self.npar - 1
        return self.aic + 2 * k * (k + 1) / left if left > 0 else nan

    @property
    def bic(self) -> float:
        """Schwarz's criterion with log of the number of observations, as lme4 has it."""
        return self.criterion + log(self.n_obs) * self.npar


def fit_model(design: Design, data: CrossProducts, *, reml: bool, random_starts: int, seed: int) -> Fit:
    """Fit by REML or ML at the best optimum that several starts reach: the estimates are the profiled ones there."""
    found = search(data, reml, starts(data, random_starts, seed))
    theta = found.best.theta
    at, lower = profile(theta, data, reml), factor(theta, data.blocks)
    own = data.own_units(lower)
    singular = bool(is_singular(theta, data.blocks))
    overlaps = _overlaps(design, data)
    return Fit(
        estimator="REML" if reml else "ML",
        criterion=at.criterion,
        n_obs=data.n_obs,
        npar=len(at.beta) + len(theta) + 1,
        theta=pack(own, data.blocks),
        sigma=at.sigma,
        beta=at.beta,
        beta_covariance=at.beta_covariance,
        covariance=at.sigma**2 * own @ own.T,
        singular=singular,
        doubts=_doubts(at, found, singular or bool(overlaps)) + overlaps,
        search=found,
        at=at,
        lower=lower,
    )


def _doubts(at: Profile, found: Search, may_be_flat: bool) -> tuple[str, ...]:
    best, doubts = found.best, []
    least = np.linalg.eigvalsh(at.hessian)[0]
    if not np.isfinite(best.criterion):
        doubts.append("the criterion is not finite at the best point found")
    if best.gradient_norm > FLAT:
        doubts.append(f"the gradient at the best point found is {best.gradient_norm:.2g}, not zero")
    if least < -FLAT:
        doubts.append("the best point found is a saddle")
    if abs(least) <= FLAT and not may_be_flat:
        doubts.append("the criterion is flat at the best point found: the data do not tell the variances apart")
    if found.reached_best < 2:
        doubts.append(f"only one of {len(found.runs)} searches reached the best criterion")
    return tuple(doubts)


def _overlaps(design: Design, data: CrossProducts) -> tuple[str, ...]:
    """Which random effects have variances that can be split among them in more than one way."""
    of_block = [design.random_terms[block] for block in slices(design.blocks)]
    among = [[term for number in numbers for term in of_block[number]] for numbers in overlapping_blocks(data)]
    return tuple(
        f"the data do not tell apart all variances and covariances of {', '.join(terms)}, whose columns overlap: the "
        f"fixed effects and their tests do not depend on how they are split, but each variance and correlation does"
        for terms in among
    )
