"""Derive columns from others, in the order of their recipes; and one row per group."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from twolevel.data import recipes as make
from twolevel.data.kinds import Column, as_number, as_text
from twolevel.data.recipes import ValuesError
from twolevel.errors import UserError, counted
from twolevel.model.expression import names_in, quoted
from twolevel.model.parser import parse
from twolevel.model.values import check_calls, evaluate
from twolevel.model.variables import DataError, Number

# How far a file's own column may be from the derived one: relative to the largest derived value, and to the largest
# value that it was derived from, whose rounding is all that a difference near zero consists of. Two careful
# computations of a mean differ by some 1e-16; a file that rounds its columns differs by 1e-4 or so.
TOLERANCE, ROUNDING = 1e-9, 1e-13

Recipe = Mapping[str, Any]
Tables = Mapping[str, pd.DataFrame]

# What a recipe makes of its column, the groups and its other keys; each of these takes a number.
_OF_A_NUMBER: Mapping[str, Callable[[pd.Series, pd.Series, Recipe], pd.Series]] = {
    "group_mean": lambda values, groups, _: make.group_mean(values, groups),
    "group_sd": lambda values, groups, _: make.group_sd(values, groups),
    "centre_within_group": lambda values, groups, _: values - make.group_mean(values, groups),
    "centre_at_grand_mean": lambda values, groups, recipe: make.centre(values, groups, recipe.get("over", "rows")),
    "standardise": lambda values, groups, recipe: make.standardise(values, groups, recipe.get("over", "rows")),
    "cut": lambda values, groups, recipe: _cut(values, groups, recipe),
}
# And these a column of any kind.
_OF_ANY: Mapping[str, Callable[[pd.Series, pd.Series, Recipe], pd.Series]] = {
    "group_size": lambda values, groups, _: make.group_size(values, groups),
    "group_share": lambda values, groups, recipe: make.group_share(values, groups, recipe["of"]),
    "recode": lambda values, _, recipe: make.recode(values, {str(old): new for old, new in recipe["to"].items()}),
}
_OF_ONE = {**_OF_A_NUMBER, **_OF_ANY}
KINDS = (*_OF_ONE, "lag", "formula", "join")
# What is the same for every observation of a group whatever it is made from.
_OF_GROUPS = {"group_mean", "group_sd", "group_size", "group_share", "join"}


def derive(
    table: pd.DataFrame, group: str, recipes: Mapping[str, Recipe], tables: Tables | None = None
) -> pd.DataFrame:
    """Return `table` with the derived columns at its end, compared with its own of the same names.

    Parameters
    ----------
    table : one row per observation; numbers as float64
    group : the column that identifies the groups
    recipes : by name, in order, each with one of `KINDS` for a key, as the configuration's schema explains; a recipe
        may use columns derived before it
    tables : the tables that `join` names, by its path, one row per group

    Raises
    ------
    UserError
        A recipe names a column that is not there or not numeric, cannot be followed, or gives other values
        than the column of the same name in `table`; `ValuesError` where other values could be derived from.
    """
    own = table[[name for name in recipes if name in table]]
    derived = table.drop(columns=own.columns)
    for name, recipe in recipes.items():
        derived[name] = _follow(recipe, derived, group, name, tables or {})
        if name in own:
            made_from = derived[[source for source in sources(recipe) if source in derived]].select_dtypes("float64")
            _compare(name, own[name], derived[name], derived[group], made_from.abs().max().max())
    return derived


def kind_of(recipe: Recipe) -> str:
    """Which of `KINDS` a recipe is."""
    return next(kind for kind in KINDS if kind in recipe)


def sources(recipe: Recipe) -> Iterator[str]:
    """The columns that a recipe uses."""
    kind = kind_of(recipe)
    if kind == "formula":
        yield from dict.fromkeys(name.name for name in names_in(parse(recipe[kind])))
    elif kind != "join":
        yield recipe[kind]
    if kind == "lag":
        yield recipe["order"]


def group_level_columns(columns: Mapping[str, Column], recipes: Mapping[str, Recipe]) -> list[str]:
    """Name the columns, declared and derived, whose value is the same for every observation of a group."""
    names = [name for name, declared in columns.items() if declared.get("group_level", False)]
    for name, recipe in recipes.items():
        kind = kind_of(recipe)
        of_groups = kind not in ("lag", "centre_within_group") and all(source in names for source in sources(recipe))
        if (kind in _OF_GROUPS or of_groups) and name not in names:
            names.append(name)
    if "n" in names:
        raise UserError(
            f"{'derive' if 'n' in recipes else 'data.columns'}.n: it is the same for every observation of a group, and "
            "in the table of groups 'n' is the number of observations of a group; give it another name."
        )
    return names


def group_table(table: pd.DataFrame, group: str, columns: Iterable[str]) -> pd.DataFrame:
    """Return one row per group, in order of first appearance: its label, `n` observations, `columns`."""
    groups = table.groupby(group, sort=False, observed=True)[[*columns]].first().reset_index()
    groups.insert(1, "n", groups[group].map(table[group].value_counts()))
    return groups


def _follow(recipe: Recipe, table: pd.DataFrame, group: str, name: str, tables: Tables) -> pd.Series:
    """Make one derived column."""
    kind = kind_of(recipe)
    key = f"derive.{name}.{kind}"
    try:
        of_itself = name in sources(recipe)
    except UserError as error:  # a formula that cannot be read
        raise UserError(f"{key}: {error}") from None
    if of_itself:
        raise UserError(f"derive.{name}: a column cannot be made from itself; give the new column another name.")
    try:
        if kind == "formula":
            return _formula(recipe[kind], table, key)
        if kind == "join":
            file = recipe[kind]
            return make.join(table[group], tables[file], recipe["column"], recipe.get("levels"), file)
        values = _source(recipe[kind], table, key, number=kind in _OF_A_NUMBER)
        _check_keys(recipe, values, name)
        if kind == "lag":
            order = _source(recipe["order"], table, f"derive.{name}.order", number=True)
            return make.lag(values, table[group], order, recipe.get("by", 1))
        return _OF_ONE[kind](values, table[group], recipe)
    except ValuesError as error:
        what = "" if kind in ("formula", "join") else f"in column {recipe[kind]!r}, "
        raise ValuesError(f"{key}: {what}{error}") from None


def _source(column: str, table: pd.DataFrame, key: str, *, number: bool) -> pd.Series:
    if column not in table:
        raise UserError(f"{key}: there is no column {column!r}; there are {', '.join(map(str, table.columns))}.")
    if number and not pd.api.types.is_float_dtype(table[column]):
        raise UserError(
            f"{key}: column {column!r} is not a number; declare it with type: number, or name another column."
        )
    return table[column]


def _check_keys(recipe: Recipe, values: pd.Series, name: str) -> None:
    """Check what the schema cannot: numbers of labels, levels that a column does not have."""
    labels, levels = recipe.get("labels", ()), getattr(values.dtype, "categories", None)
    ranges = len(recipe["at"]) + 1 if "at" in recipe else recipe.get("breaks", recipe.get("quantiles"))
    if "cut" in recipe and not 2 <= ranges == len(set(labels)) == len(labels):
        raise UserError(
            f"derive.{name}: there are {ranges} ranges and the labels {labels}; "
            "give at least 2 ranges, and as many different labels."
        )
    if "of" in recipe and (levels is None or recipe["of"] not in levels):
        found = "it is not a factor" if levels is None else f"its levels are {', '.join(levels)}"
        raise UserError(f"derive.{name}.of: {recipe['group_share']!r} has no level {recipe['of']!r}; {found}.")
    if "to" in recipe and levels is not None:
        known, told = [*levels], [*map(str, recipe["to"])]
        for level in (*(old for old in told if old not in known), *(old for old in known if old not in told)):
            found = f"{level!r} is not a level" if level in told else f"there is no new value for the level {level!r}"
            raise UserError(f"derive.{name}.to: {found} of {recipe['recode']!r}, which has {', '.join(known)}.")


def _cut(values: pd.Series, groups: pd.Series, recipe: Recipe) -> pd.Series:
    if "breaks" in recipe:
        return make.cut_like_r(values, recipe["breaks"], recipe["labels"])
    if "at" in recipe:
        return make.cut_at(values, recipe["at"], recipe["labels"])
    return make.cut_at_quantiles(values, groups, recipe.get("over", "rows"), recipe["labels"])


def _formula(text: str, table: pd.DataFrame, key: str) -> pd.Series:
    """The value of an expression of a formula, a number for each row."""
    try:
        return _number_of(text, table)
    except ValuesError:
        raise
    except UserError as error:
        raise UserError(f"{key}: {error}") from None


def _number_of(text: str, table: pd.DataFrame) -> pd.Series:
    node = parse(text)
    names = [name.name for name in names_in(node)]
    for name in names:
        if name not in table:
            raise UserError(
                f"formula {text!r}: no column {quoted(name)}; there are {', '.join(map(str, table.columns))}."
            )
    for problem in check_calls(text, node):
        raise problem
    try:
        value = evaluate(text, node, table)
    except UserError as error:
        if isinstance(error.__cause__, DataError):
            raise ValuesError(str(error)) from None
        raise
    if not isinstance(value, Number):
        raise UserError(f"formula {text!r} does not give numbers; to make a factor, use recode or cut.")
    made = pd.Series(np.asarray(value.numbers, dtype="float64"), index=table.index)
    wrong = ~np.isfinite(made.to_numpy()) & table[names].notna().all(axis=1).to_numpy()
    if wrong.any():
        row = int(wrong.argmax())
        from_ = ", ".join(f"{name} = {table[name].iloc[row]}" for name in dict.fromkeys(names))
        raise ValuesError(
            f"{text!r} is not a finite number in {counted(wrong.sum(), 'row')}, first in row {row + 1}: {from_}."
        )
    return made


def _compare(name: str, own: pd.Series, derived: pd.Series, groups: pd.Series, size: float) -> None:
    """Refuse a table whose own column is not what the recipe gives; `size` is the largest value in its sources."""
    if pd.api.types.is_float_dtype(derived):
        gap = (as_number(own) - derived).abs()
        tolerance = np.nansum([TOLERANCE * derived.abs().max(), ROUNDING * size])
        differs = ~(gap <= tolerance) & ~(own.isna() & derived.isna())  # a value that only one of them has differs
        largest = f"the most by {gap.max():.3g} where {tolerance:.3g} is allowed; {gap.isna().sum()} without a number"
    else:
        differs = as_text(own) != as_text(derived)
        row = int(differs.to_numpy().argmax())
        largest = f"first in row {row + 1}: {own.iloc[row]} in the file, {derived.iloc[row]} derived"
    if differs.any():
        raise UserError(
            f"column {name!r} of the file is not what derive.{name} gives: it differs in {differs.sum()} of {len(own)} "
            f"rows and {groups[differs].nunique()} of {groups.nunique()} groups, {largest}.\n"
            "It was made from other rows, in another way, or rounded. To use the derived one, remove or "
            f"rename it in the file; to use the file's, remove derive.{name} and declare it in data.columns."
        )
