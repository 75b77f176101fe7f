"""Equations with the estimates, correlations of fixed effects, and two methods of tests where they differ."""

from dataclasses import replace

import numpy as np
import pytest
from report.test_prose import coefficient, model_of
from report.test_report import INTERCEPT, Page, page, results
from twolevel.report.more_estimates import estimated_equations, latex_number, more_estimates


def slope(**changes):
    """words ~ hours + (hours | class), with the estimates 30 and -2."""
    hierarchy = [INTERCEPT, coefficient(["hours"], 1, 1)]
    changes = {"covariance": [[4.0, -0.5], [-0.5, 0.25]], **changes}
    return model_of(hierarchy, ["(Intercept)", "hours"], {}, [30.0, -2.0], **changes)


def empty():
    """words ~ 1 + (1 | class)."""
    return model_of([INTERCEPT], ["(Intercept)"], {}, [30.0])


@pytest.mark.parametrize(
    ("value", "places", "expected"),
    [
        (2.19320, 2, "2.19"),
        (-0.001, 2, "0.00"),
        (-1.6427, 2, "-1.64"),
        (1.785061e-05, 7, r"1.79 \times 10^{-5}"),
        (36.7002, None, "36.7"),
        (0.0, None, "0"),
    ],
)
def test_a_number_in_latex(value, places, expected):
    assert latex_number(value, places) == expected


def test_each_estimate_has_the_digits_of_its_own_error():
    model = slope(std_error=[0.5, 0.0123])
    written = estimated_equations(model)
    assert [e.latex.replace(r"\,", "") for e in written.level2] == [
        r"\beta_{0j} = 30.00 + u_{0j}",
        r"\beta_{1j} = {-2.000} + u_{1j}",
    ]
    assert r"4.00 & -0.500 \\ -0.500 & 0.250" in written.covariance.latex
    assert "N(0, 4.00)" in written.distributions[0].latex.replace(r"\,", "")


def test_a_variance_of_zero_has_covariances_of_zero():
    model = slope(covariance=[[4.0, 1e-12], [1e-12, 1e-18]], singular=True)
    assert r"4.00 & 0 \\ 0 & 0" in estimated_equations(model).covariance.latex


def test_correlations_are_those_of_the_estimates_covariance():
    model = slope(fixed_effects_covariance=[[4.0, -1.0], [-1.0, 1.0]])
    assert np.allclose(more_estimates(model).correlations, [[1.0, -0.5], [-0.5, 1.0]], atol=1e-12)
    assert more_estimates(empty()).correlations == []


@pytest.mark.parametrize(
    ("changes", "differ"),
    [
        ({"kr_std_error": 0.1005, "kr_df": 17.0}, False),
        ({"kr_std_error": 0.1015, "kr_df": 17.0}, True),
        ({"kr_std_error": 0.1, "kr_df": 16.0}, True),
        ({"kr_std_error": 0.1, "kr_df": 17.0, "p_value": 0.049, "kr_p_value": 0.051}, True),
    ],
)
def test_two_methods_are_shown_where_they_differ(changes, differ):
    """The rule is the one that the caption states: 1 % of an error, 5 % of the degrees of freedom, or the decision."""
    (effect,) = empty().fixed
    effect = replace(effect, std_error=0.1, df=17.0, p_value=0.012, kr_p_value=0.013)
    model = replace(empty(), fixed=(replace(effect, **changes),))
    assert more_estimates(model).methods_differ is differ


def test_without_both_methods_nothing_is_said_of_them():
    (effect,) = empty().fixed
    assert more_estimates(replace(empty(), fixed=(replace(effect, df=np.nan),))).methods_differ is None


def test_the_page_shows_them():
    text = Page(page(results())).text
    assert "The matrix T of full: variances τ on the diagonal, covariances below it" in text
    assert "Correlations of the estimates of the fixed effects of full" in text
