"""Predictions for new rows beside lme4's `predict(m, new, allow.new.levels = TRUE)` (tests/reference/predictions.R)."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from twolevel import UserError, fit

CASES = json.loads((Path(__file__).parents[1] / "reference/predictions.json").read_text(encoding="utf-8"))["cases"]


@pytest.fixture(scope="module")
def tables(sleepstudy, clinics):
    return {"sleepstudy": sleepstudy.astype({"Subject": str}), "clinics": clinics}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["formula"])
def test_predictions_for_new_rows_are_lme4_s(case, tables) -> None:
    model, new = fit(case["formula"], tables[case["data"]]), pd.DataFrame(case["new"])
    # bobyqa's theta is known to some 1e-6 of its size; the fixed effects alone depend on it less.
    for expected, groups in (("with_groups", True), ("fixed_alone", False)):
        ours = model.predict(new, groups=groups)
        np.testing.assert_allclose(ours, np.array(case[expected], dtype=float), rtol=1e-7, atol=1e-7, err_msg=expected)


FORMULAS = [
    "y ~ poly(x, 3) + (scale(z) | clinic)",
    "y ~ poly(x, 2, raw = TRUE) + (1 | clinic)",
    "y ~ bs(x, df = 5) + (1 | clinic)",
    "y ~ ns(x, 3) * arm + (1 | clinic)",
    "y ~ center(x) + scale(z, scale = FALSE) + (0 + arm | clinic)",
    "y ~ cut(x, 3) + (1 | clinic)",
    "y ~ factor(`wait days` > 10) + relevel(dose, 'mid') + (x || clinic)",
    "y ~ C(dose, contr.helmert) + old + offset(w) + (1 | clinic)",
    "log(pre) ~ as.numeric(dose) + pmin(x, 3) + (1 | clinic)",
]


@pytest.mark.parametrize("formula", FORMULAS)
def test_each_row_of_the_fit_is_predicted_as_it_was_fitted(formula, clinics) -> None:
    # One row at a time, none has the mean, the knots, the ranges or the levels of the whole.
    model = fit(formula, clinics)
    some = clinics.iloc[[0, 17, 100, 238]]
    rows = pd.concat([model.predict(some.iloc[[i]]) for i in range(4)])
    np.testing.assert_allclose(rows, model.fitted.loc[some.index], rtol=1e-9)
    alone = pd.concat([model.predict(some.iloc[[i]], groups=False) for i in range(4)])
    np.testing.assert_allclose(alone, model.predict(groups=False).loc[some.index], rtol=1e-9)
    np.testing.assert_allclose(model.predict(), model.fitted)


def test_categories_text_and_numbers_of_groups_are_matched(sleepstudy) -> None:
    new = pd.DataFrame({"Days": [3], "Subject": [309]})
    numbers = fit("Reaction ~ Days + (1 | Subject)", sleepstudy).predict(new)[0]
    categories = fit("Reaction ~ Days + (1 | Subject)", sleepstudy.astype({"Subject": "category"}))
    assert categories.predict(new.astype({"Subject": "category"}))[0] == pytest.approx(numbers, rel=1e-12)
    # Text at the fit, categories in the new rows, and the other way round.
    text = sleepstudy.assign(Subject=sleepstudy["Subject"].astype(str), half=np.where(sleepstudy["Days"] < 5, "a", "b"))
    levels = text.astype({"Subject": "category", "half": "category"})
    for fitted, rows in ((text, levels), (levels, text)):
        model = fit("Reaction ~ half + (half | Subject)", fitted)
        np.testing.assert_allclose(model.predict(rows.iloc[[7, 170]]), model.fitted.iloc[[7, 170]], rtol=1e-12)
    # A missing group makes numbers of the others.
    beside = pd.DataFrame({"Days": [3, 3], "Subject": [309, None]}, index=["a", "b"])
    predicted = fit("Reaction ~ Days + (1 | Subject)", sleepstudy).predict(beside)
    assert predicted.index.tolist() == ["a", "b"]
    assert predicted["a"] == pytest.approx(numbers, rel=1e-12)


def test_the_response_is_not_needed_nor_groups_for_fixed_effects_alone(sleep) -> None:
    assert sleep.predict(pd.DataFrame({"Days": [0.0]}), groups=False)[0] == pytest.approx(
        251.4051, abs=1e-4
    )  # fixef(m)
    with pytest.raises(UserError, match="the new data lack 'Subject'"):
        sleep.predict(pd.DataFrame({"Days": [0.0]}))


@pytest.mark.parametrize(
    ("formula", "changed", "says"),
    [
        (
            "y ~ dose + (1 | clinic)",
            {"dose": "huge"},
            "dose has a level that the fit does not know in 1 new row, first",
        ),
        ("y ~ factor(dose) + (1 | clinic)", {"dose": "huge"}, "a level that the fit does not know"),
        ("y ~ cut(x, 3) + (1 | clinic)", {"x": 99.0}, "where x is 99"),
        ("y ~ log(pre) + (1 | clinic)", {"pre": -1.0}, "no finite value in 1 new row, first where pre is -1"),
        ("y ~ x + (1 | clinic)", {"x": "four"}, "'x' of the new data holds levels of a factor, and held numbers"),
        ("y ~ x + (1 | clinic)", {"clinic": 7}, "'clinic' of the new data holds numbers, and held levels of a factor"),
    ],
)
def test_what_the_fit_does_not_know_is_refused(formula, changed, says, clinics) -> None:
    model = fit(formula, clinics)
    with pytest.raises(UserError, match=says):
        model.predict(clinics.head(1).assign(**changed))


def test_a_level_that_the_fit_left_out_is_refused(clinics) -> None:
    # The only rows with the level lack the response: lme4 drops the level from the model.
    table = clinics.assign(y=clinics["y"].where(clinics["dose"] != "mid"))
    model = fit("y ~ dose + (1 | clinic)", table)
    assert model.design.fixed_terms == ("(Intercept)", "doselow")
    with pytest.raises(UserError, match="dose has a level that the fit does not know"):
        model.predict(table)


def test_a_missing_predictor_makes_a_missing_prediction(clinics) -> None:
    model = fit("y ~ x + arm + (z | clinic)", clinics)
    new = clinics.head(4).assign(x=[1.0, np.nan, 1.0, 1.0], arm=["Yes", "No", None, "Yes"], z=[1.0, 1.0, 1.0, np.nan])
    assert model.predict(new).isna().tolist() == [False, True, True, True]
    assert model.predict(new, groups=False).isna().tolist() == [False, True, True, False]
    assert model.predict(new.assign(arm=None)).isna().all()


def test_no_new_rows_have_no_predictions(clinics) -> None:
    model = fit("y ~ poly(x, 2) + bs(z, df = 4) + cut(w, 3) + dose + (arm | clinic)", clinics)
    assert model.predict(clinics.head(0)).shape == (0,)
