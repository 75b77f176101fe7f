"""The numbers of one model at one point, as a summary prints them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from twolevel.model.blocks import slices
from twolevel.output.results import block_names


class NotThereError(Exception):
    """The results hold no such number; the message says what is missing."""


@dataclass(frozen=True)
class Solution:
    """A fit, or another point of the same model.

    Attributes
    ----------
    estimator : what the fit is by, "REML" or "ML"
    criterion, n_obs, n_groups : as in `fit.json`
    quantiles : of the scaled residuals, by name
    fixed : by column of `fixed_effects.csv` and term
    correlations : of the fixed effects, by both terms
    random : by column of `random_effects.csv`, and by name: 'clinic:week', 'clinic:(Intercept),week' or 'Residual'
    """

    estimator: str
    criterion: float
    n_obs: int
    n_groups: int
    quantiles: Mapping[str, float]
    fixed: Mapping[tuple[str, str], float]
    correlations: Mapping[frozenset[str], float]
    random: Mapping[tuple[str, str], float]


def from_results(fit: Mapping[str, Any], fixed_effects: pd.DataFrame, random_effects: pd.DataFrame) -> Solution:
    """The fit of record, from its `fit.json` and tables."""
    fixed = {
        (column, term): value
        for column in ("estimate", "std_error", "statistic")
        for term, value in zip(fixed_effects["term"], fixed_effects[column], strict=True)
    }
    labels = (random_effects[column] for column in ("group", "term_1", "term_2"))
    names = [_random_name(*of_row) for of_row in zip(*labels, strict=True)]
    random = {
        (column, name): value
        for column in ("vcov", "sdcor")
        for name, value in zip(names, random_effects[column], strict=True)
    }
    return _solution(fit["estimator"], fit, fixed, random)


def from_estimates(estimates: Mapping[str, Any]) -> Solution:
    """Another point, from what `point.estimates_at` gives, which is by REML."""
    beta = np.array(estimates["fixed_effects"])
    std_errors = np.sqrt(np.diag(np.array(estimates["fixed_effects_covariance"])))
    columns = {"estimate": beta, "std_error": std_errors, "statistic": beta / std_errors}
    fixed = {
        (column, term): float(value)
        for column, values in columns.items()
        for term, value in zip(estimates["fixed_terms"], values, strict=True)
    }
    terms, sigma, blocks = estimates["random_terms"], estimates["sigma"], tuple(estimates["blocks"])
    covariance, correlation = estimates["random_effects_covariance"], estimates["random_effects_correlation"]
    random = {("vcov", "Residual"): sigma**2, ("sdcor", "Residual"): sigma}
    for group, block in zip(block_names(estimates["group"], blocks), slices(blocks), strict=True):
        for i in range(block.start, block.stop):
            name = _random_name(group, terms[i], "")
            random |= {("vcov", name): covariance[i][i], ("sdcor", name): covariance[i][i] ** 0.5}
            for k in range(block.start, i):
                name = _random_name(group, terms[k], terms[i])
                random |= {("vcov", name): covariance[i][k], ("sdcor", name): correlation[i][k]}
    return _solution("REML", estimates, fixed, random)


def _solution(
    estimator: str,
    fit: Mapping[str, Any],
    fixed: Mapping[tuple[str, str], float],
    random: Mapping[tuple[str, str], float],
) -> Solution:
    return Solution(
        estimator=estimator,
        criterion=fit["criterion"],
        n_obs=fit["n_obs"],
        n_groups=fit["n_groups"],
        quantiles=dict(zip(("Min", "1Q", "Median", "3Q", "Max"), fit["scaled_residual_quantiles"], strict=True)),
        fixed=fixed,
        correlations=_correlations(fit["fixed_terms"], np.array(fit["fixed_effects_covariance"])),
        random=random,
    )


def _correlations(terms: Sequence[str], covariance: np.ndarray) -> dict[frozenset[str], float]:
    sds = np.sqrt(np.diag(covariance))
    pairs = ((a, b) for a in range(len(terms)) for b in range(a))
    return {frozenset((terms[a], terms[b])): float(covariance[a, b] / (sds[a] * sds[b])) for a, b in pairs}


def _random_name(group: str, term_1: str, term_2: str) -> str:
    return f"{group}:{term_1},{term_2}" if term_2 else f"{group}:{term_1}" if term_1 else group
