"""Formulas drawn from a grammar, against R's model.matrix and lme4's fits."""

import json
import subprocess
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lme4_answers import as_list, design_differences, fit_differences, fitted
from reference import random_formulas
from twolevel.errors import UserError
from twolevel.fitting.fit import Fit
from twolevel.model.design import Design
from twolevel.model.formula import build_design

REFERENCE = Path(random_formulas.__file__).parent
# Rscript tests/reference/random_formulas.R (tests/reference/README.md)
ANSWERS = json.loads((REFERENCE / "random_formulas.json").read_text(encoding="utf-8"))
TABLE = random_formulas.read_table(REFERENCE / "random_formulas.csv")
TAKEN = {answer["formula"]: answer for answer in ANSWERS if "refused" not in answer}
REFUSED = {answer["formula"]: answer["refused"] for answer in ANSWERS if "refused" in answer}

# as.factor() takes a logical column, C() does not; here it has two levels, FALSE and TRUE.
MAY_BE_FITTED = "object not interpretable as a factor"


# All of them take five seconds.
DRAWN = [pytest.param(formula, marks=pytest.mark.slow if i % 5 else ()) for i, formula in enumerate(TAKEN)]


@cache
def made(formula: str) -> tuple[Design, Fit]:
    return fitted(formula, TABLE, "g")


def test_the_fixture_is_what_the_script_draws() -> None:
    assert [answer["formula"] for answer in ANSWERS] == random_formulas.formulas(300, random_formulas.SEED)
    pd.testing.assert_frame_equal(random_formulas.table(), TABLE)
    assert len({answer["formula"] for answer in ANSWERS}) == 300
    assert len(REFUSED) < 30  # otherwise the grammar shows too little


@pytest.mark.parametrize("formula", DRAWN)
def test_the_design_is_r_s(formula: str) -> None:
    differences = design_differences(build_design(formula, TABLE, "g"), TAKEN[formula], TABLE)
    assert differences == [], as_list(differences)


@pytest.mark.parametrize("formula", DRAWN)
def test_the_fit_is_lme4_s(formula: str) -> None:
    differences = fit_differences(*made(formula), TAKEN[formula])
    assert differences == [], as_list(differences)


@pytest.mark.parametrize("formula", [formula for formula, why in REFUSED.items() if why != MAY_BE_FITTED])
def test_what_r_refuses_is_refused(formula: str) -> None:
    with pytest.raises(UserError) as refusal:
        build_design(formula, TABLE, "g")
    assert formula.split("~")[0].strip() in str(refusal.value)  # the message shows the formula


def test_differences_are_found() -> None:
    """The comparison can fail: in one value of a column by 1e-6, in the name, the rows, and the fit."""
    design, fit = made("y ~ site * mean.u + (1 | g)")
    answer: dict[str, Any] = TAKEN["y ~ site * mean.u + (1 | g)"]
    assert design_differences(design, answer, TABLE) == fit_differences(design, fit, answer) == []
    moved = TABLE.assign(**{"mean.u": TABLE["mean.u"].where(TABLE.index != 77, TABLE["mean.u"] + 1e-6)})
    differences = design_differences(build_design("y ~ site * mean.u + (1 | g)", moved, "g"), answer, TABLE)
    assert len(differences) == 2  # mean.u, and its product with the site of row 77
    other = build_design("y ~ site * I(mean.u) + (1 | g)", TABLE, "g")
    assert [line[:6] for line in design_differences(other, answer, TABLE)] == ["fixed:"]
    fewer = build_design("y ~ site * mean.u + (1 | g)", TABLE.assign(y=TABLE["y"].where(TABLE.index != 77)), "g")
    assert [line[:8] for line in design_differences(fewer, answer, TABLE)] == ["dropped:"]
    for name in ("fixef", "se", "sigma", "criterion"):
        assert len(fit_differences(design, fit, {**answer, name: np.array(answer[name]) + 0.01})) == 1
    assert len(fit_differences(design, fit, {**answer, "covariance": [[[answer["covariance"][0][0][0] + 0.1]]]})) == 2


def test_a_sign_after_a_random_term_counts() -> None:
    """lme4's nobars() takes (1 | g) - 1 for 1, and fits an intercept; here what is written is fitted."""
    assert build_design("y ~ (1 | g) - 1 + x", TABLE, "g").fixed_terms == ("x",)


@pytest.mark.slow
@pytest.mark.needs_r
def test_fresh_formulas_are_r_s_too(tmp_path: Path, rscript: str) -> None:
    """Another draw each day."""
    seed = int(datetime.now(tz=UTC).strftime("%Y%m%d"))
    random_formulas.main(tmp_path, 40, seed)
    table, formulas, result = (tmp_path / f"random_formulas.{kind}" for kind in ("csv", "txt", "json"))
    subprocess.run([rscript, REFERENCE / "random_formulas.R", table, formulas, result], check=True)
    found = []
    for answer in json.loads(result.read_text(encoding="utf-8")):
        formula = answer["formula"]
        try:
            design, fit = made(formula)
        except UserError as error:
            found += [] if "refused" in answer else [f"{formula}: {error}"]
            continue
        if "refused" not in answer:
            differences = design_differences(design, answer, TABLE) + fit_differences(design, fit, answer)
            found += [f"{formula}: {difference}" for difference in differences]
        elif answer["refused"] != MAY_BE_FITTED:
            found.append(f"{formula}: R refuses: {answer['refused']}")
    assert found == [], f"seed {seed}:\n{as_list(found)}"
