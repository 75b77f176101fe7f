"""Figures of groups' effects and of what a model predicts, on small data with answers known by construction."""

from itertools import chain

import numpy as np
from scipy.stats import norm
from twolevel.effects import group_effects
from twolevel.figures import caterpillar
from twolevel.figures.drawing import render
from twolevel.figures.words import Labels, Noun

LABELS = Labels("class", Noun("class", "classes"), Noun("pupil", "pupils"), {"x": "hours of practice"})
FIT = {
    "formula": "y ~ x + (x | class)",
    "response": "y",
    "estimator": "REML",
    "random_terms": ["(Intercept)", "x"],
    "fixed_terms": ["(Intercept)", "x"],
    "fixed_effects": [24.5, 0.75],
    "hierarchy": [
        {"term": "(Intercept)", "factors": [], "predictors": [[0, []]], "random": 0},
        {"term": "x", "factors": ["x"], "predictors": [[1, []]], "random": 1},
    ],
}
ONE_EFFECT = FIT | {"random_terms": ["(Intercept)"], "formula": "y ~ x + (1 | class)"}
ONE_EFFECT["hierarchy"] = [FIT["hierarchy"][0], FIT["hierarchy"][1] | {"random": None}]


# --- caterpillar

# Interval -+ 0.98: of the intercepts 2, 1 and -1 have one without 0, of the slopes none.
EFFECTS = {
    "term": np.array(["(Intercept)", "x"] * 5),
    "effect": np.array([0.5, 0.2, 2.0, 0.1, -1.0, 0.9, 0.0, -0.9, 1.0, 0.0]),
    "effect_std_error": np.full(10, 0.5),
}


def intervals_of(axes) -> dict[float, list[tuple[float, float, float]]]:
    """Place, lower and upper end of the drawn intervals by the thickness of their line."""
    found = {}
    for collection in axes.collections:
        ends = [(segment[0][0], segment[0][1], segment[1][1]) for segment in collection.get_segments()]
        found[float(collection.get_linewidth()[0])] = ends
    return found


def test_intervals_are_the_effects_by_their_errors_about_the_mean_in_order():
    drawing = caterpillar.draw(EFFECTS, FIT, LABELS, model="m")
    intercepts, slopes = drawing.figure.axes
    reach = 0.5 * norm.ppf(0.975)
    effects = EFFECTS["effect"].reshape(5, 2)
    for axes, mean, values in ((intercepts, 24.5, effects[:, 0]), (slopes, 0.75, effects[:, 1])):
        drawn = np.array(sorted(chain(*intervals_of(axes).values())))
        expected = np.column_stack([np.arange(1, 6), mean + np.sort(values) - reach, mean + np.sort(values) + reach])
        np.testing.assert_allclose(drawn, expected, rtol=0, atol=1e-12)
        dots = np.concatenate([line.get_ydata() for line in axes.get_lines() if line.get_marker() == "o"])
        np.testing.assert_allclose(np.sort(dots), mean + np.sort(values), rtol=0, atol=1e-12)
        assert [list(line.get_ydata()) for line in axes.get_lines() if line.get_marker() == "None"] == [[mean, mean]]
    thin, thick = sorted(intervals_of(intercepts))  # told apart by thickness, and so in grey too
    assert [place for place, *_ in intervals_of(intercepts)[thick]] == [1, 4, 5]
    assert intervals_of(slopes)[thick] == []
    assert thick > 1.5 * thin


def test_how_many_intervals_exclude_the_mean_is_said():
    drawing = caterpillar.draw(EFFECTS, FIT, LABELS, model="m")
    for words in (drawing.alt, drawing.caption):
        assert "Intercepts: the mean, 24.50, lies outside 3 of 5 intervals (60.0 %), below 2 and above 1 of" in words
        assert "Slopes of x: the mean, 0.7500, lies outside 0 of 5 intervals (0.0 %)" in words
        assert "prediction" not in words
    assert drawing.title == "5 classes in order, with 95 % intervals"
    titles = [" ".join(axes.get_title().split()) for axes in drawing.figure.axes]
    assert titles[0] == "intercepts: the mean, 24.50, outside 3 of 5 intervals (60.0 %)"
    assert [axes.get_ylabel().replace("\n", " ") for axes in drawing.figure.axes] == ["y", "y per unit of x"]


def test_a_coefficient_with_predictors_is_drawn_about_zero():
    """`(x | class)` beside `x * w` predicts the slopes; a random slope without fixed effect has a mean of 0."""
    for predictors in ([[1, []], [2, ["w"]]], []):
        fit = FIT | {"hierarchy": [FIT["hierarchy"][0], FIT["hierarchy"][1] | {"predictors": predictors}]}
        drawing = caterpillar.draw(EFFECTS, fit, LABELS, model="m")
        intercepts, slopes = drawing.figure.axes
        assert "Slopes of x: the prediction lies outside 0 of 5" in drawing.alt
        assert "or, where the fixed effects predict each coefficient, from their prediction" in drawing.caption
        assert slopes.get_ylabel().replace("\n", " ") == "difference (y per unit of x)"
        assert slopes.get_lines()[-1].get_ydata() == [0, 0]
        assert intercepts.get_lines()[-1].get_ydata() == [24.5, 24.5]


def test_one_random_effect_and_few_groups_have_one_panel():
    effects = {name: values[[0, 2]] for name, values in EFFECTS.items()}
    drawing = caterpillar.draw(effects, ONE_EFFECT, LABELS, model="m")
    assert len(drawing.figure.axes) == 1
    assert "outside 1 of 2 intervals (50.0 %), below 1 and above 0" in drawing.alt
    render(drawing, "svg")


def test_effects_that_do_not_vary_have_no_interval_that_excludes_the_mean():
    drawing = caterpillar.draw(
        EFFECTS | {"effect": np.zeros(10), "effect_std_error": np.zeros(10)}, FIT, LABELS, model="m"
    )
    assert "the mean, 24.50, lies outside 0 of 5 intervals" in drawing.alt
    render(drawing, "svg")


def test_as_many_intervals_exclude_the_mean_as_lme4_s(models):
    """R: r <- as.data.frame(ranef(lmer(mathach ~ cses + (cses | school), d), condVar = TRUE));
    tapply(abs(r$condval) > qnorm(0.975) * r$condsd, r$term, sum) gives 88 and 1; tapply(r$condval > ...) 47 and 0.
    """
    fitted = models["random_coefficients"]
    effects = group_effects(fitted.design, fitted.data, fitted.reml.lower, fitted.reml.at)
    terms = ["(Intercept)", "cses"]
    table = {
        "term": np.tile(terms, 160),
        "effect": effects.effect.ravel(),
        "effect_std_error": effects.effect_std_error.ravel(),
    }
    fit = FIT | {"random_terms": terms, "fixed_effects": fitted.reml.beta.tolist()}
    drawing = caterpillar.draw(table, fit, LABELS, model="m")
    assert "12.64, lies outside 88 of 160 intervals (55.0 %), below 47 and above 41 of them" in drawing.alt
    assert "2.193, lies outside 1 of 160 intervals (0.6 %), below 0 and above 1 of them" in drawing.alt
