"""Variance explained at each level, against a baseline model (Raudenbush & Bryk 2002, chapter 4)."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from twolevel.data.fingerprint import check_same_data
from twolevel.errors import UserError

COLUMNS = ["model", "level", "term", "baseline", "baseline_variance", "variance", "explained"]


def variance_explained(random_effects: Mapping[str, pd.DataFrame], baselines: Mapping[str, str]) -> pd.DataFrame:
    """Proportional reduction of every variance that a model shares with its baseline.

    Parameters
    ----------
    random_effects : each model's `random_effects.csv`
    baselines : the baseline of each model that has one

    Returns
    -------
    for each such model one row for the level-1 residual, then one for each random effect that both have, with
    explained = (baseline_variance - variance) / baseline_variance. It can be negative, and is missing where the
    baseline's variance is zero.
    """
    rows = [
        (model, *row)
        for model, baseline in baselines.items()
        for row in _reductions(_variances(random_effects[model]), baseline, _variances(random_effects[baseline]))
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def check_baseline(model: str, fit: Mapping[str, Any], baseline: str, baseline_fit: Mapping[str, Any]) -> None:
    """Refuse a baseline of other data, another response or other groups.

    Parameters
    ----------
    model, baseline : names of the models
    fit, baseline_fit : their `fit.json`
    """
    check_same_data(fit, baseline_fit, (model, baseline))
    if fit["estimator"] != baseline_fit["estimator"]:
        raise UserError(
            f"models.{model}.baseline: {baseline} is fitted by {baseline_fit['estimator']} and {model} by "
            f"{fit['estimator']}, so that their variances do not compare. Give both the same estimator, or leave the "
            "baseline out."
        )
    if fit["left_out"] != baseline_fit["left_out"]:
        raise UserError(
            f"models.{model}.baseline: {baseline} is fitted to {baseline_fit['n_obs']} rows and {model} to "
            f"{fit['n_obs']}, since values are missing in {', '.join(fit['left_out']['missing'])}. Leave those rows "
            "out of the data, so that both models have the same, or leave the baseline out."
        )
    for key in ("response", "group"):
        if fit[key] != baseline_fit[key]:
            raise UserError(
                f"models.{model}.baseline: {baseline} has the {key} {baseline_fit[key]}, {model} has {fit[key]}; "
                f"variance explained compares two models of one response in one grouping."
            )


def _reductions(
    after: pd.Series, baseline: str, before: pd.Series
) -> Iterator[tuple[int, str, str, float, float, float]]:
    shared = [term for term in after.index if term in before.index]
    for term in sorted(shared, key=lambda term: term != "Residual"):
        reduction = before[term] - after[term]
        explained = reduction / before[term] if before[term] > 0 else float("nan")
        yield 1 if term == "Residual" else 2, term, baseline, before[term], after[term], explained


def _variances(random_effects: pd.DataFrame) -> pd.Series:
    variances = random_effects[random_effects["term_2"].fillna("") == ""]
    return pd.Series(variances["vcov"].to_numpy(), index=variances["term_1"].fillna("").replace("", "Residual"))
