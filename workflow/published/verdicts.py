"""The rules that give every printed number its verdict, and the ledger itself.

match            the same characters, from the results
given            the same characters, of a count (of observations, of groups, of parameters) or a setting: no result
rough            what the prose has to the nearest ten, and is that; the number itself stands beside it
match_rounding   other last digits, as declared, because the source's optimiser stopped a little short: there is one
                 point whose criterion exceeds our optimum by less than `witness.SLACK`, and from which all numbers
                 printed of that model follow
monte_carlo      a number of the source's own simulation, in the band that our replicates give for a run of its size
not_optimum      the source stopped elsewhere, as declared: the number comes out as printed at the optimum on the face
                 where lme4's bounds end a search, or so near it as match_rounding asks
source_misprint  the page contradicts itself, as declared: what it should have said is what we compute
not_comparable   the results have no such number, as declared
mismatch         none of these
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import ceil, log10
from typing import Any

from twolevel.inference.samples import size
from twolevel.output.words import theta_symbol

from published.accounting import Account, Witness, account, inconsistent
from published.inventory import Inventory
from published.monte_carlo import COVERAGE, count_band, quantile_band
from published.printed_numbers import Declared, Row
from published.printing import as_printed, is_rough, remark, to_decimals
from published.quantities import (
    INTERVAL,
    INTERVAL_SAMPLES,
    extremes,
    first_statistics,
    interval_probability,
    quantity_of,
    value_of,
)
from published.solution import NotThereError, from_estimates
from published.witness import SLACK, Centre

Constrained = Mapping[str, Mapping[str, Any]]
FindCentre = Callable[[str, bool], Centre]


@dataclass(frozen=True)
class Line:
    """A row's verdict.

    Attributes
    ----------
    row : what is printed
    computed : what the results say, formatted as printed; empty where they say nothing
    verdict : one of those above
    reason : for a reader; empty where the same characters need none
    """

    row: Row
    computed: str
    verdict: str
    reason: str


@dataclass(frozen=True)
class Found:
    """A witness, and where it was found: near the optimum of a model, or of a face of it."""

    model: str
    published_name: str
    face: tuple[str, ...]
    witness: Witness


def give_verdicts(
    rows: Sequence[Row],
    declared: Sequence[Declared],
    inventory: Inventory,
    constrained: Constrained,
    centre_of: FindCentre,
) -> tuple[list[Line], list[Found]]:
    """Give every row its verdict.

    Parameters
    ----------
    rows, declared : the printed numbers, and what is declared of some
    inventory : the results
    constrained : each model's `constrained.json`
    centre_of : the optimum of a model, or of the face where lme4's bounded search ended, to look for a witness around

    Returns
    -------
    a line for each row in their order, and the witnesses that the verdicts rest on
    """
    claims = {entry.rows: entry for entry in declared}
    moved = {row.id for row in rows if row.id in claims and claims[row.id].verdict == "match_rounding"}
    lines: dict[str, Line] = {}
    found: list[Found] = []
    to_account: list[Row] = []
    for row in rows:
        claim = claims.get(row.id)
        if claim and claim.printed != row.printed:
            reason = f"what is declared of it, {claim.verdict}, is declared of a printed {claim.printed}"
            lines[row.id] = Line(row, "", "mismatch", reason)
        elif row.kind == "monte_carlo":
            lines[row.id] = _simulated(row, inventory)
        elif claim and claim.verdict == "source_misprint":
            lines[row.id] = _misprint(row, claim, inventory)
        elif claim and claim.verdict == "not_comparable":
            lines[row.id] = _not_comparable(row, claim, inventory)
        else:
            to_account.append(row)
    for name, group in groupby(sorted(to_account, key=_owner), key=_owner):
        of_model, points = _of_model(name, list(group), claims.get(name[0]), moved, inventory, constrained, centre_of)
        lines |= {line.row.id: line for line in of_model}
        found += points
    return [lines[row.id] for row in rows], found


def _owner(row: Row) -> tuple[str, str]:
    return row.model, row.estimator


def _of_model(
    owner: tuple[str, str],
    rows: Sequence[Row],
    claim: Declared | None,
    moved: Collection[str],
    inventory: Inventory,
    constrained: Constrained,
    centre_of: FindCentre,
) -> tuple[list[Line], list[Found]]:
    """The deterministic numbers of one model by one estimator."""
    name, estimator = owner
    try:
        model = inventory.model(name)
    except NotThereError:  # numbers of no model at all, or the rows will say that theirs is missing
        return [_line(row, account([row], inventory, "", (), None), (), inventory) for row in rows], []
    if claim and inventory.solutions[model].estimator == "REML":
        return _elsewhere(rows, name, model, moved, inventory, constrained[model], centre_of)
    # Of ML fits the source prints a table of criteria alone, which no search that stops a little short changes.
    near_reml = moved if estimator == "REML" else ()
    at_optimum = account(rows, inventory, model, near_reml, lambda: centre_of(model, False))
    found = [Found(model, name, (), at_optimum.witness)] if at_optimum.witness else []
    return [_line(row, at_optimum, near_reml, inventory) for row in rows], found


def _line(row: Row, of: Account, moved: Collection[str], inventory: Inventory) -> Line:
    if row.id in of.missing:
        return Line(row, "", "mismatch", of.missing[row.id])
    text = _text(row, of)
    if row.id in of.exact:
        if is_rough(row):
            return Line(row, f"{of.computed[row.id]:.2f}", "rough", f"{text} to the nearest ten, as the prose has it")
        reason = remark(of.computed[row.id], row) or quantity_of(inventory, row).chosen
        return Line(row, text, _same_characters(row, inventory), reason)
    if of.witness and row.id in of.near:
        return Line(row, text, "match_rounding", _near_reason(of.witness, "the optimum"))
    return Line(row, text, "mismatch", _no_reason(row.id in moved, "the optimum"))


def _same_characters(row: Row, inventory: Inventory) -> str:
    """The verdict on a number that comes out as printed: a result has to be found, not counted or chosen."""
    of = quantity_of(inventory, row)
    return "given" if of.counted or of.chosen else "match"


def _elsewhere(
    rows: Sequence[Row],
    name: str,
    model: str,
    moved: Collection[str],
    inventory: Inventory,
    story: Mapping[str, Any],
    centre_of: FindCentre,
) -> tuple[list[Line], list[Found]]:
    """Numbers of a model for which the source is declared to have stopped where lme4's bounds end a search."""
    at_optimum = account(rows, inventory, model, (), None)
    if not story["face"]:
        reason = "declared not_optimum, but lme4's bounds do not keep a search of this model from its optimum"
        return [Line(row, _text(row, at_optimum), "mismatch", reason) for row in rows], []
    there = [row for row in rows if row.id in at_optimum.computed]
    odd = inconsistent(there, inventory, at_optimum.computed, model, centre_of(model, False))
    fit = story["fit"]
    face = inventory.at(model, from_estimates(fit))
    on_face = account(rows, face, model, moved, lambda: centre_of(model, True))
    where = f"the optimum with {' = '.join(map(theta_symbol, story['face']))} = 0 held fixed"
    which = f"{where} (criterion {fit['criterion']:.5f}, {fit['above_optimum']:.4f} above the optimum)"

    def line(row: Row) -> Line:
        text = _text(row, at_optimum)
        if row.id in at_optimum.missing:
            return Line(row, text, "mismatch", at_optimum.missing[row.id])
        if row.id in odd:
            return Line(row, text, "mismatch", f"the results' own theta gives {as_printed(odd[row.id], row)}")
        if on_face.witness and row.id in on_face.near:
            reason = f"a match but for rounding from the constrained fit: {_near_reason(on_face.witness, which)}"
            return Line(row, text, "not_optimum", reason)
        if row.id not in on_face.exact:
            return Line(row, text, "mismatch", _no_reason(row.id in moved, which))
        if row.id in at_optimum.exact:
            verdict = _same_characters(row, inventory)
            return Line(row, text, verdict, f"at the optimum, and from the constrained fit too: {which}")
        return Line(row, text, "not_optimum", f"a match from the constrained fit: as printed at {which}")

    found = [Found(model, name, tuple(story["face"]), on_face.witness)] if on_face.witness else []
    return [line(row) for row in rows], found


def _simulated(row: Row, inventory: Inventory) -> Line:
    """A number of the source's own simulation."""
    try:
        value = value_of(inventory, row)
        low, high, run = _band(row, inventory)
    except NotThereError as reason:
        return Line(row, "", "mismatch", str(reason))
    text = as_printed(value, row)
    inside = all(low - row.unit / 2 <= number <= high + row.unit / 2 for number in (float(row.printed), value))
    band = f"the {COVERAGE:.1%} band [{low:.4g}, {high:.4g}] of a run of {run} samples"
    drawn = "" if row.quantity.startswith(INTERVAL) else f"; computed from the first {run} samples of this run"
    verdict, where = ("monte_carlo", "inside") if inside else ("mismatch", "outside")
    return Line(row, text, verdict, f"{where} {band}{drawn}")


def _band(row: Row, inventory: Inventory) -> tuple[float, float, int]:
    """The band of a run of the source's size, from our replicates, and that size."""
    if row.quantity.startswith(INTERVAL):
        replicates = inventory.bootstrap[inventory.model(row.model)][row.term]
        low, high = quantile_band(replicates, interval_probability(row), INTERVAL_SAMPLES)
        return low, high, INTERVAL_SAMPLES
    reference = inventory.comparison(row.model, row.estimator).reference
    samples = len(first_statistics(inventory, row))
    least, most = count_band(extremes(inventory, row, reference), size(reference), samples)
    if row.quantity == "PBmodcomp p.value":
        return (1 + least) / (1 + samples), (1 + most) / (1 + samples), samples
    return least, most, samples


def _misprint(row: Row, claim: Declared, inventory: Inventory) -> Line:
    """A number that the page gives wrongly: the declared right number must be the computed one."""
    try:
        value = value_of(inventory, row)
    except NotThereError as reason:
        return Line(row, "", "mismatch", str(reason))
    text = as_printed(value, row)
    decimals = len(claim.should_be.partition(".")[2])
    correct = to_decimals(value, replace(row, decimals=decimals))
    if text == row.printed:
        return Line(row, text, "mismatch", "declared a misprint, but it is what we compute")
    if correct != claim.should_be:
        return Line(row, text, "mismatch", f"a misprint for {claim.should_be}, as declared, but we compute {correct}")
    return Line(row, text, "source_misprint", f"should be {claim.should_be}: {claim.reason}")


def _not_comparable(row: Row, claim: Declared, inventory: Inventory) -> Line:
    """A number that the results should not have."""
    try:
        text = as_printed(value_of(inventory, row), row)
    except NotThereError:
        return Line(row, "", "not_comparable", claim.reason)
    return Line(row, text, "mismatch", "declared not comparable, but the results have such a number")


def _text(row: Row, of: Account) -> str:
    return as_printed(of.computed[row.id], row) if row.id in of.computed else ""


def _near_reason(witness: Witness, where: str) -> str:
    # A criterion is known to 1e-10 or so; a power of ten above the excess is the same on every machine.
    decimals = -max(-9, ceil(log10(max(witness.excess, 1e-12))))
    return (
        f"as printed, with the {len(witness.printed)} numbers of this model, at one point whose criterion is less than "
        f"{10.0**-decimals:.{decimals}f} above {where}"
    )


def _no_reason(moved: bool, where: str) -> str:
    near = f", nor with the model's other numbers at one point within {SLACK} of it" if moved else ""
    return f"not as printed at {where}{near}"
