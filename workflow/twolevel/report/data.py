"""The data as the report describes it: where it came from, and what its columns hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from twolevel.model.derive import group_level_columns, kind_of
from twolevel.output.numbers import NBSP, decimals, fixed, percent
from twolevel.output.words import Labels, clean, number

MAX_LEVELS = 8  # a factor with more is described by their number


@dataclass(frozen=True)
class ColumnRow:
    """One row of the table of columns.

    Attributes
    ----------
    name, label : the column and what it is
    level : 1 or 2
    values : what it holds, in words
    """

    name: str
    label: str
    level: int
    values: str


def describe_columns(observations: pd.DataFrame, config: Mapping[str, Any], labels: Labels) -> list[ColumnRow]:
    """Describe every column: those of level 2 over the groups, the others over the observations.

    Parameters
    ----------
    observations : the prepared table
    config : the configuration's sections `data` and `derive`
    labels : what things are called
    """
    columns = config["data"]["columns"]
    level2 = {*group_level_columns(columns, config["derive"]), labels.group}
    groups = observations.drop_duplicates(labels.group)
    rows = []
    for name in [*columns, *config["derive"]]:
        level = 2 if name in level2 else 1
        values = (groups if level == 2 else observations)[name]
        known = labels.levels.get(name)
        if columns.get(name, {}).get("type") == "identifier":
            said = f"{values.nunique():,} different"
        elif known:
            said = _shares(values.astype(str), [*known])
        else:
            said = _spread(values)
        rows.append(ColumnRow(clean(name), _label(name, config["derive"].get(name), labels), level, said))
    return rows


def _label(name: str, recipe: Mapping[str, Any] | None, labels: Labels) -> str:
    """What a column is, and for a derived one how it was made."""
    label = labels.label(name)
    if recipe is None:
        return label
    return f"{label}: {_made(recipe, labels)}"


def _made(recipe: Mapping[str, Any], labels: Labels) -> str:
    """How a recipe makes its column, in words."""
    one, many = labels.group_noun.singular, labels.observation_noun.plural
    kind = kind_of(recipe)
    of = clean(str(recipe[kind]))
    units = labels.group_noun.plural if recipe.get("over") == "groups" else many
    order = clean(recipe.get("order", ""))
    words = {
        "group_mean": f"mean of {of} over the {many} of a {one}",
        "group_sd": f"standard deviation of {of} over the {many} of a {one}",
        "group_size": f"number of {many} of a {one} that have {of}",
        "group_share": f"share of {clean(recipe.get('of', ''))} in {of} among the {many} of a {one}",
        "centre_within_group": f"{of} minus its mean in the {one}",
        "centre_at_grand_mean": f"{of} minus its mean over the {units}",
        "standardise": f"{of} minus its mean over the {units}, in standard deviations",
        "recode": f"{of} with other levels",
        "lag": f"{of} of an earlier {labels.observation_noun.singular} in the {one}, by {order}",
        "formula": of,
        "join": f"{clean(recipe.get('column', ''))} of {of}",
    }
    return words[kind] if kind in words else _cut_in_words(recipe, of, units)


def _cut_in_words(recipe: Mapping[str, Any], of: str, units: str) -> str:
    if "breaks" in recipe:
        return f"the range of {of} cut into {recipe['breaks']} of equal width"
    if "at" in recipe:
        return f"{of} cut at {', '.join(f'{point:g}' for point in recipe['at'])}"
    return f"{of} cut at quantiles over the {units}, into {recipe['quantiles']} parts"


def _shares(values: pd.Series, levels: list[str]) -> str:
    if len(levels) > MAX_LEVELS:
        return f"{len(levels)} levels"
    counts = [int((values == level).sum()) for level in levels]
    missing = int(values.isna().sum())
    parts = [
        f"{clean(level)}: {count:,} ({percent(count / len(values))})"
        for level, count in zip(levels, counts, strict=True)
    ]
    return ", ".join(parts + ([f"missing: {missing:,} ({percent(missing / len(values))})"] if missing else []))


def _spread(values: pd.Series) -> str:
    present = values.dropna()
    if present.empty:
        return "all missing"
    missing = f", {len(values) - len(present):,} missing" if len(present) < len(values) else ""
    sd = float(present.std())
    mean, low, high = (fixed(float(value), decimals([sd])) for value in (present.mean(), present.min(), present.max()))
    return f"mean {mean}, SD{NBSP}{number(sd, 3)}, from {low} to {high}{missing}"
