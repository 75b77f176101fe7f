"""Joint tests of terms, against lmerTest's anova of type III."""

import numpy as np
import pandas as pd
import pytest
from factors_and_levels import MODELS, fitted, table_of
from twolevel.fitting.fit import fit_model
from twolevel.inference.fixed_tests import joint_test, kenward_roger, satterthwaite, t_tests
from twolevel.inference.term_tests import term_columns, term_tests, type3_contrasts
from twolevel.likelihood.crossproducts import cross_products
from twolevel.model.formula import build_design

METHODS = {"satterthwaite": satterthwaite, "kenward_roger": kenward_roger}
CASES = [
    (name, by, method)
    for name in MODELS
    for by, method in (("REML", "satterthwaite"), ("REML", "kenward_roger"), ("ML", "satterthwaite"))
]


@pytest.mark.parametrize(("name", "estimator", "method"), CASES)
def test_they_are_lmertests(name, estimator, method) -> None:
    # R: anova(as_lmerModLmerTest(m), type = "3", ddf = ...). lmerTest's derivatives are numerical: its degrees of
    # freedom are good to about 1e-6; pbkrtest's are closed forms, at optima that agree to about 1e-7.
    design, data, fit = fitted(name, estimator)
    expected = pd.DataFrame(MODELS[name][estimator][method]["tests"])
    ours = term_tests(design, (METHODS[method](data, fit),))
    assert ours["method"].unique().tolist() == [method]
    assert ours["term"].tolist() == expected["term"].tolist()
    assert ours["df"].tolist() == expected["df"].tolist()
    for column, rtol in (("statistic", 1e-5), ("ddf", 1e-5), ("p_value", 1e-3)):
        np.testing.assert_allclose(ours[column], expected[column], rtol=rtol)


def test_a_term_of_one_column_is_its_t_test() -> None:
    design, data, fit = fitted("factors")
    for method in METHODS.values():
        of = method(data, fit)
        single, joint = t_tests(of), term_tests(design, (of,)).set_index("term").loc["x"]
        at = design.fixed_terms.index("x")
        np.testing.assert_allclose(joint["statistic"], single.statistic[at] ** 2, rtol=1e-10)
        np.testing.assert_allclose([joint["ddf"], joint["p_value"]], [single.df[at], single.p_value[at]], rtol=1e-8)


def test_coding_does_not_matter() -> None:
    """The hypotheses are about cells, so that another reference level, and contrasts that sum to zero, change no F."""
    table = table_of("factors")
    turned = table.assign(arm=table["arm"].cat.reorder_categories(["Yes", "No"]))
    tests = []
    for formula, data in (
        ("y ~ x + arm*dose + (1 | clinic)", table),
        ("y ~ x + arm*dose + (1 | clinic)", turned),
        ("y ~ x + C(arm, contr.sum)*C(dose, contr.helmert) + (1 | clinic)", table),
    ):
        design = build_design(formula, data)
        products = cross_products(design)
        fit = fit_model(design, products, reml=True, random_starts=2, seed=1)
        tests.append(term_tests(design, (kenward_roger(products, fit),)))
    for other in tests[1:]:
        # The optima agree to about 1e-8 in theta.
        np.testing.assert_allclose(other[["statistic", "ddf"]], tests[0][["statistic", "ddf"]], rtol=1e-6)


def test_contrasts_average_over_the_factors_of_interactions() -> None:
    design, _, _ = fitted("factors")
    # By hand: the effect of arm is armYes plus the mean, over low, mid and high, of what the interaction adds to it.
    arm = dict(zip(design.fixed_terms, type3_contrasts(design)["arm"][0], strict=True))
    assert arm["armYes"] == pytest.approx(1)
    assert arm["armYes:dosemid"] == pytest.approx(1 / 3)
    assert arm["armYes:dosehigh"] == pytest.approx(1 / 3)
    assert arm["(Intercept)"] == arm["x"] == arm["dosemid"] == 0
    assert term_columns(design) == {"x": [1], "arm": [2], "dose": [3, 4], "arm:dose": [5, 6]}


def test_combinations_that_depend_on_each_other_count_once() -> None:
    _, data, fit = fitted("factors")
    two = np.eye(7)[[3, 4]]
    for method in METHODS.values():
        of = method(data, fit)
        once, twice = joint_test(of, two), joint_test(of, np.vstack([two, two.sum(axis=0)]))
        assert twice.df == once.df == 2
        assert twice.statistic == pytest.approx(once.statistic, rel=1e-9)


def test_where_there_is_only_an_intercept_there_is_no_term() -> None:
    table = table_of("factors")
    design = build_design("y ~ (1 | clinic)", table)
    data = cross_products(design)
    fit = fit_model(design, data, reml=True, random_starts=2, seed=1)
    assert term_tests(design, (satterthwaite(data, fit),)).empty
