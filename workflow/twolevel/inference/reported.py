"""What intervals are made around: the parameters of a fit as they are reported."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from twolevel.likelihood.deviance import factor
from twolevel.model.design import Floats
from twolevel.model.parameters import Parameter, parameter_values, parameters


@dataclass(frozen=True)
class Reported:
    """The m parameters of a fit, their estimates (m,), and the standard errors (p,) of the fixed effects."""

    listed: tuple[Parameter, ...]
    estimates: Floats
    std_errors: Floats


def by_estimator(fit: Mapping[str, Any], estimator: str) -> Mapping[str, Any]:
    """The estimates of a model by "REML" or "ML", from its `fit.json`, whichever of the two is its fit of record."""
    if fit["estimator"] == estimator:
        return fit
    other: Mapping[str, Any] = fit[estimator.lower()]
    return other


def reported(fit: Mapping[str, Any]) -> Reported:
    """Read the parameters of a fit from what `fit.json` says of it."""
    blocks, beta = tuple(fit["blocks"]), np.array(fit["fixed_effects"])
    return Reported(
        listed=parameters(fit["random_terms"], fit["fixed_terms"], blocks),
        estimates=parameter_values(factor(np.array(fit["theta"]), blocks), fit["sigma"], beta, blocks),
        std_errors=np.sqrt(np.diag(fit["fixed_effects_covariance"])),
    )
