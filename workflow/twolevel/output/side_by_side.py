"""Several models side by side, as in the tables of papers: a row for each quantity, a column for each model."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, Literal

import pandas as pd

from twolevel.inference.reported import by_estimator
from twolevel.model.expression import deparse
from twolevel.model.formula_parts import take_apart

Fits = Mapping[str, Mapping[str, Any]]
Part = Literal["fixed", "random", "share", "criterion", "size"]

_SHARES = ("intraclass_correlation", "r2_marginal", "r2_conditional")
_SIZES = ("npar", "n_obs", "n_groups")


@dataclass(frozen=True)
class Row:
    """One quantity of all models.

    Attributes
    ----------
    part : what kind of quantity
    term : the effect or the pair of effects that it is of; empty for a quantity of the whole model
    statistic : which number of that term or model
    numbers : the number of each model that has it, by the model's name
    """

    part: Part
    term: str
    statistic: str
    numbers: Mapping[str, float]


def side_by_side(fits: Fits) -> list[Row]:
    """Set the models beside each other: what means the same stands in one row, under whichever name.

    Parameters
    ----------
    fits : `fit.json` of each model
    """
    fixed, random = _named(fits, _fixed_effects), _named(fits, _random_effects)
    return [
        *(Row("fixed", term, of, _picked(found, of)) for term, found in fixed for of in ("estimate", "std_error")),
        *(Row("random", term, of, picked) for term, found in random for of, picked in _statistics(found)),
        *(Row("share", "", of, {name: fit["shares"][of] for name, fit in fits.items()}) for of in _SHARES),
        *_criteria(fits, "REML", {"reml_criterion": "criterion", "reml_aic": "aic", "reml_bic": "bic"}),
        Row("criterion", "", "reml_family", families(fits, reml=True)),
        *_criteria(fits, "ML", {"ml_deviance": "criterion", "ml_aic": "aic", "ml_aicc": "aicc", "ml_bic": "bic"}),
        Row("criterion", "", "ml_family", families(fits, reml=False)),
        *(Row("size", "", of, {name: fit[of] for name, fit in fits.items()}) for of in _SIZES),
    ]


def _criteria(fits: Fits, estimator: str, keys: Mapping[str, str]) -> Iterator[Row]:
    for statistic, key in keys.items():
        yield Row("criterion", "", statistic, {name: by_estimator(fit, estimator)[key] for name, fit in fits.items()})


def side_by_side_table(rows: Sequence[Row], models: Sequence[str]) -> pd.DataFrame:
    """The rows as a table: `part`, `term`, `statistic`, then a column for each model."""
    cells = [[row.part, row.term, row.statistic, *(row.numbers.get(model) for model in models)] for row in rows]
    return pd.DataFrame(cells, columns=["part", "term", "statistic", *models])


def families(fits: Fits, *, reml: bool) -> dict[str, int]:
    """Number the families of models within which criteria can be compared, in order of appearance.

    ML criteria can be compared between models of the same response, offset and rows; REML criteria where the columns of
    the fixed effects are the same besides, in any order.
    """
    numbers: dict[Hashable, int] = {}
    found = {}
    for name, fit in fits.items():
        offsets = frozenset(map(deparse, take_apart(fit["formula"]).fixed.offsets))
        rows = (fit["n_obs"], frozenset(fit["left_out"]["missing"].items()))
        key = (fit["response"], offsets, rows, frozenset(key for key, _, _ in _fixed_effects(fit)) if reml else None)
        found[name] = numbers.setdefault(key, len(numbers) + 1)
    return found


# An effect's meaning, its name, and its numbers.
Found = tuple[Hashable, str, Mapping[str, float]]


def _meaning(fit: Mapping[str, Any], factors: Sequence[str]) -> Hashable:
    """What a product of factors means, in any order: a level's mean and its difference from another have one name."""
    meanings = [fit["meanings"][name] for name in factors]
    return frozenset(
        (name, of["column"], of["level"], of["reference"], of["coding"])
        for name, of in zip(factors, meanings, strict=True)
    )


def _fixed_effects(fit: Mapping[str, Any]) -> Iterator[Found]:
    products = {
        column: [*coefficient["factors"], *predictor]
        for coefficient in fit["hierarchy"]
        for column, predictor in coefficient["predictors"]
    }
    for column, term in enumerate(fit["fixed_terms"]):
        numbers = {
            "estimate": fit["fixed_effects"][column],
            "std_error": sqrt(fit["fixed_effects_covariance"][column][column]),
        }
        yield _meaning(fit, products[column]), term, numbers


def _random_effects(fit: Mapping[str, Any]) -> Iterator[Found]:
    """Each random effect, then each pair that is correlated, then the residual."""
    effects = {c["random"]: c["factors"] for c in fit["hierarchy"] if c["random"] is not None}
    terms, covariance = fit["random_terms"], fit["random_effects_covariance"]
    meanings = [_meaning(fit, effects[i]) for i in range(len(terms))]
    for i, term in enumerate(terms):
        yield meanings[i], term, {"variance": covariance[i][i], "sd": sqrt(covariance[i][i])}
    for i, row in enumerate(fit["random_effects_correlation"]):
        for k, r in enumerate(row[:i]):
            if r is not None:
                pair = frozenset((meanings[i], meanings[k]))
                yield ("pair", pair), f"{terms[i]} with {terms[k]}", {"covariance": covariance[i][k], "correlation": r}
    yield "residual", "Residual", {"variance": fit["sigma"] ** 2, "sd": fit["sigma"]}


def _named(fits: Fits, effects: Any) -> list[tuple[str, dict[str, Mapping[str, float]]]]:
    """Each effect with its name and the numbers of the models that have it: products after others, the residual last.

    Where one name means two things, what the second of them is compared with tells them apart.
    """
    names: dict[Hashable, str] = {}
    found: dict[Hashable, dict[str, Mapping[str, float]]] = {}
    for model, fit in fits.items():
        for meaning, term, numbers in effects(fit):
            found.setdefault(meaning, {})[model] = numbers
            if meaning not in names:
                names[meaning] = term if term not in names.values() else f"{term} ({_coded(meaning)})"
    return [(names[meaning], found[meaning]) for meaning in sorted(found, key=_rank)]


def _rank(meaning: Any) -> tuple[int, int]:
    if isinstance(meaning, frozenset):
        return 0, len(meaning)
    return 2 if meaning == "residual" else 1, 0


def _coded(meaning: Any) -> str:
    """How the factors of an effect are coded."""
    if not isinstance(meaning, frozenset):
        return "coded otherwise"
    against = sorted(str(reference) for _, _, _, reference, _ in meaning if reference is not None)
    return f"against {', '.join(against)}" if against else "not a difference"


def _picked(found: Mapping[str, Mapping[str, float]], statistic: str) -> dict[str, float]:
    return {model: numbers[statistic] for model, numbers in found.items()}


def _statistics(found: Mapping[str, Mapping[str, float]]) -> Iterator[tuple[str, dict[str, float]]]:
    for statistic in next(iter(found.values())):
        yield statistic, _picked(found, statistic)
