"""Check the configuration: its form by schema, then its names and its contradictions."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from difflib import get_close_matches
from itertools import pairwise
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from twolevel.errors import UserError

# What results/ has beside the group's own: columns, with their tables, and the first words of `<noun>_effects.csv`.
OWN_COLUMNS = {
    "n": "the table of groups",
    **dict.fromkeys(("row", "fitted", "residual", "scaled_residual"), "residuals.parquet"),
}
EFFECTS_FILES = ("fixed", "random")
# Keys of a recipe that name a column of the table.
SOURCES = (
    *("group_mean", "group_sd", "group_size", "group_share", "centre_within_group", "centre_at_grand_mean"),
    *("standardise", "recode", "cut", "lag", "order"),
)


def check_config(
    config: Mapping[str, Any],
    schema: Mapping[str, Any],
    name: str = "config.yaml",
    further: Callable[[Mapping[str, Any]], Iterable[str]] | None = None,
) -> None:
    """Check a configuration against its schema, and every name in it against what it names.

    Parameters
    ----------
    config : the configuration, complete (`with_defaults`)
    schema : what it may hold
    name : what to call it in an error
    further : finds what else is wrong with a configuration that the schema allows

    Raises
    ------
    UserError
        One message that lists all that is wrong: the key, what was found, what was expected.
    """
    errors = sorted(Draft202012Validator(schema).iter_errors(config), key=lambda error: [*map(str, error.path)])
    problems = [*dict.fromkeys(map(_explain, errors))]
    wrong = {str(error.absolute_path[0]) if error.absolute_path else "" for error in errors}
    if not problems:
        problems = [*_dangling(config), *_contradictory(config)]
    if further and not wrong & {"", "data", "derive", "models"}:
        # A mistake in the form of one section does not hide those in the formulas.
        told = {problem.split(":")[0] for problem in problems}
        plans = further({**config, **{section: {} for section in wrong}})
        problems += [problem for problem in plans if problem.split(":")[0] not in told]
    if problems:
        raise UserError(f"{name} is not as it should be:\n  " + "\n".join(problems).replace("\n", "\n  "))


def with_values(config: Any, schema: Mapping[str, Any]) -> Any:
    """The configuration with numbers where its schema wants numbers, and nothing where `null` is said for it.

    What stands inside a section on Snakemake's command line, as in --config 'bootstrap={"replicates": 500}', comes as
    text.
    """
    if isinstance(config, Mapping):
        known, others = schema.get("properties", {}), schema.get("additionalProperties", {})
        return {key: with_values(value, known.get(key) or others or {}) for key, value in config.items()}
    wanted = schema.get("type")
    if config == "null" and ("null" in (wanted or ()) or None in schema.get("enum", ())):
        return None
    if isinstance(config, str) and wanted in ("integer", "number"):
        for number in (int, float):
            with suppress(ValueError):
                return with_values(number(config), schema)
    # 1e4 is a float in Python, and a whole number to a person and to JSON schema.
    return int(config) if wanted == "integer" and isinstance(config, float) and config.is_integer() else config


def with_defaults(config: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with the schema's `default` for each key that is left out or has no value."""
    known = schema.get("properties", {})
    empty = {key: about["default"] for key, about in known.items() if "default" in about and config.get(key) is None}
    return {
        key: with_defaults(value, known[key]) if isinstance(value, Mapping) and key in known else value
        for key, value in {**config, **empty}.items()
    }


def _explain(error: ValidationError) -> str:
    key = ".".join(map(str, error.absolute_path)) or "the top level"
    value: Any = error.instance
    schema: Any = error.schema
    expected: Any = error.validator_value
    if error.validator == "additionalProperties":
        known = schema.get("properties", {})
        unknown = sorted(set(map(str, value)) - set(known))
        hints = [f"{name}{_did_you_mean(name, known)}" for name in unknown]
        return f"{key}: unknown key {', '.join(hints)}; it takes {', '.join(known)}."
    if error.validator == "enum" and "propertyNames" in error.absolute_schema_path:
        return f"{key}: unknown key {value}{_did_you_mean(value, expected)}; it takes {', '.join(expected)}."
    if error.validator == "required":
        missing = [name for name in expected if name not in value]
        return f"{key}: the key {', '.join(missing)} is missing."
    said = schema.get("expected")
    if error.validator == "type" and isinstance(value, str) and "formula" in schema.get("properties", {}):
        return f"{key}: found {value!r}; expected the model's settings, such as {{formula: {value!r}}}."
    if said is None and error.validator == "type":
        said = "keys with their values" if expected == "object" else f"a value of type {expected}"
    shown = "nothing" if value is None else repr(value)
    booleans = " (YAML reads Yes and No without quotes as true and false)" if isinstance(value, bool) else ""
    return f"{key}: found {shown}{booleans}; expected {said or error.message}."


def _dangling(config: Mapping[str, Any]) -> Iterator[str]:
    """Names that name nothing."""
    columns, derived, group = config["data"]["columns"], config["derive"], config["data"]["group"]
    for name in config["calibration"]["models"]:
        if name not in config["models"]:
            yield f"calibration.models: there is no model {name!r}{_did_you_mean(name, config['models'])}."
    if group not in columns:
        yield f"data.group: {group!r} is not among data.columns{_did_you_mean(group, columns)}."
    yield from _dangling_recipes(derived, list(columns))
    uses: tuple[tuple[str, tuple[str, ...], Mapping[str, Any], str], ...] = (
        ("models", ("baseline",), config["models"], "model"),
        ("comparisons", ("null_model", "alternative_model"), config["models"], "model"),
        ("figures", ("x", "y", "category", "at", "by"), {**columns, **derived}, "column"),
        ("figures", ("model",), config["models"], "model"),
        ("figures", ("comparison",), config["comparisons"], "comparison"),
    )
    for section, keys, known, noun in uses:
        for name, entry in config[section].items():
            for key in keys:
                if key in entry and entry[key] not in known:
                    hint = _did_you_mean(entry[key], known)
                    yield f"{section}.{name}.{key}: there is no {noun} {entry[key]!r}{hint}."


def _contradictory(config: Mapping[str, Any]) -> Iterator[str]:
    """Values that cannot be meant, or that would overwrite others in the results."""
    data = config["data"]
    if data["group"] in config["derive"]:
        yield f"derive.{data['group']}: this is the column of groups (data.group); give the new column another name."
    for name, column in data["columns"].items():
        bounds = {key: column[key] for key in ("min", "max") if key in column}
        for key, value in bounds.items():
            if not math.isfinite(value):
                yield f"data.columns.{name}.{key}: found {value}; expected a finite number, or leave {key} out."
        if len(bounds) == 2 and bounds["min"] > bounds["max"]:
            yield f"data.columns.{name}: min is {bounds['min']} and max is {bounds['max']}; no number is in that range."
    if data["group"] in OWN_COLUMNS:
        yield (
            f"data.group: a group column named {data['group']!r} would overwrite the column of that name in "
            f"{OWN_COLUMNS[data['group']]}; rename it in the file and in data.columns."
        )
    noun = data["group_noun"]["singular"]
    if re.sub(r"\W+", "_", noun) in EFFECTS_FILES:
        yield f"data.group_noun.singular: {noun!r} would name the file of the {noun} effects; choose another noun."
    yield from _baselines(config["models"])
    yield from _unmade(config)
    yield from _out_of_reach(config)


def _baselines(models: Mapping[str, Any]) -> Iterator[str]:
    """Baselines that a model cannot be measured against."""
    for name, model in models.items():
        baseline = model.get("baseline")
        by, other = (of.get("estimator", "REML") for of in (model, models.get(baseline, model)))
        if baseline == name:
            yield f"models.{name}.baseline: a model cannot be its own baseline; name another model, or leave it out."
        if by != other:
            yield (
                f"models.{name}.baseline: {baseline} is fitted by {other} and {name} by {by}, so that their variances "
                "do not compare; give both the same estimator, or leave the baseline out."
            )


def _unmade(config: Mapping[str, Any]) -> Iterator[str]:
    """Figures of what the configuration does not ask for."""
    for name, figure in config["figures"].items():
        if figure["kind"] == "optimiser_audit" and not config.get("optimiser_audit"):
            yield (
                f"figures.{name}: a figure of the kind 'optimiser_audit' needs the audit, and optimiser_audit is null "
                "or not there; set it, or remove the figure."
            )


def _out_of_reach(config: Mapping[str, Any]) -> Iterator[str]:
    """A level that is no number, or whose bounds the bootstraps of the calibration do not reach."""
    level, replicates = config["intervals"]["level"], config["calibration"]["replicates"]
    studied = config["calibration"]["models"]
    if math.isnan(level):
        yield "intervals.level: found nan; expected a number between 0 and 1, such as 0.95."
    elif studied and (needed := math.ceil(round(2 / (1 - level), 6)) - 1) > replicates:
        yield (
            f"calibration.replicates: found {replicates}; expected {needed} or more, since fewer do not reach the "
            f"bounds of intervals of level {level} (intervals.level)."
        )


def _dangling_recipes(derived: Mapping[str, Any], known: list[str]) -> Iterator[str]:
    """Sources that are no columns, and labels that do not fit; what a formula names, the plan looks up."""
    for column, recipe in derived.items():
        for key in SOURCES:
            # What is made from itself, the plan refuses.
            if (source := recipe.get(key, column)) not in (*known, column):
                what = f"derive.{column}.{key}" if key == "order" else f"derive.{column}"
                yield f"{what}: {source!r} is neither a column nor derived above{_did_you_mean(source, known)}."
        if "cut" in recipe:
            yield from _mislabelled(column, recipe)
        if len({isinstance(new, str) for new in recipe.get("to", {}).values() if new is not None}) > 1:
            yield f"derive.{column}.to: found texts and numbers; expected one kind, texts for a factor."
        known = [*known, column]


def _mislabelled(column: str, recipe: Mapping[str, Any]) -> Iterator[str]:
    """Ranges that do not have one label each, and points that do not ascend."""
    key = next(key for key in ("breaks", "quantiles", "at") if key in recipe)
    points, labels = recipe[key], len(recipe["labels"])
    ranges = len(points) + 1 if key == "at" else points
    if labels != ranges:
        found = f"{labels} labels for {ranges} ranges" if key == "at" else f"{labels} labels for {points} {key}"
        yield f"derive.{column}: {found}; give one label for each."
    if key == "at" and any(not low < high for low, high in pairwise([-math.inf, *points, math.inf])):
        yield f"derive.{column}.at: found {points}; expected finite numbers, each larger than the one before."


def _did_you_mean(name: str, known: Mapping[str, Any] | list[str]) -> str:
    close = get_close_matches(name, [*map(str, known)], n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
