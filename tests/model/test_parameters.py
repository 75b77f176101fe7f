"""The parameters of a model: names and order as lme4's confint has them, values against the covariance matrix."""

import numpy as np
import pytest
from twolevel.model.parameters import parameter_values, parameters

# names(fixef), and rownames(confint(lmer(mathach ~ cses + minority + (cses + minority | school)), oldNames = TRUE)),
# which oldNames = FALSE spells out as in the labels: sd_(Intercept), cor_cses.(Intercept), cor_minorityYes.(Intercept),
# sd_cses, cor_minorityYes.cses, sd_minorityYes, sigma (lme4 1.1-31).
LME4 = {
    ".sig01": "SD of (Intercept)",
    ".sig02": "correlation of cses with (Intercept)",
    ".sig03": "correlation of minorityYes with (Intercept)",
    ".sig04": "SD of cses",
    ".sig05": "correlation of minorityYes with cses",
    ".sig06": "SD of minorityYes",
    ".sigma": "residual SD",
    "(Intercept)": "(Intercept)",
    "cses": "cses",
}


def test_names_labels_and_order_are_those_of_confint() -> None:
    listed = parameters(["(Intercept)", "cses", "minorityYes"], ["(Intercept)", "cses"], (3,))
    assert {parameter.name: parameter.label for parameter in listed} == LME4
    assert [parameter.name for parameter in listed] == list(LME4)
    assert [parameter.kind for parameter in listed[3:8]] == ["sd", "correlation", "sd", "sigma", "fixed"]
    assert [parameter.index for parameter in listed[3:9]] == [(1,), (2, 1), (2,), (), (0,), (1,)]


def test_values_are_those_of_the_covariance_matrix() -> None:
    rng = np.random.default_rng(1)
    lower, sigma, beta = np.tril(rng.normal(size=(5, 4, 3, 3))), rng.uniform(1, 9, (5, 4)), rng.normal(size=(5, 4, 2))
    values = parameter_values(lower, sigma, beta, (3,))
    assert values.shape == (5, 4, 9)
    for i in np.ndindex(5, 4):
        covariance = sigma[i] ** 2 * lower[i] @ lower[i].T
        sds, root = np.sqrt(np.diag(covariance)), 1 / np.sqrt(np.diag(covariance))
        correlation = covariance * np.outer(root, root)
        expected = [sds[0], correlation[1, 0], correlation[2, 0], sds[1], correlation[2, 1], sds[2], sigma[i], *beta[i]]
        np.testing.assert_allclose(values[i], expected, rtol=1e-12)  # rounding


def test_a_correlation_stays_within_one_and_is_not_a_number_beside_a_zero_variance() -> None:
    parallel = np.array([[0.1, 0.0], [0.7, 0.0]])
    sd_1, correlation, *_ = parameter_values(
        np.array([parallel, [[0.3, 0.0], [0.0, 0.0]]]), np.ones(2), np.ones((2, 1)), (2,)
    ).T
    assert sd_1.tolist() == [0.1, 0.3]
    assert correlation[0] == 1.0
    assert np.isnan(correlation[1])


@pytest.mark.parametrize("name", ["random_coefficients", "random_coefficients_minority"])
def test_values_of_a_fit_are_lme4s(name: str, models, lme4) -> None:
    fitted, reference = models[name], lme4["models"][name]["REML"]
    values = parameter_values(
        fitted.data.own_units(fitted.reml.lower), fitted.reml.sigma, fitted.reml.beta, fitted.data.blocks
    )
    terms = fitted.design.random_terms
    sdcor = {(row["term_1"], row["term_2"]): row["sdcor"] for row in reference["random_effects"]}
    expected = []
    for parameter in parameters(terms, (), fitted.design.blocks):
        rows = [terms[i] for i in reversed(parameter.index)]
        expected.append(sdcor[{0: (None, None), 1: (*rows, None), 2: tuple(rows)}[len(rows)]])
    # lme4's optimum, polished, is known to about 1e-6 (tests/reference/README.md).
    np.testing.assert_allclose(values[: len(expected)], expected, rtol=1e-5)
    np.testing.assert_array_equal(values[len(expected) :], fitted.reml.beta)
