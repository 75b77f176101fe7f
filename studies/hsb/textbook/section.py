"""Raudenbush and Bryk's chapter 4 as its tables lay it out, with each coding of the group means."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from twolevel.errors import listed
from twolevel.output.mathml import Math
from twolevel.output.numbers import NOTHING, fixed, p_value, percent, signed
from twolevel.output.words import Labels, clean, number
from twolevel.report.model import Model

from hsb.textbook.codings import CODINGS, CodedColumns, coded_columns

INTERCEPT = "(Intercept)"

# What the book calls its models, by their names in the configuration, and where it has them: tables and pages as UCLA's
# Office of Advanced Research Computing names them, who fit its models in SAS ("Hierarchical Linear Models by S.
# Raudenbush and A. Bryk, chapter 4", stats.oarc.ucla.edu/sas/examples/mlm-randb).
BOOK = {
    "one_way_anova": ("One-way ANOVA with random effects", "Table 4.2, page 70"),
    "means_by_mean_ses": ("Means as outcomes", "Table 4.3, page 73"),
    "random_coefficients": ("Random coefficients", "Table 4.4, page 77"),
    "intercepts_and_slopes": ("Intercepts and slopes as outcomes", ""),
}

# What each table shows, in the order of its columns.
Formats = Mapping[str, Callable[[float], str]]
FIXED: Formats = {
    "estimate": partial(fixed, decimals=4),
    "std_error": partial(fixed, decimals=4),
    "statistic": partial(fixed, decimals=2),
}
RANDOM: Formats = {
    "variance": partial(fixed, decimals=3),
    "df": partial(fixed, decimals=0),
    "chi_square": partial(fixed, decimals=2),
    "p_value": p_value,
    "reliability": partial(fixed, decimals=3),
}
EXPLAINED: Formats = {
    "baseline_variance": partial(fixed, decimals=3),
    "variance": partial(fixed, decimals=3),
    "explained": percent,
}

# Changes smaller than these shares of a standard error, and of a variance, are named as such.
SMALL_STEP, SMALL_CHANGE = 1e-3, 1e-3

# Rounding to d decimals moves a number by half a unit of the last one, and adding it up by a little more.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Row:
    """One line of a table: which codings it is of, in words, and its cells."""

    codings: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Effect:
    """One fixed effect or variance component: its term, its symbol, a row for each coding that prints otherwise."""

    term: str
    symbol: Math | None
    rows: Sequence[Row]


@dataclass(frozen=True)
class BookModel:
    """One model as the book tabulates it.

    Attributes
    ----------
    name, title, place : in the configuration; in the book; its table and page there, where known
    predicted : for each level-1 coefficient its term and the fixed effects that predict it
    random : the variance components, the level-1 residual last
    sentences : what the codings change
    """

    name: str
    title: str
    place: str
    predicted: Sequence[tuple[str, Sequence[Effect]]]
    random: Sequence[Effect]
    sentences: Sequence[str]


@dataclass(frozen=True)
class Textbook:
    """What the section shows.

    Attributes
    ----------
    columns : the coded columns of the data
    theirs : name of the mean that the book's file of groups has
    means : how that differs from the data's own
    models : in the order of the configuration
    explained : variance explained, a list of effects for each model that has a baseline, and that baseline
    """

    columns: CodedColumns
    theirs: str
    means: Sequence[str]
    models: Sequence[BookModel]
    explained: Sequence[tuple[str, str, Sequence[Effect]]]


def read_textbook(
    tables: Mapping[str, pd.DataFrame],
    models: Mapping[str, Model],
    recipes: Mapping[str, Mapping[str, Any]],
    labels: Labels,
) -> Textbook:
    """Read what the section shows.

    Parameters
    ----------
    tables : what `hsb.tables` makes, by name
    models : the models as fitted to the data's own columns, for their symbols
    recipes : the configuration's `derive`
    labels : what the configuration calls things
    """
    columns, means = coded_columns(recipes), tables["textbook/group_means"]
    own, theirs = means[means.columns[1]].to_numpy(float), means[means.columns[2]].to_numpy(float)
    effects = tables["textbook/fixed_effects"]
    return Textbook(
        columns=columns,
        theirs=means.columns[2],
        means=_means_sentences(own, theirs, columns, means.columns[2], labels),
        models=[
            _book_model(models[name], columns, float(np.mean(theirs - own)), tables)
            for name in dict.fromkeys(effects["model"])
        ],
        explained=[
            (str(name), rows["baseline"].iloc[0], _effects(rows, EXPLAINED, {}))
            for name, rows in tables["textbook/variance_explained"].groupby("model", sort=False)
        ],
    )


def _book_model(model: Model, columns: CodedColumns, shift: float, tables: Mapping[str, pd.DataFrame]) -> BookModel:
    fixed_rows, random_rows = (
        table[table["model"] == model.name]
        for table in (tables["textbook/fixed_effects"], tables["textbook/variance_components"])
    )
    symbols = {effect.term: effect.symbol for effect in model.fixed}
    effects = {it.term: it for it in _effects(fixed_rows, FIXED, symbols)}
    title, place = BOOK.get(model.name, (model.title, ""))
    return BookModel(
        name=model.name,
        title=title,
        place=place,
        predicted=[
            (
                coefficient["term"],
                [effects[model.fit["fixed_terms"][column]] for column, _ in coefficient["predictors"]],
            )
            for coefficient in model.fit["hierarchy"]
            if coefficient["predictors"]
        ],
        random=_effects(random_rows, RANDOM, {effect.term: effect.symbol for effect in model.random}),
        sentences=[*_change_sentences(fixed_rows, random_rows, columns, shift)],
    )


def _effects(table: pd.DataFrame, formats: Formats, symbols: Mapping[str, Math]) -> list[Effect]:
    """Rows by term; codings whose numbers are printed alike share one."""
    found = []
    for term in dict.fromkeys(table["term"]):
        alike: dict[tuple[str, ...], list[str]] = {}
        for row in table[table["term"] == term].to_dict("records"):
            cells = (show(row[column]) for column, show in formats.items())
            alike.setdefault(tuple("" if cell == NOTHING else cell for cell in cells), []).append(row["coding"])
        rows = [
            Row("all" if len(codings) == len(CODINGS) else ", ".join(codings), cells)
            for cells, codings in alike.items()
        ]
        found.append(Effect(term, symbols.get(term), rows))
    return found


def _means_sentences(
    own: np.ndarray, theirs: np.ndarray, columns: CodedColumns, name: str, labels: Labels
) -> list[str]:
    """How the file's means differ from those over the observations, and whether a constant accounts for it."""
    gap = theirs - own
    span = f"from {signed(gap.min(), 4)} to {signed(gap.max(), 4)}"
    said = [
        f"{clean(name)} of a {labels.group_noun.singular} less {clean(columns.mean)}, the mean over its "
        f"{labels.observation_noun.plural} here, is {signed(gap.mean(), 4)} on average over {len(gap)} "
        f"{labels.group_noun.plural}, {span}."
    ]
    places = next((d for d in range(10) if np.abs(theirs.round(d) - theirs).max() <= ROUNDING), None)
    if places is not None and np.ptp(gap) <= 10.0**-places + ROUNDING:
        said.append(
            f"So it is the same mean but for a constant and for rounding: the numbers in the file have {places} "
            "decimals, and the differences vary by no more than rounding to so many brings about."
        )
    else:
        said.append(
            "A constant does not account for that: the two were computed from other "
            f"{labels.observation_noun.plural}, or in another way."
        )
    return said


def _change_sentences(
    effects: pd.DataFrame, components: pd.DataFrame, columns: CodedColumns, shift: float
) -> Iterator[str]:
    """What the codings change in one model, and what a constant alone would."""
    estimates, variances = _by_coding(effects, "estimate"), _by_coding(components, "variance")
    sample, errors = estimates["sample"], _by_coding(effects, "std_error")["sample"]
    if all(estimates[coding] == sample for coding in CODINGS):
        yield "It contains neither of the two columns, so no coding changes anything."
        return
    if INTERCEPT in sample:
        yield f"The intercept is {listed(_intercepts(estimates, columns, shift))}."
    steps = {
        term: max(abs(estimates[coding][term] - sample[term]) for coding in CODINGS) / errors[term]
        for term in sample
        if term != INTERCEPT
    }
    if steps:
        furthest = max(steps, key=lambda term: steps[term])
        if steps[furthest] < SMALL_STEP:
            yield f"No other fixed effect moves by as much as {SMALL_STEP} of its standard error."
        else:
            far = number(steps[furthest], 2)
            yield f"Of the other fixed effects {clean(furthest)} moves the most, by {far} of its standard error."
    change = max(
        abs(variances[coding][term] - variance) / variance
        for term, variance in variances["sample"].items()
        for coding in CODINGS
        if variance > 0
    )
    small = change < SMALL_CHANGE
    bound = f"as much as {100 * SMALL_CHANGE:g}" if small else f"more than {number(100 * change, 2)}"
    yield f"No variance changes by {bound} %."


def _intercepts(estimates: Mapping[str, Mapping[str, float]], columns: CodedColumns, shift: float) -> Iterator[str]:
    """The intercept with each coding: how far from that of the sample, and how far a constant would take it."""
    sample = estimates["sample"]
    by_mean, by_centred = (sample.get(column, 0.0) for column in (columns.mean, columns.centred))
    foreseen = {"sample": 0.0, "file": shift * (by_centred - by_mean), "mixed": -shift * by_mean}
    alike: dict[float, list[str]] = {}
    for coding in CODINGS:
        alike.setdefault(estimates[coding][INTERCEPT], []).append(coding)
    for intercept, codings in alike.items():
        moved, plural = intercept - sample[INTERCEPT], "s" if len(codings) > 1 else ""
        constant = signed(foreseen[codings[0]], 4)
        why = f" ({signed(moved, 4)}; a constant alone would give {constant})" if moved else ""
        yield f"{fixed(intercept, 4)} with the {listed(codings)} coding{plural}{why}"


def _by_coding(table: pd.DataFrame, value: str) -> dict[str, dict[str, float]]:
    """One number of each term, for each coding."""
    codings = table.groupby("coding", sort=False)
    return {str(coding): dict(zip(rows["term"], rows[value].to_list(), strict=True)) for coding, rows in codings}
