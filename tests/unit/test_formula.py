"""From lme4 formulas to design matrices."""

import numpy as np
import pandas as pd
import pytest
from twolevel.errors import UserError
from twolevel.formula import build_design, spaced_as_r


@pytest.fixture
def table() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    kinds = pd.CategoricalDtype(["z", "b", "a"], ordered=True)
    return pd.DataFrame(
        {
            "y": rng.normal(size=40),
            "x.1": rng.normal(size=40),
            "kind": pd.Categorical.from_codes([0, 1, 2, 1] * 10, dtype=kinds),
            "sex": pd.Categorical.from_codes([0, 0, 1, 1, 1] * 8, ["m", "f"], ordered=True),
            "g": np.repeat(list("stuv"), 10),
        }
    )


def test_columns_are_named_and_ordered_as_lme4_has_them(hsb: pd.DataFrame) -> None:
    # R: names(fixef(lmer(mathach ~ cses*mean.ses + cses*sector + (cses | school), HSB)))
    design = build_design("mathach ~ cses*mean.ses + cses*sector + (cses | school)", hsb)
    expected = ("(Intercept)", "cses", "mean.ses", "sectorCatholic", "cses:mean.ses", "cses:sectorCatholic")
    assert design.fixed_terms == expected
    assert design.random_terms == ("(Intercept)", "cses")
    assert len(design.group_labels) == 160


def test_reference_level_is_the_first_not_the_alphabetical(table: pd.DataFrame) -> None:
    design = build_design("y ~ kind + (1 | g)", table)
    assert design.fixed_terms == ("(Intercept)", "kindb", "kinda")
    np.testing.assert_array_equal(design.x[:4, 1:], [[0, 0], [1, 0], [0, 1], [1, 0]])


def test_interaction_varies_the_first_factor_fastest(table: pd.DataFrame) -> None:
    # R: colnames(model.matrix(~ kind * sex)) ends in kindb:sexf, kinda:sexf
    design = build_design("y ~ kind*sex + (1 | g)", table)
    assert design.fixed_terms[-2:] == ("kindb:sexf", "kinda:sexf")
    np.testing.assert_array_equal(design.x[:, 4], design.x[:, 1] * design.x[:, 3])


def test_names_with_dots_and_functions(table: pd.DataFrame) -> None:
    design = build_design("y ~ x.1 + exp(x.1) + (0 + x.1 | g)", table)
    assert design.fixed_terms == ("(Intercept)", "x.1", "exp(x.1)")
    assert design.random_terms == ("x.1",)
    np.testing.assert_allclose(design.x[:, 2], np.exp(table["x.1"]), rtol=1e-15)


def test_incomplete_rows_are_left_out(table: pd.DataFrame) -> None:
    table.loc[3, "x.1"] = np.nan
    design = build_design("y ~ x.1 + (1 | g)", table)
    assert 3 not in design.rows
    assert len(design.rows) == len(design.y) == 39


@pytest.mark.parametrize(
    ("written", "as_r"),
    [
        ("y~x*z+(x|g)", "y ~ x * z + (x | g)"),
        ("y ~ x + x : z + (1|g)", "y ~ x + x:z + (1 | g)"),
        ("y  ~ 0+x+(0+x|g)", "y ~ 0 + x + (0 + x | g)"),
    ],
)
def test_spacing_is_r_s(written: str, as_r: str) -> None:
    assert spaced_as_r(written) == as_r


@pytest.mark.parametrize(
    ("formula", "says"),
    [
        ("y ~ x.1 + (x.1 || g)", r"'\|\|' is not supported"),
        ("y ~ x.1", "no random effects"),
        ("y ~ x.1 + (1 | g) + (1 | sex)", r"2 grouping factors \(g, sex\)"),
        ("y ~ x.1 + (1 | g:sex)", "must be one column"),
        ("y ~ x.1 + (x.1", "cannot be read"),
        ("~ x.1 + (1 | g)", "cannot be read"),
        ("y ~ x + (1 | g)", "no column x in the data, which has y, x.1"),
        ("sex ~ x.1 + (1 | g)", "one numeric column"),
        ("y ~ nothing(x.1) + (1 | g)", "cannot be evaluated"),
        ("y ~ log(x.1) + (1 | g)", "not finite"),
        ("y ~ x.1 + exp(x.1 - x.1) + (1 | g)", r"exp\(x.1 - x.1\) is a combination of the others"),
        ("y ~ 0 + (1 | g)", "at least one fixed"),
        ("y ~ 0 + kind*sex*x.1 + (1 | g)", "coded in two ways"),
    ],
)
def test_what_cannot_be_fitted_is_refused(formula: str, says: str, table: pd.DataFrame) -> None:
    with pytest.raises(UserError, match=says):
        build_design(formula, table)


def test_too_few_observations_for_the_random_effects_are_refused(table: pd.DataFrame) -> None:
    few = table[table.index % 10 < 2]
    with pytest.raises(UserError, match="cannot identify 2 random effects in each of 4 groups"):
        build_design("y ~ x.1 + (x.1 | g)", few)
    with pytest.raises(UserError, match="at least 2 are needed"):
        build_design("y ~ x.1 + (1 | g)", table[table["g"] == "s"])
