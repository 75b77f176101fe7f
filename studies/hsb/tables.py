"""The textbook's tables, and the answers to exercises: which there are, and what they are made from."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twolevel.errors import UserError
from twolevel.report.study import StudyTables

from hsb.textbook.codings import CodedColumns, coded_columns

if TYPE_CHECKING:
    import pandas as pd

# The models that the book has, by their names in the configuration, and the file of its school means.
MODELS = ("one_way_anova", "means_by_mean_ses", "random_coefficients", "intercepts_and_slopes")
MEANS = "textbook/school_means.csv"


def settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """What of the configuration the tables rest on.

    Raises
    ------
    UserError
        A model of the book is not there, or no column whose coding could be replaced.
    """
    models = config["models"]
    if missing := [name for name in MODELS if name not in models]:
        raise UserError(
            f"models: the textbook's tables need {', '.join(missing)}; add it, or set report.narrative: null."
        )
    columns = coded_columns(config["derive"])
    return {
        "group": config["data"]["group"],
        "columns": [columns.source, columns.mean, columns.centred],
        "formulas": {name: models[name]["formula"] for name in MODELS},
        "baselines": {name: models[name]["baseline"] for name in MODELS if models[name].get("baseline") in MODELS},
        "optimiser": config["optimiser"],
    }


def make(observations: "pd.DataFrame", files: Mapping[str, Path], of: Mapping[str, Any]) -> dict[str, "pd.DataFrame"]:
    """Fit every model of the book in every coding."""
    # Here, because the main process looks at what tables there are and fits nothing.
    from twolevel.data.source import read_table

    from hsb.exercises import answers, changed_formulas
    from hsb.textbook.fits import components, explained, fit_coding, fixed_effects, group_means, recode

    group, coded, file = of["group"], CodedColumns(*of["columns"]), files[MEANS]
    means = group_means(
        read_table(file.read_bytes(), file.suffix, str(file)),
        observations.drop_duplicates(group).set_index(group)[coded.mean],
        group,
        str(file),
    )
    fits = []
    for coding, recoded in recode(observations, coded, means).items():
        for model, formula in of["formulas"].items():
            fits.append(fit_coding(coding, model, formula, recoded, **of["optimiser"]))
            for doubt in fits[-1].fit.doubts:
                logging.warning(f"warning: do not trust {model} with the {coding} coding: {doubt}")
    return {
        "textbook/fixed_effects": fixed_effects(fits),
        "textbook/variance_components": components(fits),
        "textbook/variance_explained": explained(fits, of["baselines"]),
        "textbook/group_means": means,
        "exercises/answers": answers(observations, changed_formulas(of["formulas"], coded, group), of["optimiser"]),
    }


TABLES = StudyTables(
    made={
        "textbook/fixed_effects": "fixed effects",
        "textbook/variance_components": "variance components",
        "textbook/variance_explained": "variance explained",
        "textbook/group_means": "group means",
        "exercises/answers": "models that exercises ask for",
    },
    reads=(MEANS,),
    heading="the textbook's",
    caption=(
        "Raudenbush and Bryk's chapter 4 as its tables lay it out, with each coding of the group mean: the sample's "
        "own, that of the book's own file of schools, and both."
    ),
    settings=settings,
    make=make,
)
