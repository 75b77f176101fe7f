"""The claims about a source: read, checked, and each given its evidence."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import pandas as pd

from published.printed_numbers import read_records
from published.run import Finding, Run
from published.solution import NotThereError

KINDS = ("statistics", "wording", "notation", "code", "misprint")
# A study's functions that compute evidence, by the names that claims use.
Evidence = Mapping[str, Callable[[Run], Finding]]

COLUMNS = ("id", "chapter", "section", "kind", "source_says", "correct", "evidence", "shown")


@dataclass(frozen=True)
class Claim:
    """A statement of the source that is wrong.

    Attributes
    ----------
    id, chapter, section : its name, and its place in the source
    kind : one of `KINDS`
    source_says, correct : in a few words
    evidence : name of the function that computes the evidence
    """

    id: str
    chapter: str
    section: str
    kind: str
    source_says: str
    correct: str
    evidence: str


def read_claims(table: pd.DataFrame, name: str, evidence: Evidence) -> list[Claim]:
    """Read the claims from a table of texts; `name` is its file's."""
    return read_records(table, Claim, name, kind=KINDS, evidence=evidence)


def check_claims(claims: Sequence[Claim], run: Run, evidence: Evidence) -> pd.DataFrame:
    """`errata.csv`: each claim with its evidence, and whether the results show it."""
    rows = [asdict(claim) | asdict(_check(claim, run, evidence)) for claim in claims]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _check(claim: Claim, run: Run, evidence: Evidence) -> Finding:
    try:
        found = evidence[claim.evidence](run)
    except NotThereError as missing:
        return Finding(False, f"The results do not hold what it takes: {missing}.")
    return Finding(bool(found.shown), found.evidence)
