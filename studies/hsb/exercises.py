"""The models that two exercises ask a reader to fit, fitted here, so that their answers are computed."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from hsb.textbook.codings import CodedColumns
from hsb.textbook.fits import fit_coding

COLUMNS = ["exercise", "formula", "quantity", "term", "value"]


def changed_formulas(formulas: Mapping[str, str], columns: CodedColumns, group: str) -> dict[str, str]:
    """The formulas of the exercises, by what is changed; none where the configured formula is another.

    Parameters
    ----------
    formulas : of the configured models, by name
    columns : SES and its centred form
    group : the column of schools
    """
    centred, source = re.escape(columns.centred), columns.source
    slopes = formulas["intercepts_and_slopes"]
    changed = {
        "uncentred": re.sub(rf"(?<![\w.]){centred}(?![\w.])", source, formulas["random_coefficients"]),
        "same_slopes": slopes.replace(f"({columns.centred} | {group})", f"(1 | {group})"),
    }
    return {name: formula for name, formula in changed.items() if formula not in formulas.values()}


def answers(table: pd.DataFrame, formulas: Mapping[str, str], optimiser: Mapping[str, Any]) -> pd.DataFrame:
    """Fit the models of the exercises by REML: criterion, number of parameters, fixed effects, variances."""
    rows: list[Sequence[Any]] = []
    for name, formula in formulas.items():
        it = fit_coding("sample", name, formula, table, **optimiser)
        fixed, random = it.design.fixed_terms, it.design.random_terms
        rows += [(name, formula, "criterion", "", it.fit.criterion), (name, formula, "parameters", "", it.fit.npar)]
        rows += [(name, formula, "fixed effect", term, b) for term, b in zip(fixed, it.fit.beta, strict=True)]
        rows += [(name, formula, "variance", term, it.fit.covariance[i, i]) for i, term in enumerate(random)]
    return pd.DataFrame(rows, columns=COLUMNS)
