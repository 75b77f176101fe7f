"""Models side by side: what means the same stands in one row, and criteria that cannot be compared are told apart."""

from dataclasses import asdict
from typing import Any

import pandas as pd
import pytest
from twolevel.model.terms import Factor
from twolevel.output.side_by_side import families, side_by_side, side_by_side_table


def fit(formula: str, hierarchy: list[dict[str, Any]], meanings: dict[str, Factor], **changes: Any) -> dict[str, Any]:
    """A `fit.json` with what is read of it; the fixed effects are 1, 2, 3 ... with a standard error of 0.5."""
    columns = [column for c in hierarchy for column, _ in c["predictors"]]
    random = [c for c in hierarchy if c["random"] is not None]
    q, p = len(random), len(columns)
    named = {
        column: ":".join([*c["factors"], *predictor]) or "(Intercept)"
        for c in hierarchy
        for column, predictor in c["predictors"]
    }
    return {
        "formula": formula,
        "response": formula.partition(" ~")[0],
        "n_obs": 100,
        "n_groups": 10,
        "npar": p + q * (q + 1) // 2 + 1,
        "left_out": {"rows": 0, "missing": {}},
        "hierarchy": hierarchy,
        "meanings": {name: asdict(of) for name, of in meanings.items()},
        "fixed_terms": [named[column] for column in range(p)],
        "fixed_effects": [float(i + 1) for i in range(p)],
        "fixed_effects_covariance": [[0.25 * (i == k) for k in range(p)] for i in range(p)],
        "random_terms": [":".join(c["factors"]) or "(Intercept)" for c in random],
        "random_effects_covariance": [[4.0 if i == k else 1.0 for k in range(q)] for i in range(q)],
        "random_effects_correlation": [[1.0 if i == k else 0.25 for k in range(q)] for i in range(q)],
        "sigma": 3.0,
        "estimator": "REML",
        "criterion": 500.0,
        "aic": 510.0,
        "bic": 520.0,
        "ml": {"criterion": 495.0, "aic": 505.0, "aicc": 505.9, "bic": 515.0},
        "shares": {"intraclass_correlation": 0.2, "r2_marginal": 0.1, "r2_conditional": 0.3},
    } | changes


def coefficient(*factors: str, predictors: list[Any], random: int | None = None) -> dict[str, Any]:
    return {"factors": [*factors], "predictors": predictors, "random": random}


X, W = Factor("x", made_of=("x",)), Factor("w", made_of=("w",))
B = Factor("arm", "B", "A", "treatment", ("arm",))


def crossed(order: str) -> dict[str, Any]:
    """`x * w`, the product named one way or the other."""
    own, other = order.split(":")
    hierarchy = [
        coefficient(predictors=[[0, []], [1, [other]]], random=0),
        coefficient(own, predictors=[[2, []], [3, [other]]]),
    ]
    return fit(f"y ~ {other} * {own} + (1 | g)", hierarchy, {"x": X, "w": W})


def rows(fits: dict[str, Any]) -> dict[tuple[str, str, str], dict[str, float]]:
    return {(row.part, row.term, row.statistic): dict(row.numbers) for row in side_by_side(fits)}


def test_a_product_is_one_row_whichever_factor_comes_first() -> None:
    found = rows({"one": crossed("x:w"), "two": crossed("w:x")})
    assert found["fixed", "x:w", "estimate"] == {"one": 4.0, "two": 4.0}
    assert ("fixed", "w:x", "estimate") not in found
    # x is the third column of one model and the second of the other.
    assert found["fixed", "x", "estimate"] == {"one": 3.0, "two": 2.0}


def test_the_mean_of_a_level_and_its_difference_from_another_are_two_rows() -> None:
    difference = fit(
        "y ~ arm + (1 | g)",
        [coefficient(predictors=[[0, []]], random=0), coefficient("armB", predictors=[[1, []]])],
        {"armB": B},
    )
    levels = {f"arm{level}": Factor("arm", level, None, "indicator", ("arm",)) for level in "AB"}
    means = fit(
        "y ~ 0 + arm + (1 | g)",
        [
            coefficient(predictors=[], random=0),
            *(coefficient(name, predictors=[[i, []]]) for i, name in enumerate(levels)),
        ],
        levels,
    )
    found = rows({"difference": difference, "means": means})
    assert found["fixed", "armB", "estimate"] == {"difference": 2.0}
    assert found["fixed", "armB (not a difference)", "estimate"] == {"means": 2.0}


def test_rows_of_one_model() -> None:
    slopes = [coefficient(predictors=[[0, []]], random=0), coefficient("x", predictors=[[1, []]], random=1)]
    found = rows({"slopes": fit("y ~ x + (x | g)", slopes, {"x": X})})
    assert found["fixed", "x", "std_error"] == {"slopes": 0.5}
    assert found["random", "x", "variance"] == {"slopes": 4.0}
    assert found["random", "x", "sd"] == {"slopes": 2.0}
    assert found["random", "x with (Intercept)", "covariance"] == {"slopes": 1.0}
    assert found["random", "x with (Intercept)", "correlation"] == {"slopes": 0.25}
    assert found["random", "Residual", "variance"] == {"slopes": 9.0}
    assert found["criterion", "", "reml_criterion"] == {"slopes": 500.0}
    assert found["criterion", "", "ml_bic"] == {"slopes": 515.0}
    assert found["size", "", "npar"] == {"slopes": 6}
    independent = fit("y ~ x + (x || g)", slopes, {"x": X}, random_effects_correlation=[[1.0, None], [None, 1.0]])
    assert ("random", "x with (Intercept)", "covariance") not in rows({"independent": independent})


def one_slope(formula: str = "y ~ x + (1 | g)", **changes: Any) -> dict[str, Any]:
    hierarchy = [coefficient(predictors=[[0, []]], random=0), coefficient("x", predictors=[[1, []]])]
    return fit(formula, hierarchy, {"x": X}, **changes)


def test_criteria_can_be_compared_within_a_family() -> None:
    empty = fit("y ~ 1 + (1 | g)", [coefficient(predictors=[[0, []]], random=0)], {})
    several = {
        "empty": empty,
        "x": one_slope(),
        "more random": one_slope("y ~ x + (x | g)"),
        "product": crossed("x:w"),
        "turned": crossed("w:x"),
        "log": one_slope("log(y) ~ x + (1 | g)"),
        "offset": one_slope("y ~ x + offset(x) + (1 | g)"),
        "fewer rows": one_slope(n_obs=90, left_out={"rows": 10, "missing": {"x": 10}}),
    }
    reml, ml = families(several, reml=True), families(several, reml=False)
    assert list(reml.values()) == [1, 2, 2, 3, 3, 4, 5, 6]
    assert list(ml.values()) == [1, 1, 1, 1, 1, 2, 3, 4]


def test_the_table_has_a_column_for_each_model_and_gaps() -> None:
    fits = {"empty": fit("y ~ 1 + (1 | g)", [coefficient(predictors=[[0, []]], random=0)], {}), "x": one_slope()}
    table = side_by_side_table(side_by_side(fits), [*fits])
    assert list(table.columns) == ["part", "term", "statistic", "empty", "x"]
    x = table[(table["term"] == "x") & (table["statistic"] == "estimate")].iloc[0]
    assert pd.isna(x["empty"])
    assert x["x"] == 2.0
    assert not table.duplicated(["part", "term", "statistic"]).any()


@pytest.mark.slow
def test_the_table_of_the_run_is_lme4_s(results: Any, lme4: dict[str, Any]) -> None:
    """HSB's models against lme4's estimates at the optimum (tests/reference/lme4_reference.R).

    Criteria agree to 1e-5, since they are flat where searches stop, and estimates to 1e-4 of themselves or 1e-5.
    """
    table = pd.read_csv(results / "models/side_by_side.csv", keep_default_na=False, na_values=[""])
    table = table.fillna({"term": ""}).set_index(["part", "term", "statistic"])
    for model, reference in lme4["models"].items():
        column, reml = table[model], reference["REML"]
        assert column["criterion", "", "reml_criterion"] == pytest.approx(reml["criterion"], abs=1e-5)
        assert column["criterion", "", "ml_deviance"] == pytest.approx(reference["ML"]["criterion"], abs=1e-5)
        assert column["random", "Residual", "sd"] == pytest.approx(reml["sigma"], rel=1e-4)
        for effect in reml["fixed_effects"]:
            for statistic in ("estimate", "std_error"):
                found = column["fixed", effect["term"], statistic]
                assert found == pytest.approx(effect[statistic], rel=1e-4, abs=1e-5)
        terms = reml["random_effects_terms"]
        assert [column["random", term, "sd"] for term in terms] == pytest.approx(reml["random_effects_sd"], rel=1e-4)
        for i, row in enumerate(reml["random_effects_correlation"]):
            pairs = [column["random", f"{terms[i]} with {terms[k]}", "correlation"] for k in range(i)]
            assert pairs == pytest.approx(row[:i], rel=1e-3, abs=1e-5)
