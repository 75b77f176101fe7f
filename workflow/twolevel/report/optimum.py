"""How each optimum was found and checked, and what a plain call of statsmodels or lme4 would have given."""

from collections.abc import Sequence
from dataclasses import dataclass

from twolevel.report.model import Model
from twolevel.report.numbers import NBSP, fixed
from twolevel.report.prose import listed

# A criterion this far above the optimum is another place; rounding and tolerances stay well below.
ELSEWHERE = 0.01

# What is below this between two computations of one criterion is rounding.
ROUNDING = 1e-6


@dataclass(frozen=True)
class Audit:
    """One model's optimum, all by REML.

    Attributes
    ----------
    name : the model
    criterion : at the optimum
    agreed, searches : how many searches ended there, of how many
    confirmed : criterion where MixedLM ended that started there, less that of the optimum; None where it broke down
    default : the same where plain `MixedLM.fit()` ended; None where that is not finite
    default_converged : what it said
    bounded : the same for the search within lme4's bounds; None where that is not finite
    singular : of the fit
    doubts : why it cannot be trusted; none where it can
    """

    name: str
    criterion: float
    agreed: int
    searches: int
    confirmed: float | None
    default: float | None
    default_converged: bool
    bounded: float | None
    singular: bool
    doubts: tuple[str, ...]

    @property
    def default_missed(self) -> bool:
        """Whether plain `MixedLM.fit()` ended elsewhere."""
        return self.default is None or self.default > ELSEWHERE

    @property
    def bounded_missed(self) -> bool:
        """Whether the search within lme4's bounds did."""
        return self.bounded is None or self.bounded > ELSEWHERE


def audit(model: Model) -> Audit:
    """Read a model's optimum and what was tried besides."""
    fit, story = model.fit, model.fit["optimiser"]
    plain, bounded = story["defaults"]["statsmodels"], story["defaults"]["lme4_bounds"]
    return Audit(
        name=model.name,
        criterion=fit["criterion"],
        agreed=story["reached_best"],
        searches=len(story["runs"]),
        confirmed=story["mixedlm"]["difference"],
        default=None if plain["criterion"] is None else plain["criterion"] - fit["criterion"],
        default_converged=plain["converged"],
        bounded=None if bounded["criterion"] is None else bounded["criterion"] - fit["criterion"],
        singular=fit["singular"],
        doubts=model.doubts,
    )


def gap(difference: float | None) -> str:
    """A difference between two computations of one criterion."""
    if difference is None:
        return "not finite"
    return f"<{NBSP}0.000001" if abs(difference) < ROUNDING else fixed(difference, 6)


def optimum_sentences(audits: Sequence[Audit]) -> list[str]:
    """What the audit of all models shows."""
    return [
        _agreement([a.name for a in audits if a.agreed < a.searches]),
        _confirmation([a.name for a in audits if a.confirmed is None or abs(a.confirmed) >= ROUNDING]),
        _plain(audits),
        _bounded(audits),
        _singular([a.name for a in audits if a.singular]),
        _trust(audits),
    ]


def _agreement(apart: Sequence[str]) -> str:
    if apart:
        return f"Some searches ended at a higher criterion in {listed(apart)}."
    return "In every model all searches ended at the same criterion."


def _confirmation(apart: Sequence[str]) -> str:
    if apart:
        return (
            "MixedLM, started at the optimum, ended a millionth or more from its criterion, or broke down, in "
            f"{listed(apart)}."
        )
    return "MixedLM, started at the optimum, ended at the same criterion in every model, to a millionth."


def _plain(audits: Sequence[Audit]) -> str:
    missed = [a for a in audits if a.default_missed]
    if not missed:
        return "Plain MixedLM.fit(), from its own start, ended at the same optimum in every model."
    believed = sum(a.default_converged for a in missed)
    worst = max(missed, key=lambda a: float("inf") if a.default is None else a.default)
    how_far = "no finite criterion" if worst.default is None else f"by {fixed(worst.default, 2)}"
    return (
        f"Plain MixedLM.fit(), from its own start, missed the optimum in {len(missed)} of {len(audits)} "
        f"models, by the most in {worst.name} ({how_far}); in {believed} of those {len(missed)} it said that "
        "it had converged."
    )


def _bounded(audits: Sequence[Audit]) -> str:
    missed = [a for a in audits if a.bounded_missed]
    if not missed:
        return "A search within lme4's bounds, from lme4's start, ended at the same optimum in every model."
    places = listed(
        f"{a.name} ({'no finite criterion' if a.bounded is None else f'by {fixed(a.bounded, 2)}'})" for a in missed
    )
    return (
        f"A search within lme4's bounds, from lme4's start, stopped above the optimum in {len(missed)} of "
        f"{len(audits)} models: {places}."
    )


def _singular(names: Sequence[str]) -> str:
    return f"Singular: {listed(names)}." if names else "No fit is singular."


def _trust(audits: Sequence[Audit]) -> str:
    doubted = [f"{a.name} ({'; '.join(a.doubts)})" for a in audits if a.doubts]
    return f"Not to be trusted: {listed(doubted)}." if doubted else "Nothing speaks against any of the fits."
