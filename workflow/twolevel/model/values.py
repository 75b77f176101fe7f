"""The value of an expression of a formula on a table: arithmetic and comparisons, and calls of `functions`."""

import operator
from collections.abc import Callable, Iterator, Mapping
from inspect import Parameter, Signature, signature
from typing import Any

import numpy as np
import pandas as pd

from twolevel.errors import UserError
from twolevel.model.design import Floats
from twolevel.model.expression import (
    COMPARISONS,
    Binary,
    Bracket,
    Call,
    Literal,
    Name,
    Node,
    Unary,
    deparse,
    quoted,
    refuse,
)
from twolevel.model.functions import CONTRASTS, FUNCTIONS, ONLY_NAMED
from twolevel.model.variables import Factor, FunctionError, Number, Value, alphabetical

_ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
}
_COMPARED: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}


def check_calls(text: str, node: Node) -> Iterator[UserError]:
    """What is wrong with an expression whatever the data: unknown functions and operators, wrong arguments."""
    match node:
        case Bracket(inner):
            yield from check_calls(text, inner)
        case Unary(sign, operand, at):
            if sign == "!":
                yield refuse(text, at, "'!' is not supported; write a comparison.")
            yield from check_calls(text, operand)
        case Binary(sign, left, right, at):
            if sign not in _ARITHMETIC and sign not in COMPARISONS:
                yield refuse(
                    text, at, f"'{sign}' cannot stand within an expression; there it takes + - * / ^ and comparisons."
                )
            yield from check_calls(text, left)
            yield from check_calls(text, right)
        case Call():
            yield from _check_call(text, node)


def _check_call(text: str, node: Call) -> Iterator[UserError]:
    function, arguments = node.function, node.arguments
    if function not in FUNCTIONS:
        known = f"a formula may call {', '.join(FUNCTIONS)}, and add offset()"
        yield refuse(text, node.at, f"{function}() is not supported; {known}. Make other columns in the data.")
        return
    try:
        _bind(function, [None] * len(arguments), [name for name, _ in arguments])
    except TypeError as error:
        yield refuse(text, node.at, f"{function}(): {error}.")
    for i, (name, value) in enumerate(arguments):
        if _is_contrast(node, i, name):
            if _contrast(value) not in CONTRASTS:
                yield refuse(text, value.at, f"the contrast in C() must be one of {', '.join(CONTRASTS)}.")
        elif function == "C" and i > 0 and not isinstance(value, Literal):
            yield refuse(text, value.at, "the base in C() must be the number of a level.")
        else:
            yield from _check_argument(text, value)


def _is_contrast(node: Call, position: int, name: str | None) -> bool:
    """Whether an argument names the contrast in `C(f, contr.sum)`."""
    return node.function == "C" and (name == "contr" or (position == 1 and name is None))


def _contrast(value: Node) -> str | None:
    """The name of a contrast, in quotes or not."""
    if isinstance(value, Name):
        return value.name
    return value.value if isinstance(value, Literal) and isinstance(value.value, str) else None


def _check_argument(text: str, value: Node) -> Iterator[UserError]:
    if isinstance(value, Call) and value.function == "c":
        if not value.arguments:
            yield refuse(text, value.at, "c() is empty.")
        for name, item in value.arguments:
            inner = item.operand if isinstance(item, Unary) else item
            if name or not isinstance(inner, Literal):
                yield refuse(text, item.at, "c() takes numbers or texts, written out.")
    else:
        yield from check_calls(text, value)


def evaluate(text: str, node: Node, table: pd.DataFrame, deciding: int | None = None) -> Value:
    """Evaluate an expression of the formula `text` on all rows of a table.

    What depends on all values, such as levels or a mean, depends on those of the first `deciding` rows; where that is
    left out, on all.

    Raises
    ------
    UserError
        It cannot be evaluated: a factor in arithmetic, an argument of the wrong kind; the message marks the place.
    """
    with np.errstate(all="ignore"):  # what is not finite is for the caller to refuse
        value = _value(text, node, table, len(table) if deciding is None else deciding)
    if not isinstance(value, Value):
        raise refuse(text, node.at, f"{deparse(node)} has no column in it.")
    return value


def column_value(column: pd.Series, name: str, deciding: int) -> Value:
    """A column of the data as a value: numbers, truth values, or a factor with its levels in their order."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        levels = tuple(map(str, column.cat.categories))
        return Factor(column.cat.codes.to_numpy().astype(np.intp), levels)
    if pd.api.types.is_bool_dtype(column.dtype):
        return Number(_floats(column), logical=True)
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_complex_dtype(column.dtype):
        return Number(_floats(column))
    present = column.dropna()
    if len(present) and present.map(lambda value: isinstance(value, bool | np.bool_)).all():
        return Number(_floats(column.map({True: 1.0, False: 0.0})), logical=True)
    if not present.map(lambda value: isinstance(value, str)).all():
        raise UserError(
            f"column {name!r} holds neither numbers, truth values nor text ({column.dtype}); a formula cannot use it. "
            "Make a number or a category of it in the data."
        )
    # Text is a factor whose levels stand in the order of the alphabet, as R makes it.
    levels = alphabetical(column.iloc[:deciding].dropna().unique())
    known = {level: code for code, level in enumerate(levels)}
    return Factor(np.asarray(column.map(known).fillna(-1), dtype=np.intp), levels)


def _floats(column: pd.Series) -> Floats:
    return np.asarray(column.astype("Float64").to_numpy(dtype=float, na_value=np.nan), dtype=np.float64)


def _value(text: str, node: Node, table: pd.DataFrame, deciding: int) -> Any:
    match node:
        case Name(name):
            return column_value(table[name], name, deciding)
        case Literal(value):
            return value
        case Bracket(inner):
            return _value(text, inner, table, deciding)
        case Unary(sign, operand):
            value = _operand(text, operand, table, deciding)
            return _over_rows(-value if sign == "-" else value)
        case Binary(sign, left, right):
            if sign in COMPARISONS:
                return _compare(text, node, table, deciding)
            both = (_operand(text, side, table, deciding) for side in (left, right))
            return _over_rows(_ARITHMETIC[sign](*both))
        case Call():
            return _call(text, node, table, deciding)


def _over_rows(values: Any) -> Any:
    return Number(values) if isinstance(values, np.ndarray) else values


def _operand(text: str, node: Node, table: pd.DataFrame, deciding: int) -> Any:
    """An operand of arithmetic: numbers over rows, or one number."""
    value = _value(text, node, table, deciding)
    if isinstance(value, Number):
        return value.numbers
    if isinstance(value, int | float):
        return np.float64(value)
    what = f"{deparse(node)} is a factor" if isinstance(value, Factor) else f"{deparse(node)} is not a number"
    raise refuse(text, node.at, f"{what}, which arithmetic cannot use.")


def _compare(text: str, node: Binary, table: pd.DataFrame, deciding: int) -> Number:
    left, right = (_value(text, side, table, deciding) for side in (node.left, node.right))
    if isinstance(left, str) and isinstance(right, Factor):
        left, right = right, left
    if isinstance(left, Factor):
        if not isinstance(right, str) or node.operator not in ("==", "!="):
            raise refuse(text, node.at, 'a factor is compared with one of its levels by == or !=: arm == "Yes".')
        try:
            same = left.codes == left.place(right)
        except FunctionError as problem:
            raise refuse(text, node.at, f"{problem}.") from problem
        result = (same if node.operator == "==" else ~same).astype(float)
        return Number(np.where(left.codes < 0, np.nan, result), logical=True)
    one, other = (_operand(text, side, table, deciding) for side in (node.left, node.right))
    if not isinstance(one, np.ndarray) and not isinstance(other, np.ndarray):
        raise refuse(text, node.at, "a comparison needs a column.")
    result = np.asarray(_COMPARED[node.operator](one, other), dtype=float)
    return Number(np.where(np.isnan(one) | np.isnan(other), np.nan, result), logical=True)


def _call(text: str, node: Call, table: pd.DataFrame, deciding: int) -> Any:
    if node.function == "c":
        return tuple(_value(text, value, table, deciding) for _, value in node.arguments)
    values = [
        _contrast(value) if _is_contrast(node, i, name) else _value(text, value, table, deciding)
        for i, (name, value) in enumerate(node.arguments)
    ]
    function, bound = _bind(node.function, values, [name for name, _ in node.arguments])
    of_rows = {"deciding": deciding} if "deciding" in signature(function).parameters else {}
    try:
        result = function(*bound.args, **bound.kwargs, **of_rows)
    except FunctionError as error:
        raise refuse(text, node.at, f"{deparse(node)}: {error}.") from error
    return result


def _bind(function: str, values: list[Any], names: list[str | None]) -> Any:
    """Match arguments with a function's parameters, which have R's names with a dot for each underscore."""
    known = FUNCTIONS[function]
    of_r = [of for of in signature(known).parameters.values() if of.kind is not Parameter.KEYWORD_ONLY]
    whole = Signature(of_r)
    parameters = whole.parameters
    positional = [value for value, name in zip(values, names, strict=True) if name is None]
    named = {name: value for value, name in zip(values, names, strict=True) if name is not None}
    if len(positional) + len(named) < len(values):
        raise TypeError("an argument is given twice")
    taken = {
        name.replace("_", "."): name for name, of in parameters.items() if of.kind is Parameter.POSITIONAL_OR_KEYWORD
    }
    if unknown := [name for name in named if name not in taken]:
        raise TypeError(f"there is no argument {quoted(unknown[0])!r}; it takes {', '.join(taken) or 'columns'}")
    # As in R, what has no name fills what is left, in order.
    left = [r for r in taken if r not in named and (function, r) not in ONLY_NAMED]
    if len(positional) > len(left) and len(taken) == len(parameters):
        if by_name_alone := [r for r in taken if (function, r) in ONLY_NAMED and r not in named]:
            raise TypeError(f"{by_name_alone[0]} is given by its name: {by_name_alone[0]} = ...")
        raise TypeError(f"it takes {', '.join(taken)}, and {len(values)} values were given")
    by_name = {taken[name]: value for name, value in named.items()}
    if len(taken) == len(parameters):
        by_name |= {taken[r]: value for r, value in zip(left, positional, strict=False)}
        positional = []
    try:
        return known, whole.bind(*positional, **by_name)
    except TypeError:
        needed = [name for name, of in parameters.items() if of.default is Parameter.empty]
        raise TypeError(f"it needs {', '.join(needed)}") from None
