"""The baseline: every way in which results can differ from what was accepted is seen and named, and nothing else is.

The expected lines are written out from what each test changes.
"""

import csv
import math

import pytest
import yaml
from changes.contract import AcceptedTable, Tolerance, read_contract
from changes.differences import Moved, left_out, moved, renewed
from changes.rows import baseline_text, rows_of_baseline, rows_of_results, shortened
from changes.telling import MOST_LINES, MadeFrom, told
from conftest import ROOT, documented_tables
from twolevel.errors import UserError
from twolevel.output.words import ELSEWHERE

ACCEPTED = ROOT / "studies/hsb/accepted"
CONTRACT = {
    "tolerances": {
        "text": {"text": True, "because": "words"},
        "exact": {"because": "counts"},
        "estimate": {"absolute": 1e-8, "relative": 1e-6, "because": "rounding"},
    },
    "tables": {
        "effects": {
            "files": "models/{model}/effects.csv",
            "key": ["term"],
            "values": {"estimate": "estimate", "n": "exact", "method": "text"},
            "rests_on": [
                {"settings": ["bootstrap.seed"], "where": {"method": ["bootstrap"]}},
                {"settings": ["level"]},
            ],
        },
        "fit": {
            "files": "models/{model}/fit.json",
            "values": {"criterion": "estimate", "ml.theta": "estimate", "singular": "text", "walls.element": "text"},
        },
    },
}
EFFECTS, FIT = read_contract(CONTRACT, "contract")
FILE = "models/a/effects.csv"
TABLE = "term,estimate,n,method,note\n(Intercept),12.5,160,wald,x\ncses,2.25,160,bootstrap,y\n"
JSON = '{"criterion": 46714.25, "ml": {"theta": [0.5, 0.25]}, "singular": false, "walls": [{"element": "theta_22"}]}'


def effects(text: str = TABLE, file: str = FILE) -> dict:
    return rows_of_results(EFFECTS, {file: text})


def lines(found: dict, accepted: dict | None = None, table: AcceptedTable = EFFECTS, **options) -> list[str]:
    return [str(line) for line in moved(table, effects() if accepted is None else accepted, found, **options)]


# -------------------------------------------------------------------------------------------------- the way of a value


def test_the_same_results_are_as_accepted() -> None:
    assert lines(effects()) == []


def test_a_value_that_moved_is_named_with_both_and_the_distance_allowed() -> None:
    assert lines(effects(TABLE.replace("2.25", "2.26"))) == [
        f"results/{FILE}, cses: estimate was accepted as 2.25 and is 2.26: 0.01 apart, 2.3e-06 allowed (estimate)"
    ]


def test_every_row_that_moved_has_a_line_with_its_values() -> None:
    assert lines(effects(TABLE.replace("12.5,160", "13.5,161").replace("bootstrap", "profile"))) == [
        f"results/{FILE}, (Intercept): estimate was accepted as 12.5 and is 13.5: 1 apart, 1.3e-05 allowed (estimate); "
        "n was accepted as 160 and is 161: 1 apart, 0 allowed (exact)",
        f"results/{FILE}, cses: method was accepted as bootstrap and is profile",
    ]


def test_of_many_values_in_a_row_the_first_are_told() -> None:
    for names, rest in (("abcde", "2 more columns"), ("abcd", "1 more column")):
        table = AcceptedTable("t", "t.csv", ("id",), {name: Tolerance("exact") for name in names}, ())
        rows = [{("x",): dict.fromkeys(names, value)} for value in "12"]
        (line,) = lines(rows[1], rows[0], table)
        assert line.count("was accepted as 1 and is 2") == 3
        assert line.endswith(f"; {rest}")


def test_the_sign_counts() -> None:
    assert len(lines(effects(TABLE.replace("2.25", "-2.25")))) == 1


def test_a_column_that_is_not_accepted_may_change() -> None:
    assert lines(effects(TABLE.replace(",x\n", ",z\n"))) == []


def test_a_count_may_not_move_at_all_but_may_be_written_otherwise() -> None:
    assert lines(effects(TABLE.replace("160,wald", "160.0,wald"))) == []
    assert len(lines(effects(TABLE.replace("160,wald", "160.0000001,wald")))) == 1


def test_a_row_that_is_missing_or_new_is_named() -> None:
    found = effects(TABLE.replace("cses,", "sectorCatholic,"))
    assert lines(found) == [
        f"results/{FILE}, cses: a row that is missing",
        f"results/{FILE}, sectorCatholic: a row that is not in the baseline",
    ]


def test_a_file_that_is_missing_or_new_is_named_once() -> None:
    assert lines(effects(file="models/b/effects.csv")) == [
        "results/models/a/effects.csv is not among the results (2 rows)",
        "results/models/b/effects.csv is not in the baseline (2 rows)",
    ]
    assert lines({}) == ["results/models/a/effects.csv is not among the results (2 rows)"]


def test_another_model_s_row_is_not_taken_for_it() -> None:
    both = effects() | effects(TABLE.replace("2.25", "9"), "models/b/effects.csv")
    swapped = effects(TABLE.replace("2.25", "9")) | effects(TABLE, "models/b/effects.csv")
    assert [line.split(",")[0] for line in lines(swapped, both)] == [f"results/models/{m}/effects.csv" for m in "ab"]


@pytest.mark.parametrize(
    ("accepted", "found", "same"),
    [
        ("2.0", "2.000002", True),  # 1e-6 of 2 and 1e-8
        ("2.0", "2.0000021", False),
        ("2.0", "1.9999979", False),
        ("0", "1e-8", True),
        ("0", "1.1e-8", False),
        ("2.0e-20", "0", True),
        ("", "", True),
        ("", "nan", True),
        ("NaN", "", True),
        ("", "0", False),
        ("0", "", False),
        ("inf", "inf", True),
        ("inf", "-inf", False),
        ("1", "inf", False),
        ("1", "< 2e-16", False),
        ("< 2e-16", "< 2e-16", True),
    ],
)
def test_how_far_a_number_may_move(accepted: str, found: str, same: bool) -> None:
    assert Tolerance("estimate", absolute=1e-8, relative=1e-6).allows(accepted, found) is same


def test_a_text_is_the_same_characters_even_where_it_is_a_number() -> None:
    text = Tolerance("text", text=True)
    assert text.allows("0.10", "0.10")
    assert not text.allows("0.10", "0.1")
    assert not text.allows("match", "")


@pytest.mark.parametrize(
    ("accepted", "found", "same"),
    [("1e-9", "1e-4", True), ("3.2", "180", True), ("", "180", True), ("1e-9", "0.2", False), ("1e-9", "", False)],
)
def test_where_only_a_side_counts(accepted: str, found: str, same: bool) -> None:
    missed = Tolerance("missed", beyond=1e-3)
    assert missed.allows(accepted, found) is same
    assert missed.allows(found, accepted) is same


# ------------------------------------------------------------------------------------------------------ what is read


def test_entries_of_json_are_rows_with_their_places() -> None:
    rows = rows_of_results(FIT, {"models/a/fit.json": JSON})
    assert {key[-1]: row["value"] for key, row in rows.items()} == {
        "criterion": "46714.25",
        "ml.theta[0]": "0.5",
        "ml.theta[1]": "0.25",
        "singular": "false",
        "walls[0].element": "theta_22",
    }


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "0.25]",
            "0.26]",
            "ml.theta[1]: value was accepted as 0.25 and is 0.26: 0.01 apart, 2.6e-07 allowed (estimate)",
        ),
        (", 0.25]", "]", "ml.theta[1]: a row that is missing"),
        ("false", "true", "singular: value was accepted as false and is true"),
        ("46714.25", "null", "criterion: a row that is missing"),
        ('[{"element": "theta_22"}]', "[]", "walls[0].element: a row that is missing"),
    ],
)
def test_an_entry_of_json_that_moved_is_named(old: str, new: str, says: str) -> None:
    accepted = rows_of_results(FIT, {"models/a/fit.json": JSON})
    found = rows_of_results(FIT, {"models/a/fit.json": JSON.replace(old, new)})
    assert lines(found, accepted, FIT) == [f"results/models/a/fit.json, {says}"]


def test_a_file_of_another_place_is_none_of_a_table_s() -> None:
    assert EFFECTS.match(FILE) == ("a",)
    for other in ("models/a/b/effects.csv", "models/effects.csv", "models/a/effects_csv", "x/models/a/effects.csv"):
        assert EFFECTS.match(other) is None


def test_a_column_that_the_results_lack_is_named() -> None:
    with pytest.raises(UserError, match=r"models/a/effects.csv has no column estimate, .*it has term, value, n"):
        effects("term,value,n,method\n")


def test_a_key_that_does_not_tell_rows_apart_is_refused() -> None:
    with pytest.raises(UserError, match=r"models/a/effects.csv has two rows cses: the contract of effects"):
        effects(TABLE + "cses,1,1,wald,z\n")


def test_a_tolerance_that_is_not_there_is_refused() -> None:
    table = {"files": "x.csv", "key": ["id"], "values": {"y": "estimat"}}
    with pytest.raises(
        UserError, match=r"contract: tables.x.values.y: no tolerance is called 'estimat'; there are text"
    ):
        read_contract({**CONTRACT, "tables": {"x": table}}, "contract")


# ------------------------------------------------------------------------------------------------------- the baseline


@pytest.mark.parametrize(("table", "text", "file"), [(EFFECTS, TABLE, FILE), (FIT, JSON, "models/a/fit.json")])
def test_a_baseline_is_read_as_it_was_written(table: AcceptedTable, text: str, file: str) -> None:
    rows = renewed(table, {}, rows_of_results(table, {file: text}))
    assert rows_of_baseline(table, baseline_text(table, rows)) == rows


def test_twelve_digits_are_kept() -> None:
    assert shortened("46714.23404965884") == "46714.2340497"
    assert shortened("-7.859223160494802e-05") == "-7.85922316049e-05"
    assert [shortened(text) for text in ("7185", "123456789012345", "", "theta_22")] == [
        "7185",
        "123456789012345",
        "",
        "theta_22",
    ]


def test_what_has_not_moved_stays_as_it_was_accepted() -> None:
    found = effects(TABLE.replace("12.5", "12.500000001").replace("2.25", "2.2600000000000002"))
    text = baseline_text(EFFECTS, renewed(EFFECTS, effects(), found))
    assert text == "model,term,estimate,n,method\na,(Intercept),12.5,160,wald\na,cses,2.26,160,bootstrap\n"


def test_small_steps_do_not_add_up_unseen() -> None:
    accepted = effects()
    for step in range(1, 5):
        found = effects(TABLE.replace("2.25", repr(2.25 * (1 + 0.4e-6 * step))))
        assert bool(lines(found, accepted)) == (step > 2)
        accepted = renewed(EFFECTS, accepted, found) if step <= 2 else accepted


def test_a_column_that_is_new_to_the_contract_is_seen() -> None:
    old = rows_of_baseline(EFFECTS, "model,term,estimate,n\na,(Intercept),12.5,160\na,cses,2.25,160\n")
    assert lines(effects(), old)[1] == f"results/{FILE}, cses: method was accepted as empty and is bootstrap"


def test_a_baseline_with_another_key_holds_nothing() -> None:
    assert rows_of_baseline(EFFECTS, "term,estimate,n,method\ncses,2.25,160,wald\n") == {}


# -------------------------------------------------------------------------------------------------- data and settings


def test_rows_that_rest_on_a_changed_setting_are_counted_not_compared() -> None:
    found = effects(TABLE.replace("12.5", "13.5").replace("2.25", "3.25"))
    seed = frozenset({"bootstrap.seed"})
    assert [line.split(":")[0] for line in lines(found, changed=seed)] == [f"results/{FILE}, (Intercept)"]
    assert left_out(EFFECTS, effects(), seed) == 1
    assert lines(found, changed=frozenset({"level"})) == []
    assert left_out(EFFECTS, effects(), frozenset({"level"})) == 2
    assert len(lines(found, changed=frozenset({"elsewhere"}))) == 2


def test_nothing_to_tell_where_all_is_as_accepted() -> None:
    assert told([], MadeFrom("a", {"seed": 1}), MadeFrom("a", {"seed": 1}), 0) == ""


def test_other_data_are_said_first() -> None:
    one, other = MadeFrom("aaa", {"seed": 1}), MadeFrom("bbb", {"seed": 2})
    first, second, third = told([Moved("x.csv", ", y")], one, other, 7).splitlines()
    assert first.startswith(
        "The data are not those of the baseline: the prepared table has SHA-256 bbb, the baseline's"
    )
    assert first.endswith("All that follows may come from that.")
    assert second.startswith("seed is 2, and the baseline was made with 1: of the accepted rows 7")
    assert third == "results/x.csv, y"
    assert told([], one, MadeFrom("bbb", {"seed": 1}), 0).endswith("No accepted value moved with them.")


def test_many_differences_are_counted_by_file() -> None:
    differences = [Moved("a.csv", f", {i}") for i in range(MOST_LINES)]
    differences += [Moved("b.csv", ""), Moved("c.csv", ", 1"), Moved("c.csv", ", 2")]
    text = told(differences, MadeFrom("a", {}), MadeFrom("a", {}), 0).splitlines()
    assert text[MOST_LINES - 1] == f"results/a.csv, {MOST_LINES - 1}"
    assert text[MOST_LINES:] == ["and 3 more:", "  2 in results/c.csv", "  1 in results/b.csv"]


# --------------------------------------------------------------------------------------------------- the project's own


@pytest.fixture(scope="module")
def contract() -> dict:
    general, own = (
        yaml.safe_load(file.read_text(encoding="utf-8"))
        for file in (ROOT / "workflow/changes/tolerances.yaml", ACCEPTED / "tolerances.yaml")
    )
    parts = {part: general[part] | own.get(part, {}) for part in general}
    return parts | {"not_accepted": {_of_hsb(file): why for file, why in parts["not_accepted"].items()}}


def _of_hsb(file: str) -> str:
    return file.replace("<group>", "school")


def test_every_table_of_the_results_is_accepted_or_it_is_said_why_not(contract: dict) -> None:
    documented = documented_tables(ROOT)
    files = [
        entry["files"].replace("{model}", "*").replace("{comparison}", "*") for entry in contract["tables"].values()
    ]
    accepted = {file for file in files if file.endswith(".csv")}
    assert accepted | set(contract["not_accepted"]) == set(documented)
    assert not accepted & set(contract["not_accepted"])


def test_accepted_columns_are_those_of_the_results(contract: dict) -> None:
    documented = documented_tables(ROOT)
    for entry in contract["tables"].values():
        file = entry["files"].replace("{model}", "*").replace("{comparison}", "*")
        if file.endswith(".csv"):
            assert {*entry["key"], *entry["values"]} <= {*documented[file]}, file


def test_every_tolerance_has_a_reason_and_a_use(contract: dict) -> None:
    used = {kind for entry in contract["tables"].values() for kind in entry["values"].values()}
    assert used == set(contract["tolerances"])
    assert all(stated["because"] for stated in contract["tolerances"].values())
    assert contract["tolerances"]["missed"]["beyond"] == ELSEWHERE
    for kind, stated in contract["tolerances"].items():
        assert max(stated.get("relative", 0.0), stated.get("absolute", 0.0)) <= 1e-3, kind


def test_the_committed_baseline_is_that_of_the_contract(contract: dict) -> None:
    folder = ACCEPTED
    assert {file.stem for file in folder.glob("*.csv")} - {"history"} == set(contract["tables"])
    for table in read_contract(contract, "tolerances.yaml"):
        text = (folder / f"{table.name}.csv").read_text(encoding="utf-8")
        rows = rows_of_baseline(table, text)
        assert rows
        assert baseline_text(table, rows) == text, table.name


def test_the_committed_baseline_is_at_lme4_s_optima(lme4: dict) -> None:
    # A baseline could be accepted by mistake. 1e-5: the criterion is flat at an optimum, where lme4's search stops.
    with (ACCEPTED / "fit.csv").open(encoding="utf-8", newline="") as file:
        found = {
            (row["model"], row["quantity"]): float(row["value"])
            for row in csv.DictReader(file)
            if "criterion" in row["quantity"]
        }
    for model, reference in lme4["models"].items():
        assert math.isclose(found[model, "criterion"], reference["REML"]["criterion"], abs_tol=1e-5), model
        assert math.isclose(found[model, "ml.criterion"], reference["ML"]["criterion"], abs_tol=1e-5), model
