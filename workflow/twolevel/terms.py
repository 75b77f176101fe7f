"""What the parts of a model's columns mean: `sectorCatholic` marks the level Catholic of the column sector."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Levels = Mapping[str, Sequence[str]]

# How a variable became a column: a number as it is (`log(x)` too); a level against the reference level; an indicator of
# one level, beside those of all others; another contrast between levels; one of several columns of a basis.
Coding = Literal["number", "treatment", "indicator", "contrast", "basis"]


@dataclass(frozen=True)
class Factor:
    """One factor of a column of the design.

    Attributes
    ----------
    column : the variable, or the expression, that it is made of
    level : for a column that marks a level with a 1, that level; else None
    reference : for a treatment contrast, the level that it is compared with; else None
    coding : how the variable became a column
    """

    column: str
    level: str | None = None
    reference: str | None = None
    coding: Coding = "number"


def read_factor(name: str, levels: Levels) -> Factor:
    """Take a factor's name apart.

    Parameters
    ----------
    name : as lme4 writes it: a variable, or a variable with a level behind it
    levels : the levels of each categorical variable, the reference first
    """
    matches = [
        Factor(column, level, known[0], "treatment")
        for column, known in levels.items()
        for level in known[1:]
        if name == f"{column}{level}"
    ]
    # Where `ab` + `c` and `a` + `bc` are both possible, the longer column is as good a guess as any.
    return max(matches, key=lambda factor: len(factor.column), default=Factor(name))
