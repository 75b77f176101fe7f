"""What figures of a model need of it."""

from dataclasses import asdict

import pytest
from twolevel.errors import UserError
from twolevel.figures.requirements import check_model_of_figure
from twolevel.model.terms import Factor

LINE = {
    "formula": "y ~ x + (x | g)",
    "response": "y",
    "fixed_terms": ["(Intercept)", "x"],
    "random_terms": ["(Intercept)", "x"],
    "meanings": {},
}
FACTORS = [Factor("x"), Factor("w"), Factor("kind", "b", "a", "treatment")]
MORE = LINE | {"meanings": {str(number): asdict(factor) for number, factor in enumerate(FACTORS)}}
COLUMNS = ["x", "y", "w", "kind"]


@pytest.mark.parametrize(
    ("settings", "model"),
    [
        ({"kind": "ols_vs_mixed", "x": "x", "y": "y"}, LINE),
        ({"kind": "shrinkage", "x": "x", "y": "y"}, LINE),
        ({"kind": "qq_level2", "term": "x"}, LINE),
        ({"kind": "fitted_lines", "x": "x", "y": "y", "at": "w", "category": "kind"}, MORE),
        ({"kind": "caterpillar"}, LINE),
    ],
)
def test_a_model_that_has_what_the_figure_shows(settings, model):
    check_model_of_figure(settings | {"model": "m"}, model, COLUMNS)


LINES = {"kind": "fitted_lines", "x": "x", "y": "y", "at": "w", "category": "kind"}
PLANE = ["(Intercept)", "x", "z"]


@pytest.mark.parametrize(
    ("settings", "model", "says"),
    [
        ({"kind": "ols_vs_mixed", "x": "x", "y": "z"}, LINE, "y is z, but m is a model of y"),
        ({"kind": "shrinkage", "x": "x", "y": "z"}, LINE, "y is z, but m is a model of y"),
        (
            {"kind": "ols_vs_mixed", "x": "x", "y": "y"},
            LINE | {"fixed_terms": PLANE},
            r"fixed effects are \(Intercept\) and x; those of m are \(Intercept\), x, z. Name another model",
        ),
        (
            {"kind": "shrinkage", "x": "x", "y": "y"},
            LINE | {"random_terms": ["(Intercept)"]},
            r"random effects are \(Intercept\) and x; those of m are \(Intercept\)",
        ),
        ({"kind": "qq_level2", "term": "z"}, LINE, r"no random effect of 'z'; it has \(Intercept\), x"),
        (LINES | {"y": "z"}, MORE, "y is z, but m is a model of y"),
        (LINES | {"x": "z"}, MORE, "x is z, but the numeric predictors of m are: x, w"),
        (LINES | {"at": "kind"}, MORE, "at is kind, but the numeric predictors of m are: x, w"),
        (LINES | {"category": "w"}, MORE, "category is w, but the factors of m are: kind"),
        (
            LINES,
            MORE | {"meanings": MORE["meanings"] | {"3": asdict(Factor("log(v)"))}},
            r"the predictor log\(v\), which",
        ),
        (
            LINES,
            MORE | {"meanings": MORE["meanings"] | {"3": asdict(Factor("y", coding="basis"))}},
            "the predictor y, which is no column",
        ),
    ],
)
def test_another_model_is_refused(settings, model, says):
    with pytest.raises(UserError, match=says):
        check_model_of_figure(settings | {"model": "m"}, model, COLUMNS)
