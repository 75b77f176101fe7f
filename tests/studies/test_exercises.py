"""The exercises: their answers are lme4's, and follow the results."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import render_report
from hsb.exercises import answers, changed_formulas
from hsb.narrative import tell
from hsb.textbook.codings import CodedColumns
from studies.test_hsb_report import files
from twolevel.report.contents import contents

COLUMNS = CodedColumns("ses", "mean.ses", "cses")


def formulas(config: dict[str, Any]) -> dict[str, str]:
    return {name: of["formula"] for name, of in config["models"].items()}


def test_the_models_to_fit_are_the_configured_ones_with_one_change(config: dict[str, Any]) -> None:
    assert changed_formulas(formulas(config), COLUMNS, "school") == {
        "uncentred": "mathach ~ ses + (ses | school)",
        "same_slopes": "mathach ~ cses*mean.ses + cses*sector + (1 | school)",
    }
    other = formulas(config) | {"intercepts_and_slopes": "mathach ~ cses*mean.ses + (0 + cses | school)"}
    assert list(changed_formulas(other, COLUMNS, "school")) == ["uncentred"]


# R, lme4 1.1-31, d the prepared table, sector with the levels Public and Catholic:
#   control <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10))
#   a <- lmer(mathach ~ ses + (ses | school), d, control = control)
#   b <- lmer(mathach ~ cses*mean.ses + cses*sector + (1 | school), d, control = control)
#   REMLcrit(a); fixef(a); VarCorr(a); REMLcrit(b); fixef(b); VarCorr(b)
LME4 = {
    "uncentred": {
        ("criterion", ""): 46640.3982542,
        ("parameters", ""): 6,
        ("fixed effect", "(Intercept)"): 12.665023087,
        ("fixed effect", "ses"): 2.393813195,
        ("variance", "(Intercept)"): 4.8286364292,
        ("variance", "ses"): 0.4129285082,
    },
    "same_slopes": {
        ("criterion", ""): 46504.7869659,
        ("parameters", ""): 8,
        ("fixed effect", "cses:mean.ses"): 1.044438348,
        ("variance", "(Intercept)"): 2.375337248,
    },
}


def test_the_fits_are_lme4_s(hsb: pd.DataFrame, config: dict[str, Any]) -> None:
    """To 1e-4 of themselves: lme4's search stops where its criterion is flat."""
    table = answers(hsb, changed_formulas(formulas(config), COLUMNS, "school"), config["optimiser"])
    found = table.set_index(["exercise", "quantity", "term"])["value"]
    for exercise, numbers in LME4.items():
        for (quantity, term), number in numbers.items():
            expected = pytest.approx(number, abs=1e-5) if quantity == "criterion" else pytest.approx(number, rel=1e-4)
            assert found[exercise, quantity, term] == expected, (exercise, quantity, term)


@pytest.mark.slow
def test_the_answers_on_the_page(results: Path, config: dict[str, Any]) -> None:
    """Numbers by R: predict(m, data.frame(cses = 1, mean.ses = 0.5, sector = "Catholic"), re.form = NA) is 17.8429.

    REMLcrit(b) - REMLcrit(m) is 1.1240978, and mean(pchisq(1.1240978, 1:2, lower.tail = FALSE)) 0.4295389.
    """
    story = contents(render_report.read_results(files(results, config), config), tell).story
    said = [it.answer.replace("\xa0", " ") for it in story.exercises]
    assert len(said) == 6
    assert said[0].startswith("8.614 / (8.614 + 39.148) = 0.180, or 18.0 %.")
    assert "from 6.9 to 18.4" in said[1]
    assert "from 0.6 to 3.8" in said[1]
    assert said[2].endswith("= 17.84.")
    assert "Both favour the model with sector and mean SES." in said[3]
    assert said[4].startswith("The slope is 2.39 in place of 2.19")
    assert "4.83 in place of 8.68" in said[4]
    assert said[5].startswith("The likelihood ratio statistic is 1.12; by the 50:50 mixture of chi-square(1) and")
    assert "p = 0.43. The data do not show that they do." in said[5]


@pytest.mark.slow
def test_without_the_fits_the_exercises_on_them_are_left_out(results: Path, config: dict[str, Any]) -> None:
    made = render_report.read_results(files(results, config), config)
    tables = {name: table for name, table in made.study_tables.items() if name != "exercises/answers"}
    assert len(contents(replace(made, study_tables=tables), tell).story.exercises) == 4
