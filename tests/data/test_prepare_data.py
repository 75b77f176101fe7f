"""The script that prepares the table: what it joins, and what it says of the data."""

import json
from pathlib import Path

import pandas as pd
import prepare_data
import pytest
from twolevel.errors import UserError

DATA = {
    "group": "ward",
    "missing": "leave_out",
    "columns": {"ward": {"type": "identifier"}, "x": {"type": "number"}},
}
JOIN = {"beds": {"join": "wards.csv", "column": "beds"}}


@pytest.fixture
def prepare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run the script on four rows in three wards, two of whose names look alike."""
    monkeypatch.chdir(tmp_path)
    pd.DataFrame({"ward": ["7", "07", "8", "8"], "x": [1.0, 2.0, 3.0, 4.0]}).to_parquet("raw.parquet")
    story = {"source": "mine.csv", "unreadable": {"l": "a list; in R, make one value of it"}}
    Path("provenance.json").write_text(json.dumps(story))

    def run(data: dict = DATA, recipes: dict = JOIN) -> tuple[pd.DataFrame, pd.DataFrame]:
        files = ("raw.parquet", "provenance.json", "table.parquet", "table.csv", "groups.csv")
        prepare_data.main(*map(Path, (*files, "descriptives.csv", "frequencies.csv")), data, recipes)
        return pd.read_parquet("table.parquet"), pd.read_csv("groups.csv", dtype={"ward": "str"})

    return run


def test_a_table_of_groups_is_joined(prepare) -> None:
    Path("wards.csv").write_text("ward;beds\n8;10,5\n07;30\n7;20\n")
    table, groups = prepare()
    assert table["beds"].tolist() == [20, 30, 10.5, 10.5]
    assert groups.set_index("ward")["beds"].to_dict() == {"7": 20, "07": 30, "8": 10.5}


def test_a_table_of_groups_that_is_not_there_or_lacks_one_is_named(prepare) -> None:
    with pytest.raises(UserError, match=r"derive\.beds\.join: there is no file 'wards\.csv'"):
        prepare()
    Path("wards.csv").write_text("ward,beds\n8,10\n7,20\n")
    with pytest.raises(UserError, match=r"derive\.beds\.join: wards\.csv has no row for 1 of 3 groups: '07'"):
        prepare()


def test_names_that_look_alike_are_told(prepare, caplog: pytest.LogCaptureFixture) -> None:
    prepare(recipes={})
    (said,) = caplog.messages
    assert said.startswith("mine.csv, column ward: names that differ only in blanks, case or leading zeros")
    assert "'7', '07'" in said


def test_a_declared_column_that_no_model_can_use_is_named(prepare) -> None:
    columns = DATA["columns"] | {"l": {"type": "number"}}
    with pytest.raises(UserError, match="column l holds a list; in R, make one value of it"):
        prepare(DATA | {"columns": columns}, {})
