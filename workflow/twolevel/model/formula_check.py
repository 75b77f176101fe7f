"""What a formula tells without the data: every mistake in it, and the names of its effects."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from twolevel.errors import UserError
from twolevel.model.coding import columns_of, named
from twolevel.model.design import Floats, column_name
from twolevel.model.expression import Name, Node, deparse, quoted, refuse
from twolevel.model.formula_parts import FormulaParts, take_apart
from twolevel.model.values import check_calls, evaluate
from twolevel.model.variables import DataError, Factor, Number, Value


def check_formula(text: str, columns: Collection[str], group: str) -> list[str]:
    """Everything that is wrong with a formula whatever the data's values are, a message each.

    Parameters
    ----------
    text : the formula
    columns : the columns of the data
    group : the column of groups
    """
    try:
        parts = take_apart(text, group)
    except UserError as error:
        return [str(error)]
    return [str(error) for error in problems_of(parts, columns)]


def problems_of(parts: FormulaParts, columns: Collection[str]) -> Iterator[UserError]:
    """What is wrong with a formula whatever the values: names that are not columns, functions, arguments."""
    for name in parts.names:
        if name.name not in columns:
            known = ", ".join(map(quoted, map(str, columns)))
            message = (
                f"no column {quoted(name.name)} in the data, which has {known}. Correct the name, or add the column"
            )
            message += " (in a config: under 'derive')."
            if name.name == ".":
                message = "'.' for all other columns is not supported; name the predictors."
            yield refuse(parts.text, name.at, message)
    for node in variables_of(parts):
        yield from check_calls(parts.text, node)


def variables_of(parts: FormulaParts) -> list[Node]:
    """Every expression of a formula that is evaluated, once each."""
    expansions = (parts.fixed, *parts.blocks)
    nodes = [parts.response, *(node for of in expansions for node in (*of.variables, *of.offsets))]
    return list({deparse(node): node for node in nodes}.values())


def is_plain(parts: FormulaParts) -> bool:
    """Whether every variable of a formula is a column as it is."""
    return all(isinstance(node, Name) for node in variables_of(parts))


def outline(text: str, example: pd.DataFrame, group: str) -> dict[str, Any] | None:
    """What a fit will say of a model's terms, from a table with the same columns and levels and any values.

    Parameters
    ----------
    text : the formula, of which `check_formula` finds nothing wrong
    example : a table with these columns, whose numbers do not matter
    group : the column of groups

    Returns
    -------
    `formula`, `response`, `fixed_terms`, `random_terms` and `meanings` as in `fit.json`, and `fixed_factors` as in
    `Design`; None where the data's own values decide

    Raises
    ------
    UserError
        An expression cannot be evaluated on columns of these kinds: a factor in arithmetic, an unknown level.
    """
    parts = take_apart(text, group)
    try:
        values = {deparse(node): evaluate(text, node, example) for node in variables_of(parts)}
    except UserError as error:
        if isinstance(error.__cause__, DataError):
            return None
        raise
    for node in (parts.response, *parts.fixed.offsets):
        numbers_of(parts, node, values)
    columns = [list(columns_of(of, values)) for of in (parts.fixed, *parts.blocks)]
    names, pieces = named(columns)
    return {
        "formula": parts.formula,
        "response": deparse(parts.response),
        "fixed_factors": [list(factors) for factors in names[0]],
        "fixed_terms": list(map(column_name, names[0])),
        "random_terms": [column_name(name) for block in names[1:] for name in block],
        "meanings": {name: asdict(piece.meaning) for name, piece in pieces.items()},
    }


def numbers_of(parts: FormulaParts, node: Node, values: Mapping[str, Value]) -> Floats:
    """The response or an offset, which must be one numeric column."""
    value = values[deparse(node)]
    if isinstance(value, Number):
        return value.numbers
    what = "is not numeric" if isinstance(value, Factor) else "is several columns"
    raise refuse(parts.text, node.at, f"{deparse(node)} {what}, and must be one numeric column.")


def example_table(columns: Mapping[str, Mapping[str, Any]], group: str) -> pd.DataFrame:
    """Make a table with declared columns: 60 groups of 20 rows, numbers drawn at random, every level of each factor.

    Parameters
    ----------
    columns : `data.columns` of the configuration
    group : the column of groups
    """
    rng = np.random.Generator(np.random.Philox(1))
    index = np.repeat(np.arange(60), 20)
    made = {}
    for name, declared in columns.items():
        at = index if declared.get("group_level") else np.arange(len(index))
        if name == group:
            made[name] = pd.Series([f"group {i}" for i in index])
        elif declared["type"] == "factor":
            codes = rng.permutation(at.max() + 1)[at] % len(declared["levels"])
            made[name] = pd.Series(pd.Categorical.from_codes(codes, declared["levels"], ordered=True))
        elif declared["type"] == "number":
            low = declared.get("min", min(1.0, declared.get("max", 2.0) - 1.0))
            made[name] = pd.Series(rng.uniform(low, declared.get("max", low + 1.0), at.max() + 1)[at])
        else:
            made[name] = pd.Series([f"level {i % 5}" for i in at])
    return pd.DataFrame(made)
