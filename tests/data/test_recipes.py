"""What recipes make of columns, against R's values and against theory."""

import numpy as np
import pandas as pd
import pytest
from twolevel.data import recipes
from twolevel.data.recipes import ValuesError

GROUPS = pd.Series(["a", "a", "b", "b", "b", "c"], name="ward")
X = pd.Series([1.0, 3.0, 2.0, np.nan, 6.0, 5.0])
SIZE = pd.Series([10.0, 10.0, 40.0, 40.0, 40.0, 10.0])
NAN = float("nan")


def close(numbers: list[float]) -> object:
    """Each a few roundings from its true value."""
    return pytest.approx(numbers, rel=1e-14, nan_ok=True)


def values(of: pd.Series) -> list[object]:
    return [None if pd.isna(value) else value for value in of.tolist()]


def test_summaries_of_groups() -> None:
    # R: x <- c(1, 3, 2, NA, 6, 5); g <- c("a","a","b","b","b","c"); ave(x, g, FUN = function(v) sd(v, na.rm = TRUE))
    assert recipes.group_sd(X, GROUPS).tolist() == close([2**0.5, 2**0.5, 8**0.5, 8**0.5, 8**0.5, NAN])
    assert values(recipes.group_size(X, GROUPS)) == [2, 2, 2, 2, 2, 1]
    assert values(recipes.group_size(GROUPS, GROUPS)) == [2, 2, 3, 3, 3, 1]
    arm = pd.Series(pd.Categorical(["No", "Yes", "Yes", None, "No", "No"]))
    assert values(recipes.group_share(arm, GROUPS, "Yes")) == [0.5, 0.5, 0.5, 0.5, 0.5, 0.0]


def test_grand_means_count_rows_or_groups() -> None:
    # Over the five rows with a value 17 / 5; over groups (10 + 40 + 10) / 3.
    assert recipes.centre(X, GROUPS, "rows").tolist() == close([-2.4, -0.4, -1.4, NAN, 2.6, 1.6])
    assert values(recipes.centre(SIZE, GROUPS, "groups")) == [-10, -10, 20, 20, 20, -10]
    with pytest.raises(ValuesError, match="varies within 2 of 3: a, b"):
        recipes.centre(X, GROUPS, "groups")


def test_standardising() -> None:
    # R: scale(c(1, 3, 2, NA, 6, 5)); and scale(c(10, 40, 10)), whose SD is sqrt(300)
    right = [
        -1.15738277320898919,
        -0.19289712886816482,
        -0.67513995103857694,
        NAN,
        1.25383133764307164,
        0.7715885154726595,
    ]
    assert recipes.standardise(X, GROUPS, "rows").tolist() == close(right)
    of_groups = recipes.standardise(SIZE, GROUPS, "groups")
    assert of_groups.tolist() == close([-10 / 300**0.5] * 2 + [20 / 300**0.5] * 3 + [-10 / 300**0.5])
    with pytest.raises(ValuesError, match="all values are the same"):
        recipes.standardise(pd.Series([2.0] * 6), GROUPS, "rows")


def test_the_order_of_the_rows_changes_no_bit() -> None:
    rng = np.random.default_rng(3)
    x = pd.Series(rng.normal(size=300) * 10.0 ** rng.integers(-9, 9, size=300))
    groups = pd.Series(rng.integers(0, 7, size=300).astype(str))
    order = rng.permutation(300)
    for make in (
        recipes.group_sd,
        lambda x, g: recipes.centre(x, g, "rows"),
        lambda x, g: recipes.standardise(x, g, "rows"),
    ):
        assert make(x[order], groups[order]).loc[x.index].tolist() == make(x, groups).tolist()


def test_cutting_at_points_is_r_s() -> None:
    # R: cut(c(1, 3, 2, NA, 6, 5), c(-Inf, 2, 5, Inf), c("low", "mid", "high"))
    cut = recipes.cut_at(X, [2, 5], ["low", "mid", "high"])
    assert values(cut) == ["low", "mid", "low", None, "high", "mid"]
    assert cut.cat.categories.tolist() == ["low", "mid", "high"]


def test_cutting_at_quantiles_is_r_s() -> None:
    # R: x <- c(1, 3, 2, NA, 6, 5); cut(x, quantile(x, 0:2/2, na.rm = TRUE), c("low", "high"), include.lowest = TRUE)
    assert values(recipes.cut_at_quantiles(X, GROUPS, "rows", ["low", "high"])) == [
        *("low", "low", "low", None, "high", "high")
    ]
    # R: x <- c(3, 1, 4, 1.5, 5, 9, 2, 6); cut(x, quantile(x, 0:3/3), labels = FALSE, include.lowest = TRUE)
    many = pd.Series([3, 1, 4, 1.5, 5, 9, 2, 6])
    cut = recipes.cut_at_quantiles(many, pd.Series(list("abcdefgh")), "rows", ["1", "2", "3"])
    assert values(cut) == ["2", "1", "2", "1", "3", "3", "1", "3"]
    with pytest.raises(
        ValuesError, match="so many values are equal that 2 parts cannot be told apart: they would be cut at 10, 10, 40"
    ):
        recipes.cut_at_quantiles(SIZE, GROUPS, "groups", ["low", "high"])


def test_recoding_collapses_levels_in_the_order_given() -> None:
    arm = pd.Series(pd.Categorical(["a", "b", "c", None], categories=["a", "b", "c"]))
    made = recipes.recode(arm, {"c": "low", "a": "high", "b": "high"})
    assert values(made) == ["high", "high", "low", None]
    assert made.cat.categories.tolist() == ["low", "high"]
    assert values(recipes.recode(arm, {"a": 0, "b": 1.5, "c": None})) == [0, 1.5, None, None]
    assert values(recipes.recode(pd.Series([1.0, 2.0]), {"1": "one", "2": "two"})) == ["one", "two"]
    with pytest.raises(ValuesError, match="`to` gives no new value for '3'"):
        recipes.recode(pd.Series([1.0, 3.0]), {"1": "one", "2": "two"})
    with pytest.raises(ValuesError, match="has texts and numbers, 1, 'q'"):
        recipes.recode(arm, {"a": 1, "b": "q", "c": "q"})
    with pytest.raises(ValuesError, match="makes every value missing"):
        recipes.recode(arm, dict.fromkeys("abc"))


def test_lags_stay_within_groups() -> None:
    day = pd.Series([2.0, 1.0, 5.0, 1.0, 3.0, 1.0])
    assert values(recipes.lag(X, GROUPS, day, 1)) == [3, None, 6, None, None, None]  # b in order: missing, 6, 2
    assert values(recipes.lag(X, GROUPS, day, 2)) == [None, None, None, None, None, None]
    arm = pd.Series(pd.Categorical(list("uvwxyz")))
    assert values(recipes.lag(arm, GROUPS, day, 1)) == ["v", None, "y", None, "x", None]
    with pytest.raises(ValuesError, match=r"a value comes again in 1 row, first row 2 \(a, 1\)"):
        recipes.lag(X, GROUPS, pd.Series([1.0, 1.0, 1.0, 2.0, 3.0, 1.0]), 1)
    with pytest.raises(ValuesError, match="the column of the order has no value in 1 row, first in row 4"):
        recipes.lag(X, GROUPS, X, 1)


def test_a_table_of_groups_is_joined_by_their_names() -> None:
    wards = pd.DataFrame({"ward": ["c", "a", "b"], "beds": ["7", None, "20"], "kind": ["new", "old", "new"]})
    assert values(recipes.join(GROUPS, wards, "beds", None, "w.csv")) == [None, None, 20, 20, 20, 7]
    kind = recipes.join(GROUPS, wards, "kind", ["old", "new"], "w.csv")
    assert values(kind) == ["old", "old", "new", "new", "new", "new"]
    assert kind.cat.categories.tolist() == ["old", "new"]
    numbered = pd.DataFrame({"ward": [1.0, 2.0], "beds": [5, 6]})  # R numbers groups in doubles
    assert values(recipes.join(pd.Series(["2", "1"], name="ward"), numbered, "beds", None, "w.csv")) == [6, 5]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"ward": ["a", "b", "d"]}, r"w\.csv has no row for 1 of 3 groups: 'c'"),
        ({"ward": ["a", "a", "b"]}, r"w\.csv has more than one row for a"),
        ({"beds": ["7", "many", "20"]}, r"w\.csv, column beds, has values that are not numbers: many"),
    ],
)
def test_a_join_that_does_not_fit_names_what(change: dict[str, list[str]], says: str) -> None:
    wards = pd.DataFrame({"ward": ["a", "b", "c"], "beds": ["7", "8", "20"]} | change)
    with pytest.raises(ValuesError, match=says):
        recipes.join(GROUPS, wards, "beds", None, "w.csv")


def test_a_join_names_columns_and_levels_that_are_not_there() -> None:
    wards = pd.DataFrame({"ward": ["a", "b", "c"], "kind": ["old", "new", "odd"]})
    with pytest.raises(ValuesError, match=r"has no column 'beds'; it has ward, kind"):
        recipes.join(GROUPS, wards, "beds", None, "w.csv")
    with pytest.raises(ValuesError, match="column kind, has odd, not among the levels old, new"):
        recipes.join(GROUPS, wards, "kind", ["old", "new"], "w.csv")
