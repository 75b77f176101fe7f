"""A textbook's models with each way to code a group mean, in its tables' layout (Raudenbush & Bryk 2002, chapter 4).

Every coding is fitted as any other model is (`fit_model`): then the data's own coding gives what `results/models/` has,
to the last digit, and a fit that cannot be trusted says so here too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from twolevel.data.kinds import as_number, as_text
from twolevel.errors import UserError, some
from twolevel.fitting.confirm import confirm
from twolevel.fitting.fit import Fit, fit_model
from twolevel.inference.reliability import variance_components
from twolevel.inference.variance_explained import variance_explained
from twolevel.likelihood.crossproducts import CrossProducts, cross_products
from twolevel.model.design import Design
from twolevel.model.formula import build_design
from twolevel.output.results import fixed_effects_table, random_effects_table

from hsb.textbook.codings import CODINGS, CodedColumns

FIXED_EFFECTS = ["term", "estimate", "std_error", "statistic", "df", "p_value"]
COMPONENTS = ["term", "variance", "sd", "df", "chi_square", "p_value", "reliability", "usable_groups"]


@dataclass(frozen=True)
class CodedFit:
    """One model, fitted by REML to the table in one coding."""

    coding: str
    model: str
    design: Design
    data: CrossProducts
    fit: Fit


def group_means(table: pd.DataFrame, own: pd.Series, group: str, name: str) -> pd.DataFrame:
    """Set the means that a file has beside those over the observations.

    Parameters
    ----------
    table : the file: the groups under the data's name for them, and one other column, the means
    own : (J,) means over the observations, by group label
    group : the data's grouping column
    name : the file's name, for messages

    Returns
    -------
    A row for each group of the data, in the order of `own`: the group, its own mean, the file's.

    Raises
    ------
    UserError
        The file has other columns, a group twice, a mean that is no number, or none for a group of the data.
    """
    if group not in table or len(table.columns) != 2:
        raise UserError(
            f"{name} has the columns {', '.join(map(str, table.columns))}; expected {group} and one with the means."
        )
    (column,) = set(table.columns) - {group}
    if column == own.name:
        raise UserError(f"{name}: its means are called {column}, as the data's own are; give that column another name.")
    labels, means = as_text(table[group]), as_number(table[column])
    if labels.duplicated().any():
        raise UserError(f"{name}: {group} {labels[labels.duplicated()].iloc[0]} is there twice; keep one row for each.")
    if not np.isfinite(means).all():
        first = int(np.flatnonzero(~np.isfinite(means))[0])
        raise UserError(
            f"{name}: the {column} of {group} {labels.iloc[first]} is {table[column].iloc[first]}; expected a number."
        )
    missing = [label for label in own.index if label not in set(labels)]
    if missing:
        raise UserError(
            f"{name} has no {column} for {len(missing)} of {len(own)} groups of the data: {group} {some(missing)}. Add "
            "them, or set report.narrative: null, which leaves the textbook's tables out."
        )
    theirs = dict(zip(labels, means, strict=True))
    return pd.DataFrame({group: own.index, own.name: own.to_numpy(), column: [theirs[label] for label in own.index]})


def recode(table: pd.DataFrame, columns: CodedColumns, means: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The table in each coding: the same rows and names, other values of the mean and of the deviations from it.

    Parameters
    ----------
    table : the prepared table
    columns : which of its columns are coded
    means : as `group_means` gives them
    """
    group, _, theirs = means.columns
    mean = table[group].map(dict(zip(means[group], means[theirs], strict=True))).astype("float64")
    coded: list[dict[str, pd.Series]] = [
        {},
        {columns.mean: mean, columns.centred: table[columns.source] - mean},
        {columns.mean: mean},
    ]
    return {coding: table.assign(**changed) for coding, changed in zip(CODINGS, coded, strict=True)}


def fit_coding(
    coding: str, model: str, formula: str, table: pd.DataFrame, *, random_starts: int, seed: int
) -> CodedFit:
    """Fit one model to the table in one coding."""
    design = build_design(formula, table)
    data = cross_products(design)
    fit = fit_model(design, data, reml=True, random_starts=random_starts, seed=seed)
    return CodedFit(coding, model, design, data, confirm(design, data, fit))


def fixed_effects(fits: Sequence[CodedFit]) -> pd.DataFrame:
    """Fixed effects of all fits, with Satterthwaite's tests."""
    return _stacked(fits, [fixed_effects_table(it.design, it.data, it.fit)[FIXED_EFFECTS] for it in fits])


def components(fits: Sequence[CodedFit]) -> pd.DataFrame:
    """Variance components of all fits, as the HLM program has them; the last row of each is the level-1 residual."""
    return _stacked(fits, [_components(it) for it in fits])


def explained(fits: Sequence[CodedFit], baselines: Mapping[str, str]) -> pd.DataFrame:
    """Variance explained in each coding, against the baseline in the same coding."""
    tables = []
    for coding in CODINGS:
        random_effects = {it.model: random_effects_table(it.design, it.fit) for it in fits if it.coding == coding}
        tables.append(variance_explained(random_effects, baselines))
        tables[-1].insert(0, "coding", coding)
    return pd.concat(tables, ignore_index=True)


def _components(it: CodedFit) -> pd.DataFrame:
    table = variance_components(it.design, it.data, it.fit)[COMPONENTS]
    residual = {"term": "Residual", "variance": it.fit.sigma**2, "sd": it.fit.sigma}
    whole = {"df": "Int64", "usable_groups": "Int64"}  # a whole number, or nothing
    return pd.DataFrame([*table.to_dict("records"), residual], columns=COMPONENTS).astype(whole)


def _stacked(fits: Sequence[CodedFit], tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    for it, table in zip(fits, tables, strict=True):
        table.insert(0, "coding", it.coding)
        table.insert(1, "model", it.model)
    return pd.concat(tables, ignore_index=True)
