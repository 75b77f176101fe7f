"""A second program at the optimum: statsmodels' MixedLM has to stay where the search ended."""

from dataclasses import replace

import numpy as np

from twolevel.fitting.fit import NOT_SEARCHED, Fit
from twolevel.fitting.mixedlm import MixedLMFit, fit_from
from twolevel.likelihood.crossproducts import CrossProducts
from twolevel.likelihood.deviance import Profile
from twolevel.model.design import Design

# MixedLM must end within this of the profiled criterion to count as the same optimum.
AGREEMENT = 1e-6


def confirm(design: Design, data: CrossProducts, fit: Fit) -> Fit:
    """Have MixedLM search from the optimum, and give its estimates where it ends there.

    Of many observations (`fit.SEARCHED`) it gives its criterion at the optimum, without a search. Where it ends
    elsewhere, the profiled estimates stay, with the doubt. They stay on the boundary too: MixedLM has to invert a
    singular matrix there, so that where it ends, or whether it breaks down, says nothing of the optimum.
    """
    record = fit_from(design, data, fit.estimator == "REML", fit.at.beta, fit.lower)
    if fit.singular:
        return replace(fit, record=record)
    if not abs(record.criterion - fit.at.criterion) <= AGREEMENT:
        return replace(fit, record=record, doubts=fit.doubts + _disagreement(record, fit.at))
    return replace(
        fit,
        record=record,
        criterion=record.criterion,
        sigma=record.sigma,
        beta=record.beta,
        covariance=record.covariance,
    )


def _disagreement(record: MixedLMFit, at: Profile) -> tuple[str, ...]:
    if not np.isfinite(record.criterion):
        return (f"statsmodels' MixedLM, started at the optimum, broke down: {'; '.join(record.messages)}",)
    both = f"{record.criterion:.6f} against {at.criterion:.6f}"
    if NOT_SEARCHED in record.messages:
        return (f"statsmodels' MixedLM has another criterion at the optimum: {both}",)
    return (f"statsmodels' MixedLM, started at the optimum, left it: criterion {both}",)
