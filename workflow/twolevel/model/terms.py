"""What the terms of a model mean: `sectorCatholic` is the level Catholic of the column sector."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Levels = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Factor:
    """One factor of a column of the design.

    Attributes
    ----------
    column : the variable, or the expression, that it is made of
    level : for the contrast of a categorical variable, the level that it marks with a 1; else None
    reference : the level that it is compared with; else None
    """

    column: str
    level: str | None = None
    reference: str | None = None


def read_factor(name: str, levels: Levels) -> Factor:
    """Take a factor's name apart.

    Parameters
    ----------
    name : as lme4 writes it: a variable, or a variable with a level behind it
    levels : the levels of each categorical variable, the reference first
    """
    matches = [
        Factor(column, level, known[0])
        for column, known in levels.items()
        for level in known[1:]
        if name == f"{column}{level}"
    ]
    # Where `ab` + `c` and `a` + `bc` are both possible, the longer column is as good a guess as any.
    return max(matches, key=lambda factor: len(factor.column), default=Factor(name))
