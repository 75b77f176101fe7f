"""The figures of a configuration that does not say what is drawn: the checks of every model, and its interactions."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from planned import example_of
from twolevel.errors import UserError
from twolevel.figures.requirements import check_model_of_figure
from twolevel.model.derive import group_level_columns
from twolevel.model.formula_check import outline
from twolevel.model.terms import read_meanings

# More panels than these are no figure to begin with.
MOST_LEVELS = 6


def standard_figures(config: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Checks of every model, and a figure for each pair of its predictors that interact, where one can be drawn.

    Parameters
    ----------
    config : the configuration, complete and found in order
    """
    (example, _), group = example_of(config), config["data"]["group"]
    figures = {f"checks_{model}": {"kind": "checks", "model": model} for model in config["models"]}
    of_groups = group_level_columns(config["data"]["columns"], config["derive"])
    for model, of in config["models"].items():
        about = outline(of["formula"], example, group)
        for x, by in _interactions(about, of_groups) if about else ():
            settings = {"kind": "interaction", "model": model, "x": x, "by": by}
            try:
                check_model_of_figure(settings, about or {}, list(map(str, example)))
            except UserError:
                # Of an expression, say: whoever asks for that figure is told why there is none.
                continue
            figures[re.sub(r"[^A-Za-z0-9_-]+", "_", f"{model}_{x}_by_{by}")] = settings
    return figures


def _interactions(about: Mapping[str, Any], of_groups: list[str]) -> Iterator[tuple[str, str]]:
    """Pairs of columns in a term of two: a number before a factor, a column of level 1 before one of level 2."""
    meanings = read_meanings(about["meanings"])
    levels: dict[str, set[str]] = {}
    for meaning in meanings.values():
        levels.setdefault(meaning.column, set()).update([meaning.level] if meaning.level else [])
    of_two = (factors for factors in about["fixed_factors"] if len(factors) == 2)
    pairs = dict.fromkeys(frozenset(meanings[name].column for name in factors) for factors in of_two)
    for pair in pairs:
        first, *others = sorted(pair, key=lambda column: (len(levels[column]), column in of_groups, column))
        if others and len(levels[others[0]]) < MOST_LEVELS:
            yield first, others[0]
