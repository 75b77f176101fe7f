"""compare() beside lme4's anova() and beside the pipeline's own steps."""

import numpy as np
import pandas as pd
import pytest
from twolevel import UserError, compare, fit
from twolevel.bootstrap.experiment import comparison_experiment
from twolevel.bootstrap.likelihood_ratio_tests import bootstrap_tests
from twolevel.bootstrap.parts import run_part
from twolevel.bootstrap.replicate_tables import reference_table
from twolevel.output.results import estimates


@pytest.mark.parametrize("name", ["minority_effect", "cses_slope_variance", "random_slopes_with_minority"])
def test_the_table_is_lme4_s(name, config, hsb, lme4) -> None:
    # lme4_reference.R: anova(null, alternative, refit = FALSE)
    of = config["comparisons"][name]
    both = [config["models"][of[key]]["formula"] for key in ("null_model", "alternative_model")]
    table = compare(*(fit(formula, hsb, reml=of["estimator"] == "REML") for formula in both))
    expected = pd.DataFrame(lme4["comparisons"][name]["rows"])
    for column in ("npar", "AIC", "BIC", "logLik", "deviance", "chisq", "df", "p_value"):
        np.testing.assert_allclose(
            table[column].astype(float), expected[column].astype(float), rtol=1e-5, atol=1e-6, err_msg=column
        )
    assert table.index.tolist() == both


def test_the_bootstrap_is_the_pipeline_s(sleepstudy, sleep) -> None:
    one = fit("Reaction ~ Days + (1 | Subject)", sleepstudy)
    table = compare(one, sleep, bootstrap=99, seed=5).iloc[1]
    designs = (one.design, sleep.design)
    about = comparison_experiment(
        "Reaction ~ Days + (1 | Subject) against Reaction ~ Days + (Days | Subject)",
        designs,
        (one.products, sleep.products),
        tuple(estimates(of.estimates, of.design.blocks) for of in (one, sleep)),
    )
    reference = reference_table(*run_part(about, 5, range(1, 100)).fits, (one.design.blocks, sleep.design.blocks))
    statistic = one.criterion - sleep.criterion
    tests = bootstrap_tests(statistic, 2, [reference["statistic"].to_numpy()], 1).set_index("test")
    shown = {
        "p_value": "LRT",
        "p_mixture": "mixture",
        "p_bootstrap": "PBtest",
        "p_gamma": "Gamma",
        "p_bartlett": "Bartlett",
    }
    for column, test in shown.items():
        assert table[column] == pytest.approx(tests["p_value"][test], rel=1e-12), column
    # None of 99 simulated statistics is as large as the observed 42.8: (1 + 0) / (1 + 99).
    assert (table["p_bootstrap"], table["replicates"]) == (0.01, 99)


def test_the_mixture_halves_the_p_value_of_one_variance(sleepstudy, sleep) -> None:
    # R: (pchisq(42.83681, 1, lower = FALSE) + pchisq(42.83681, 2, lower = FALSE)) / 2
    one = fit("Reaction ~ Days + (1 | Subject)", sleepstudy)
    assert compare(one, sleep)["p_mixture"].iloc[1] == pytest.approx(2.7925346e-10, rel=1e-5)
    two = fit("Reaction ~ 1 + (1 | Subject)", sleepstudy, reml=False)
    assert "p_mixture" not in compare(two, fit("Reaction ~ Days + (1 | Subject)", sleepstudy, reml=False))


def test_comparisons_that_say_nothing_are_refused(sleepstudy, sleep) -> None:
    ml = fit("Reaction ~ Days + (Days | Subject)", sleepstudy, reml=False)
    with pytest.raises(UserError, match="null model is fitted by ML, the alternative by REML"):
        compare(ml, sleep)
    with pytest.raises(UserError, match=r"(?s)compare: a REML comparison needs the same fixed.*reml=False"):
        compare(fit("Reaction ~ 1 + (Days | Subject)", sleepstudy), sleep)
    with pytest.raises(UserError, match="compare: the models are not nested"):
        compare(sleep, fit("Reaction ~ Days + (1 | Subject)", sleepstudy))
    with pytest.raises(UserError, match="compare: the two models are the same"):
        compare(sleep, sleep)
    with pytest.raises(UserError, match="fitted to different rows"):
        compare(fit("Reaction ~ Days + (1 | Subject)", sleepstudy.head(150)), sleep)
    with pytest.raises(UserError, match="number of replicates is -1"):
        compare(fit("Reaction ~ Days + (1 | Subject)", sleepstudy), sleep, bootstrap=-1)
