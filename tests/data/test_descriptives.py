"""Descriptives and frequencies, against numbers computed by hand, and against those of R."""

import pandas as pd
import pytest
from twolevel.data.descriptives import MOST_LEVELS, descriptives, frequencies

TABLE = pd.DataFrame(
    {
        "ward": ["a", "a", "b", "b", "b", "c"],
        "x": [1.0, 3.0, None, 5.0, 7.0, 9.0],
        "arm": pd.Categorical(["no", "yes", "no", None, "no", "no"], ["no", "yes", "unused"]),
        "kind": pd.Categorical(["old", "old", "new", "new", "new", "new"], ["old", "new"]),
        "beds": [10, 10, 20, 20, 20, 40],
    }
)
GROUPS = TABLE[["ward", "kind", "beds"]].drop_duplicates().assign(n=[2, 3, 1])
KEY = ["level", "column", "by", "category"]


def test_numbers_of_each_level() -> None:
    found = descriptives(TABLE, GROUPS, "ward").set_index(KEY)
    # R: x <- c(1, 3, NA, 5, 7, 9); mean(x, na.rm = TRUE); sd(x, na.rm = TRUE)
    assert found.loc[(1, "x", "", "")].tolist() == [5, 1, 5.0, pytest.approx(3.1622776601683795), 1.0, 9.0]
    # Wards count once each: R: mean(c(10, 20, 40)); sd(c(10, 20, 40))
    beds = found.loc[(2, "beds", "", "")]
    assert beds.tolist() == [3, 0, pytest.approx(23.3333333333), pytest.approx(15.2752523165), 10.0, 40.0]
    assert (1, "beds", "", "") not in found.index
    assert found.loc[(1, "x", "kind", "old"), "mean"] == 2.0
    assert found.loc[(1, "x", "kind", "new"), ["n", "missing", "mean"]].tolist() == [3, 1, 7.0]
    assert pd.isna(found.loc[(2, "beds", "kind", "old"), "sd"])  # of one ward


def test_levels_of_factors_are_counted() -> None:
    found = frequencies(TABLE, GROUPS, "ward").fillna({"value": ""}).set_index([*KEY, "value"])
    assert found.loc[(1, "arm", "", "", "no")].tolist() == [4, 0.8]
    assert found.loc[(1, "arm", "", "", "yes")].tolist() == [1, 0.2]
    assert found.loc[(1, "arm", "", "", "unused")].tolist() == [0, 0.0]
    assert found.loc[(1, "arm", "", "", ""), "count"] == 1  # missing
    assert found.loc[(2, "kind", "", "", "new")].tolist() == [2, pytest.approx(2 / 3)]
    assert found.loc[(1, "arm", "kind", "old", "yes")].tolist() == [1, 0.5]
    assert not found.index.isin([(2, "kind", "kind", "old", "old")]).any()


def test_many_levels_split_nothing() -> None:
    n = MOST_LEVELS + 1
    table = pd.DataFrame({"g": range(n), "x": 1.0, "district": pd.Categorical(map(str, range(n)))})
    groups = table[["g", "district"]]
    assert set(descriptives(table, groups, "g")["by"]) == {""}
    assert len(frequencies(table, groups, "g")) == n


def test_those_of_hsb_are_r_s(hsb: pd.DataFrame) -> None:
    # R: with(hsb, c(mean(mathach), sd(mathach))); the textbook (Raudenbush & Bryk 2002, table 4.1) has 12.75 and 6.88
    groups = hsb.drop_duplicates("school")[["school", "sector", "mean.ses"]]
    found = descriptives(hsb, groups, "school").set_index(KEY)
    assert found.loc[(1, "mathach", "", ""), ["mean", "sd"]].tolist() == pytest.approx([12.747853, 6.878246], abs=1e-6)
    assert found.loc[(2, "mean.ses", "", ""), "n"] == 160
