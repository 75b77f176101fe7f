"""Formulas that were once misread, with lme4's answers (tests/reference/cases/README.md)."""

import json
from functools import cache
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lme4_answers import as_list, fit_differences, fitted
from twolevel.errors import UserError
from twolevel.model.formula import build_design
from twolevel.model.formula_check import check_formula

CASES = Path(__file__).resolve().parents[1] / "reference/cases"
FORMULAS = json.loads((CASES / "formulas.json").read_text(encoding="utf-8"))
LEVELS = {
    "clinics": {"arm": ["No", "Yes"], "dose": ["low", "mid", "high"], "site": ["urban", "rural"]},
    "collision": {"wave": [1, 2, 3]},
    "machines": {"Machine": ["A", "B", "C"]},
    "ratpupweight": {"Treatment": ["Control", "Low", "High"], "sex": ["Male", "Female"]},
}
# lme4 fits crossed groups and groups of pairs; here they are refused in those words.
OTHER_GROUPS = {"y ~ x + (1 | arm) + (1 | clinic)": "arm", "y ~ x + (1 | clinic:arm)": "clinic:arm"}
TAKEN = {case["formula"]: case for case in FORMULAS if case["fits"] and case["formula"] not in OTHER_GROUPS}
REFUSED = {case["formula"]: case["r_says"] for case in FORMULAS if not case["fits"]}


@cache
def table(name: str) -> pd.DataFrame:
    kinds = {column: pd.CategoricalDtype(levels, ordered=True) for column, levels in LEVELS.get(name, {}).items()}
    return pd.read_csv(CASES / f"{name}.csv").astype(kinds)


def columns(name: str) -> list[str]:
    return list(table(name).columns)


# ------------------------------------------------------------------------------------------- formulas.json


def test_every_line_of_the_file_is_tested() -> None:
    assert len(FORMULAS) == 61
    assert len(TAKEN) + len(REFUSED) + len(OTHER_GROUPS) == 61


@pytest.mark.parametrize("formula", TAKEN)
def test_what_lme4_fits_is_fitted(formula: str) -> None:
    case = TAKEN[formula]
    design, fit = fitted(formula, table("clinics"), "clinic")
    blocks = list(case["random"].values())
    assert design.fixed_terms == tuple(case["fixef"])
    assert design.random_terms == tuple(name for block in blocks for name in block["terms"])
    assert design.blocks == tuple(len(block["terms"]) for block in blocks)
    assert fit.n_obs == case["n_obs"]
    answer = {
        "criterion": case["criterion"],
        "fixef": list(case["fixef"].values()),
        "se": list(case["se"].values()),
        "sigma": case["sigma"],
        "covariance": [block["cov"] for block in blocks],
    }
    differences = fit_differences(design, fit, answer)
    assert differences == [], as_list(differences)


@pytest.mark.parametrize("formula", TAKEN)
def test_what_lme4_fits_has_no_mistake_before_data_are_read(formula: str) -> None:
    assert check_formula(formula, columns("clinics"), "clinic") == []


@pytest.mark.parametrize("formula", REFUSED)
def test_what_r_refuses_is_refused(formula: str) -> None:
    with pytest.raises(UserError, match="formula"):
        build_design(formula, table("clinics"), "clinic")


@pytest.mark.parametrize("formula", [formula for formula, says in REFUSED.items() if "rank deficient" not in says])
def test_what_needs_no_data_is_refused_without_them(formula: str) -> None:
    assert len(check_formula(formula, columns("clinics"), "clinic")) == 1


@pytest.mark.parametrize("formula", OTHER_GROUPS)
def test_other_groups_are_refused_by_name(formula: str) -> None:
    with pytest.raises(UserError) as refusal:
        build_design(formula, table("clinics"), "clinic")
    assert OTHER_GROUPS[formula] in str(refusal.value).partition(formula)[2]
    assert len(check_formula(formula, columns("clinics"), "clinic")) == 1


# ------------------------------------------------------------------------------------------- the other tables

# R, as the README of the cases has it: REMLcrit(fit), fixef(fit), sqrt(diag(as.matrix(vcov(fit)))).
FITS: dict[tuple[str, str, str], dict[str, Any]] = {
    ("gain", "klass", "post - pre ~ treat + (1 | klass)"): {
        "criterion": 2152.08478039,
        "fixef": {"(Intercept)": 5.17743888889, "treat": 2.16564444444},
        "se": [0.527722012917, 0.746311627830],
    },
    ("gain", "klass", "post^2 ~ treat + (1 | klass)"): {
        "criterion": 5803.53400828,
        "fixef": {"(Intercept)": 3014.526923072, "treat": 281.404540539},
        "se": [105.508577742, 149.211661590],
    },
    ("gain", "klass", "post ~ I((x - 4) / 2) + (1 | klass)"): {
        "criterion": 2416.57185345,
        "fixef": {"(Intercept)": 55.43505808856, "I((x - 4)/2)": 1.19213914647},
        "se": [0.708947575936, 0.313129238178],
    },
    ("collision", "g", "y ~ Intercept + (1 | g)"): {
        "criterion": 1135.68551929,
        "fixef": {"(Intercept)": 11.14212272685, "Intercept": -0.01903307688},
        "se": [0.299419219478, 0.168344101170],
    },
    ("income", "town", "y ~ I(income / 100000) + (I(income / 100000) | town)"): {
        "criterion": 9095.14243693,
        "fixef": {"(Intercept)": 3.10558074921, "I(income/1e+05)": 1.78506059698},
        "se": [0.105172799323, 0.110794301736],
    },
    ("machines", "Worker", "score ~ 0 + Machine + (1 | Worker)"): {
        "criterion": 286.878201978,
        "fixef": {"MachineA": 52.3555555556, "MachineB": 60.3222222222, "MachineC": 66.2722222222},
        "se": [2.22931242887, 2.22931242887, 2.22931242887],
    },
    ("machines", "Worker", "score ~ 0 + Machine + (0 + Machine | Worker)"): {
        "criterion": 208.311218316,
        "fixef": {"MachineA": 52.3555555556, "MachineB": 60.3222222222, "MachineC": 66.2722222222},
        "se": [1.68071044771, 3.52854437495, 1.80627247525],
    },
    ("ratpupweight", "Litter", "weight ~ Lsize + log(Lsize) + (1 | Litter)"): {
        "criterion": 457.943403948,
        "fixef": {"(Intercept)": 8.05691614590, "Lsize": -0.00395759723336, "log(Lsize)": -0.75412230209},
        "se": [0.664082405923, 0.0745306002510, 0.607720858782],
    },
}
FITS[("gain", "klass", "post**2 ~ treat + (1 | klass)")] = FITS[("gain", "klass", "post^2 ~ treat + (1 | klass)")]


@pytest.mark.parametrize(("name", "group", "formula"), FITS)
def test_a_fit_is_lme4_s(name: str, group: str, formula: str) -> None:
    design, fit = fitted(formula, table(name), group)
    expected = FITS[name, group, formula]
    assert design.fixed_terms == tuple(expected["fixef"])
    assert fit.criterion == pytest.approx(expected["criterion"], abs=1e-6)
    # Two searches place variances to some 1e-6 of themselves, and fixed effects to less of a standard error.
    se = np.sqrt(np.diag(fit.beta_covariance))
    np.testing.assert_allclose((fit.beta - list(expected["fixef"].values())) / se, 0, atol=1e-4)
    np.testing.assert_allclose(se, expected["se"], rtol=1e-4)


def test_a_dummy_and_a_column_of_the_same_name_are_two_columns() -> None:
    """The factor's level 2 and the number `wave2`: lme4 names both wave2, and has four coefficients."""
    design, fit = fitted("y ~ wave + wave2 + (1 | g)", table("collision"), "g")
    np.testing.assert_array_equal(design.x[:, 3], table("collision")["wave2"])
    assert fit.criterion == pytest.approx(715.723320008, abs=1e-6)
    # Residuals of 0.9 over 240 rows: standard errors are 0.07 to 0.3, and known to 1e-6 of themselves.
    expected = [9.86656259419, 1.26437022516, 2.78491402922, 2.01453583863]
    np.testing.assert_allclose(fit.beta, expected, atol=1e-6)


def test_a_slope_in_dollars_is_the_slope_in_100_000_dollars() -> None:
    _, fit = fitted("y ~ income + (income | town)", table("income"), "town")
    # The same model in another unit: log |X'V^-1 X| is larger by twice the unit's logarithm.
    assert fit.criterion == pytest.approx(9095.14243693 + 2 * log(1e5), abs=1e-6)
    assert fit.beta[1] == pytest.approx(1.78506059698e-5, rel=1e-5)
    assert np.sqrt(fit.beta_covariance[1, 1]) == pytest.approx(0.110794301736e-5, rel=1e-4)
    assert fit.covariance[1, 1] == pytest.approx(0.8943408365943e-10, rel=1e-4)


def test_a_slope_on_unix_seconds_is_the_slope_on_days() -> None:
    """lme4 itself stops 156 above in seconds; it does not in days from 1.6e9 seconds, whose criterion this is."""
    criterion, slope = 4140.1545854, 0.0021268694
    days = "I((sec - 1600000000) / 86400)"
    design, fit = fitted(f"y ~ {days} + ({days} | id)", table("unixtime"), "id")
    assert design.fixed_terms == ("(Intercept)", "I((sec - 1.6e+09)/86400)")
    assert fit.criterion == pytest.approx(criterion, abs=1e-6)
    assert fit.beta[1] == pytest.approx(slope, rel=1e-6)
    _, fit = fitted("y ~ sec + (sec | id)", table("unixtime"), "id")
    # 1 and sec are nearly one column (1e9 seconds, give or take 1e7): the criterion keeps fewer digits.
    assert fit.criterion == pytest.approx(criterion + 2 * log(86400), abs=1e-5)
    assert fit.beta[1] * 86400 == pytest.approx(slope, rel=1e-5)


@pytest.mark.parametrize(
    ("response", "unit", "start"), [("ym", 1e-6, 0), ("yn", 1e-9, 0), ("yk", 1e9, 0), ("yoff", 1, 1e7)]
)
def test_the_unit_and_origin_of_a_response_change_nothing_else(response: str, unit: float, start: float) -> None:
    _, fit = fitted(f"{response} ~ w + c + (1 | g)", table("scale"), "g")
    # lmer(yk ~ w + c + (1 | g)); yoff keeps five decimals of a number of 1e7, and loses digits to the mean.
    expected, errors = [0.760781442833, 0.637171619767, 0.556353625], [0.121910562907, 0.133483316736, 0.118186702238]
    np.testing.assert_allclose((fit.beta - [start, 0, 0]) / unit, expected, atol=1e-6)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.beta_covariance)) / unit, errors, rtol=1e-5)


def test_text_after_a_formula_is_not_dropped() -> None:
    formula = "post ~ (1 | klass) + treat x z"
    with pytest.raises(UserError, match="x z"):
        build_design(formula, table("gain"), "klass")
    assert len(check_formula(formula, columns("gain"), "klass")) == 1


def test_cells_beside_an_intercept_are_refused_as_r_refuses_them() -> None:
    """R: "the fixed-effects model matrix is column rank deficient (rank(X) = 6 < 7 = p)"."""
    with pytest.raises(UserError, match="combination"):
        build_design("weight ~ Treatment:sex + (1 | Litter)", table("ratpupweight"), "Litter")
