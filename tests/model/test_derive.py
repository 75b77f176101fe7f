"""Derived columns, against R and against arithmetic that is exact."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from twolevel.data.recipes import cut_like_r, group_mean
from twolevel.errors import UserError
from twolevel.model.derive import derive, group_level_columns, group_table

RECIPES = {
    "mean.ses": {"group_mean": "ses", "label": "mean"},
    "cses": {"centre_within_group": "ses"},
    "mean.ses.cat": {"cut": "mean.ses", "breaks": 3, "labels": ["low", "middle", "high"]},
}


def table(**replaced: object) -> pd.DataFrame:
    """Six students in three schools whose means, 1, 2 and 4, fall into the three thirds of their range."""
    return pd.DataFrame(
        {
            "school": ["b", "a", "a", "c", "b", "c"],
            "ses": [0.5, 1.0, 3.0, 4.25, 1.5, 3.75],
        }
        | replaced
    )


# R 4.2.2: cut(c(...), breaks = k, labels = FALSE)
R_CUTS = [
    ([0, 1, 2, 3], 3, [1, 1, 2, 3]),
    ([-3, -1, 1, 3], 3, [1, 1, 2, 3]),
    (list(range(-6, 7)), 4, [1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]),
    ([i / 10 for i in range(1, 8)], 3, [1, 1, 1, 2, 2, 3, 3]),
    ([0.1, 0.4, 0.7, 1], 3, [1, 1, 2, 3]),
    ([-0.9, -0.3, 0.3, 0.9], 3, [1, 2, 3, 3]),  # the inner edges are rounded: -0.3 is above one of them
    ([5, 1, 4, 2, 3], 2, [2, 1, 2, 1, 1]),
    ([1e6, 1e6 + 1 / 3, 1e6 + 2 / 3, 1e6 + 1], 3, [1, 1, 2, 3]),
    ([0, 1 / 3, 2 / 3, 1, 1 / 3 + 2**-54, 2 / 3 + 2**-53], 3, [1, 1, 2, 3, 2, 3]),
    ([1e-300, 2e-300, 3e-300], 2, [1, 1, 2]),
    ([-1, -1e-17, 0, 1e-17, 1], 2, [1, 1, 1, 2, 2]),
    ([0, 0.999, 1, 1.001, 2, 2.002, 3], 3, [1, 1, 1, 2, 2, 3, 3]),
]


@pytest.mark.parametrize(("values", "breaks", "codes"), R_CUTS)
def test_cut_is_r_s(values: list[float], breaks: int, codes: list[int]) -> None:
    labels = [f"label {code}" for code in range(1, breaks + 1)]
    cut = cut_like_r(pd.Series(values, dtype=float), breaks, labels)
    assert cut.tolist() == [f"label {code}" for code in codes]
    assert cut.cat.categories.tolist() == labels
    assert cut.cat.ordered


@pytest.mark.parametrize("values", [[2.0, 2.0, 2.0], [0.0, 0.0], [1.0, 1.0 + 2**-52], [1e300, 1e300 * (1 + 2**-52)]])
def test_values_too_close_to_cut_are_refused(values: list[float]) -> None:
    with pytest.raises(UserError, match="too close to be divided into 3 ranges"):
        cut_like_r(pd.Series(values), 3, ["a", "b", "c"])


def test_derived_columns_come_in_order_at_the_end() -> None:
    derived = derive(table(), "school", RECIPES)
    assert list(derived) == ["school", "ses", "mean.ses", "cses", "mean.ses.cat"]
    assert derived["mean.ses"].tolist() == [1, 2, 2, 4, 1, 4]
    assert derived["cses"].tolist() == [-0.5, -1, 1, 0.25, 0.5, -0.25]
    # edges 1, 2, 3, 4: 2 belongs to the lower range
    assert derived["mean.ses.cat"].tolist() == ["low", "low", "low", "high", "low", "high"]
    assert derived["mean.ses.cat"].cat.categories.tolist() == ["low", "middle", "high"]


def test_a_group_mean_is_the_same_for_every_order_and_within_one_rounding() -> None:
    rng = np.random.default_rng(2)
    values = pd.Series(rng.normal(size=500) * 10.0 ** rng.integers(-12, 12, size=500))
    groups = pd.Series(rng.integers(0, 5, size=500).astype(str))
    means = group_mean(values, groups)
    for _ in range(5):
        order = rng.permutation(500)
        shuffled = group_mean(values[order], groups[order])
        assert shuffled.loc[values.index].tolist() == means.tolist()
    for label, members in values.groupby(groups):
        exact = sum(map(Fraction, members)) / len(members)
        mean = Fraction(means[groups == label].iloc[0])
        # Two roundings, of the sum and of the quotient: each at most half a unit in the last place, 2^-53.
        assert abs(mean - exact) <= abs(exact) * Fraction(2, 2**53) * Fraction(101, 100)


@pytest.mark.parametrize("as_stored", [lambda values: values, lambda values: values.astype("str")])
def test_the_files_own_columns_may_differ_by_rounding_and_are_replaced(as_stored) -> None:
    expected = derive(table(), "school", RECIPES)
    own = expected[["cses", "mean.ses.cat"]].assign(**{"mean.ses": expected["mean.ses"] + 1e-10}).apply(as_stored)
    derived = derive(pd.concat([own, table()], axis=1), "school", RECIPES)
    pd.testing.assert_frame_equal(derived, expected, check_exact=True)


@pytest.mark.parametrize("unit", [1e-12, 1e-6, 1.0, 1e9])
def test_how_far_the_file_s_own_column_may_be_off_goes_with_the_unit(unit: float) -> None:
    # A column that is off by a thousandth differs in any unit; one that is off by 1e-12 of its size does in none.
    scaled = table(ses=unit * table()["ses"])
    own = derive(scaled, "school", RECIPES)["mean.ses"]
    derive(scaled.assign(**{"mean.ses": own * (1 + 1e-12)}), "school", RECIPES)
    with pytest.raises(UserError, match=r"'mean\.ses' .* differ"):
        derive(scaled.assign(**{"mean.ses": own * 1.001}), "school", RECIPES)


def test_rounding_of_what_a_column_is_derived_from_is_no_difference() -> None:
    # Deviations of a constant 1e9: another program's sum leaves 1e-7, the rounding of one such number.
    groups = pd.DataFrame({"school": ["a", "a", "b", "b"], "t": 1e9, "own": [1e-7, -1e-7, 0.0, 0.0]})
    derive(groups, "school", {"own": {"centre_within_group": "t"}})
    with pytest.raises(UserError, match=r"'own' .* 2 of 4 rows"):
        derive(groups.assign(own=[1e-3, -1e-3, 0.0, 0.0]), "school", {"own": {"centre_within_group": "t"}})


@pytest.mark.parametrize(
    ("name", "own", "message"),
    [
        (
            "mean.ses",
            [1.0, 2.0, 2.5, 4.0, 1.0, 4.0],
            "'mean.ses' .*: it differs in 1 of 6 rows and 1 of 3 groups, the most by 0.5 where 4e-09",
        ),
        (
            "cses",
            ["-0.5", "-1", "1", "0.25", None, "none"],
            "'cses' .*: it differs in 2 of 6 rows and 2 of 3 groups, the most by 0 where .*; 2 without a number",
        ),
        (
            "mean.ses.cat",
            pd.Categorical(["low", "middle", "low", "high", "low", None]),
            "'mean.ses.cat' .*: it differs in 2 of 6 rows and 2 of 3 groups, first in row 2: middle in the file, low",
        ),
    ],
)
def test_a_file_whose_own_column_differs_is_refused(name: str, own: object, message: str) -> None:
    with pytest.raises(UserError, match=message) as raised:
        derive(table(**{name: own}), "school", RECIPES)
    assert "To use the derived one, remove or rename it" in str(raised.value)


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (
            {"group_mean": "income"},
            r"derive\.new\.group_mean: there is no column 'income'; there are school, ses\.",
        ),
        (
            {"centre_within_group": "school"},
            r"derive\.new\.centre_within_group: column 'school' is not a number",
        ),
        ({"cut": "ses", "breaks": 3, "labels": ["a", "b"]}, r"there are 3 ranges and the labels \['a', 'b'\]"),
        ({"cut": "ses", "at": [0, 1], "labels": ["a", "b"]}, r"there are 3 ranges and the labels \['a', 'b'\]"),
        ({"cut": "ses", "quantiles": 2, "labels": ["a", "a"]}, r"there are 2 ranges and the labels \['a', 'a'\]"),
        ({"cut": "ses", "breaks": 2, "labels": ["a", "a"]}, "as many different labels"),
        ({"cut": "ses", "breaks": 1, "labels": ["a"]}, "at least 2 ranges"),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_named(recipe: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        derive(table(), "school", {"new": recipe})


def test_a_constant_column_cannot_be_cut() -> None:
    with pytest.raises(UserError, match=r"derive\.new\.cut: in column 'ses', values from 2\.0 to 2\.0 are"):
        derive(table(ses=2.0), "school", {"new": {"cut": "ses", "breaks": 2, "labels": ["a", "b"]}})


def test_a_recipe_does_not_use_the_files_own_column_before_it_is_derived() -> None:
    late = {"cat": {"cut": "mean", "breaks": 2, "labels": ["a", "b"]}, "mean": {"group_mean": "ses"}}
    with pytest.raises(UserError, match=r"derive\.cat\.cut: there is no column 'mean'"):
        derive(table(mean=[1.0, 2.0, 2.0, 4.0, 1.0, 4.0]), "school", late)


def test_one_row_per_group_in_order_of_first_appearance() -> None:
    columns = {"school": {"type": "identifier"}, "size": {"type": "number", "group_level": True}}
    names = group_level_columns(columns, RECIPES)
    assert names == ["size", "mean.ses", "mean.ses.cat"]
    derived = derive(table(size=[9.0, 8.0, 8.0, 7.0, 9.0, 7.0]).drop(index=5), "school", RECIPES)
    groups = group_table(derived, "school", names)
    assert groups["school"].tolist() == ["b", "a", "c"]
    assert groups["n"].tolist() == [2, 2, 1]
    assert groups["size"].tolist() == [9, 8, 7]
    assert groups["mean.ses"].tolist() == [1, 2, 4.25]
    assert groups["mean.ses.cat"].cat.ordered


def test_a_cut_of_an_observations_own_value_is_not_a_group_level_column() -> None:
    assert group_level_columns({}, {"ses.cat": {"cut": "ses", "breaks": 2, "labels": ["a", "b"]}}) == []


def test_a_group_level_column_named_n_is_refused() -> None:
    of_groups = {"type": "number", "group_level": True}
    assert group_level_columns({"n": {"type": "number"}, "size": of_groups}, {}) == ["size"]
    with pytest.raises(UserError, match=r"^data\.columns\.n: .* 'n' is the number of observations of a group"):
        group_level_columns({"n": of_groups}, {})
    with pytest.raises(UserError, match=r"^derive\.n: "):
        group_level_columns({"ses": {"type": "number"}}, {"n": {"group_size": "ses"}})


@pytest.mark.parametrize("recipe", [{"group_mean": "ses"}, {"formula": "ses - 1"}, {"lag": "size", "order": "ses"}])
def test_a_column_is_not_made_from_itself(recipe: dict[str, object]) -> None:
    with pytest.raises(UserError, match=r"^derive\.ses: a column cannot be made from itself; give the new column"):
        derive(table(), "school", {"ses": recipe})


EVERY_KIND = {
    "spread": {"group_sd": "ses"},
    "n.ses": {"group_size": "ses"},
    "women": {"group_share": "sex", "of": "F"},
    "gses": {"centre_at_grand_mean": "ses"},
    "gsize": {"centre_at_grand_mean": "size", "over": "groups"},
    "zses": {"standardise": "ses"},
    "zsize": {"standardise": "size", "over": "groups"},
    "gain": {"formula": "size - 2 * ses^2"},
    "logsize": {"formula": "log(size)"},
    "female": {"recode": "sex", "to": {"M": 0, "F": 1}},
    "big": {"cut": "size", "at": [7.5], "labels": ["small", "big"]},
    "half": {"cut": "ses", "quantiles": 2, "labels": ["lower", "upper"]},
    "before": {"lag": "ses", "order": "ses"},
    "beds": {"join": "wards.csv", "column": "beds"},
}


def full_table() -> pd.DataFrame:
    sex = pd.Categorical(["M", "F", "M", "F", "F", "M"], categories=["M", "F"], ordered=True)
    return table(size=[9.0, 8.0, 8.0, 7.0, 9.0, 7.0], sex=sex)


def test_every_kind_of_recipe_in_one_table() -> None:
    wards = pd.DataFrame({"school": ["a", "b", "c"], "beds": [1.0, 2.0, 3.0]})
    derived = derive(full_table(), "school", EVERY_KIND, {"wards.csv": wards})
    assert list(derived)[4:] == list(EVERY_KIND)
    assert derived["gsize"].tolist() == [1, 0, 0, -1, 1, -1]
    assert derived["zsize"].tolist() == [1, 0, 0, -1, 1, -1]  # the SD of 9, 8, 7 is 1
    assert derived["gain"].tolist() == [8.5, 6.0, -10.0, -29.125, 4.5, -21.125]
    assert derived["female"].tolist() == [0, 1, 0, 1, 1, 0]
    assert derived["women"].tolist() == [0.5] * 6
    assert derived["big"].tolist() == ["big", "big", "big", "small", "big", "small"]
    assert derived["before"].fillna(-1).tolist() == [-1, -1, 1, 3.75, 0.5, -1]
    assert derived["beds"].tolist() == [2, 1, 1, 3, 2, 3]


def test_what_is_made_of_groups_alone_is_of_groups() -> None:
    columns = {"school": {"type": "identifier"}, "size": {"type": "number", "group_level": True}}
    of_groups = ["size", "spread", "n.ses", "women", "gsize", "zsize", "logsize", "big", "beds"]
    assert group_level_columns(columns, EVERY_KIND) == of_groups


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({"group_share": "sex", "of": "X"}, r"derive\.new\.of: 'sex' has no level 'X'; its levels are M, F"),
        ({"group_share": "ses", "of": "1"}, r"derive\.new\.of: 'ses' has no level '1'; it is not a factor"),
        (
            {"recode": "sex", "to": {"M": "m"}},
            r"derive\.new\.to: there is no new value for the level 'F' of 'sex', which has M, F",
        ),
        ({"recode": "sex", "to": {"M": "m", "W": "f", "F": "f"}}, r"derive\.new\.to: 'W' is not a level of 'sex'"),
        ({"formula": "sess + 1"}, r"derive\.new\.formula: formula 'sess \+ 1': no column sess; there are school, ses"),
        ({"formula": "ses +"}, r"derive\.new\.formula: formula 'ses \+', character"),
        ({"formula": "system(ses)"}, r"derive\.new\.formula: .*system\(\) is not supported"),
        ({"formula": "sex + 1"}, r"derive\.new\.formula: .*sex is a factor, which arithmetic cannot use|sex \+ 1 is"),
        ({"formula": "poly(ses, 2)"}, r"derive\.new\.formula: .*does not give numbers"),
        (
            {"formula": "log(ses - 1)"},
            r"derive\.new\.formula: .*not a finite number in 2 rows, first in row 1: ses = 0\.5",
        ),
        (
            {"lag": "ses", "order": "size"},
            r"derive\.new\.lag: in column 'ses', two rows of a group have the same place in the order",
        ),
        (
            {"standardise": "ses", "over": "groups"},
            r"derive\.new\.standardise: in column 'ses', over: groups needs one",
        ),
    ],
)
def test_a_new_recipe_that_cannot_be_followed_is_named(recipe: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        derive(full_table(), "school", {"new": recipe})


def test_a_formula_of_a_missing_value_is_missing() -> None:
    derived = derive(table(ses=[1.0, None, 3.0, 4.0, 5.0, 6.0]), "school", {"new": {"formula": "ses^2"}})
    assert derived["new"].isna().tolist() == [False, True, False, False, False, False]
