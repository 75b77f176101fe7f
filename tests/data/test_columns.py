"""The check of a table against the declared columns: what it returns, and what each mistake is told."""

import numpy as np
import pandas as pd
import pytest
from twolevel.data.columns import check_columns
from twolevel.data.kinds import Column, as_number, as_text
from twolevel.errors import UserError

COLUMNS: dict[str, Column] = {
    "school": {"type": "identifier"},
    "sector": {"type": "factor", "levels": ["Public", "Catholic"], "group_level": True},
    "size": {"type": "number", "min": 1, "max": 10000, "group_level": True},
    "himinty": {"type": "factor", "levels": ["0", "1"]},
    "ses": {"type": "number", "min": -4, "max": 4},
}


def table(**replaced: object) -> pd.DataFrame:
    """Six students in three schools; keyword arguments replace or add columns."""
    return pd.DataFrame(
        {
            "school": [1224, 1224, 1288, 1288, 7, 7],
            "sector": ["Public", "Public", "Catholic", "Catholic", "Public", "Public"],
            "size": [842, 842, 1855, 1855, 30, 30],
            "himinty": [0, 1, 0, 1, 0, 1],
            "ses": [-1.5, 0.25, 0.1, 0.0, 3.0, -4.0],
        }
        | replaced
    )


def complaint(wrong: pd.DataFrame, columns: dict[str, Column] = COLUMNS) -> str:
    """Return the one problem that the check finds."""
    with pytest.raises(UserError) as raised:
        check_columns(wrong, columns, "school", name="mine.csv")
    first, *problems, last = str(raised.value).split("\n")
    assert first == "mine.csv does not fit data.columns, 1 problem:"
    assert last.startswith("Correct the file, or what data.columns says of it.")
    (problem,) = problems
    return problem.removeprefix("  - ")


def test_columns_get_their_declared_types() -> None:
    checked = check_columns(table(), COLUMNS, "school")
    assert list(checked) == list(COLUMNS)
    assert checked["school"].tolist() == ["1224", "1224", "1288", "1288", "7", "7"]
    assert checked["sector"].cat.categories.tolist() == ["Public", "Catholic"]
    assert checked["sector"].cat.ordered
    assert checked["himinty"].cat.ordered
    assert checked["himinty"].tolist() == ["0", "1"] * 3
    assert checked["size"].dtype == checked["ses"].dtype == np.float64
    assert checked["ses"].tolist() == table()["ses"].tolist()


@pytest.mark.parametrize(
    "again",
    [
        lambda plain: plain.astype("str"),
        lambda plain: plain.astype(object),
        lambda plain: plain.astype({"school": float, "himinty": float, "size": "Int64"}),
        lambda plain: plain.astype({"school": "category", "himinty": "category", "size": "category"}),
        lambda plain: plain.set_axis([9, 8, 7, 3, 2, 1]),
    ],
)
def test_the_same_values_in_other_types_give_the_same_table(again) -> None:
    expected = check_columns(table(), COLUMNS, "school")
    pd.testing.assert_frame_equal(check_columns(again(table()), COLUMNS, "school"), expected, check_exact=True)


def test_undeclared_columns_are_left_out_unless_kept() -> None:
    raw = table(cses="0.5", other=1)
    assert list(check_columns(raw, COLUMNS, "school", keep=["cses", "absent"])) == [*COLUMNS, "cses"]


@pytest.mark.parametrize(
    ("replaced", "expected"),
    [
        (
            {"ses": [0, 9, 0, -4.5, 0, 0]},
            "column ses: in 2 of 6 rows the value is outside -4 to 4: row 2 (9.0), row 4 (-4.5)",
        ),
        (
            {"ses": [0, "high", 0, 0, 0, 0]},
            "column ses: in 1 of 6 rows the value is not a finite number: row 2 (high)",
        ),
        (
            {"ses": [0, 0, np.inf, 0, 0, 0]},
            "column ses: in 1 of 6 rows the value is not a finite number: row 3 (inf)",
        ),
        (
            {"ses": [None, 0, 0, 0, 0, None]},
            "column ses: in 2 of 6 rows there is no value: row 1, row 6",
        ),
        (
            {"ses": [9.0] * 6},
            "column ses: in 6 of 6 rows the value is outside -4 to 4: "
            "row 1 (9.0), row 2 (9.0), row 3 (9.0), row 4 (9.0), row 5 (9.0), ...",
        ),
        (
            {"himinty": ["0", "1", "yes", "0", "1", "1"]},
            "column himinty: in 1 of 6 rows the value is not one of 0, 1: row 3 (yes)",
        ),
        (
            {"himinty": [0] * 6},
            "column himinty: no row has the level 1; take it out of levels",
        ),
        (
            {"school": [1, 1, 2, 2, None, None]},
            "column school: in 2 of 6 rows there is no value: row 5, row 6",
        ),
        (
            {"size": [842, 842, 1855, 9, 30, 31]},
            "column size is declared group_level but varies within 2 of 3 groups: 1288 (1855.0, 9.0), 7 (30.0, 31.0)",
        ),
        (
            {"sector": ["Public", "Catholic", "Catholic", "Catholic", "Public", "Public"]},
            "column sector is declared group_level but varies within 1 of 3 groups: 1224 (Public, Catholic)",
        ),
    ],
)
def test_a_wrong_value_is_named_with_its_rows(replaced: dict[str, object], expected: str) -> None:
    assert complaint(table(**replaced)) == expected


def test_one_group_is_refused() -> None:
    one = table(school=1, size=1).drop(columns="sector")
    columns = {name: declared for name, declared in COLUMNS.items() if name != "sector"}
    assert complaint(one, columns) == "column school: a two-level model needs at least 2 groups, and there is 1"


def test_a_missing_column_is_named_beside_those_there_are() -> None:
    assert (
        complaint(table().drop(columns="ses")) == "column ses is missing; the columns are school, sector, size, himinty"
    )


def test_names_that_a_blank_or_a_separator_hides_are_shown_in_quotes() -> None:
    assert "the columns are school, sector, size, himinty, ' ses '" in complaint(
        table().rename(columns={"ses": " ses "})
    )


def test_a_repeated_value_is_refused_where_the_column_is_unique() -> None:
    columns = COLUMNS | {"student": {"type": "identifier", "unique": True}}
    check_columns(table(student=range(6)), columns, "school")
    assert complaint(table(student=[1, 2, 3, 2, 4, 5]), columns) == (
        "column student: in 2 of 6 rows the value is repeated, and must be unique: row 2 (2), row 4 (2)"
    )


def test_bounds_may_be_one_sided_and_include_themselves() -> None:
    columns = COLUMNS | {"ses": {"type": "number", "min": -4}}
    check_columns(table(), columns, "school")
    assert complaint(table(ses=[0, 0, -4.001, 0, 0, 0]), columns).startswith(
        "column ses: in 1 of 6 rows the value is outside -4 to inf"
    )


def test_levels_in_another_order_than_the_files_own_are_refused() -> None:
    """R's own order decides the sign of every coefficient, so a disagreement may not pass."""
    own = table().astype({"sector": pd.CategoricalDtype(["Catholic", "Public"])})
    assert complaint(own) == (
        "column sector: data.columns orders its levels Public, Catholic, the file Catholic, Public; "
        "the first is the reference level"
    )
    same = table().astype({"sector": pd.CategoricalDtype(["Unused", "Public", "Catholic"])})
    check_columns(same, COLUMNS, "school")


def test_several_problems_come_in_one_message() -> None:
    wrong = table(ses=[9, 0, 0, 0, 0, None], himinty="2", size=[1, 2, 3, 3, 4, 4]).drop(columns="sector")
    with pytest.raises(UserError) as raised:
        check_columns(wrong, COLUMNS, "school", name="mine.csv")
    message = str(raised.value)
    assert message.startswith("mine.csv does not fit data.columns, 6 problems:\n")
    for column, problem in [
        ("sector", "is missing"),
        ("ses", "in 1 of 6 rows there is no value: row 6"),
        ("ses", "in 1 of 6 rows the value is outside -4 to 4: row 1 (9.0)"),
        ("himinty", "in 6 of 6 rows the value is not one of 0, 1: row 1 (2)"),
        ("himinty", "no row has the level 0, 1"),
        ("size", "varies within 1 of 3 groups: 1224 (1.0, 2.0)"),
    ]:
        assert any(f"column {column}" in line and problem in line for line in message.split("\n")), (
            column,
            problem,
        )


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(UserError, match=r"mine\.csv has no rows"):
        check_columns(table().iloc[:0], COLUMNS, "school", name="mine.csv")


@pytest.mark.parametrize("group", ["class", "size"])
def test_a_group_that_is_no_declared_identifier_is_refused(group: str) -> None:
    with pytest.raises(UserError, match=rf"data\.group is '{group}': declare .* type: identifier"):
        check_columns(table(), COLUMNS, group)


def test_rows_are_counted_whatever_the_index_says() -> None:
    assert complaint(table(ses=[0, 9, 0, 0, 0, 0]).set_axis([9, 8, 7, 3, 2, 1])).endswith(": row 2 (9)")


def test_text_becomes_the_number_it_stands_for_to_the_last_bit() -> None:
    numbers = np.random.default_rng(1).normal(size=1000) * 10.0 ** np.arange(-20, 20).repeat(25)
    text = pd.Series([repr(float(number)) for number in numbers])
    assert as_number(text).tolist() == numbers.tolist()


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([1.0, None], ["1", None]),  # R numbers its groups in doubles
        ([1.5, 2.0], ["1.5", "2.0"]),
        ([np.inf, 1.0], ["inf", "1.0"]),
        (pd.Categorical(["b", None]), ["b", None]),
        ([True, False], ["TRUE", "FALSE"]),
    ],
)
def test_as_text(values: object, text: list[str | None]) -> None:
    assert [None if pd.isna(each) else each for each in as_text(pd.Series(values))] == text
