"""Empirical Bayes effects, against Henderson's mixed-model equations solved in full, and against lme4."""

import numpy as np
import pytest
from twolevel.fitting.effects import group_effects
from twolevel.fitting.fit import fit_model
from twolevel.likelihood.crossproducts import cross_products
from twolevel.model.formula import build_design
from twolevel.model.hierarchy import level2_design


@pytest.fixture(scope="module")
def small(hsb):
    """Forty schools, few enough for the full equations, and not on the boundary."""
    table = hsb[hsb["school"].isin(hsb["school"].unique()[60:100])]
    design = build_design("mathach ~ cses*mean.ses + minority + (cses | school)", table)
    data = cross_products(design)
    fit = fit_model(design, data, reml=True, random_starts=2, seed=1)
    assert not fit.singular
    return design, fit, group_effects(design, data, fit.lower, fit.at)


def henderson(design, fit):
    """Solution and prediction error covariance of the mixed-model equations (Henderson 1975)."""
    groups, q, p = len(design.group_labels), design.z.shape[1], design.x.shape[1]
    z = np.zeros((len(design.y), groups * q))
    for i, j in enumerate(design.group_index):
        z[i, j * q : (j + 1) * q] = design.z[i]
    both = np.hstack([design.x, z]) / fit.sigma
    penalty = np.zeros((p + groups * q,) * 2)
    penalty[p:, p:] = np.kron(np.eye(groups), np.linalg.inv(fit.covariance))
    covariance = np.linalg.inv(both.T @ both + penalty)
    return covariance @ both.T @ design.y / fit.sigma, covariance


def test_effects_solve_the_mixed_model_equations(small) -> None:
    design, fit, effects = small
    p = design.x.shape[1]
    solution, _ = henderson(design, fit)
    np.testing.assert_allclose(solution[:p], fit.beta, rtol=1e-7)
    np.testing.assert_allclose(solution[p:].reshape(-1, 2), effects.effect, rtol=0, atol=1e-7)


def test_coefficients_and_their_errors_include_the_fixed_effects(small) -> None:
    design, fit, effects = small
    p, w = design.x.shape[1], level2_design(design)
    solution, covariance = henderson(design, fit)
    for j in range(len(design.group_labels)):
        pick = np.zeros((2, len(solution)))
        pick[:, :p], pick[:, p + 2 * j : p + 2 * j + 2] = w[j], np.eye(2)
        np.testing.assert_allclose(effects.coefficient[j], pick @ solution, rtol=0, atol=1e-7)
        errors = np.sqrt(np.diag(pick @ covariance @ pick.T))
        np.testing.assert_allclose(effects.coefficient_std_error[j], errors, rtol=1e-6)


@pytest.mark.parametrize("name", ["one_way_anova", "random_coefficients_minority", "intercepts_and_slopes"])
def test_effects_and_conditional_sds_are_lme4_s(name, models, lme4) -> None:
    # ranef(m, condVar = TRUE): first and last five schools, and the SD of each effect over all schools.
    fitted, expected = models[name], lme4["models"][name]["REML"]["school_effects"]
    effects = group_effects(fitted.design, fitted.data, fitted.reml.lower, fitted.reml.at)
    number = {label: j for j, label in enumerate(fitted.design.group_labels)}
    terms = {term: k for k, term in enumerate(fitted.design.random_terms)}
    for row in expected["rows"]:
        at = number[row["school"]], terms[row["term"]]
        assert effects.effect[at] == pytest.approx(row["effect"], abs=1e-5)
        assert effects.effect_std_error[at] == pytest.approx(row["std_error"], rel=1e-4)
