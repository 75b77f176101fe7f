"""Marginal means and contrasts, against R's emmeans."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from factors_and_levels import MODELS, fitted, table_of
from twolevel.errors import UserError
from twolevel.fitting.fit import fit_model
from twolevel.inference.fixed_tests import kenward_roger, satterthwaite
from twolevel.inference.marginal_means import (
    marginal_means,
    pairwise_contrasts,
    prediction_table,
    predictions,
)
from twolevel.likelihood.crossproducts import cross_products
from twolevel.model.formula import build_design
from twolevel.model.reference_grid import reference_grid

CASES = [
    (name, by, method, factor)
    for name, of in MODELS.items()
    for by, method in (("REML", "kenward_roger"), ("REML", "satterthwaite"), ("ML", "satterthwaite"))
    for factor in of[by][method]["means"]
]
BOUNDS = {"SE": "std_error", "df": "df", "lower.CL": "lower", "upper.CL": "upper"}


@cache
def tables_of(name: str, estimator: str, method: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The means and contrasts of all factors of a model."""
    design, data, fit = fitted(name, estimator)
    of = {"kenward_roger": kenward_roger, "satterthwaite": satterthwaite}[method](data, fit)
    return marginal_means(design, table_of(name), of), pairwise_contrasts(design, table_of(name), of)


@pytest.mark.parametrize(("name", "estimator", "method", "factor"), CASES)
def test_they_are_emmeans(name, estimator, method, factor) -> None:
    # R: emmeans(m, factor, lmer.df = method), pairs(., reverse = TRUE), both with infer = TRUE. lmerTest's derivatives
    # are numerical; R's ptukey and qtukey are good to about 1e-5 (their `eps`).
    expected = MODELS[name][estimator][method]["means"][factor]
    means, contrasts = (table[table["factor"] == factor] for table in tables_of(name, estimator, method))
    theirs = pd.DataFrame(expected["means"])
    # emmeans varies the first factor fastest.
    labels = theirs[factor.split(":")].astype(str).agg(", ".join, axis=1)
    ours = means.set_index("level").loc[labels]
    for column, own in ({"emmean": "estimate"} | BOUNDS).items():
        np.testing.assert_allclose(ours[own], theirs[column], rtol=1e-5, atol=1e-6)

    pairs = pd.DataFrame(expected["contrasts"])
    assert len(contrasts) == len(pairs)
    assert set(contrasts["adjustment"]) == {"tukey" if len(theirs) > 2 else "none"}
    for row in pairs.to_dict("records"):
        found = contrasts[(contrasts["estimate"].abs() - abs(row["estimate"])).abs() < 1e-6]
        assert len(found) == 1
        sign = np.sign(found["estimate"].item() * row["estimate"])
        low, high = ("lower.CL", "upper.CL") if sign > 0 else ("upper.CL", "lower.CL")
        np.testing.assert_allclose(found["lower"], sign * row[low], rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(found["upper"], sign * row[high], rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(found["p_value"], row["p.value"], rtol=1e-3, atol=1e-9)
        np.testing.assert_allclose(found[["std_error", "df"]], [[row["SE"], row["df"]]], rtol=1e-5)


def test_a_number_with_two_values_is_a_factor_and_others_stay_at_their_means() -> None:
    """As emmeans has it: ref_grid's `cov.keep` is 2."""
    table = table_of("factors").assign(treated=lambda t: (t["arm"] == "Yes").astype(int))
    design = build_design("y ~ x + treated + old + (1 | clinic)", table)
    grid = reference_grid(design, table)
    assert grid.levels.to_dict("list") == {"treated": [0, 0, 1, 1], "old": [False, True, False, True]}
    np.testing.assert_allclose(grid.x[:, 1], table["x"].mean())


def test_levels_without_rows_and_missing_rows_are_left_out() -> None:
    table = table_of("factors")
    table = table.assign(x=table["x"].where(table["dose"] != "high"))
    design = build_design("y ~ x + dose + (1 | clinic)", table)
    data = cross_products(design)
    fit = fit_model(design, data, reml=True, random_starts=2, seed=1)
    means = marginal_means(design, table, satterthwaite(data, fit))
    assert means["level"].tolist() == ["low", "mid"]


def test_an_offset_is_in_the_means_at_its_mean() -> None:
    table = table_of("factors")
    design = build_design("y ~ dose + offset(2 * x) + (1 | clinic)", table)
    data = cross_products(design)
    fit = fit_model(design, data, reml=True, random_starts=2, seed=1)
    means = marginal_means(design, table, satterthwaite(data, fit))
    assert means["estimate"][0] == pytest.approx(fit.beta[0] + 2 * table["x"].mean(), rel=1e-12)
    assert ((means["lower"] + means["upper"]) / 2 - means["estimate"]).abs().max() < 1e-12


def test_without_factors_there_are_no_means() -> None:
    design, data, fit = fitted("sleepstudy")
    of = kenward_roger(data, fit)
    assert marginal_means(design, table_of("sleepstudy"), of).empty
    assert pairwise_contrasts(design, table_of("sleepstudy"), of).empty


@pytest.mark.parametrize("name", ["sleepstudy", "factors"])
def test_predictions_are_emmeans(name) -> None:
    # R: summary(ref_grid(m, at = list(...), lmer.df = "kenward-roger"), infer = TRUE)
    design, data, fit = fitted(name)
    of = kenward_roger(data, fit)
    for row in MODELS[name]["REML"]["predictions"]:
        values = {key: row[key] for key in ("Days", "x", "arm", "dose") if key in row}
        ours = predictions(design, table_of(name), of, values)
        expected = [[row["prediction"], row["SE"], row["df"], row["lower.CL"], row["upper.CL"]]]
        found = ours[["estimate", "std_error", "df", "lower", "upper"]]
        np.testing.assert_allclose(found, expected, rtol=1e-6)  # the optima's agreement


def test_predictions_average_over_what_is_not_given() -> None:
    """Every combination has a row of its own; numbers not given are at their means, and levels count alike."""
    design, data, fit = fitted("factors")
    of, table = kenward_roger(data, fit), table_of("factors")
    ours = predictions(design, table, of, {"dose": ["mid", "low"], "arm": ["Yes", "No"]}).set_index(["arm", "dose"])
    means = marginal_means(design, table, of).set_index("level")
    for arm in ("Yes", "No"):
        for dose in ("low", "mid"):
            assert ours["estimate"][arm, dose] == pytest.approx(means["estimate"][f"{arm}, {dose}"], rel=1e-12)
    of_arm = predictions(design, table, of, {"arm": "Yes"})
    assert of_arm["estimate"].item() == pytest.approx(means["estimate"]["Yes"], rel=1e-12)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"q": 1}, "q: the model has no such predictor; it has x, arm, dose"),
        ({"arm": "Maybe"}, "arm has no level Maybe; it has No, Yes"),
        ({"x": "one"}, "x: found 'one'; expected finite numbers"),
        ({"x": float("nan")}, "x: found nan; expected finite numbers"),
    ],
)
def test_what_cannot_be_predicted_is_said(values, said) -> None:
    design, data, fit = fitted("factors")
    with pytest.raises(UserError, match=said):
        predictions(design, table_of("factors"), kenward_roger(data, fit), values)


def test_what_has_no_value_is_refused() -> None:
    table = table_of("factors")
    table = table.assign(size=np.arange(1.0, len(table) + 1))
    design = build_design("y ~ log(size) + (1 | clinic)", table)
    data = cross_products(design)
    of = kenward_roger(data, fit_model(design, data, reml=True, random_starts=0, seed=1))
    assert np.isfinite(predictions(design, table, of, {"size": 2})["estimate"]).all()
    with pytest.raises(UserError, match=r"no finite value in 1 new row, first where size is -1\.0"):
        predictions(design, table, of, {"size": -1})


def test_sets_of_values_stand_below_each_other() -> None:
    design, data, fit = fitted("factors")
    of, table = kenward_roger(data, fit), table_of("factors")
    sets = [{"arm": ["Yes", "No"], "x": 1}, {"dose": "mid"}]
    found = prediction_table(design, table, of, sets)
    assert found["number"].tolist() == [1, 1, 2]
    assert found["at"].tolist() == ["arm = Yes, x = 1", "arm = No, x = 1", "dose = mid"]
    alone = predictions(design, table, of, sets[1])
    assert found["upper"].iloc[2] == alone["upper"].item()
    assert prediction_table(design, table, of, []).empty
