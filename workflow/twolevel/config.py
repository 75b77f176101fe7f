"""Check the configuration: its form by schema, then what names what."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from twolevel.errors import UserError


def check_config(config: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    """Check a configuration against its schema, and every name in it against what it names.

    Raises
    ------
    UserError
        One message that lists all that is wrong: the key, what was found, what was expected.
    """
    errors = sorted(Draft202012Validator(schema).iter_errors(config), key=lambda error: [*map(str, error.path)])
    problems = [*dict.fromkeys(map(_explain, errors))] or [*_dangling(config)]
    if problems:
        raise UserError("config.yaml is not as it should be:\n  " + "\n  ".join(problems))


def _explain(error: ValidationError) -> str:
    key = ".".join(map(str, error.absolute_path)) or "the top level"
    value = error.instance
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        unknown = sorted(set(map(str, value)) - set(known))
        hints = [f"{name}{_did_you_mean(name, known)}" for name in unknown]
        return f"{key}: unknown key {', '.join(hints)}; it takes {', '.join(known)}."
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in value]
        return f"{key}: the key {', '.join(missing)} is missing."
    said = error.schema.get("expected")
    if said is None and error.validator == "type":
        said = f"a value of type {error.validator_value}"
    shown = "nothing" if value is None else repr(value)
    booleans = " (YAML reads Yes and No without quotes as true and false)" if isinstance(value, bool) else ""
    return f"{key}: found {shown}{booleans}; expected {said or error.message}."


def _dangling(config: Mapping[str, Any]) -> Iterator[str]:
    """Names that name nothing."""
    models, declared = config["models"], {**config["data"]["columns"], **config["derive"]}
    group = config["data"]["group"]
    if group not in config["data"]["columns"]:
        yield f"data.group: {group!r} is not among data.columns{_did_you_mean(group, config['data']['columns'])}."
    known = list(config["data"]["columns"])
    for column, recipe in config["derive"].items():
        source = next(recipe[key] for key in ("group_mean", "centre_within_group", "cut") if key in recipe)
        if source not in known:
            yield f"derive.{column}: {source!r} is neither a column nor derived above{_did_you_mean(source, known)}."
        if "cut" in recipe and len(recipe["labels"]) != recipe["breaks"]:
            yield f"derive.{column}: {len(recipe['labels'])} labels for {recipe['breaks']} breaks; give one label for each."
        known.append(column)
    for name, model in models.items():
        baseline = model.get("baseline")
        if baseline is not None and baseline not in models:
            yield f"models.{name}.baseline: there is no model {baseline!r}{_did_you_mean(baseline, models)}."
    for name, comparison in config["comparisons"].items():
        for role in ("null_model", "alternative_model"):
            if comparison[role] not in models:
                yield (
                    f"comparisons.{name}.{role}: there is no model {comparison[role]!r}"
                    f"{_did_you_mean(comparison[role], models)}."
                )
    for name, figure in config["figures"].items():
        if "model" in figure and figure["model"] not in models:
            yield f"figures.{name}.model: there is no model {figure['model']!r}{_did_you_mean(figure['model'], models)}."
        for key in ("x", "y", "category"):
            if key in figure and figure[key] not in declared:
                yield f"figures.{name}.{key}: there is no column {figure[key]!r}{_did_you_mean(figure[key], declared)}."


def _did_you_mean(name: str, known: Mapping[str, Any] | list[str]) -> str:
    close = get_close_matches(name, [*map(str, known)], n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
