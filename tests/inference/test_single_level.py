"""Least squares beside a mixed model, against R's lm; each group's own, against lmList."""

import numpy as np
import pandas as pd
import pytest
from factors_and_levels import MODELS, REFERENCE, fitted, table_of
from twolevel.inference.own_lines import own_lines
from twolevel.inference.single_level import between, pooled, single_level_test
from twolevel.model.formula import build_design


@pytest.mark.parametrize("name", MODELS)
def test_pooled_is_lm(name) -> None:
    # R: coef(summary(lm(fixed part)))
    _, data, _ = fitted(name)
    ours, rows = pooled(data), pd.DataFrame(MODELS[name]["pooled"])
    for column, theirs in (("estimate", "Estimate"), ("std_error", "Std. Error"), ("statistic", "t value")):
        np.testing.assert_allclose(getattr(ours, column), rows[theirs], rtol=1e-8)
    np.testing.assert_allclose(ours.p_value, rows["Pr(>|t|)"], rtol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_between_is_lm_of_the_means(name) -> None:
    # R: lm of the groups' means of y on those of model.matrix(); NA where a column is a combination of those before it.
    design, _, _ = fitted(name)
    ours, rows = between(design), pd.DataFrame(MODELS[name]["between"])
    np.testing.assert_allclose(ours.estimate, rows["estimate"].astype(float), rtol=1e-6)
    np.testing.assert_allclose(ours.std_error, rows["std_error"].astype(float), rtol=1e-6)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("estimator", ["REML", "ML"])
def test_the_test_against_least_squares(name, estimator) -> None:
    # R: 2 * (logLik(m) - logLik(lm, REML = ...)); criteria agree to 1e-7.
    _, data, fit = fitted(name, estimator)
    ours, expected = single_level_test(data, fit), MODELS[name][estimator]["against_lm"]
    assert ours.statistic == pytest.approx(expected["statistic"], abs=1e-6)
    assert ours.df == expected["df"]
    assert np.isnan(ours.p_mixture) == (ours.df > 1)
    if ours.df == 1:
        assert ours.p_mixture == pytest.approx(ours.p_chi_square / 2, rel=1e-12)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("estimator", ["REML", "ML"])
def test_aicc_and_the_criterion(name, estimator) -> None:
    # R: AIC(m) + 2 k (k + 1) / (nobs(m) - k - 1), as MuMIn's AICc.
    _, _, fit = fitted(name, estimator)
    assert fit.aicc == pytest.approx(MODELS[name][estimator]["aicc"], abs=1e-6)
    assert fit.criterion == pytest.approx(MODELS[name][estimator]["criterion"], abs=1e-6)


def test_own_lines_are_lmlist() -> None:
    # R: lmList(Reaction ~ Days | Subject, pool = FALSE)
    design, _, _ = fitted("sleepstudy")
    ours = own_lines(design)
    assert ours.terms == ("(Intercept)", "Days")
    assert list(design.group_labels) == [row["group"] for row in REFERENCE["own_lines"]]
    for j, row in enumerate(REFERENCE["own_lines"]):
        of = pd.DataFrame(row["coefficients"])
        np.testing.assert_allclose(ours.estimate[j], of["Estimate"], rtol=1e-9)
        np.testing.assert_allclose(ours.std_error[j], of["Std. Error"], rtol=1e-9)
        assert ours.sigma[j] == pytest.approx(row["sigma"], rel=1e-9)
    assert ours.computed.all()


def test_own_lines_of_groups_that_allow_none() -> None:
    """A group with one day has no slope; one with two has a line, and no standard error."""
    table = table_of("sleepstudy")
    kept = np.ones(len(table), dtype=bool)
    kept[1:10] = kept[12:20] = False  # one row of the first subject, two of the second
    design = build_design("Reaction ~ Days + (Days | Subject)", table[kept])
    ours = own_lines(design)
    assert ours.n[:3].tolist() == [1, 2, 10]
    assert ours.computed[:3].tolist() == [False, True, True]
    assert np.isnan(ours.estimate[0]).all()
    first, second = table["Reaction"].iloc[10:12]
    np.testing.assert_allclose(ours.estimate[1], [first, second - first], rtol=1e-9)
    assert np.isnan(ours.std_error[1]).all()
    assert np.isfinite(ours.std_error[2]).all()


def test_own_lines_take_level_1_predictors_alone() -> None:
    design, _, _ = fitted("intercepts_and_slopes")
    ours = own_lines(design)
    assert ours.terms == ("(Intercept)", "cses")
    school = table_of("intercepts_and_slopes").query("school == 1224")
    slope, intercept = np.polyfit(school["cses"], school["mathach"], 1)
    np.testing.assert_allclose(ours.estimate[0], [intercept, slope], rtol=1e-9)
