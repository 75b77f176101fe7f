"""What the parts of a model's columns mean: `sectorCatholic` marks the level Catholic of the column sector."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

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
    made_of : the data's columns in the variable
    """

    column: str
    level: str | None = None
    reference: str | None = None
    coding: Coding = "number"
    made_of: tuple[str, ...] = ()


Meanings = Mapping[str, Factor]


def read_meanings(stored: Mapping[str, Mapping[str, Any]]) -> Meanings:
    """Read what each factor of a model's columns means, as `fit.json` stores it."""
    return {name: Factor(**{**of, "made_of": tuple(of["made_of"])}) for name, of in stored.items()}
