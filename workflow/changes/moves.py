"""How the results of two runs differ: estimates in units of their standard errors, and what was concluded from them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from statistics import NormalDist

from changes.contract import AcceptedTable
from changes.rows import Rows

LEVEL = 0.05  # of a test's verdict


@dataclass(frozen=True)
class Move:
    """An estimate that is another than before, or is there in one of the runs only.

    Attributes
    ----------
    model, name : whose it is, and what it is called
    before, after : None where the run has no such estimate
    std_error : the standard error that it had; where it is new, that it has; None where none was computed
    """

    model: str
    name: str
    before: float | None
    after: float | None
    std_error: float | None

    @property
    def size(self) -> float:
        """By how many standard errors it moved; infinite where that cannot be said."""
        if self.before is None or self.after is None or not self.std_error:
            return float("inf")
        return (self.after - self.before) / self.std_error


@dataclass(frozen=True)
class Verdict:
    """Something that was concluded, and is concluded otherwise: of a test, a printed number, a fit.

    Attributes
    ----------
    kind : test, ledger or fit
    where, name : the model or comparison, and the test; of a printed number, its name
    before, after : p values; or the verdicts
    """

    kind: str
    where: str
    name: str
    before: str
    after: str


def estimate_moves(
    before: Mapping[str, Rows], after: Mapping[str, Rows], tables: Mapping[str, AcceptedTable]
) -> list[Move]:
    """The estimates that differ by more than rounding, the one that moved by most standard errors first.

    Fixed effects have the standard error that the model gives them. Of standard deviations and correlations it is that
    of the bootstrap: half of its interval by the normal distribution over that distribution's quantile.
    """
    sides = [_fixed(rows.get("fixed_effects", {})) | _random(rows.get("intervals", {})) for rows in (before, after)]
    rounding = tables["fixed_effects"].values["estimate"]
    moves = []
    for key in {**sides[0], **sides[1]}:
        one, other = sides[0].get(key), sides[1].get(key)
        if one and other and rounding.allows(repr(one[0]), repr(other[0])):
            continue
        error = (one or other or (0.0, None))[1]
        moves.append(Move(*key, one[0] if one else None, other[0] if other else None, error))
    return sorted(moves, key=lambda move: -abs(move.size))


def count_estimates(rows: Mapping[str, Rows]) -> int:
    """How many estimates a run has."""
    return len(_fixed(rows.get("fixed_effects", {}))) + len(_random(rows.get("intervals", {})))


def other_verdicts(before: Mapping[str, Rows], after: Mapping[str, Rows]) -> list[Verdict]:
    """What both runs conclude, and one otherwise than the other."""
    return [*_tests(before, after), *_fits(before, after), *_ledger(before, after)]


def _number(text: str) -> float | None:
    number = float(text or "nan")
    return number if isfinite(number) else None


def _fixed(rows: Rows) -> dict[tuple[str, str], tuple[float, float | None]]:
    return {
        (model, term): (estimate, _number(row["std_error"]))
        for (model, term), row in rows.items()
        if (estimate := _number(row["estimate"])) is not None
    }


def _random(rows: Rows) -> dict[tuple[str, str], tuple[float, float | None]]:
    found: dict[tuple[str, str], tuple[float, float | None]] = {}
    for (model, method, parameter), row in rows.items():
        # Fixed effects stand here under the names of their terms, and in their own table.
        if method != "normal" or not parameter.startswith("."):
            continue
        bounds = [_number(row[column]) for column in ("lower", "upper", "level", "estimate")]
        if None not in bounds:
            lower, upper, level, estimate = (bound or 0.0 for bound in bounds)
            error = (upper - lower) / 2 / NormalDist().inv_cdf((1 + level) / 2)
            found[model, row["label"]] = (estimate, error)
    return found


def _tests(before: Mapping[str, Rows], after: Mapping[str, Rows]) -> Iterator[Verdict]:
    for table in ("comparison_tests", "fixed_effects", "variance_components"):
        old, new = before.get(table, {}), after.get(table, {})
        for (where, name), row in new.items():
            values = [old.get((where, name), {}).get("p_value", ""), row["p_value"]]
            sides = [_number(value) for value in values]
            if None not in sides and ((sides[0] or 0.0) < LEVEL) != ((sides[1] or 0.0) < LEVEL):
                yield Verdict("test", where, name, *values)


def _fits(before: Mapping[str, Rows], after: Mapping[str, Rows]) -> Iterator[Verdict]:
    old, new = before.get("fit", {}), after.get("fit", {})
    for (model, quantity), row in new.items():
        was = old.get((model, quantity), row)["value"]
        if quantity.rpartition(".")[2] in ("singular", "trustworthy") and was != row["value"]:
            yield Verdict("fit", model, quantity, was, row["value"])


def _ledger(before: Mapping[str, Rows], after: Mapping[str, Rows]) -> Iterator[Verdict]:
    old = before.get("ledger", {})
    for (number,), row in after.get("ledger", {}).items():
        was = old.get((number,), row)["verdict"]
        if was != row["verdict"]:
            yield Verdict("ledger", number, "verdict", was, row["verdict"])
