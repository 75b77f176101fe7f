"""Variance explained at each level, against a baseline model (Raudenbush & Bryk 2002, chapter 4)."""

import pandas as pd


def variance_explained(
    model: str, random_effects: pd.DataFrame, baseline: str, baseline_effects: pd.DataFrame
) -> pd.DataFrame:
    """Proportional reduction of every variance that a model shares with its baseline.

    Parameters
    ----------
    model, baseline : names of the models
    random_effects, baseline_effects : their `random_effects.csv`

    Returns
    -------
    one row for the level-1 residual and one for each random effect that both have: model, level, term, baseline,
    baseline_variance, variance, explained = (baseline_variance - variance) / baseline_variance. It can be negative, and
    is missing where the baseline's variance is zero.
    """
    after, before = _variances(random_effects), _variances(baseline_effects)
    rows = []
    for term in [term for term in after.index if term in before.index]:
        reduction = before[term] - after[term]
        rows.append(
            {
                "model": model,
                "level": 1 if term == "Residual" else 2,
                "term": term,
                "baseline": baseline,
                "baseline_variance": before[term],
                "variance": after[term],
                "explained": reduction / before[term] if before[term] > 0 else float("nan"),
            }
        )
    return pd.DataFrame(rows).sort_values("level", kind="stable")


def _variances(random_effects: pd.DataFrame) -> pd.Series:
    variances = random_effects[random_effects["term_2"].fillna("") == ""]
    return pd.Series(variances["vcov"].to_numpy(), index=variances["term_1"].fillna("").replace("", "Residual"))
