"""The public names beside lme4 (tests/reference/README.md) and beside the functions that the scripts call."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from twolevel import Result, UserError, fit
from twolevel.bootstrap.experiment import experiment_of
from twolevel.bootstrap.parts import run_part
from twolevel.output.results import fixed_effects_table, random_effects_table

REFERENCE = Path(__file__).parents[1] / "reference"
WORKFLOW = Path(__file__).parents[2] / "workflow"
SUMMARIES = json.loads((REFERENCE / "predictions.json").read_text(encoding="utf-8"))["summaries"]
PROFILES = json.loads((REFERENCE / "profile_intervals.json").read_text(encoding="utf-8"))["models"]


@pytest.mark.parametrize("reml", [True, False])
def test_criteria_and_estimates_are_lme4_s(reml, hsb, lme4) -> None:
    expected = lme4["models"]["random_coefficients"]["REML" if reml else "ML"]
    model = fit("mathach ~ cses + (cses | school)", hsb, reml)
    for name in ("criterion", "log_likelihood", "aic", "bic"):
        assert getattr(model, name) == pytest.approx(expected[name], abs=1e-6), name
    assert (model.n_obs, model.singular, model.doubts, dict(model.left_out)) == (7185, False, (), {})
    effects = pd.DataFrame(expected["fixed_effects"]).set_index("term")
    ours = model.fixed_effects[["estimate", "std_error", "t"]].rename(columns={"t": "statistic"})
    pd.testing.assert_frame_equal(ours, effects, rtol=1e-5, check_names=False)
    np.testing.assert_allclose(model.vcov, expected["fixed_effects_covariance"], rtol=1e-5)
    assert list(model.vcov.index) == list(model.vcov.columns) == ["(Intercept)", "cses"]
    random = pd.DataFrame(expected["random_effects"]).fillna({"term_1": "", "term_2": ""})
    pd.testing.assert_frame_equal(model.random_effects, random, rtol=1e-4)


@pytest.mark.parametrize("name", ["random_coefficients", "intercepts_and_slopes"])
def test_t_tests_are_lmertest_s_and_pbkrtest_s(name, hsb) -> None:
    # kenward_roger.R, with the tolerances of tests/inference/test_fixed_tests.py
    of = json.loads((REFERENCE / "kenward_roger.json").read_text(encoding="utf-8"))["models"][name]
    ours = fit(of["formula"], hsb).fixed_effects
    plain, adjusted = (pd.DataFrame(of[method]).set_index("term") for method in ("satterthwaite", "kenward_roger"))
    assert list(ours.index) == list(plain.index) == list(adjusted.index)
    np.testing.assert_allclose(ours["df"], plain["df"], rtol=1e-3)
    np.testing.assert_allclose(ours["kr_df"], adjusted["df"], rtol=1e-4)
    np.testing.assert_allclose(ours["kr_std_error"], adjusted["std_error"], rtol=1e-5)
    np.testing.assert_allclose(ours["kr_t"], adjusted["statistic"], rtol=1e-5)


def test_kenward_and_roger_s_columns_are_missing_by_ml(sleepstudy) -> None:
    table = fit("Reaction ~ Days + (Days | Subject)", sleepstudy, reml=False).fixed_effects
    assert table[["kr_std_error", "kr_t", "kr_df", "kr_p"]].isna().all(axis=None)
    assert table[["estimate", "std_error", "t", "df", "p"]].notna().all(axis=None)


def test_the_tables_are_the_pipeline_s(model3, models) -> None:
    # The pipeline's estimates are MixedLM's, the same but for rounding; other random starts end at the same optimum.
    fitted = models["random_coefficients"]
    theirs = fixed_effects_table(fitted.design, fitted.data, fitted.reml)
    np.testing.assert_allclose(model3.fixed_effects, theirs.drop(columns="term"), rtol=1e-6)
    pd.testing.assert_frame_equal(
        model3.random_effects, random_effects_table(fitted.design, fitted.reml), rtol=1e-6, atol=1e-8
    )


@pytest.mark.parametrize("reml", [True, False])
def test_the_summary_is_what_lme4_prints(reml, sleepstudy) -> None:
    # predictions.R: capture.output(print(summary(m))); there the data have a name.
    theirs = [line for line in SUMMARIES["REML" if reml else "ML"] if not line.startswith("   Data: ")]
    assert fit("Reaction ~ Days + (Days | Subject)", sleepstudy, reml).summary().splitlines() == theirs


def test_effects_and_coefficients_by_group(sleep) -> None:
    # R: ranef(m)$Subject["308", ], coef(m)$Subject["308", ]; bobyqa's theta is known to some 1e-6 of its size.
    effects, coefficients = sleep.effects["estimate"], sleep.coefficients["estimate"]
    assert effects.shape == (36,)
    assert effects.index.names == ["Subject", "term"]
    np.testing.assert_allclose(effects["308"], [2.2585658, 9.1989718], rtol=1e-5)
    np.testing.assert_allclose(coefficients["308"], [253.66367, 19.666258], rtol=1e-6)
    assert (sleep.coefficients["std_error"] > 0).all()


def test_fitted_values_and_residuals_keep_the_rows_of_the_data(sleepstudy) -> None:
    table = sleepstudy.set_index(pd.Index([f"row {i}" for i in range(180)]))
    table.loc["row 3", "Days"] = np.nan
    model = fit("Reaction ~ Days + (Days | Subject)", table)
    assert (model.n_obs, dict(model.left_out)) == (179, {"Days": 1})
    assert list(model.fitted.index) == [name for name in table.index if name != "row 3"]
    np.testing.assert_allclose(model.fitted + model.residuals, table["Reaction"].drop("row 3"), rtol=1e-12)


@pytest.mark.parametrize("reml", [True, False])
def test_profile_intervals_are_lme4_s(reml, hsb, model3) -> None:
    # profile_intervals.R: confint(m, method = "profile", oldNames = TRUE). lme4 interpolates its profile: see
    # tests/inference/test_profile_intervals.py for the tolerance.
    model = model3 if reml else fit(model3.design.formula, hsb, reml=False)
    expected = pd.DataFrame(PROFILES["random_coefficients"]["intervals"]).set_index("parameter")
    ours = model.confint("profile")
    assert list(ours.index) == list(expected.index)
    width = expected["upper"] - expected["lower"]
    for side in ("lower", "upper"):
        assert ((ours[side] - expected[side]).abs() < 2e-3 * width).all(), side


def test_wald_intervals(sleep) -> None:
    # R: confint(m, method = "Wald", parm = "beta_")
    ours = sleep.confint("wald")[["lower", "upper"]]
    np.testing.assert_allclose(ours, [[238.02921938, 264.7809903], [7.43759546, 13.4969765]], rtol=1e-6)


def test_the_bootstrap_is_the_pipeline_s(sleep) -> None:
    of = sleep.estimates
    about = experiment_of(sleep.design.formula, (sleep.design,), (sleep.products,), (of.lower,), of.sigma, reml=True)
    theirs = run_part(about, 7, range(1, 101), threads=1).fits[0]
    ours = sleep.bootstrap(100, seed=7)
    np.testing.assert_array_equal(ours["criterion"], theirs.criterion)
    np.testing.assert_array_equal(ours[".sigma"], theirs.sigma)
    # Over replicates the standard deviation is the standard error, within 4 Monte Carlo errors se / sqrt(2 * 99).
    errors = sleep.fixed_effects["std_error"]
    simulated = ours[["(Intercept)", "Days"]].std()
    assert ((simulated / errors - 1).abs() < 4 / np.sqrt(198)).all()


def test_bootstrap_intervals_have_three_kinds_and_the_level(sleep) -> None:
    table = sleep.confint("bootstrap", level=0.9, replicates=199, seed=3)
    assert table["method"].unique().tolist() == ["percentile", "basic", "normal"]
    replicates = sleep.bootstrap(199, seed=3)["Days"]
    percentile = table[table["method"] == "percentile"].loc["Days"]
    # boot.ci: order statistics 10 and 190 of 199.
    np.testing.assert_allclose(percentile[["lower", "upper"]].astype(float), np.sort(replicates)[[9, 189]], rtol=1e-12)


def test_statsmodels_confirms_a_fit(sleep) -> None:
    confirmed = sleep.confirm()
    assert sleep.estimates.record is None
    assert confirmed.estimates.record.criterion == pytest.approx(sleep.criterion, abs=1e-6)
    assert confirmed.doubts == ()


def test_nothing_in_a_result_changes(sleepstudy) -> None:
    table = sleepstudy.copy()
    model = fit("Reaction ~ scale(Days) + (1 | Subject)", table)
    before = model.predict(sleepstudy.head(3))
    table["Days"] = 0.0
    pd.testing.assert_series_equal(model.predict(sleepstudy.head(3)), before)
    with pytest.raises(AttributeError):
        model.seed = 2  # type: ignore[misc]


def test_the_html_escapes_names() -> None:
    rng = np.random.Generator(np.random.Philox(1))
    table = pd.DataFrame({"g": np.repeat(np.arange(20), 5), "<script>x": rng.standard_normal(100)})
    table["y"] = rng.standard_normal(20).repeat(5) + rng.standard_normal(100)
    model = fit("y ~ `<script>x` + (1 | g)", table)
    page = model._repr_html_()
    assert "<script>" not in page
    assert page.count("&lt;script&gt;x") >= 2
    assert "<table" in page
    assert repr(model).startswith("<Result: y ~ `<script>x` + (1 | g) by REML, criterion ")


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda table, _: fit("Reaction ~ Days + (1 | Subject)", table.to_dict()), "data is of type dict"),
        (lambda table, _: fit(None, table), "formula is of type NoneType"),
        (lambda table, _: fit("Reaction ~ Day + (1 | Subject)", table), "no column Day in the data"),
        (lambda table, _: fit("Reaction ~ Days", table), "there are no random effects"),
        (lambda table, _: fit("Reaction ~ 1 + (1 | Days)", table, group="Subject"), "column of groups is 'Subject'"),
        (lambda table, _: fit("Reaction ~ 1 + (1 | Subject)", table, random_starts=-1), "random_starts is -1"),
        (
            lambda table, _: fit("Days ~ 1 + (1 | Subject)", table.set_axis(["Days", "Days", "Subject"], axis=1)),
            "more than one column is called Days",
        ),
        (
            lambda _, model: model.confint("Wald"),
            "method is 'Wald'; expected one of satterthwaite, kenward_roger, wald, profile, bootstrap",
        ),
        (lambda _, model: model.confint(level=95), "level is 95"),
        (lambda _, model: model.bootstrap(0), "the number of replicates is 0"),
        (lambda _, model: model.bootstrap("10"), "the number of replicates is '10'"),
        (lambda _, model: model.bootstrap(1.5), "the number of replicates is 1.5"),
        (lambda _, model: model.bootstrap(9, seed=-1), "seed is -1"),
        (lambda table, _: fit("Reaction ~ 1 + (1 | Subject)", table, reml="ML"), "reml is 'ML'; expected True"),
        (lambda table, _: fit("Reaction ~ 1 + (1 | Subject)", table, group=["Subject"]), "group is \\['Subject'\\]"),
        (lambda _, model: model.predict({"Days": 1}), "the new data is of type dict"),
    ],
)
def test_mistakes_are_told_in_one_message(call, says, sleepstudy, sleep) -> None:
    with pytest.raises(UserError, match=says):
        call(sleepstudy, sleep)


def test_the_public_names_are_what_they_say() -> None:
    import twolevel

    assert twolevel.fit is fit
    assert twolevel.Result is Result
    with pytest.raises(AttributeError, match="'fits'"):
        _ = twolevel.fits


def test_what_is_not_used_is_not_imported() -> None:
    code = "import sys, twolevel; print(*sys.modules); from twolevel import compare, fit; print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(WORKFLOW)}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    first, second = (set(line.split()) for line in run.stdout.splitlines())
    assert not {"numpy", "pandas", "numba", "twolevel.api"} & first
    assert "numba" in second
    # What only the extras bring, and what only some formulas need.
    assert not {"statsmodels", "nlopt", "matplotlib", "jinja2", "formulaic"} & second
