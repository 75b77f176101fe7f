"""Ways to code the mean of a level-1 predictor over a group, and the deviations from it.

A model that has both can take the mean over the observations, or a mean that a textbook's file of groups holds; and it
can take the deviations from the one or from the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twolevel.errors import UserError

# In this order in every table: mean and deviations by the observations (the data's own columns); both by the file;
# the mean by the file, the deviations by the observations.
CODINGS = ("sample", "file", "mixed")


@dataclass(frozen=True)
class CodedColumns:
    """A level-1 predictor, and the two columns derived from it: its mean in each group, its deviations from that."""

    source: str
    mean: str
    centred: str


def coded_columns(recipes: Mapping[str, Mapping[str, Any]]) -> CodedColumns:
    """Find the one predictor that `derive` both averages over groups and centres within them.

    Raises
    ------
    UserError
        There is none, or more than one.
    """
    found = [
        CodedColumns(recipe["group_mean"], mean, centred)
        for mean, recipe in recipes.items()
        for centred, other in recipes.items()
        if "group_mean" in recipe and other.get("centre_within_group") == recipe["group_mean"]
    ]
    if len(found) != 1:
        pairs = ", ".join(f"{pair.mean} with {pair.centred}" for pair in found)
        raise UserError(
            "textbook: it changes the coding of one column that derive has both as group_mean and as "
            f"centre_within_group; found {pairs or 'none'}. Keep one such pair under derive, or set textbook: null."
        )
    return found[0]
