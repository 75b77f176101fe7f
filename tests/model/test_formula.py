"""From lme4 formulas to design matrices."""

import numpy as np
import pandas as pd
import pytest
from twolevel.errors import UserError
from twolevel.likelihood.crossproducts import cross_products
from twolevel.model.expression import Binary, Bracket, Unary, deparse
from twolevel.model.formula import build_design
from twolevel.model.formula_check import check_formula
from twolevel.model.parser import parse
from twolevel.model.terms import Factor


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


def test_rows_with_missing_values_are_left_out_and_counted(table: pd.DataFrame) -> None:
    # R: nobs(lmer(y ~ x.1 + (1 | g), table)) is 38 where x.1 is NA in row 4 and g in row 8
    table.loc[3, "x.1"] = np.nan
    table.loc[7, "g"] = None
    table.loc[8, "sex"] = np.nan
    design = build_design("y ~ x.1 + (1 | g)", table)
    assert design.dropped == {"x.1": 1, "g": 1}
    np.testing.assert_array_equal(design.rows, np.delete(np.arange(40), [3, 7]))
    np.testing.assert_array_equal(design.x[:, 1], table["x.1"].drop([3, 7]))


def test_calls_with_literals_and_quoted_names(table: pd.DataFrame) -> None:
    design = build_design("y ~ I(x.1**2) + log(`in-come` + 100) + (1|g)", table.assign(**{"in-come": table["x.1"]}))
    assert design.formula == "y ~ I(x.1^2) + log(`in-come` + 100) + (1 | g)"
    np.testing.assert_allclose(design.x[:, 1], table["x.1"] ** 2, rtol=1e-15)
    again = build_design(design.formula, table.assign(**{"in-come": table["x.1"]}))
    assert again.fixed_terms == design.fixed_terms


@pytest.mark.parametrize(
    ("written", "as_r"),
    [
        # R: deparse(y ~ x*z + (x|g)), and so on
        ("y~x*z+(x|g)", "y ~ x * z + (x | g)"),
        ("y ~ x + x : z + (1||g)", "y ~ x + x:z + (1 || g)"),
        ("y  ~ 0+x+(0+x|g)", "y ~ 0 + x + (0 + x | g)"),
        ("y ~ a / x %in% b ** 2 + -x", "y ~ a/x %in% b^2 + -x"),
        ("I( (x - 3) / 2 )", "I((x - 3)/2)"),
        ("log(x,base=10)+ f('a')", 'log(x, base = 10) + f("a")'),
        ("100000 + 1e-4 + 0.50 + 123456 + 1e15 + .1", "1e+05 + 1e-04 + 0.5 + 123456 + 1e+15 + 0.1"),
        ("`wait days` + `x`", "`wait days` + x"),
    ],
)
def test_formulas_are_printed_as_r_prints_them(written: str, as_r: str) -> None:
    assert deparse(parse(written)) == as_r


@pytest.mark.parametrize(
    ("written", "as_r"),
    [
        # R: deparse((quote(-x^2))[[2]]) and the like: which operator is outermost
        ("-x^2", "-(x^2)"),
        ("2^3^2", "2^(3^2)"),
        ("2^-1:3", "(2^-1):3"),
        ("-a:b", "(-a):b"),
        ("a + b:c * d", "a + ((b:c) * d)"),
        ("a %in% b:c", "a %in% (b:c)"),
        ("a * b %in% c", "a * (b %in% c)"),
        ("a - b - c", "(a - b) - c"),
        ("a + b | c", "(a + b) | c"),
        ("a + b > c - d", "(a + b) > (c - d)"),
    ],
)
def test_operators_bind_as_in_r(written: str, as_r: str) -> None:
    assert _bare(parse(written)) == _bare(parse(as_r))


def _bare(node: object) -> object:
    """An expression without its brackets."""
    if isinstance(node, Bracket):
        return _bare(node.inner)
    if isinstance(node, Binary):
        return (node.operator, _bare(node.left), _bare(node.right))
    return (node.operator, _bare(node.operand)) if isinstance(node, Unary) else node


@pytest.mark.parametrize(
    ("formula", "says"),
    [
        ("y ~ y + x.1 + (1 | g)", "y is the response and a predictor"),
        ("y ~ I(2 * y) + x.1 + (1 | g)", "give y exactly"),
        ("y ~ x.1", "no random effects"),
        ("y ~ x.1 + x.1 | g", r"random effects must be added by themselves: \+ \(x \| g\)"),
        ("y ~ x.1 * (1 | g)", "random effects must be added by themselves"),
        ("y ~ x.1 - (1 | g)", "random effects must be added by themselves"),
        ("y ~ x.1 + (1 | g) + (1 | sex)", r"character 26: random effects by 'sex', where the term before has 'g'"),
        ("y ~ x.1 + (1 | g/sex)", "g/sex stands for nested or crossed groups"),
        ("y ~ x.1 + (1 | g:sex)", "g:sex stands for nested or crossed groups"),
        ("y ~ x.1 + (0 | g)", "no random effect before the bar"),
        ("y ~ x.1 + (x.1 | g) + (1 | g)", r"the random effect \(Intercept\) occurs twice"),
        ("y ~ x.1 + (x.1", "character 11: a bracket is not closed"),
        ("~ x.1 + (1 | g)", "no response before '~'"),
        ("y ~ x + (1 | g)", r"character 5: no column x in the data, which has y, x\.1"),
        ("sex ~ x.1 + (1 | g)", "sex is not numeric, and must be one numeric column"),
        ("y ~ . + (1 | g)", "'.' for all other columns is not supported; name the predictors"),
        ("y ~ nothing(x.1) + (1 | g)", r"nothing\(\) is not supported; a formula may call I, log"),
        ("y ~ log(x.1) + (1 | g)", "log\\(x.1\\) has no finite value in \\d+ rows, first where x.1 is -"),
        ("y ~ x.1 + exp(x.1 - x.1) + (1 | g)", r"exp\(x.1 - x.1\) is a combination of the others"),
        ("y ~ 0 + (1 | g)", "there is no fixed effect"),
        ("y ~ kind:sex + (1 | g)", r"For the mean of every cell of factors, leave the intercept out: 0 \+ a:b"),
        ("y ~ x.1^1 + (1 | g)", "a whole number from 2; found 1"),
        ("y ~ C(kind, contr.treatment, 2) + (1 | g)", "base is given by its name: base = ..."),
        ("y ~ poly(x.1, 2, TRUE) + (1 | g)", "raw is given by its name: raw = ..."),
        ("y ~ C(x.1, contr.sum) + (1 | g)", r"write C\(factor\(x\), ...\)"),
        ("y ~ factor(ifelse(x.1 > 0, 0.3, 0.1 + 0.2)) + (1 | g)", "two different numbers are both written 0.3"),
        ("y ~ x.1^Inf + (1 | g)", "a whole number from 2; found Inf"),
        ("y ~ ns(x.1, df = 1e40) + (1 | g)", "expected a whole number from 1"),
        ("y ~ C(kind, contr.treatment, base = kind) + (1 | g)", "the base in C\\(\\) must be the number of a level"),
        ("y ~ kind * 2 + (1 | g)", "2 cannot be part of a product of terms"),
        ("y ~ I(kind * 2) + (1 | g)", "kind is a factor, which arithmetic cannot use"),
        ("y ~ log(x.1, base = TRUE) + (1 | g)", "base is True; expected one number"),
        ("y ~ log(base = 2) + (1 | g)", r"log\(\): it needs x"),
        ("y ~ log(x.1, foot = 2) + (1 | g)", r"there is no argument 'foot'; it takes x, base"),
        ("y ~ x.1 - offset(x.1) + (1 | g)", "an offset is one expression, and is added"),
        ("y ~ cut(x.1, c(0, 1)) + (1 | g)", "fewer than two ranges"),
        ("y ~ cut(x.1, c(0, 1, 2)) + (1 | g)", "has no finite value in"),
        ("y ~ x.1 + relevel(kind, 'q') + (1 | g)", "there is no level 'q'; there are z, b, a"),
    ],
)
def test_what_cannot_be_fitted_is_refused(formula: str, says: str, table: pd.DataFrame) -> None:
    with pytest.raises(UserError, match=says):
        build_design(formula, table)


def test_too_few_observations_for_the_random_effects_are_refused(table: pd.DataFrame) -> None:
    few = table[table.index % 10 < 2]
    with pytest.raises(UserError, match="cannot identify 2 random effects in each of 4 groups"):
        build_design("y ~ x.1 + (x.1 | g)", few)
    with pytest.raises(UserError, match="g has only 1 group; a model needs 2 or more"):
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


def test_all_mistakes_of_a_formula_are_told_at_once() -> None:
    told = check_formula("y ~ xx + foo(x) + log(x, 2, 3) + (zz | g)", ["y", "x", "g"], "g")
    assert len(told) == 4
    for found, says in zip(
        told, ["no column xx", "no column zz", "foo() is not", "log(): it takes x, base"], strict=True
    ):
        assert says in found
    assert check_formula("y ~ x + (x || g)", ["y", "x", "g"], "g") == []
    (other,) = check_formula("y ~ x + (1 | x)", ["y", "x", "g"], "g")
    assert "random effects by 'x', where the column of groups is 'g': crossed or nested groups are not fitted" in other


def test_several_terms_of_a_group_are_independent_blocks(table: pd.DataFrame) -> None:
    # R: names of VarCorr(lmer(y ~ x.1 + (x.1 + kind || g), ...)): g (Intercept), g.1 x.1, g.2 kindz kindb kinda
    design = build_design("y ~ x.1 + (x.1 + kind || g)", table)
    assert design.random_terms == ("(Intercept)", "x.1", "kindz", "kindb", "kinda")
    assert design.blocks == (1, 1, 3)
    assert build_design("y ~ x.1 + (0 + x.1 | g) + (1 | g)", table).blocks == (1, 1)


def test_an_offset_is_taken_off_the_response(table: pd.DataFrame) -> None:
    design = build_design("y ~ x.1 + offset(2 * x.1) + (1 | g)", table)
    assert design.fixed_terms == ("(Intercept)", "x.1")
    np.testing.assert_allclose(design.offset, 2 * table["x.1"], rtol=1e-15)
    np.testing.assert_allclose(design.y, table["y"] - 2 * table["x.1"], rtol=1e-15)
    # R: an offset that is written twice is added once (model.offset(model.frame(y ~ offset(x) + offset(x))))
    twice = build_design("y ~ x.1 + offset(2 * x.1) + offset(2*x.1) + (1 | g)", table)
    np.testing.assert_array_equal(twice.offset, design.offset)


def test_levels_of_text_stand_as_in_the_alphabet(table: pd.DataFrame) -> None:
    # R, in C.UTF-8: levels(factor(c("Banana", "apple", "cherry", "Apple")))
    table["fruit"] = ["Banana", "apple", "cherry", "Apple"] * 10
    design = build_design("y ~ fruit + (1 | g)", table)
    assert design.fixed_terms[1:] == ("fruitApple", "fruitBanana", "fruitcherry")


def test_ranges_to_infinity_are_named_as_in_r(table: pd.DataFrame) -> None:
    # R: levels(cut(0, c(-Inf, 0, 1.5, Inf)))
    design = build_design("y ~ cut(x.1, c(-Inf, 0, 0.5, Inf)) - 1 + (1 | g)", table)
    assert [term.split(")", 2)[-1] for term in design.fixed_terms] == ["(-Inf,0]", "(0,0.5]", "(0.5, Inf]"]


def test_what_each_part_of_a_column_means(table: pd.DataFrame) -> None:
    design = build_design("y ~ kind:sex + poly(x.1, 2) - 1 + (0 + x.1 | g)", table)
    assert design.meanings["kindz"] == Factor("kind", "z", None, "indicator", ("kind",))
    assert design.meanings["sexf"] == Factor("sex", "f", None, "indicator", ("sex",))
    assert design.meanings["poly(x.1, 2)1"].coding == "basis"
    assert design.meanings["x.1"] == Factor("x.1", made_of=("x.1",))
    plain = build_design("y ~ kind + C(sex, contr.sum) + (1 | g)", table).meanings
    assert plain["kindb"] == Factor("kind", "b", "z", "treatment", ("kind",))
    assert plain["C(sex, contr.sum)1"].coding == "contrast"
