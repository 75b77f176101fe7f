"""How each optimum was found and checked, and where a search within lme4's bounds ends."""

from collections.abc import Sequence
from dataclasses import dataclass

from twolevel.errors import listed
from twolevel.fitting.fit import NOT_SEARCHED, SEARCHED
from twolevel.output.numbers import NBSP, fixed
from twolevel.output.words import ELSEWHERE
from twolevel.report.model import Model

# The one other search that every model has.
DEFAULT = "NLopt's BOBYQA, from the identity and within lme4's bounds,"

# What is below this between two computations of one criterion is rounding.
ROUNDING = 1e-6


@dataclass(frozen=True)
class Audit:
    """One model's optimum, all by REML.

    Attributes
    ----------
    name, called : the model, and its title as a sentence has it
    criterion : at the optimum
    agreed, searches : how many searches ended there, of how many
    confirmed : criterion where MixedLM ended that started there, less that of the optimum; None where it broke down
    searched : whether MixedLM searched from there, or only gave its log-likelihood there
    bounded : the same for the search within lme4's bounds; None where that is not finite
    repeats_lme4 : whether lme4's own search can be expected to end where that did
    singular : of the fit
    doubts : why it cannot be trusted; none where it can
    """

    name: str
    called: str
    criterion: float
    agreed: int
    searches: int
    confirmed: float | None
    searched: bool
    bounded: float | None
    repeats_lme4: bool
    singular: bool
    doubts: tuple[str, ...]

    @property
    def bounded_missed(self) -> bool:
        """Whether the search within lme4's bounds did."""
        return self.bounded is None or self.bounded > ELSEWHERE


def audit(model: Model) -> Audit:
    """Read a model's optimum and what was tried besides."""
    fit, story = model.fit, model.fit["optimiser"]
    bounded = story["defaults"]["lme4_bounds"]
    return Audit(
        name=model.name,
        called=model.called,
        criterion=fit["criterion"],
        agreed=story["reached_best"],
        searches=len(story["runs"]),
        confirmed=story["mixedlm"]["difference"],
        searched=NOT_SEARCHED not in story["mixedlm"]["messages"],
        bounded=None if bounded["criterion"] is None else bounded["criterion"] - fit["criterion"],
        repeats_lme4=bounded["repeats_lme4"],
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
        _agreement([a.called for a in audits if a.agreed < a.searches]),
        *_confirmation(audits),
        _bounded(audits),
        *_not_lme4([a.called for a in audits if not a.repeats_lme4]),
        _singular([a.called for a in audits if a.singular]),
        _trust(audits),
    ]


def _agreement(apart: Sequence[str]) -> str:
    if apart:
        return f"Some searches ended at a higher criterion in {listed(apart)}."
    return "In every model all searches ended at the same criterion."


def _confirmation(audits: Sequence[Audit]) -> list[str]:
    names = [a.called for a in audits if a.confirmed is None or abs(a.confirmed) >= ROUNDING]
    apart = listed(names) if names else ""
    said = []
    if any(a.searched for a in audits):
        said.append(
            f"MixedLM, started at the optimum, ended a millionth or more from its criterion, or broke down, in {apart}."
            if apart
            else "MixedLM, started at the optimum, ended at the same criterion in every model, to a millionth."
        )
    if unsearched := [a.called for a in audits if not a.searched]:
        found = f"which is a millionth or more from ours in {apart}" if apart else "which is ours to a millionth"
        said.append(
            f"For {listed(unsearched)}, with more than {SEARCHED:,} observations, MixedLM did not search: it gave its "
            f"criterion at the optimum, {found}."
        )
    return said


def _bounded(audits: Sequence[Audit]) -> str:
    missed = [a for a in audits if a.bounded_missed]
    if not missed:
        return f"{DEFAULT} ended at the same optimum in every model."
    places = listed(
        f"{a.called} ({'no finite criterion' if a.bounded is None else f'by {fixed(a.bounded, 2)}'})" for a in missed
    )
    return (
        f"{DEFAULT} stopped above the optimum in {len(missed)} of {len(audits)} models: {places}. Another optimiser "
        'may not: in R, lmerControl(optimizer = "bobyqa") chooses one, and allFit() tries all.'
    )


def _not_lme4(names: Sequence[str]) -> list[str]:
    if not names:
        return []
    return [
        "It is what lmer() does unless told otherwise, but where predictors differ much in size or are far from zero, "
        f"as in {listed(names)}, lme4 itself can end elsewhere: centre and rescale them before you use it."
    ]


def _singular(names: Sequence[str]) -> str:
    return f"Singular: {listed(names)}." if names else "No fit is singular."


def _trust(audits: Sequence[Audit]) -> str:
    doubted = [f"{a.called} ({'; '.join(a.doubts)})" for a in audits if a.doubts]
    return f"Not to be trusted: {listed(doubted)}." if doubted else "Nothing speaks against any of the fits."
