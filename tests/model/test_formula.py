"""From lme4 formulas to design matrices."""

import numpy as np
import pandas as pd
import pytest
from twolevel.errors import UserError
from twolevel.likelihood.crossproducts import cross_products
from twolevel.model.formula import build_design, spaced_as_r


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


def test_missing_values_are_refused(table: pd.DataFrame) -> None:
    table.loc[3, "x.1"] = np.nan
    with pytest.raises(UserError, match=r"values are missing in x\.1"):
        build_design("y ~ x.1 + (1 | g)", table)


def test_calls_with_literals_and_quoted_names(table: pd.DataFrame) -> None:
    design = build_design("y ~ I(x.1**2) + log(`in-come` + 100) + (1|g)", table.assign(**{"in-come": table["x.1"]}))
    assert design.formula == "y ~ I(x.1 ** 2) + log(`in-come` + 100) + (1 | g)"
    np.testing.assert_allclose(design.x[:, 1], table["x.1"] ** 2, rtol=1e-15)
    again = build_design(design.formula, table.assign(**{"in-come": table["x.1"]}))
    assert again.fixed_terms == design.fixed_terms


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
        ("y ~ x.1 + (x.1 || g)", "uncorrelated random effects"),
        ("y ~ x.1 + (1 | g) + (0 + x.1 | g)", "uncorrelated random effects"),
        ("y ~ x.1 + offset(x.1) + (1 | g)", r"offset\(\) is not supported; a formula may call log, exp, sqrt and I"),
        ("y ~ scale(x.1) + (1 | g)", r"scale\(\) is not supported"),
        ("y ~ x.1 + (x.1 - 1 | g)", r"or \(0 \+ x \| g\) for a slope alone"),
        ("y ~ y + x.1 + (1 | g)", "give y exactly"),
        ("y ~ x.1", "no random effects"),
        ("y ~ x.1 + (1 | g) + (1 | sex)", r"several terms with '\|'"),
        ("y ~ x.1 + (1 | g:sex)", "must be one column"),
        ("y ~ x.1 + (x.1", "cannot be read"),
        ("~ x.1 + (1 | g)", "cannot be read"),
        ("y ~ x + (1 | g)", "no column x in the data, which has y, x.1"),
        ("sex ~ x.1 + (1 | g)", "one numeric column"),
        ("y ~ nothing(x.1) + (1 | g)", r"nothing\(\) is not supported"),
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


def test_a_response_that_is_a_group_s_own_is_refused(table: pd.DataFrame) -> None:
    table["w"] = table["g"].map({"s": 1.0, "t": 2.0, "u": 3.0, "v": 5.0})
    with pytest.raises(UserError, match="w has one value in each g; a response must vary within groups"):
        build_design("w ~ x.1 + (1 | g)", table)


def test_groups_that_fixed_effects_describe_fully_are_refused(table: pd.DataFrame) -> None:
    for name, values in {"a": [0, 0, 1, 1], "b": [0, 1, 0, 1], "c": [1, 2, 3, 5]}.items():
        table[name] = table["g"].map(dict(zip("stuv", map(float, values), strict=True)))
    with pytest.raises(UserError, match=r"variance of \(Intercept\) cannot be estimated"):
        cross_products(build_design("y ~ a + b + c + (1 | g)", table))
    cross_products(build_design("y ~ a + b + (1 | g)", table))
