"""The errata's own arithmetic, what its table of claims must hold, and what the report makes of it."""

from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from hsb.evidence import EVIDENCE
from hsb.evidence.sampling import all_distinct, expected_distinct
from published.claims import COLUMNS, KINDS, check_claims, read_claims
from published.run import Run, said
from twolevel.errors import UserError
from twolevel.report.errata import HEADINGS, read_errata

CLAIMS = ROOT / "studies/hsb/errata.csv"


def texts() -> pd.DataFrame:
    return pd.read_csv(CLAIMS, dtype="str", keep_default_na=False)


# ---------------------------------------------------------------------------------------------- samples of groups


def test_small_samples_are_counted_one_by_one() -> None:
    sizes, n = [3, 1, 2, 2], 3
    entries = np.repeat(np.arange(4), sizes)
    distinct = [len({*sample}) for sample in combinations(entries.tolist(), n)]
    assert len(distinct) == comb(8, 3)
    assert all_distinct(sizes, n) * len(distinct) == distinct.count(3)
    assert expected_distinct(sizes, n) * len(distinct) == sum(distinct)
    assert all_distinct(sizes, 5) == 0  # there are four groups


def test_a_simulation_gives_the_same_chance_and_the_same_mean(hsb: pd.DataFrame) -> None:
    # R: mean(replicate(1e5, length(unique(sample(HSB$school, 40)))))
    schools = hsb["school"].astype(str).to_numpy()
    sizes = np.unique(schools, return_counts=True)[1].tolist()
    rng, trials = np.random.default_rng(40), 20_000
    drawn = np.array([len(np.unique(rng.choice(schools, 40, replace=False))) for _ in range(trials)])
    # Four standard errors of the mean, and of a share of 0.4 %.
    assert float(expected_distinct(sizes, 40)) == pytest.approx(drawn.mean(), abs=4 * drawn.std() / trials**0.5)
    chance = float(all_distinct(sizes, 40))
    assert chance == pytest.approx((drawn == 40).mean(), abs=4 * (chance / trials) ** 0.5)


# ------------------------------------------------------------------------------------------------------ the claims


def test_every_claim_is_complete_and_every_piece_of_evidence_is_used() -> None:
    claims = read_claims(texts(), CLAIMS.name, EVIDENCE)
    assert {claim.evidence for claim in claims} == set(EVIDENCE)
    assert all(claim.section.startswith(claim.chapter) for claim in claims)
    assert all(claim.source_says and claim.correct for claim in claims)
    assert claims[0].id == "mod3a"
    assert set(HEADINGS) == set(KINDS)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda t: t.rename(columns={"correct": "right"}), "expected id, chapter, section, kind, source_says, correct"),
        (lambda t: t.assign(kind="typo"), "row mod3a has the kind 'typo'; expected one of statistics, wording"),
        (lambda t: t.assign(evidence="guess"), "row mod3a has the evidence 'guess'; expected one of better_optimum"),
        (lambda t: pd.concat([t, t[:1]]), "id has mod3a more than once"),
    ],
)
def test_a_mistake_in_the_table_is_named(change, says: str) -> None:
    with pytest.raises(UserError, match=says):
        read_claims(change(texts()), "claims.csv", EVIDENCE)


def test_on_other_data_nothing_is_shown_and_nothing_fails() -> None:
    run = Run({}, {}, {}, {}, pd.DataFrame({"class": ["a", "b"], "y": [1.0, 2.0]}), "class", ())
    table = check_claims(read_claims(texts(), CLAIMS.name, EVIDENCE), run, EVIDENCE)
    assert tuple(table.columns) == COLUMNS
    assert not table["shown"].any()
    assert table["evidence"].str.startswith("The results do not hold what it takes").all()


def test_a_number_for_a_sentence() -> None:
    assert [said(-0.004), said(-50.424), said(46503.39), said(0.5, 0)] == ["0.00", "−50.42", "46,503.39", "0"]


# ------------------------------------------------------------------------------------------------------ the report


def table(*shown: bool) -> pd.DataFrame:
    row = {"chapter": 8, "source_says": "u_2j & <sex>", "correct": "`γ` γ_10, of u_mod", "evidence": "36.5 %"}
    kinds = ("notation", "code", "notation")
    rows = [
        row | {"id": f"e{i}", "section": "8.2", "kind": kind, "shown": here}
        for i, (kind, here) in enumerate(zip(kinds, shown, strict=True))
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def test_the_report_groups_claims_and_writes_symbols() -> None:
    errata = read_errata(table(True, True, True))
    assert [(heading, [it.id for it in claims]) for heading, claims in errata.groups] == [
        ("Symbols", ["e0", "e2"]),
        ("Code", ["e1"]),
    ]
    claim = errata.groups[0][1][0]
    assert claim.says == "<i>u</i><sub>2j</sub> &amp; &lt;sex&gt;"
    assert claim.correct == "<code>γ</code> <i>γ</i><sub>10</sub>, of u_mod"
    assert claim.evidence == "36.5\N{NO-BREAK SPACE}%"


def test_the_report_tells_no_claim_that_is_not_shown() -> None:
    errata = read_errata(table(True, False, False))
    assert [it.id for _, claims in errata.groups for it in claims] == ["e0"]
    assert (errata.shown, errata.left_out) == (1, 2)
    assert read_errata(table(False, False, False)).groups == []
