"""Likelihood ratio tests: lme4's numbers, and what is refused."""

import pandas as pd
import pytest
from twolevel.data.fingerprint import check_same_data
from twolevel.errors import UserError
from twolevel.inference.compare import comparison_table, likelihood_ratio
from twolevel.model.formula import build_design


def estimates(fit) -> dict:
    """The part of fit.json that a comparison needs."""
    return {
        "estimator": fit.estimator,
        "criterion": fit.criterion,
        "log_likelihood": fit.log_likelihood,
        "npar": fit.npar,
        "aic": fit.aic,
        "bic": fit.bic,
    }


@pytest.mark.parametrize("name", ["minority_effect", "cses_slope_variance"])
def test_table_is_r_s_anova(name, config, models, lme4) -> None:
    # anova(m0, m1) and anova(m1, m0, refit = FALSE)
    settings = config["comparisons"][name]
    pair = [models[settings[role]] for role in ("null_model", "alternative_model")]
    fits = tuple(estimates(fitted.reml if settings["estimator"] == "REML" else fitted.ml) for fitted in pair)
    test = likelihood_ratio(name, *fits, (pair[0].design, pair[1].design))
    table = comparison_table((settings["null_model"], settings["alternative_model"]), fits, test)
    for ours, theirs in zip(table.to_dict("records"), lme4["comparisons"][name]["rows"], strict=True):
        assert ours["model"] == theirs["model"]
        assert ours["npar"] == theirs["npar"]
        for key in ("AIC", "BIC", "logLik", "deviance"):
            assert ours[key] == pytest.approx(theirs[key], abs=1e-6)
    row = table.iloc[1]
    expected = lme4["comparisons"][name]["rows"][1]
    assert row["chisq"] == pytest.approx(expected["chisq"], abs=2e-6)
    assert row["df"] == expected["df"]
    assert row["p_value"] == pytest.approx(expected["p_value"], rel=1e-5)
    assert test.on_boundary == (name == "cses_slope_variance")


def design_of(formula: str, table: pd.DataFrame):
    return build_design(f"mathach ~ {formula}", table)


ANY = {"criterion": 1.0, "npar": 1}


@pytest.mark.parametrize(
    ("null", "alternative", "estimator", "says"),
    [
        ("cses + minority + (1 | school)", "cses + sector + (1 | school)", "ML", "not nested.*Choose a null model"),
        ("cses + minority + (1 | school)", "cses + (1 | school)", "ML", "not nested"),
        ("cses + (minority | school)", "cses + (cses | school)", "REML", "not nested"),
        ("cses + (1 | school)", "cses + (1 | school)", "ML", "the two models are the same"),
        (
            "cses + (1 | school)",
            "cses + minority + (1 | school)",
            "REML",
            "REML comparison needs the same fixed.*'estimator: ML'",
        ),
        ("cses + (1 | school)", "cses + (1 | sector)", "ML", "different responses, offsets or groups"),
    ],
)
def test_comparisons_that_are_not_valid_are_refused(null, alternative, estimator, says, hsb) -> None:
    both = [design_of(formula, hsb) for formula in (null, alternative)]
    with pytest.raises(UserError, match=f"(?s)comparisons.mine: .*{says}"):
        likelihood_ratio(
            "comparisons.mine", {**ANY, "estimator": estimator}, {**ANY, "estimator": estimator}, tuple(both)
        )


def test_models_nested_in_other_words_are_accepted(hsb) -> None:
    # ses = cses + mean.ses: the first model is the second with both slopes equal, though no term is shared.
    both = design_of("ses + (1 | school)", hsb), design_of("cses + mean.ses + (1 | school)", hsb)
    null = {"estimator": "ML", "criterion": 10.0, "npar": 4}
    assert likelihood_ratio("contextual", null, {**null, "criterion": 7.0, "npar": 5}, both).df == 1


def test_reml_refuses_the_same_fixed_effects_in_other_units(hsb) -> None:
    # The REML criterion of 10*cses differs from that of cses by 2 log 10.
    tenfold = hsb.assign(c10=10 * hsb["cses"])
    both = design_of("cses + (1 | school)", tenfold), design_of("c10 + (cses | school)", tenfold)
    with pytest.raises(UserError, match="in the same units"):
        likelihood_ratio("mine", {**ANY, "estimator": "REML"}, {**ANY, "estimator": "REML"}, both)


@pytest.mark.parametrize("key", ["data", "library"])
def test_results_of_other_data_or_code_are_not_compared(key) -> None:
    one = {"fingerprint": {"data": "a", "formula": "f", "library": "l"}}
    other = {"fingerprint": {**one["fingerprint"], "formula": "another", key: "changed"}}
    with pytest.raises(UserError, match=f"fitted with different {key}"):
        check_same_data(one, other, ("m0", "m1"))
    check_same_data(one, {"fingerprint": {**one["fingerprint"], "formula": "another"}}, ("m0", "m1"))
