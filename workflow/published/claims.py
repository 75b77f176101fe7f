"""The claims about a source: read, checked, and each given its evidence."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields

import pandas as pd
from twolevel.errors import UserError

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
    expected = [field.name for field in fields(Claim)]
    if list(table.columns) != expected:
        raise UserError(f"{name} has the columns {', '.join(table.columns)}; expected {', '.join(expected)}.")
    claims = [Claim(*values) for values in table.itertuples(index=False)]
    for column, allowed in (("kind", KINDS), ("evidence", tuple(evidence))):
        for claim in claims:
            if getattr(claim, column) not in allowed:
                found = f"row {claim.id} has the {column} {getattr(claim, column)!r}"
                raise UserError(f"{name}: {found}; expected one of {', '.join(allowed)}.")
    if repeated := sorted({claim.id for claim in claims if sum(other.id == claim.id for other in claims) > 1}):
        raise UserError(f"{name}: the id {', '.join(repeated)} occurs more than once; give each row its own.")
    return claims


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
