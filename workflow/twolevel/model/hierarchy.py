"""A combined formula split by level: the level-1 coefficients, and what predicts each of them.

A combined formula mixes the levels: in `week*beds`, the product is the effect of beds, constant within clinics, on
the slope of week, which varies within them (Raudenbush & Bryk 2002, chapter 4). This module takes them apart again.
"""

from dataclasses import dataclass

import numpy as np

from twolevel.model.design import Design, Factors, Floats, column_name


@dataclass(frozen=True)
class Coefficient:
    """One coefficient beta_q of the level-1 equation.

    Attributes
    ----------
    factors : what beta_q multiplies, factors that vary within groups; none for the intercept
    columns : columns of the fixed-effects design that predict beta_q
    predictors : for each of them, its factors that are constant within groups; none for the constant gamma_q0
    random : column of the random-effects design whose effect u_q belongs here; None where beta_q is the same everywhere
    """

    factors: Factors
    columns: tuple[int, ...]
    predictors: tuple[Factors, ...]
    random: int | None

    @property
    def name(self) -> str:
        """Name of the level-1 term."""
        return column_name(self.factors)


def level1_coefficients(design: Design) -> tuple[Coefficient, ...]:
    """Split every fixed effect into what varies within groups and what is constant there.

    # ASSUME: a factor that has one value in each group is a level-2 predictor, whatever its name.
    """
    first_row = first_rows(design)[design.group_index]
    level2 = {name for name, values in design.factors.items() if (values == values[first_row]).all()}
    # A product is the same in any order: arm:week among the fixed effects, week:arm among the random ones.
    names: dict[frozenset[str], Factors] = {}
    found: dict[frozenset[str], list[tuple[int, Factors]]] = {}
    for column, factors in enumerate(design.fixed_factors):
        inner = tuple(f for f in factors if f not in level2)
        outer = tuple(f for f in factors if f in level2)
        names.setdefault(frozenset(inner), inner)
        found.setdefault(frozenset(inner), []).append((column, outer))
    random = {frozenset(factors): index for index, factors in enumerate(design.random_factors)}
    for factors in design.random_factors:
        names.setdefault(frozenset(factors), factors)
        found.setdefault(frozenset(factors), [])
    return tuple(
        Coefficient(
            factors=names[key],
            columns=tuple(column for column, _ in predicted_by),
            predictors=tuple(outer for _, outer in predicted_by),
            random=random.get(key),
        )
        for key, predicted_by in found.items()
    )


def level2_design(design: Design) -> Floats:
    """Level-2 predictors W (J, q, p) of the random coefficients: group j's coefficients are W_j gamma + u_j."""
    w = np.zeros((len(design.group_labels), len(design.random_factors), len(design.fixed_factors)))
    first_row = first_rows(design)
    for coefficient in level1_coefficients(design):
        if coefficient.random is None:
            continue
        for column, factors in zip(coefficient.columns, coefficient.predictors, strict=True):
            values = np.prod([design.factors[f][first_row] for f in factors], axis=0)
            w[:, coefficient.random, column] = values
    return w


def first_rows(design: Design) -> np.ndarray:
    """Position of each group's first row, (J,)."""
    return np.unique(design.group_index, return_index=True)[1]
