"""Formulas that show the corners of R's rules: its designs, or a refusal here that says why."""

import json
from pathlib import Path

import pytest
from lme4_answers import as_list, design_differences
from reference import random_formulas
from twolevel.errors import UserError
from twolevel.model.formula import build_design

REFERENCE = Path(random_formulas.__file__).parent
# Rscript tests/reference/random_formulas.R (tests/reference/README.md)
ANSWERS = json.loads((REFERENCE / "corner_formulas.json").read_text(encoding="utf-8"))
TABLE = random_formulas.read_table(REFERENCE / "random_formulas.csv")

# What R takes and this project refuses, by the reason.
REFUSED_HERE = {
    "an offset is added, and stands alone": [
        "y ~ x + offset(z) - offset(z) + (1|g)",
        "y ~ (offset(x) | g)",
        "offset(y) ~ x + (1|g)",
        "y - offset(x) ~ arm + (1|g)",
    ],
    "1 and 0 are the only constants that are terms": ["y ~ x + NULL + (1|g)", "y ~ x + TRUE + (1|g)"],
    "a random part is added, and in brackets; R drops the operator beside it": [
        "y ~ x * (1 | g)",
        "y ~ x + arm*(1 | g)",
        "y ~ x:(1|g)",
        "y ~ x - (1|g)",
        "y ~ -(1|g) + x",
        "y ~ x | g",
        "y ~ x + 1 | g",
    ],
    "a variance that is split in two cannot be estimated": [
        "y ~ x + (x + z | g) + (1 | g)",
        "y ~ x + (x | g) + (x | g)",
        "y ~ x + (1|g) + (1|g)",
    ],
    "R drops the predictor without an error": ["y ~ y + x + (1|g)"],
    "R reads 1 as the intercept and loses x or the product, where I(1 / x) may be meant": [
        "y ~ 1*x + (1|g)",
        "y ~ x*1 + (1|g)",
        "y ~ 1:x + (1|g)",
        "y ~ x:1 + (1|g)",
        "y ~ 1/x + (1|g)",
        "y ~ x/1 + (1|g)",
        "y ~ x*0 + (1|g)",
        "y ~ x/0 + (1|g)",
    ],
    "a value outside the breaks is missing for R, which leaves the row out": ["y ~ cut(x, c(-1, 1, 3)) + (1|g)"],
    "R takes 3 degrees of freedom for the 2 that are written": ["y ~ bs(x, df = 2) + (1|g)"],
    "polynomial and weighted contrasts, and their arguments": [
        "y ~ cut(x, c(-20, 1, 40), ordered_result = TRUE) + (1|g)",
        "y ~ factor(k, ordered = TRUE) + (1|g)",
        "y ~ C(dose, contr.sum, 1) + (1|g)",
        "y ~ C(dose, contr.poly) + (1|g)",
        "y ~ C(dose, contr.treatment(3, base = 2)) + (1|g)",
    ],
    "functions, arguments and operators that are not in the list": [
        "y ~ I(!old) + (1|g)",
        "y ~ cut(x, c(-20, 1.23456, 40), dig.lab = 5) + (1|g)",
        "y ~ poly(x, 2, simple = TRUE) + (1|g)",
        "y ~ log(u, exp(1)) + (1|g)",
        "y ~ pmin(x, z, na.rm = TRUE) + (1|g)",
        'y ~ factor(dose, levels = c("high", "low", "mid"), labels = c("H", "L", "M")) + (1|g)',
        'y ~ factor(dose, labels = c("L", "M", "H")) + (1|g)',
        'y ~ factor(k, labels = "k") + (1|g)',
        "y ~ as.integer(k) + (1|g)",
        "y ~ bs(x, intercept = TRUE) + 0 + (1|g)",
        "y ~ bs(x, df = 4, Boundary.knots = c(-10, 10)) + (1|g)",
        "y ~ ns(x, df = 3, Boundary.knots = c(-10, 10)) + (1|g)",
        "y ~ I(x*0x10) + (1|g)",
        'y ~ I(dose %in% c("low", "mid")) + (1|g)',
    ],
}
NOT_HERE = {formula for formulas in REFUSED_HERE.values() for formula in formulas}
# lme4 1.1-31 writes `~ (1 | g) + (0 + | g)` for it, and cannot read that.
ONLY_HERE = {"y ~ x + (1 || g)"}
TAKEN = {answer["formula"]: answer for answer in ANSWERS if "refused" not in answer}
REFUSED = [answer["formula"] for answer in ANSWERS if "refused" in answer]


def test_the_fixture_answers_the_list() -> None:
    listed = (REFERENCE / "corner_formulas.txt").read_text(encoding="utf-8").splitlines()
    assert [answer["formula"] for answer in ANSWERS] == listed
    assert set(TAKEN) >= NOT_HERE
    assert set(REFUSED) >= ONLY_HERE


@pytest.mark.parametrize("formula", [formula for formula in TAKEN if formula not in NOT_HERE])
def test_a_design_is_r_s(formula: str) -> None:
    differences = design_differences(build_design(formula, TABLE, "g"), TAKEN[formula], TABLE)
    assert differences == [], as_list(differences)


@pytest.mark.parametrize("formula", [*(formula for formula in REFUSED if formula not in ONLY_HERE), *sorted(NOT_HERE)])
def test_a_formula_is_refused(formula: str) -> None:
    with pytest.raises(UserError, match="formula"):
        build_design(formula, TABLE, "g")


@pytest.mark.parametrize("formula", sorted(ONLY_HERE))
def test_a_formula_is_taken_here_alone(formula: str) -> None:
    design = build_design(formula, TABLE, "g")
    assert design.fixed_terms == ("(Intercept)", "x")
    assert design.random_terms == ("(Intercept)",)
