"""Figures of groups' effects and of what a model predicts, on small data with answers known by construction."""

from dataclasses import asdict
from itertools import chain

import numpy as np
from matplotlib.colors import to_hex
from scipy.stats import norm
from twolevel.figures import caterpillar, fitted_lines, shrinkage
from twolevel.figures.drawing import render
from twolevel.figures.effect_names import effect_names
from twolevel.fitting.effects import group_effects
from twolevel.model.hierarchy import level1_coefficients
from twolevel.model.predictions import fixed_part
from twolevel.model.terms import Factor
from twolevel.output.words import Labels, Noun

LABELS = Labels("class", Noun("class", "classes"), Noun("pupil", "pupils"), {"x": "hours of practice"})
FIT = {
    "formula": "y ~ x + (x | class)",
    "response": "y",
    "estimator": "REML",
    "random_terms": ["(Intercept)", "x"],
    "fixed_terms": ["(Intercept)", "x"],
    "fixed_effects": [24.5, 0.75],
    "random_effects_covariance": [[4.0, 0.9], [0.9, 0.5]],
    "hierarchy": [
        {"term": "(Intercept)", "factors": [], "predictors": [[0, []]], "random": 0},
        {"term": "x", "factors": ["x"], "predictors": [[1, []]], "random": 1},
    ],
    "meanings": {"x": {"coding": "number"}},
}
ONE_EFFECT = FIT | {"random_terms": ["(Intercept)"], "formula": "y ~ x + (1 | class)"}
ONE_EFFECT["hierarchy"] = [FIT["hierarchy"][0], FIT["hierarchy"][1] | {"random": None}]


# --- what coefficients are called


def test_only_the_coefficients_of_a_number_are_slopes():
    """With the indicators of all levels a coefficient is the mean of a level."""
    meanings = {"x": {"coding": "number"}, "armB": {"coding": "indicator"}}
    fit = FIT | {"meanings": meanings}
    assert effect_names("(Intercept)", fit) == ("intercepts", "y")
    assert effect_names("x", fit) == ("slopes of x", "y per unit of x")
    assert effect_names("armB", fit) == ("coefficients of armB", "y")
    assert effect_names("x:armB", fit) == ("coefficients of x:armB", "y")


# --- caterpillar

# Interval -+ 0.98: of the intercepts 2, 1 and -1 have one without 0, of the slopes none.
EFFECTS = {
    "group": np.repeat(["a", "b", "c", "d", "e"], 2),
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
    assert (
        "Intercepts: the mean, 24.50, lies outside 3 of 5 intervals (60.0 %), below 2 and above 1 of" in drawing.caption
    )
    assert "Slopes of x: the mean, 0.7500, lies outside 0 of 5 intervals (0.0 %)" in drawing.caption
    assert "prediction" not in drawing.caption
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
        assert "Slopes of x: the prediction lies outside 0 of 5" in drawing.caption
        assert "or, where the fixed effects predict each coefficient, from their prediction" in drawing.caption
        assert slopes.get_ylabel().replace("\n", " ") == "difference (y per unit of x)"
        assert slopes.get_lines()[-1].get_ydata() == [0, 0]
        assert intercepts.get_lines()[-1].get_ydata() == [24.5, 24.5]


def test_one_random_effect_and_few_groups_have_one_panel():
    effects = {name: values[[0, 2]] for name, values in EFFECTS.items()}
    drawing = caterpillar.draw(effects, ONE_EFFECT, LABELS, model="m")
    assert len(drawing.figure.axes) == 1
    assert "outside 1 of 2 intervals (50.0 %), below 1 and above 0" in drawing.caption
    render(drawing, "svg")


def test_effects_that_do_not_vary_have_no_interval_that_excludes_the_mean():
    drawing = caterpillar.draw(
        EFFECTS | {"effect": np.zeros(10), "effect_std_error": np.zeros(10)}, FIT, LABELS, model="m"
    )
    assert "the mean, 24.50, lies outside 0 of 5 intervals" in drawing.caption
    render(drawing, "svg")


def test_as_many_intervals_exclude_the_mean_as_lme4_s(models):
    """R: r <- as.data.frame(ranef(lmer(mathach ~ cses + (cses | school), d), condVar = TRUE));
    tapply(abs(r$condval) > qnorm(0.975) * r$condsd, r$term, sum) gives 88 and 1; tapply(r$condval > ...) 47 and 0.
    """
    fitted = models["random_coefficients"]
    effects = group_effects(fitted.design, fitted.data, fitted.reml.lower, fitted.reml.at)
    terms = ["(Intercept)", "cses"]
    table = {
        "group": np.repeat(fitted.design.group_labels, 2),
        "term": np.tile(terms, 160),
        "effect": effects.effect.ravel(),
        "effect_std_error": effects.effect_std_error.ravel(),
    }
    fit = FIT | {"random_terms": terms, "fixed_effects": fitted.reml.beta.tolist()}
    fit |= {"meanings": {"cses": {"coding": "number"}}}
    drawing = caterpillar.draw(table, fit, LABELS, model="m")
    assert "12.64, lies outside 88 of 160 intervals (55.0 %), below 47 and above 41 of them" in drawing.caption
    assert "2.193, lies outside 1 of 160 intervals (0.6 %), below 0 and above 1 of them" in drawing.caption


# --- shrinkage

CENTRE = np.array([24.5, 0.75])
FIXED = {"term": np.array(["(Intercept)", "x"]), "estimate": CENTRE}
RELIABILITY = {"term": np.array(["(Intercept)", "x"]), "reliability": np.array([0.91, 0.264])}
SLOPES = np.array([2.0, 1.5, -1.5, 1.0, 0.0, 0.25, 3.0, -1.0])


def lines_on_points(n=(3, 3, 4, 4, 5, 5, 6, 6)):
    """Classes of 3 to 6 pupils exactly on lines y = 10 j + slope x, and coefficients half way to (24.5, 0.75)."""
    j = np.repeat(np.arange(len(n)), n)
    x = np.concatenate([np.arange(size) for size in n]).astype(float)
    data = {"class": np.array([f"c{i}" for i in j]), "x": x, "y": 10.0 * j + SLOPES[j] * x}
    own = np.column_stack([10.0 * np.arange(len(n)), SLOPES[: len(n)]])
    effects = {
        "group": np.repeat([f"c{i}" for i in range(len(n))], 2),
        "term": np.tile(["(Intercept)", "x"], len(n)),
        "coefficient": (0.5 * own + 0.5 * CENTRE).ravel(),
    }
    return data, effects, own


def shrink(data, effects, fit=FIT, fixed=FIXED, y="y"):
    return shrinkage.draw(data, effects, fixed, RELIABILITY, fit, LABELS, model="m", x="x", y=y)


def test_each_group_moves_from_its_own_line_to_its_coefficients():
    data, effects, own = lines_on_points()
    drawing = shrink(data, effects)
    (axes,) = drawing.figure.axes
    for move, start in zip(axes.collections[0].get_segments(), own, strict=True):
        expected = [start, (start + CENTRE) / 2]
        np.testing.assert_allclose(move, expected, rtol=0, atol=1e-9)  # rounding of the OLS
    before, after, ellipse, centre = (line.get_xydata() for line in axes.get_lines())
    np.testing.assert_allclose(before, own, rtol=0, atol=1e-9)
    np.testing.assert_allclose(after, (own + CENTRE) / 2, rtol=0, atol=1e-12)
    assert centre.tolist() == [[24.5, 0.75]]
    # R: qchisq(0.95, 2) = 5.991465, the squared Mahalanobis distance of every point of the outline.
    away = ellipse - centre
    inverse = np.linalg.inv(FIT["random_effects_covariance"])
    np.testing.assert_allclose(np.einsum("ia,ab,ib->i", away, inverse, away), 5.991465, rtol=1e-6)
    assert [len(np.unique(away.round(9)[:, k])) > 20 for k in (0, 1)] == [True, True]


def test_a_figure_of_twenty_thousand_groups_is_light():
    """As shapes its marks would weigh seven megabytes; as a picture inside the SVG they look the same."""
    n = 20_000
    rng = np.random.default_rng(1)
    own = CENTRE + rng.standard_normal((n, 2))
    names = np.arange(n).astype(str)
    effects = {"group": np.repeat(names, 2), "term": np.tile(["(Intercept)", "x"], n), "coefficient": own.ravel()}
    effects |= {"effect": rng.standard_normal(2 * n), "effect_std_error": np.ones(2 * n)}
    x = np.tile([0.0, 1.0], n)
    data = {"class": np.repeat(names, 2), "x": x, "y": np.repeat(own[:, 0], 2) + np.repeat(2 * own[:, 1], 2) * x}
    for drawing in (caterpillar.draw(effects, FIT, LABELS, model="m"), shrink(data, effects)):
        assert len(render(drawing, "svg")) < 600_000


def test_spread_reliability_and_the_moves_of_small_and_large_groups_are_said():
    """Every coefficient moves half of its way, so SDs are halved; by (1.25 + 0.75) / 4 on average in the two classes of
    3 pupils, whose slopes are 2 and 1.5, by (2.25 + 1.75) / 4 in those of 6, whose slopes are 3 and -1."""
    data, effects, own = lines_on_points()
    drawing = shrink(data, effects)
    sd = own.std(axis=0, ddof=1)
    assert [f"{value:.3g}" for value in (*sd, *sd / 2)] == ["24.5", "1.52", "12.2", "0.759"]
    assert "intercepts have an SD of 24.5 by OLS, 12.2 by empirical Bayes (reliability 0.910)" in drawing.caption
    assert "slopes of x have an SD of 1.52 by OLS, 0.759 by empirical Bayes (reliability 0.264)" in drawing.caption
    assert (
        "Slopes move by 0.500 on average in the 2 classes with the fewest pupils, by 1.00 in as many" in drawing.caption
    )
    assert drawing.title == "Shrinkage of 8 classes: from OLS to empirical Bayes"


def test_shrinkage_of_few_groups_or_groups_alike_says_nothing_of_their_size():
    for n in ((3, 4), (4,) * 8):
        data, effects, _ = lines_on_points(n)
        drawing = shrink(data, effects)
        assert "Slopes move" not in drawing.caption
        render(drawing, "svg")


def test_a_group_without_a_line_of_its_own_is_left_out_and_said():
    data, effects, own = lines_on_points()
    data["x"] = np.where(data["class"] == "c3", 1.0, data["x"])
    drawing = shrink(data, effects)
    assert "1 class has fewer than two distinct values of hours of practice" in drawing.caption
    assert drawing.title.startswith("Shrinkage of 7 classes")
    drawn = drawing.figure.axes[0].get_lines()[-3].get_xydata()
    np.testing.assert_allclose(drawn, (np.delete(own, 3, axis=0) + CENTRE) / 2, rtol=0, atol=1e-12)


def test_a_singular_covariance_makes_a_flat_ellipse():
    for covariance in ([[4.0, 0.0], [0.0, 0.0]], [[4.0, 2.0], [2.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]):
        data, effects, _ = lines_on_points()
        drawing = shrink(data, effects, FIT | {"random_effects_covariance": covariance})
        away = drawing.figure.axes[0].get_lines()[-2].get_xydata() - CENTRE
        assert np.isfinite(away).all()
        reach = np.sqrt(5.991465 * np.diag(covariance))
        np.testing.assert_allclose(np.abs(away).max(axis=0), reach, rtol=1e-3, atol=1e-6)
        render(drawing, "svg")


# --- fitted lines

SECTORED = Labels(
    "school", Noun("school", "schools"), Noun("student", "students"), {}, {"sector": ["Public", "Catholic"]}
)

# R: m <- lmer(mathach ~ cses*mean.ses + cses*sector + (cses|school), d); q <- quantile(s$mean.ses, 1:3/4) over the
# 160 schools; near <- apply(abs(outer(s$mean.ses, q, "-")), 1, which.min). For each sector and quartile: the 2.5 and
# 97.5 percentiles of cses in these schools, predict(m, n, re.form = NA) there, sqrt(diag(X %*% vcov(m) %*% t(X))).
LME4_LINES = {
    ("Public", 0): (-1.344475, 1.371698, 6.95973, 14.09209, 0.28000, 0.30551),
    ("Public", 1): (-1.402454, 1.255225, 8.10733, 16.01250, 0.28885, 0.29391),
    ("Public", 2): (-1.374858, 1.079312, 9.30418, 17.33228, 0.36459, 0.34875),
    ("Catholic", 0): (-1.194310, 1.319702, 10.54250, 13.01428, 0.35761, 0.40632),
    ("Catholic", 1): (-1.209830, 1.238361, 11.89423, 15.15468, 0.28761, 0.31468),
    ("Catholic", 2): (-1.292759, 0.994844, 12.92291, 16.64833, 0.30459, 0.29158),
}
COLOURS = {"Public": "#0072b2", "Catholic": "#d55e00"}


def as_json(fitted) -> dict:
    """What the figure reads of fit.json."""
    return {
        "formula": fitted.design.formula,
        "response": fitted.design.response,
        "estimator": "REML",
        "fixed_effects": fitted.reml.beta.tolist(),
        "fixed_effects_covariance": fitted.reml.beta_covariance.tolist(),
        "meanings": {name: asdict(meaning) for name, meaning in fitted.design.meanings.items()},
        "hierarchy": [
            {"factors": c.factors, "predictors": list(zip(c.columns, c.predictors, strict=True)), "random": c.random}
            for c in level1_coefficients(fitted.design)
        ],
    }


def lines(models, hsb, name, **settings):
    chosen = {"x": "cses", "y": "mathach", "category": "sector", "at": "mean.ses"} | settings
    return fitted_lines.draw(hsb, as_json(models[name]), SECTORED, model=name, **chosen)


def test_lines_and_bands_are_those_that_lme4_predicts(models, hsb):
    drawing = lines(models, hsb, "intercepts_and_slopes")
    panels = drawing.figure.axes
    assert [axes.get_title().split("\n")[1] for axes in panels] == [
        f"mean.ses = {value}" for value in ("\N{MINUS SIGN}0.307", "0.0283", "0.314")
    ]
    for (sector, k), (first, last, low, high, *errors) in LME4_LINES.items():
        drawn = {to_hex(line.get_color()): line.get_xydata() for line in panels[k].get_lines()}[COLOURS[sector]]
        np.testing.assert_allclose(drawn[[0, -1]], [[first, low], [last, high]], rtol=0, atol=2e-5)  # five decimals
        (band,) = (b for b in panels[k].collections if to_hex(b.get_facecolor()[0]) == COLOURS[sector])
        corners = band.get_paths()[0].vertices
        for x, height, error in zip((first, last), (low, high), errors, strict=True):
            ends = corners[np.isclose(corners[:, 0], x, atol=1e-5), 1]
            np.testing.assert_allclose(
                [ends.min(), ends.max()], height + norm.ppf([0.025, 0.975]) * error, rtol=0, atol=5e-5
            )


def test_rows_of_the_design_are_those_of_the_formula(models, hsb):
    """At the data's own values the rows are the design matrix, made from the formula in another way."""
    for name in ("intercepts_and_slopes", "intercepts_and_slopes_expanded", "random_coefficients_minority"):
        fitted = models[name]
        part = fixed_part(as_json(fitted))
        np.testing.assert_array_equal(part.rows(hsb), fitted.design.x)


def test_slopes_are_said(models, hsb):
    """At mean.ses m: 2.945 + 1.039 m of Public, 1.643 less of Catholic schools."""
    drawing = lines(models, hsb, "intercepts_and_slopes")
    b = models["intercepts_and_slopes"].reml.beta
    public = b[1] + b[4] * 0.02830494505
    slopes = f"At mean.ses 0.0283 (median) slopes of Public {public:.2f}; Catholic {public + b[5]:.2f}."
    assert slopes in drawing.caption
    assert "Held fixed" not in drawing.caption


def test_other_predictors_are_held_and_said(models, hsb):
    """On noise-free small data: 1 + 2 x + 3 w + 10 [b] + 4 v + 5 [f = yes], v at its mean 2, f at no."""
    group = np.repeat([f"c{i}" for i in range(8)], 4)
    data = {
        "class": group,
        "x": np.tile([0.0, 1, 2, 3], 8),
        "w": np.repeat([1.0, 2, 3, 4, 5, 6, 7, 8], 4),
        "kind": np.repeat(["a", "b"], 16),
        "v": np.tile([1.0, 3.0], 16),
        "f": np.tile(["no", "yes"], 16),
    }
    fit = FIT | {"fixed_effects": [1.0, 2, 3, 10, 4, 5], "fixed_effects_covariance": np.zeros((6, 6)).tolist()}
    intercept = {"factors": [], "predictors": [[0, []], [2, ["w"]], [3, ["kindb"]]], "random": 0}
    rest = [{"factors": [f], "predictors": [[k, []]], "random": None} for f, k in (("x", 1), ("v", 4), ("fyes", 5))]
    meanings = {name: Factor(name, made_of=(name,)) for name in "xwv"}
    meanings |= {"kindb": Factor("kind", "b", "a", "treatment"), "fyes": Factor("f", "yes", "no", "treatment")}
    fit |= {"meanings": {name: asdict(meaning) for name, meaning in meanings.items()}}
    labels = Labels(
        "class", Noun("class", "classes"), Noun("pupil", "pupils"), {}, {"kind": ["a", "b"], "f": ["no", "yes"]}
    )
    chosen = {"model": "m", "x": "x", "y": "y", "category": "kind", "at": "w"}
    drawing = fitted_lines.draw(data, fit | {"hierarchy": [intercept, *rest]}, labels, **chosen)
    assert "Held fixed: v at its mean, 2.00, f at no." in drawing.caption
    # Quartiles of 1 ... 8 in R: 2.75, 4.5, 6.25. Kind a has w 1 to 4, and so no line at the upper quartile.
    titles = [axes.get_title().split("= ")[1] for axes in drawing.figure.axes]
    assert titles == ["2.75", "4.50", "6.25"]
    drawn = [{to_hex(line.get_color()): line.get_xydata() for line in a.get_lines()} for a in drawing.figure.axes]
    assert [list(lines) for lines in drawn] == [["#0072b2"], ["#0072b2", "#d55e00"], ["#d55e00"]]
    for k, w in enumerate((2.75, 4.5, 6.25)):
        for colour, extra in (("#0072b2", 0), ("#d55e00", 10)):
            if colour in drawn[k]:
                x, height = drawn[k][colour].T
                np.testing.assert_allclose(height, 1 + 2 * x + 3 * w + extra + 4 * 2, rtol=0, atol=1e-12)
    render(drawing, "svg")

    constant = data | {"w": np.repeat([1.0, 1, 1, 1, 1, 1, 1, 8], 4)}  # quartiles that coincide are one panel
    one = fitted_lines.draw(constant, fit | {"hierarchy": [intercept, *rest]}, labels, **chosen)
    assert len(one.figure.axes) == 1
