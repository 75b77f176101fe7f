"""Check the models, comparisons and figures of a configuration against its declared columns, before a job runs.

Formulas are read. Effects are named, models compared and the needs of figures checked on an example table with random
numbers. The jobs check whatever depends on the data's own values.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from twolevel.data.kinds import as_number
from twolevel.data.recipes import ValuesError
from twolevel.data.source import without_use
from twolevel.errors import UserError
from twolevel.figures.requirements import check_model_of_figure
from twolevel.inference.nesting import check_comparable
from twolevel.model.derive import derive, group_level_columns
from twolevel.model.design import Design
from twolevel.model.expression import Name
from twolevel.model.formula import build_design
from twolevel.model.formula_check import check_formula, example_table, is_plain, outline
from twolevel.model.formula_parts import take_apart
from twolevel.model.reference_grid import reference_grid

# The settings of a figure that must name numeric columns.
NUMERIC = ("x", "y", "at")


def mistaken_plans(config: Mapping[str, Any]) -> Iterator[str]:
    """Everything that is wrong with the models, comparisons and figures of a configuration that its schema allows."""
    yield from _choices(config["data"])
    if config["data"]["group"] not in config["data"]["columns"] or config["data"]["group"] in config["derive"]:
        return
    group, models = config["data"]["group"], config["models"]
    known = [*config["data"]["columns"], *config["derive"]]
    wrong = {model: check_formula(of["formula"], known, group) for model, of in models.items()}
    for model, found in wrong.items():
        yield from (f"models.{model}.formula: {problem}" for problem in found)
    example, mistaken = example_of(config)
    yield from mistaken
    try:
        group_level_columns(config["data"]["columns"], config["derive"])
    except UserError as error:
        if not any(str(error) in told for told in mistaken):
            yield str(error)
    outlines: dict[str, Any] = {}
    designs: dict[str, Design] = {}
    for model, of in models.items():
        if wrong[model]:
            continue
        try:
            _check_response(of["formula"], config["data"])
            outlines[model] = outline(of["formula"], example, group)
            if is_plain(take_apart(of["formula"], group)):
                designs[model] = build_design(of["formula"], example, group)
        except UserError as error:
            yield f"models.{model}.formula: {error}"
    for model, design in designs.items():
        yield from _predictions(f"models.{model}.predict", models[model].get("predict", []), design, example)
    yield from _comparisons(config["comparisons"], designs)
    yield from _figures(config["figures"], outlines, example)


def _choices(data: Mapping[str, Any]) -> Iterator[str]:
    """Choices of how to read the file that are not for files of its kind."""
    for choice, kinds, files in without_use(data):
        found = " and ".join(f"data.{key} is {file!r}" for key, file in files.items())
        yield f"data.{choice}: it is for files that end in {kinds}, and {found}; leave it out."


def _check_response(formula: str, data: Mapping[str, Any]) -> None:
    """Refuse a response that is declared as something else than a number, where its values may be numbers."""
    node = take_apart(formula, data["group"]).response
    name = node.name if isinstance(node, Name) else ""
    declared = {"type": "number"} if name == data["group"] else data["columns"].get(name, {"type": "number"})
    levels = pd.Series(declared.get("levels", []), dtype="str")
    if declared["type"] != "number" and as_number(levels).notna().all():
        raise UserError(
            f"{formula!r}: the response {name} is declared as {declared['type']}, and must be numeric. If its values "
            f"are numbers, write type: number for data.columns.{name}."
        )


def example_of(config: Mapping[str, Any]) -> tuple[pd.DataFrame, list[str]]:
    """A table with the columns of a configuration and any values, and what is wrong with its recipes.

    Where a recipe is wrong, or only the data's own values could tell, its column has any values.
    """
    group = config["data"]["group"]
    # A column that is declared and derived too is held to its recipe where the data are, not here.
    columns = {name: of for name, of in config["data"]["columns"].items() if name not in config["derive"]}
    example = example_table(columns, group)
    rng = np.random.Generator(np.random.Philox(2))
    mistaken: list[str] = []
    for name, recipe in config["derive"].items():
        groups = example[group].unique()
        drawn = rng.uniform(1.0, 2.0, len(groups))
        levels = recipe.get("levels") or recipe.get("labels")
        stand_in = rng.permutation(np.resize(levels, len(groups))) if levels else drawn
        by_group = pd.DataFrame({group: groups, recipe.get("column", name): stand_in})
        of_data = "group_size" in recipe  # all groups of the example have one size, as no data's have
        try:
            derived = derive(example, group, {name: recipe}, {recipe.get("join", ""): by_group})
        except ValuesError:
            of_data = True
        except UserError as error:
            mistaken.append(str(error))
            of_data = True
        if of_data:
            values = example[group].map(dict(zip(groups, stand_in, strict=True)))
            derived = example.assign(
                **{name: values.astype(pd.CategoricalDtype(levels, ordered=True)) if levels else values}
            )
        example = derived
    return example, mistaken


def _predictions(key: str, wanted: Sequence[Mapping[str, Any]], design: Design, example: pd.DataFrame) -> Iterator[str]:
    """Values of what is no predictor, or no level of it."""
    for place, values in enumerate(wanted):
        try:
            reference_grid(design, example, values)
        except UserError as error:
            yield f"{key}.{place}: {error}"


def _comparisons(comparisons: Mapping[str, Mapping[str, Any]], designs: Mapping[str, Design]) -> Iterator[str]:
    for name, of in comparisons.items():
        both = (of["null_model"], of["alternative_model"])
        if all(model in designs for model in both):
            try:
                check_comparable(f"comparisons.{name}", of["estimator"], designs[both[0]], designs[both[1]])
            except UserError as error:
                yield str(error)


def _figures(
    figures: Mapping[str, Mapping[str, Any]], outlines: Mapping[str, Any], example: pd.DataFrame
) -> Iterator[str]:
    for name, settings in figures.items():
        for key in NUMERIC if settings["kind"] != "interaction" else ():
            column = settings.get(key)
            if column in example and not pd.api.types.is_numeric_dtype(example[column]):
                yield f"figures.{name}.{key}: {column} is not a number; name a column that is."
        of = outlines.get(settings.get("model", ""))
        if of is not None:
            try:
                check_model_of_figure(settings, of, list(map(str, example)))
            except UserError as error:
                yield f"figures.{name}: {error}"
