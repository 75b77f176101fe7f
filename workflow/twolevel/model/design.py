"""What a formula and a table become: the response and the design matrices of a two-level model."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twolevel.model.blocks import Blocks
from twolevel.model.terms import Factor

Floats = NDArray[np.float64]

# A column is a product of factors: the variables, or contrasts of variables, that are multiplied to make it.
Factors = tuple[str, ...]


def column_name(factors: Factors) -> str:
    """Name a column as lme4 does: `(Intercept)`, `week`, `armdrug`, `week:beds`."""
    return ":".join(factors) if factors else "(Intercept)"


@dataclass(frozen=True)
class Design:
    """Response and design matrices of a two-level model, rows in the table's order.

    Attributes
    ----------
    formula : the formula, spaced as R prints it
    response, group : names of the response and of the grouping column
    fixed_factors, random_factors : what is multiplied to make each of the p and q columns
    y : (n,) response, less the offset
    offset : (n,) what is added to the linear predictor as it is; zeros where the formula has none
    x : (n, p) fixed-effects design
    z : (n, q) random-effects design: row i multiplies the effects of its own group
    blocks : sizes of the independent blocks of random effects, in the order of their columns; effects of different
        blocks are uncorrelated
    factors : (n,) values of each single factor in the columns
    meanings : what each single factor stands for
    group_index : (n,) number of each row's group, in order of first appearance
    group_labels : the J groups' labels
    columns : the table's columns that the model uses
    n_rows : rows of the table
    rows : (n,) positions in the table of the rows that are used: those in which no such column is missing
    dropped : how many values are missing in each such column, where any are
    """

    formula: str
    response: str
    group: str
    fixed_factors: tuple[Factors, ...]
    random_factors: tuple[Factors, ...]
    y: Floats
    offset: Floats
    x: Floats
    z: Floats
    blocks: Blocks
    factors: Mapping[str, Floats]
    meanings: Mapping[str, Factor]
    group_index: NDArray[np.intp]
    group_labels: tuple[str, ...]
    columns: tuple[str, ...]
    n_rows: int
    rows: NDArray[np.intp]
    dropped: Mapping[str, int]

    @property
    def fixed_terms(self) -> tuple[str, ...]:
        """Names of the p columns of `x`."""
        return tuple(map(column_name, self.fixed_factors))

    @property
    def random_terms(self) -> tuple[str, ...]:
        """Names of the q columns of `z`."""
        return tuple(map(column_name, self.random_factors))
