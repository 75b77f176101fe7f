"""How the results of two runs differ: sizes, verdicts, figures, the paragraph, the page and the table."""

from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest
import yaml
from changes.comparison import Comparison, Run, compare_runs
from changes.contract import read_contract
from changes.digest import digest_of
from changes.listing import listing
from changes.page import render
from changes.pictures import other_pictures, thumbnail
from changes.rows import Rows
from changes.words import paragraph
from conftest import ROOT
from PIL import Image, ImageDraw

TABLES = read_contract(
    yaml.safe_load((ROOT / "workflow/changes/tolerances.yaml").read_text(encoding="utf-8")), "tolerances.yaml"
)
TEMPLATE = (ROOT / "workflow/changes/changes.html.j2").read_text(encoding="utf-8")


def fixed(estimate: float, std_error: float = 0.5, p_value: float = 0.01) -> dict[str, str]:
    empty = dict.fromkeys(next(table for table in TABLES if table.name == "fixed_effects").values, "")
    return empty | {"estimate": repr(estimate), "std_error": repr(std_error), "p_value": repr(p_value)}


def interval(label: str, estimate: float, lower: float, upper: float) -> dict[str, str]:
    empty = dict.fromkeys(next(table for table in TABLES if table.name == "intervals").values, "")
    told = {"label": label, "estimate": repr(estimate), "lower": repr(lower), "upper": repr(upper), "level": "0.95"}
    return empty | told


# A slope and an intercept; the residual's standard deviation, whose bootstrap interval is 2 x 1.96 x 0.1 wide.
FIXED: Rows = {("m", "(Intercept)"): fixed(10.0), ("m", "x"): fixed(2.0, 0.25, 0.04)}
RANDOM: Rows = {
    ("m", "normal", ".sigma"): interval("residual SD", 3.0, 3 - 0.1959964, 3 + 0.1959964),
    ("m", "wald", "x"): interval("x", 2.0, 1.5, 2.5),
}
TESTS: Rows = {("c", "LRT"): {"statistic": "4", "df": "1", "ddf": "", "p_value": "0.0455", "monte_carlo_error": ""}}
LEDGER: Rows = {("n1",): {"printed": "2", "computed": "2", "verdict": "match"}}
FIT: Rows = {("m", "singular"): {"value": "false"}, ("m", "ml.trustworthy"): {"value": "true"}}
BEFORE = {"fixed_effects": FIXED, "intervals": RANDOM, "comparison_tests": TESTS, "ledger": LEDGER, "fit": FIT}


def compared(**after: Rows) -> Comparison:
    every = {table.name: {} for table in TABLES}
    return compare_runs(Run("then", every | BEFORE), Run("now", every | BEFORE | after), TABLES)


def test_nothing_differs_between_a_run_and_itself() -> None:
    comparison = compared()
    assert not comparison.differs
    assert listing(comparison).empty
    assert "None of the 3 estimates moved." in paragraph(comparison)
    page = render(comparison, TEMPLATE, "changes.csv")
    assert "<p>Nothing changed. " in page
    assert "<table" not in page


def test_estimates_are_told_in_their_standard_errors_the_largest_first() -> None:
    moved = {("m", "(Intercept)"): fixed(10.1), ("m", "x"): fixed(1.5, 0.3, 0.04)}
    spread = {**RANDOM, ("m", "normal", ".sigma"): interval("residual SD", 3.05, 2.8, 3.3)}
    comparison = compared(fixed_effects=moved, intervals=spread)
    # (1.5 - 2) / 0.25 = -2; 0.05 / 0.1 = 0.5; 0.1 / 0.5 = 0.2.
    assert [(move.name, pytest.approx(move.size, rel=1e-6)) for move in comparison.moves] == [
        ("x", -2.0),
        ("residual SD", 0.5),
        ("(Intercept)", 0.2),
    ]
    assert (
        paragraph(comparison)
        .split(" moved; ")[1]
        .startswith(
            "the one that moved most is x of m, from 2 to 1.5, by 2 standard errors. No test has another verdict"
        )
    )
    rows = listing(comparison)
    assert rows["standard_errors"].dropna().astype(float).tolist() == pytest.approx([-2, 0.5, 0.2], rel=1e-6)


def test_rounding_is_no_move() -> None:
    assert not compared(fixed_effects={**FIXED, ("m", "x"): fixed(2.0 + 1e-7, 0.25, 0.04)}).moves


def test_an_estimate_that_is_new_or_gone_is_told_without_a_size() -> None:
    comparison = compared(fixed_effects={("m", "(Intercept)"): fixed(10.0), ("m", "z"): fixed(1.0)})
    assert {(row.row, row.change) for row in listing(comparison).itertuples() if row.part == "estimate"} == {
        ("x", "removed"),
        ("z", "added"),
    }
    assert listing(comparison)["standard_errors"].isna().all()
    assert "2 of 3 estimates moved. No test" in paragraph(comparison)


@pytest.mark.parametrize(("p_value", "verdicts"), [("0.0499", 0), ("0.05", 1), ("0.2", 1), ("", 0)])
def test_a_test_has_another_verdict_where_five_per_cent_is_crossed(p_value: str, verdicts: int) -> None:
    comparison = compared(comparison_tests={("c", "LRT"): {**TESTS["c", "LRT"], "p_value": p_value}})
    assert len(comparison.verdicts) == verdicts
    if verdicts:
        assert "1 test has another verdict at 5 %: LRT of c." in paragraph(comparison)


def test_t_tests_fits_and_printed_numbers_have_verdicts_too() -> None:
    comparison = compared(
        fixed_effects={**FIXED, ("m", "x"): fixed(2.0, 0.25, 0.06)},
        fit={("m", "singular"): {"value": "true"}, ("m", "ml.trustworthy"): {"value": "true"}},
        ledger={("n1",): {"printed": "2", "computed": "3", "verdict": "mismatch"}},
    )
    assert [(of.kind, of.where, of.name, of.before, of.after) for of in comparison.verdicts] == [
        ("test", "m", "x", "0.04", "0.06"),
        ("fit", "m", "singular", "false", "true"),
        ("ledger", "n1", "verdict", "match", "mismatch"),
    ]
    said = paragraph(comparison)
    assert "What is said of the fit is another for m. 1 number of the ledger has another verdict." in said
    assert said.endswith("In all, 3 rows of the results differ by more than rounding.")


def picture(x: int, color: str = "black") -> bytes:
    image = Image.new("RGB", (900, 600), "white")
    ImageDraw.Draw(image).ellipse((x, 300, x + 12, 312), fill=color)
    stream = BytesIO()
    image.save(stream, "PNG")
    return thumbnail(stream.getvalue())


def test_figures_are_side_by_side_where_a_person_would_see_a_difference() -> None:
    before = {"same": picture(100), "moved": picture(100), "gone": picture(100)}
    after = {"same": picture(100, "#080808"), "moved": picture(140), "new": picture(100)}
    found = {of.name: (of.before is None, of.after is None) for of in other_pictures(before, after)}
    assert found == {"moved": (False, False), "gone": (False, True), "new": (True, False)}
    runs = [Run(name, BEFORE, None, of) for name, of in (("then", before), ("now", after))]
    comparison = compare_runs(*runs, [table for table in TABLES if table.name in BEFORE])
    assert "3 of 4 figures differ." in paragraph(comparison)
    assert render(comparison, TEMPLATE, "changes.csv").count("<img ") == 4


def test_the_page_holds_names_that_are_markup_and_shows_both_values_of_a_row() -> None:
    table = pd.DataFrame({"<b>": ["a", "a", "b", "b"], "x": [1.5, 2.5, 3.5, 4.5], "y": [1, 2, 3, 4]})
    other = table.assign(x=[1.5, 2.25, 3.5, 4.5])
    runs = [Run("then & there", {}, digest_of(of, "<b>"), {}, of) for of in (table, other)]
    comparison = compare_runs(*runs, [of for of in TABLES if of.name == "fixed_effects"])
    page = render(comparison, TEMPLATE, "changes.csv")
    assert "<b>" not in page
    assert "then &amp; there" in page
    assert '<td>row 2</td><td>row altered</td><td>x</td><td class="number">2.5</td><td class="number">2.25</td>' in page
    (row,) = listing(comparison).itertuples()
    assert (row.where, row.row, row.column, row.before, row.after) == ("a", "row 2", "x", 2.5, 2.25)


def test_a_run_that_does_not_remember_its_data_is_compared_without_them(tmp_path: Path) -> None:
    comparison = compared(fixed_effects={**FIXED, ("m", "x"): fixed(1.5, 0.25, 0.04)})
    assert paragraph(comparison).startswith("The data were not compared, since one of the two runs does not remember")
    file = tmp_path / "changes.csv"
    listing(comparison).to_csv(file, index=False)
    assert pd.read_csv(file)["part"].tolist() == ["estimate", "value"]
