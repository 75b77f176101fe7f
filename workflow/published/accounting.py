"""The numbers that a source printed of one model: which are reproduced at an optimum, near it, or not at all."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from twolevel.model.design import Floats

from published.inventory import Inventory
from published.printed_numbers import Row
from published.printing import as_printed, half_width
from published.quantities import value_of
from published.solution import NotThereError, from_estimates
from published.witness import Centre, Estimates, nearest

# The results and a recomputation from their own theta agree to this share of a unit of the last digit printed.
SAME_NUMBER = 0.02


@dataclass(frozen=True)
class Witness:
    """A point at which numbers come out as printed.

    Attributes
    ----------
    estimates : of the model there
    excess : of the criterion, above the optimum
    printed : ids of the rows that come out as printed there
    """

    estimates: Estimates
    excess: float
    printed: tuple[str, ...]


@dataclass(frozen=True)
class Account:
    """The numbers printed of one model.

    Attributes
    ----------
    computed : by id, at the optimum; missing where the results hold no such number
    missing : by id, what the results do not hold
    exact : ids of those that come out as printed at the optimum
    witness : shows that others do near it; None where none do, or where none are asked for
    near : ids of those others
    """

    computed: Mapping[str, float]
    missing: Mapping[str, str]
    exact: frozenset[str]
    witness: Witness | None
    near: frozenset[str]


def account(
    rows: Sequence[Row], inventory: Inventory, model: str, moved: Collection[str], of: Callable[[], Centre] | None
) -> Account:
    """Account for the numbers printed of one model.

    Parameters
    ----------
    rows : all that are printed of the model
    inventory : the results, with the model at an optimum
    model : its name in the configuration
    moved : ids of the rows that are declared to differ because the source's optimiser stopped a little short
    of : returns that optimum, for a search near it; None where `moved` is empty
    """
    computed, missing = {}, {}
    for row in rows:
        try:
            computed[row.id] = value_of(inventory, row)
        except NotThereError as reason:
            missing[row.id] = str(reason)
    there = [row for row in rows if row.id in computed]
    exact = [row for row in there if as_printed(computed[row.id], row) == row.printed]
    near = [row for row in there if row.id in moved and row not in exact]
    witness = None
    if near and of:
        optimum = of()
        odd = inconsistent(near, inventory, computed, model, optimum)
        near = [row for row in near if row.id not in odd]
        witness = _witness([row for row in there if row in exact or row in near], inventory, model, optimum)
    near_ids = frozenset(row.id for row in near if witness)
    return Account(computed, missing, frozenset(row.id for row in exact), witness if near_ids else None, near_ids)


def inconsistent(
    rows: Sequence[Row], inventory: Inventory, computed: Mapping[str, float], model: str, optimum: Centre
) -> dict[str, float]:
    """What the results' own theta gives, by id, for the rows where the results differ from that.

    A point near that theta is no evidence on such a row.
    """
    there = inventory.at(model, from_estimates(optimum.estimates(np.zeros(optimum.axes.shape[1]))))
    anew = {row.id: value_of(there, row) for row in rows}
    return {row.id: anew[row.id] for row in rows if not abs(anew[row.id] - computed[row.id]) <= SAME_NUMBER * row.unit}


def _witness(rows: Sequence[Row], inventory: Inventory, model: str, optimum: Centre) -> Witness | None:
    """The nearest point at which all of the rows come out as printed."""
    ranged = [row for row in rows if not row.printed.startswith("<")]

    def numbers(estimates: Estimates) -> Floats:
        there = inventory.at(model, from_estimates(estimates))
        return np.array([value_of(there, row) for row in ranged])

    found = nearest(
        optimum,
        numbers,
        printed=np.array([float(row.printed) for row in ranged]),
        half_widths=np.array([half_width(row) for row in ranged]),
    )
    if found is None:
        return None
    estimates, excess = found
    there = inventory.at(model, from_estimates(estimates))
    if all(as_printed(value_of(there, row), row) == row.printed for row in rows):
        return Witness(estimates, excess, tuple(row.id for row in rows))
    return None
