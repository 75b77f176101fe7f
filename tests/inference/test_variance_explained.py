"""Variance explained, against what the vignette prints."""

import pytest
from twolevel.errors import UserError
from twolevel.inference.variance_explained import check_baseline, variance_explained
from twolevel.output.results import random_effects_table


@pytest.mark.parametrize(
    ("model", "baseline", "term", "printed"),
    [
        # studies/hsb/published.csv, ch7-082 and ch7-086: variance between schools explained by sector and by mean SES
        ("means_by_sector", "one_way_anova", "(Intercept)", 0.22),
        ("means_by_mean_ses", "one_way_anova", "(Intercept)", 0.69),
    ],
)
def test_proportions_are_those_printed(model, baseline, term, printed, models) -> None:
    tables = {name: random_effects_table(models[name].design, models[name].reml) for name in (model, baseline)}
    explained = variance_explained(tables, {model: baseline}).set_index("term")["explained"]
    assert round(explained[term], 2) == printed


def test_only_shared_variances_are_compared(models) -> None:
    names = ("random_coefficients", "random_intercept")
    tables = {name: random_effects_table(models[name].design, models[name].reml) for name in names}
    rows = variance_explained(tables, {names[0]: names[1]})
    assert rows["term"].tolist() == ["Residual", "(Intercept)"]
    assert rows["level"].tolist() == [1, 2]


def test_nothing_is_explained_of_no_variance(models) -> None:
    table = random_effects_table(models["random_intercept"].design, models["random_intercept"].reml)
    tables = {"a": table, "b": table.assign(vcov=0.0)}
    assert variance_explained(tables, {"a": "b"})["explained"].isna().all()


def test_without_baselines_the_table_is_empty_but_has_its_columns() -> None:
    empty = variance_explained({}, {})
    assert len(empty) == 0
    assert "explained" in empty.columns


def test_a_baseline_of_another_response_is_refused() -> None:
    fingerprint = {"data": "d", "library": "l"}
    fit = {"fingerprint": fingerprint, "response": "mathach", "group": "school", "n_obs": 9, "estimator": "REML"}
    fit["left_out"] = {"rows": 0, "missing": {}}
    check_baseline("m1", fit, "m0", fit)
    with pytest.raises(UserError, match=r"models.m1.baseline: m0 has the response ses, m1 has mathach"):
        check_baseline("m1", fit, "m0", {**fit, "response": "ses"})
    with pytest.raises(UserError, match=r"models.m1.baseline: m0 is fitted by ML and m1 by REML"):
        check_baseline("m1", fit, "m0", {**fit, "estimator": "ML"})
    fewer = {"n_obs": 7, "left_out": {"rows": 2, "missing": {"ses": 2}}}
    with pytest.raises(UserError, match="m0 is fitted to 9 rows and m1 to 7, since values are missing in ses"):
        check_baseline("m1", fit | fewer, "m0", fit)
    with pytest.raises(UserError, match="fitted with different data"):
        check_baseline("m1", fit, "m0", {**fit, "fingerprint": {**fingerprint, "data": "other"}})
