"""Which optimisers, from which starts, found the optimum."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from statistics import median
from typing import Any

import pandas as pd

from twolevel.data.fingerprint import is_current
from twolevel.errors import listed
from twolevel.output.numbers import fixed
from twolevel.output.words import ELSEWHERE, SEARCHES, STARTS, clean

# The searches that start there by themselves.
DEFAULT_START = "identity"


@dataclass(frozen=True)
class AuditResults:
    """What `snakemake audit` left behind, read.

    Attributes
    ----------
    about : `optimiser_audit.json`, the fits that were audited
    table : `optimiser_audit.csv`
    pictures, words : the SVG of each figure of the audit, and its title, alt text and caption
    """

    about: Mapping[str, Any]
    table: pd.DataFrame
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def is_of(self, fits: Mapping[str, Mapping[str, Any]]) -> bool:
        """Whether every one of these fits was audited, and no other."""
        return set(self.about["models"]) == set(fits) and is_current(self.about, {}, fits)


@dataclass(frozen=True)
class Trial:
    """One search of one model's optimum.

    Attributes
    ----------
    model, method, start : as in `optimiser_audit.csv`
    criterion, above : where it ended, and how far that is above the optimum; None where it is not finite
    converged : what it said
    evaluations, gradients : of the criterion and of its gradient
    messages : its warnings, or why it broke down
    """

    model: str
    method: str
    start: str
    criterion: float | None
    above: float | None
    converged: bool
    evaluations: int
    gradients: int
    messages: str

    @property
    def missed(self) -> bool:
        """Whether it ended elsewhere."""
        return self.above is None or self.above > ELSEWHERE


@dataclass(frozen=True)
class Search:
    """One method from one start, over all models.

    Attributes
    ----------
    method, start : as in `optimiser_audit.csv`
    trials : one for each model
    """

    method: str
    start: str
    trials: Sequence[Trial]

    @property
    def label(self) -> str:
        """What the method is called."""
        return SEARCHES[self.method]

    @property
    def missed(self) -> list[Trial]:
        """The trials that ended elsewhere."""
        return [trial for trial in self.trials if trial.missed]

    @property
    def worst(self) -> Trial | None:
        """The one of these that ended farthest off; none is farther than one without a finite criterion."""
        return max(self.missed, key=lambda trial: inf if trial.above is None else trial.above, default=None)

    @property
    def misled(self) -> int:
        """How many of these said that they had converged."""
        return sum(trial.converged for trial in self.missed)

    @property
    def evaluations(self) -> float:
        """Median number of evaluations of the criterion."""
        return median(trial.evaluations for trial in self.trials)


@dataclass(frozen=True)
class OptimiserAudit:
    """What the section shows.

    Attributes
    ----------
    methods : those of `MixedLM.fit()` that were tried
    searches : by what they start from, in words, every method
    trials : by model, every trial
    notes : what trials said besides, by its number
    sentences : what they show
    """

    methods: Sequence[str]
    searches: Mapping[str, Sequence[Search]]
    trials: Mapping[str, Sequence[Trial]]
    notes: Mapping[str, int]
    sentences: list[str]


def read_audit(table: pd.DataFrame) -> OptimiserAudit:
    """Read `optimiser_audit.csv`."""
    trials = [_trial(row) for row in table.to_dict("records")]
    searches = [
        Search(method, start, found)
        for start in STARTS
        for method in SEARCHES
        if (found := [trial for trial in trials if (trial.method, trial.start) == (method, start)])
    ]
    return OptimiserAudit(
        methods=[name for name in SEARCHES if name in set(table["method"])],
        searches={
            words: [search for search in searches if search.start == start]
            for start, words in STARTS.items()
            if any(search.start == start for search in searches)
        },
        trials={name: [t for t in trials if t.model == name] for name in dict.fromkeys(t.model for t in trials)},
        notes={
            message: number
            for number, message in enumerate(dict.fromkeys(trial.messages for trial in trials if trial.messages), 1)
        },
        sentences=_sentences(searches),
    )


def how_far(trial: Trial) -> str:
    """How far above the optimum a trial ended, in a sentence."""
    return "no finite criterion" if trial.above is None else f"by {fixed(trial.above, 2)}"


def _trial(row: Mapping[Any, Any]) -> Trial:
    def finite(key: str) -> float | None:
        value = float(row[key])
        return value if abs(value) < inf else None

    return Trial(
        model=str(row["model"]),
        method=str(row["method"]),
        start=str(row["start"]),
        criterion=finite("criterion"),
        above=finite("above_optimum"),
        converged=bool(row["converged"]),
        evaluations=int(row["evaluations"]),
        gradients=int(row["gradients"]),
        messages="" if pd.isna(row["messages"]) else clean(str(row["messages"])),
    )


def _sentences(searches: Sequence[Search]) -> list[str]:
    by_start = {start: [s for s in searches if s.start == start and s.method != "plain"] for start in STARTS}
    mixedlm = {start: [s for s in of if s.method not in ("bounded", "unbounded")] for start, of in by_start.items()}
    profiled = [search for search in searches if search.method in ("bounded", "unbounded")]
    plain = [search for search in searches if (search.method, search.start) == ("plain", DEFAULT_START)]
    of_mixedlm = [trial for search in searches if search not in profiled for trial in search.trials]
    return [
        _verdict([search for search in searches if search.start == DEFAULT_START]),
        *(_plain(search) for search in plain),
        *(_start(start, of) for start, of in mixedlm.items() if of),
        *(_flag(of_mixedlm) if of_mixedlm else ()),
        *(_unbounded(search) for search in profiled if search.method == "unbounded"),
        *_below([trial for search in searches for trial in search.trials]),
    ]


def _plain(search: Search) -> str:
    models = _models(len(search.trials))
    if search.worst is None:
        return f"Plain MixedLM.fit(), from its own start, found the optimum of {models}."
    missed = len(search.missed)
    named = f"in {search.worst.model} ({how_far(search.worst)})"
    where = f", by the most {named}" if missed > 1 else f", {named}"
    if len(search.trials) == 1:
        return f"Plain MixedLM.fit(), from its own start, missed the optimum {named}, and {_said(search)}."
    return (
        f"Plain MixedLM.fit(), from its own start, missed the optimum of {missed} of {models.removeprefix('all ')}"
        f"{where}; {_said(search)}."
    )


def _said(search: Search) -> str:
    """What those said that missed."""
    missed, misled = len(search.missed), search.misled
    if missed == 1:
        return "it said that it had converged" if misled else "it said that it had not converged"
    if misled in (0, missed):
        return f"in {'none' if misled == 0 else 'all'} of these it said that it had converged"
    return f"in {misled} of these {missed} it said that it had converged"


def _start(start: str, searches: Sequence[Search]) -> str:
    """What MixedLM's methods find from one start."""
    own = ", its own start," if start == DEFAULT_START else ""
    from_there = f"From {STARTS[start]}{own}"
    good = [search.method for search in searches if not search.missed]
    bad = [f"{search.method} (in {len(search.missed)} of {len(search.trials)})" for search in searches if search.missed]
    if not bad:
        every = f"every method of MixedLM ({listed(good)})" if len(good) > 1 else f"MixedLM by {good[0]}"
        return f"{from_there} {every} found the optimum of every model."
    if not good:
        return f"{from_there} MixedLM missed an optimum by every method: {listed(bad)}."
    return f"{from_there} MixedLM found the optimum of every model by {listed(good)}; it missed it by {listed(bad)}."


def _flag(trials: Sequence[Trial]) -> list[str]:
    """What `converged` is worth."""
    missed, found = [t for t in trials if t.missed], [t for t in trials if not t.missed]
    misled, denied = sum(t.converged for t in missed), sum(not t.converged for t in found)
    nowhere = sum(t.above is None for t in missed)
    counted = f"Of all {len(trials)} searches by MixedLM.fit(), {len(missed) or 'none'} missed the optimum"
    if not missed:
        said = [f"{counted}; {denied} of them said that they had not converged." if denied else f"{counted}."]
    else:
        said = [
            f"{counted}, and {misled or 'none'} of these said “converged”; of the {len(found)} that found it, "
            f"{denied or 'none'} said that they had not."
        ]
    if nowhere:
        those = [t for t in missed if t.above is None]
        said.append(
            f"{nowhere} ended without a finite criterion (the log-likelihood was infinite, or the computation broke "
            f"down), and {sum(t.converged for t in those) or 'none'} of these said “converged”."
        )
    return said


def _unbounded(search: Search) -> str:
    """The search without bounds; what that within lme4's bounds found stands beside the optimum of each model."""
    if not search.missed:
        return "This project's Newton search without bounds, from the identity, found the optimum of every model."
    places = listed(f"{trial.model} ({how_far(trial)})" for trial in search.missed)
    return (
        "This project's Newton search without bounds, from the identity, stopped above the optimum in "
        f"{len(search.missed)} of {len(search.trials)} models: {places}."
    )


def _verdict(searches: Sequence[Search]) -> str:
    """Which of those that choose their start by themselves found every optimum."""
    good = [_name(search) for search in searches if not search.missed]
    if len(good) == len(searches):
        return "Every search that was tried from the identity found the optimum of every model."
    if not good:
        return "Every search that was tried from the identity missed an optimum."
    return (
        f"Of the searches that were tried from the identity, {listed(good)} found the optimum of every model; each of "
        "the others missed one."
    )


def _name(search: Search) -> str:
    """A search in the middle of a sentence."""
    names = {"bounded": "NLopt's BOBYQA within lme4's bounds", "unbounded": "this project's Newton search"}
    if search.method in names:
        return names[search.method]
    return "plain MixedLM.fit()" if search.method == "plain" else f"MixedLM by {search.method}"


def _below(trials: Sequence[Trial]) -> list[str]:
    """A doubt about the optimum itself."""
    lower = [t for t in trials if t.above is not None and t.above < -ELSEWHERE]
    if not lower:
        return []
    named = dict.fromkeys(f"{t.model} ({SEARCHES[t.method]}, {fixed(-(t.above or 0), 2)} lower)" for t in lower)
    return [f"A search ended below what is called the optimum here, which it therefore is not: {listed(named)}."]


def _models(n: int) -> str:
    return "the one model" if n == 1 else f"all {n} models"
