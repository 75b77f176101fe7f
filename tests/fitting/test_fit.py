"""Every model at lme4's optimum: criterion, estimates, standard errors, quantiles, group effects.

Expected values: tests/reference/lme4_reference.json, by `Rscript tests/reference/lme4_reference.R` (lme4 1.1-31, bobyqa
from several starts, polished). Elements of T may differ by 1e-5 of their size, and by 1e-4 in the two models whose
slope variance is small and whose criterion is flat.
"""

from dataclasses import replace

import numpy as np
import pytest
from fitted import confirmed
from twolevel.fitting.effects import fitted_values, group_effects
from twolevel.fitting.fit import NOT_SEARCHED, fit_model
from twolevel.likelihood.crossproducts import cross_products
from twolevel.model.formula import build_design
from twolevel.model.parameters import correlation
from twolevel.optimisers.bounded import bounded_fit
from twolevel.output.results import random_effects_table
from twolevel.output.summary import summary_text

MODELS = [
    "one_way_anova",
    "means_by_sector",
    "means_by_mean_ses",
    "means_by_sector_and_mean_ses",
    "random_intercept",
    "random_intercept_minority",
    "random_coefficients",
    "random_coefficients_minority",
    "intercepts_and_slopes",
    "intercepts_and_slopes_expanded",
]
# The two whose slope variance is small and T so flat that lme4 stops further away.
FLAT_MODELS = ("intercepts_and_slopes", "intercepts_and_slopes_expanded")


def column(rows, key):
    return [row[key] for row in rows]


def test_these_are_all_models(config) -> None:
    assert list(config["models"]) == MODELS


@pytest.mark.parametrize("estimator", ["REML", "ML"])
@pytest.mark.parametrize("name", MODELS)
def test_fit_is_lme4_s(name, estimator, models, lme4) -> None:
    fit = models[name].reml if estimator == "REML" else models[name].ml
    expected = lme4["models"][name][estimator]
    assert fit.criterion == pytest.approx(expected["criterion"], abs=1e-6)
    assert fit.aic == pytest.approx(expected["aic"], abs=1e-6)
    assert fit.bic == pytest.approx(expected["bic"], abs=1e-6)
    assert fit.log_likelihood == pytest.approx(expected["log_likelihood"], abs=1e-6)
    assert fit.npar == expected["npar"]
    assert fit.sigma == pytest.approx(expected["sigma"], rel=1e-6)
    np.testing.assert_allclose(fit.beta, column(expected["fixed_effects"], "estimate"), rtol=1e-5)
    std_error = np.sqrt(np.diag(fit.beta_covariance))
    np.testing.assert_allclose(std_error, column(expected["fixed_effects"], "std_error"), rtol=1e-5)
    loose = 1e-4 if name in FLAT_MODELS else 1e-5
    theirs = np.array(expected["random_effects_covariance"]).reshape(fit.covariance.shape)
    np.testing.assert_allclose(fit.covariance, theirs, rtol=loose)
    assert not fit.singular
    assert fit.trustworthy, fit.doubts
    assert fit.search.reached_best == len(fit.search.runs)


@pytest.mark.parametrize("name", MODELS)
def test_correlations_quantiles_and_group_effects_are_lme4_s(name, models, lme4) -> None:
    fitted, expected = models[name], lme4["models"][name]["REML"]
    design, fit = fitted.design, fitted.reml
    covariance = np.array(expected["fixed_effects_covariance"]).reshape(fit.beta_covariance.shape)
    # atol: one correlation is zero but for rounding (cses, centred within schools, in random_intercept).
    np.testing.assert_allclose(correlation(fit.beta_covariance), correlation(covariance), rtol=1e-5, atol=1e-12)
    effects = group_effects(design, fitted.data, fit.lower, fit.at)
    values = fitted_values(design, fit.beta, effects.effect)
    np.testing.assert_allclose(values[:5], expected["fitted_head"], rtol=1e-5)
    quantiles = np.quantile((design.y - values) / fit.sigma, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(quantiles, expected["scaled_residual_quantiles"], rtol=1e-5)


def test_published_bound_is_not_the_optimum(models) -> None:
    fit = models["random_coefficients_minority"].reml
    assert fit.criterion == pytest.approx(46495.1402594, abs=1e-6)
    assert not fit.singular


def test_lme4_s_bounds_give_the_published_singular_fit(models, lme4) -> None:
    # lmer(mathach ~ cses + minority + (cses + minority | school), HSB) with lme4's default optimiser: 46503.3898 and
    # theta[4] = 0. NLopt stops when a step changes the criterion by less than 1e-8; versions differ by about 1e-6.
    fitted = models["random_coefficients_minority"]
    bounded = bounded_fit(fitted.data, reml=True)
    expected = lme4["default_optimiser"]["random_coefficients_minority"]
    assert bounded.criterion == pytest.approx(expected["criterion"], abs=1e-5)
    assert bounded.theta[3] == 0
    np.testing.assert_allclose(bounded.theta, expected["theta"], atol=1e-3)


@pytest.mark.parametrize("estimator", ["reml", "ml"])
def test_two_ways_to_write_a_model_agree(estimator, models) -> None:
    one, other = (getattr(models[name], estimator) for name in FLAT_MODELS)
    assert one.criterion == pytest.approx(other.criterion, abs=1e-8)
    np.testing.assert_allclose(one.beta, other.beta, rtol=1e-8)
    np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-8)
    np.testing.assert_allclose(one.beta_covariance, other.beta_covariance, rtol=1e-8)


def test_statsmodels_stays_at_the_optimum(models) -> None:
    for name in MODELS:
        for fit in (models[name].reml, models[name].ml):
            # Two implementations of one likelihood: rounding of sums of 7,185 terms.
            assert fit.record.criterion == pytest.approx(fit.at.criterion, abs=1e-8)
            np.testing.assert_allclose(fit.record.beta, fit.at.beta, rtol=1e-8)
            np.testing.assert_allclose(fit.record.sigma, fit.at.sigma, rtol=1e-8)


def test_random_effects_table_has_the_layout_of_varcorr(models) -> None:
    # as.data.frame(VarCorr(m)): variances first, then covariances, Residual last.
    fitted = models["random_coefficients_minority"]
    table = random_effects_table(fitted.design, fitted.reml)
    pairs = list(zip(table["term_1"], table["term_2"], strict=True))
    expected = [("(Intercept)", ""), ("cses", ""), ("minorityYes", "")]
    expected += [("(Intercept)", "cses"), ("(Intercept)", "minorityYes"), ("cses", "minorityYes"), ("", "")]
    assert pairs == expected
    assert table["group"].tolist() == ["school"] * 6 + ["Residual"]
    assert table["sdcor"].iloc[4] == pytest.approx(
        0.313968951, abs=1e-5
    )  # attr(VarCorr(m)$school, "correlation")[3, 1]


@pytest.mark.parametrize(("origin", "unit"), [(30_000, 10_000), (1980, 1), (0, 1e-6)])
def test_units_of_a_predictor_do_not_matter(origin, unit, hsb) -> None:
    # The same model with ses in dollars, as a calendar year, or in millions: the REML criterion moves by log|X'X|
    # alone, slopes by their unit.
    plain, moved = (
        fit_formula("mathach ~ x + (x | school)", hsb.assign(x=values))
        for values in (hsb["ses"], origin + unit * hsb["ses"])
    )
    for fit in (plain, moved):
        assert fit.trustworthy, fit.doubts
        assert not fit.singular
    assert moved.criterion - 2 * np.log(unit) == pytest.approx(plain.criterion, abs=1e-6)
    assert moved.beta[1] * unit == pytest.approx(plain.beta[1], rel=1e-6)
    assert moved.covariance[1, 1] * unit**2 == pytest.approx(plain.covariance[1, 1], rel=1e-5)


def fit_formula(formula, table):
    design = build_design(formula, table)
    return confirmed(design, cross_products(design), reml=True, random_starts=2, seed=1)


def test_a_breakdown_of_statsmodels_is_a_doubt_and_no_crash(models, monkeypatch) -> None:
    def broken(*_, **__):
        raise np.linalg.LinAlgError("Singular matrix")

    monkeypatch.setattr("twolevel.fitting.mixedlm.MixedLM.fit", broken)
    fitted = models["random_intercept"]
    fit = confirmed(fitted.design, fitted.data, reml=True, random_starts=1, seed=1)
    assert fit.doubts == ("statsmodels' MixedLM, started at the optimum, broke down: Singular matrix",)
    assert fit.criterion == pytest.approx(46723.9957062, abs=1e-6)


def test_an_optimum_that_statsmodels_leaves_is_kept_and_doubted(models, monkeypatch) -> None:
    fitted = models["random_intercept"]
    elsewhere = replace(fitted.reml.record, criterion=fitted.reml.criterion + 1, beta=fitted.reml.beta + 1)
    monkeypatch.setattr("twolevel.fitting.confirm.fit_from", lambda *_: elsewhere)
    fit = confirmed(fitted.design, fitted.data, reml=True, random_starts=1, seed=1)
    assert not fit.trustworthy
    assert "left it" in fit.doubts[0]
    np.testing.assert_allclose(fit.beta, fitted.reml.beta, rtol=1e-8)


def test_a_fit_that_was_not_confirmed_is_the_same_but_for_rounding(models) -> None:
    fitted = models["random_coefficients"]
    fit = fit_model(fitted.design, fitted.data, reml=True, random_starts=4, seed=2002)
    assert fit.record is None
    assert fit.trustworthy
    # Two implementations of one likelihood: rounding of sums of 7,185 terms.
    assert fit.criterion == pytest.approx(fitted.reml.criterion, abs=1e-8)
    np.testing.assert_allclose(fit.beta, fitted.reml.beta, rtol=1e-8)
    np.testing.assert_allclose(fit.covariance, fitted.reml.covariance, rtol=1e-8)
    np.testing.assert_array_equal(fit.beta_covariance, fitted.reml.beta_covariance)


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("name", ["random_coefficients", "random_coefficients_minority"])
def test_of_many_observations_mixedlm_gives_its_criterion_without_a_search(name, reml, models, monkeypatch) -> None:
    # The tolerance is that of `confirm`: MixedLM has to invert a covariance matrix.
    fitted = models[name]
    searched = fitted.reml if reml else fitted.ml
    monkeypatch.setattr("twolevel.fitting.mixedlm.SEARCHED", len(fitted.design.y) - 1)
    monkeypatch.setattr("twolevel.fitting.mixedlm.MixedLM.fit", None)
    fit = confirmed(fitted.design, fitted.data, reml=reml, random_starts=4, seed=2002)
    assert not fit.searched_by_mixedlm
    assert searched.searched_by_mixedlm
    assert fit.doubts == ()
    assert fit.record.criterion == pytest.approx(searched.record.criterion, abs=1e-6)
    assert fit.record.sigma == pytest.approx(searched.record.sigma, rel=1e-6)
    np.testing.assert_allclose(fit.covariance, searched.covariance, rtol=1e-5)
    assert f"confirmed without a search: {NOT_SEARCHED}" in summary_text(fitted.design, fit, np.zeros(5), "hsb")
    assert "without a search" not in summary_text(fitted.design, searched, np.zeros(5), "hsb")


def test_a_criterion_of_mixedlm_s_that_is_another_one_is_a_doubt(models, monkeypatch) -> None:
    fitted = models["random_intercept"]
    monkeypatch.setattr("twolevel.fitting.mixedlm.SEARCHED", len(fitted.design.y) - 1)
    monkeypatch.setattr("twolevel.fitting.mixedlm.MixedLM.loglike", lambda *_, **__: -23000.0)
    fit = confirmed(fitted.design, fitted.data, reml=False, random_starts=1, seed=1)
    assert fit.doubts[0].startswith("statsmodels' MixedLM has another criterion at the optimum: 46000.000000 against ")
