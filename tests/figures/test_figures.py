"""Each kind of figure on small data with answers known by construction: words, bytes, hostile names."""

import importlib
import itertools
import json
import re
from dataclasses import asdict, replace
from functools import cache
from xml.etree import ElementTree

import draw_figures
import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from scipy.special import ndtri
from twolevel.errors import UserError
from twolevel.figures import (
    bootstrap_distribution,
    caterpillar,
    checks,
    fitted_lines,
    group_lines,
    group_lines_by_category,
    influence,
    interaction,
    interval_methods,
    ols_vs_mixed,
    optimiser_audit,
    qq_level1,
    qq_level2,
    reference_distribution,
    residuals_vs_fitted,
    scatter,
    shrinkage,
    wall,
)
from twolevel.figures.drawing import Drawing, render
from twolevel.figures.qq import plotting_positions
from twolevel.inference.intervals import bootstrap_intervals, wald_intervals
from twolevel.model.parameters import parameters
from twolevel.model.terms import Factor
from twolevel.output.words import Labels, Noun

CLASSES = Noun("class", "classes")
PUPILS = Noun("pupil", "pupils")
LEVELS = ["small", "middling", "large"]
LABELS = Labels(
    group="class",
    group_noun=CLASSES,
    observation_noun=PUPILS,
    columns={"x": "hours of practice", "y": "words read per minute", "size": "class size"},
    levels={"size": LEVELS},
)
SLOPES = [2.0, 1.5, -1.5, 1.0, 0.0, 0.25]
SIZES = ["small", "small", "middling", "middling", "middling", "large"]


def classes(slopes=SLOPES, n=5):
    """Classes whose pupils lie exactly on lines y = 10 j + slope x over x = 0 ... n - 1."""
    j, x = (a.ravel() for a in np.indices((len(slopes), n)))
    return {
        "class": np.array([f"c{i:03d}" for i in j]),
        "x": x.astype(float),
        "y": 10.0 * j + np.array(slopes)[j] * x,
        "size": np.array(SIZES)[j % len(SIZES)],
    }


TERMS = ["(Intercept)", "x"]
FIT = {
    "formula": "y ~ x + (x | class)",
    "response": "y",
    "estimator": "REML",
    "random_terms": TERMS,
    "blocks": [2],
    "fixed_terms": TERMS,
    "fixed_effects": [24.5, 0.75],
    "random_effects_covariance": [[4.0, 0.9], [0.9, 0.5]],
    "hierarchy": [
        {"term": "(Intercept)", "factors": [], "predictors": [[0, []]], "random": 0},
        {"term": "x", "factors": ["x"], "predictors": [[1, []]], "random": 1},
    ],
    "meanings": {"x": {"coding": "number"}},
    "n_groups": 6,
    "columns": ["y", "x", "class"],
}
FIXED = {"term": np.array(["(Intercept)", "x"]), "estimate": np.array([24.5, 0.75])}


def residual_table(n=400):
    rng = np.random.default_rng(3)
    return {"fitted": rng.uniform(0, 10, n), "residual": rng.standard_normal(n)}


def effect_table(n=30):
    rng = np.random.default_rng(4)
    table = {"group": np.repeat([f"c{i:03d}" for i in range(n)], 2), "term": np.tile(["(Intercept)", "x"], n)}
    table |= {"effect": rng.standard_normal(2 * n)}
    return table | {"effect_std_error": np.full(2 * n, 0.5)}


def influence_table(terms=TERMS, groups=tuple(f"c{i:03d}" for i in range(6))):
    """Without group k the slope of 0.75 is k / 10 lower and Cook's distance k / 4; group 5 is fitted anew without."""
    rows = [(g, "held", k / 4, t, of, of - k / 10 * (t == terms[1])) for k, g in enumerate(groups)
            for t, of in zip(terms, (24.5, 0.75), strict=True)]  # fmt: skip
    rows += [(groups[-1], "refitted", 1.5, name, 1.0, 2.0) for name in (".sig01", ".sigma", *terms)]
    names = ("group", "components", "cooks_distance", "parameter", "estimate", "without")
    return {name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


# SD, correlation, SD, sigma, two fixed effects: `parameters(TERMS, TERMS, [2])`.
ESTIMATES = np.array([2.0, 0.9, 0.7, 5.0, 24.5, 0.75])


def replicate_table(terms=TERMS, n=1000, singular=0):
    """Replicates that spread evenly about each estimate, by 0.5: the percentile interval is estimate -+ 0.475."""
    spread = np.linspace(-0.5, 0.5, n)
    values = np.column_stack([estimate + spread for estimate in ESTIMATES])
    values[:, 1] = np.minimum(values[:, 1], 1.0)
    names = [parameter.name for parameter in parameters(terms, terms, [len(terms)])]
    return {
        "replicate": np.arange(1, n + 1),
        "optimum_found": np.ones(n, dtype=bool),
        "singular": np.arange(n) < singular,
        **dict(zip(names, values.T, strict=True)),
    }


def interval_table(terms=TERMS, replicates=None):
    """The intervals of these replicates by every method, the profile ones a little apart."""
    listed = parameters(terms, terms, [len(terms)])
    replicates = replicates or replicate_table(terms)
    values = [[replicates[parameter.name]] for parameter in listed]
    table = bootstrap_intervals(listed, ESTIMATES, values, 0.95)
    profile = table[table["method"] == "percentile"].assign(method="profile", lower=lambda t: t["lower"] + 0.01)
    return dict(pd.concat([table, profile, wald_intervals(listed, ESTIMATES, np.array([0.25, 0.25]), 0.95)]))


COMPARED = {"null_model": "m0", "alternative_model": "m", "estimator": "REML", "statistic": 6.0, "df": 2}


def reference_tables(statistics=None, mixture=True):
    """A reference distribution and its tests, with p values that no other number in the picture has."""
    shuffled = np.random.default_rng(2).permutation(801) / 100
    statistics = shuffled if statistics is None else statistics
    tests = {"LRT": 0.041, "mixture": 0.032, "PBtest": 0.023, "F": np.nan}
    tests = {name: p for name, p in tests.items() if mixture or name != "mixture"}
    table = {"test": np.array([*tests]), "p_value": np.array([*tests.values()])}
    return in_blocks({"statistic": np.asarray(statistics, dtype=float)}), table


def in_blocks(columns):
    """Columns as a script hands them over: here in three blocks, of which one is empty."""
    return {name: [column[:300], column[300:300], column[300:]] for name, column in columns.items()}


# theta_22 at its bound: off the wall by x the criterion is 100 + 40 x^4 + 20 (x - x^2) on the open side, and with the
# last term's sign changed on the other; the optimum is 94.
def constrained_story(term="x", walls=1):
    value = np.linspace(0.0, 0.5, 11)
    criterion, flipped = (100 + 40 * value**4 + sign * 20 * (value - value**2) for sign in (1, -1))
    path = {"value": value, "criterion": criterion, "criterion_column_flipped": flipped}
    wall = {
        "element": "theta_22",
        "term": term,
        "derivative": 20.0,
        "derivative_column_flipped": -20.0,
        "at_optimum": 0.3,
        "path": {name: values.tolist() for name, values in path.items()},
    }
    return {
        "bounded_search": {
            "criterion": 100.0,
            "theta": [1.0, 0, 0, 0, 0, 0],
            "above_optimum": 6.0,
            "status": "converged",
        },
        "optimum": 94.0,
        "face": ["theta_22"][:walls],
        "walls": [wall] * walls,
    }


def audit_rows(model="m"):
    """An audit of two models: all is found but by bfgs from the identity, far off once and once without a criterion."""
    names = [f"{model}0", f"{model}1"]
    tried = [(method, start) for start in ("identity", "tenth", "optimum") for method in ("plain", "bfgs", "powell")]
    tried += [("bounded", "identity"), ("unbounded", "identity")]
    rows = pd.DataFrame([(name, *what) for name in names for what in tried], columns=["model", "method", "start"])
    rows["above_optimum"] = 1e-7
    rows["converged"] = True
    lost = (rows["method"] == "bfgs") & (rows["start"] == "identity")
    rows.loc[lost, "above_optimum"] = [200.75, np.nan]
    rows.loc[lost, "converged"] = [False, True]
    return dict(rows)


def every_kind(labels=LABELS, x="x", y="y", size="size", model="m"):
    """One drawing of each kind, the columns renamed to `x`, `y` and `size`."""
    data = classes()
    data = {
        labels.group: data["class"],
        x: data["x"],
        y: data["y"],
        size: data["size"],
        "w": np.repeat(np.arange(6), 5),
    }
    terms = ["(Intercept)", x]
    fit = FIT | {"response": y, "formula": f"{y} ~ {x} + ({x} | {labels.group})"}
    fit |= {"random_terms": terms, "blocks": [len(terms)], "fixed_terms": terms}
    compared = COMPARED | {"null_model": f"{model}0", "alternative_model": model}
    fixed = FIXED | {"term": np.array(["(Intercept)", x])}
    effects = effect_table()
    effects["term"] = np.where(effects["term"] == "x", x, effects["term"])
    coefficients = {"group": np.repeat(np.unique(data[labels.group]), 2), "term": np.tile(terms, 6)}
    coefficients["coefficient"] = np.linspace(0, 11, 12)
    reliability = {"term": np.array(terms), "reliability": np.array([0.9, 0.3])}
    predicting = fit | {"fixed_effects": [24.5, 0.75, 3.0, -2.0, 1.0], "fixed_effects_covariance": np.eye(5).tolist()}
    predictors = [[0, []], [2, ["w"]], *([k, [f"{size}{level}"]] for k, level in enumerate(LEVELS[1:], start=3))]
    predicting["hierarchy"] = [fit["hierarchy"][0] | {"predictors": predictors}, fit["hierarchy"][1] | {"factors": [x]}]
    predicting["meanings"] = {name: asdict(Factor(name)) for name in ("w", x)}
    predicting["meanings"] |= {
        f"{size}{level}": asdict(Factor(size, level, LEVELS[0], "treatment")) for level in LEVELS[1:]
    }
    own = {"columns": [y, x, size, "w", labels.group]}
    checked = fit | own | {"fixed_effects_covariance": np.eye(2).tolist(), "n_groups": 6}
    left_out = influence_table(terms, np.unique(data[labels.group]))
    return {
        "interaction": interaction.draw(data, predicting | own, labels, model=model, x=x, by=size),
        "influence": influence.draw(left_out, checked, labels, model=model),
        "checks": checks.draw(residual_table(), effects, left_out, checked, labels, model=model),
        "scatter": scatter.draw(data, labels, x=x, y=y),
        "group_lines": group_lines.draw(data, labels, x=x, y=y, sample=4, seed=1),
        "ols_vs_mixed": ols_vs_mixed.draw(data, fixed, fit, labels, model=model, x=x, y=y),
        "group_lines_by_category": group_lines_by_category.draw(data, labels, x=x, y=y, category=size),
        "qq_level1": qq_level1.draw(residual_table(), fit, labels, model=model),
        "residuals_vs_fitted": residuals_vs_fitted.draw(residual_table(), fit, labels, model=model),
        "qq_level2": qq_level2.draw(effects, fit, labels, model=model, term=x),
        "caterpillar": caterpillar.draw(effects, fit, labels, model=model),
        "shrinkage": shrinkage.draw(data, coefficients, fixed, reliability, fit, labels, model=model, x=x, y=y),
        "fitted_lines": fitted_lines.draw(
            data, predicting, replace(labels, levels={size: LEVELS}), model=model, x=x, y=y, category=size, at="w"
        ),
        "interval_methods": interval_methods.draw(interval_table(terms), fit, labels, model=model),
        "bootstrap_distribution": bootstrap_distribution.draw(
            in_blocks(replicate_table(terms)), interval_table(terms), fit, labels, model=model
        ),
        "reference_distribution": reference_distribution.draw(*reference_tables(), compared, labels),
        "wall": wall.draw(constrained_story(x), fit, labels, model=model),
        "optimiser_audit": optimiser_audit.draw(audit_rows(model), labels),
    }


def texts_of(drawing: Drawing) -> str:
    """All text in a drawing, line breaks taken as spaces."""
    found = drawing.figure.findobj(lambda artist: hasattr(artist, "get_text"))
    return " | ".join(" ".join(artist.get_text().split()) for artist in found if artist.get_text())


def collections_of(axes) -> list[LineCollection]:
    return [artist for artist in axes.collections if isinstance(artist, LineCollection)]


# --- what each kind says


def test_scatter_states_the_line_its_direction_and_n():
    data = classes()
    drawing = scatter.draw(data, LABELS, x="x", y="y")
    slope, intercept = np.polyfit(data["x"], data["y"], 1)
    assert f"y = {intercept:.2f} + {slope:.4f} x" == "y = 25.00 + 0.5417 x"  # mean slope 3.25 / 6, mean of 10 j
    assert "y = 25.00 + 0.5417 x" in texts_of(drawing)
    assert "y = 25.00 + 0.5417 x" in drawing.caption
    assert "line through the cloud rises" in drawing.alt
    assert "30 pupils" in drawing.alt
    assert drawing.title == "All 30 pupils of 6 classes"

    falling = scatter.draw(data | {"y": -data["y"]}, LABELS, x="x", y="y")
    assert "line through the cloud falls" in falling.alt
    assert "y = \N{MINUS SIGN}25.00 \N{MINUS SIGN} 0.5417 x" in falling.caption


def test_group_lines_count_what_falls():
    drawing = group_lines.draw(classes(), LABELS, x="x", y="y", sample=40, seed=1)
    assert drawing.title == "All 6 classes, each with its own OLS line"  # there are no 40
    assert "1 of 6 lines falls" in drawing.caption
    assert "from \N{MINUS SIGN}1.50 to 2.00, their mean is 0.542" in drawing.caption
    assert "rising or level: 5" in texts_of(drawing)
    assert "falling: 1" in texts_of(drawing)


@pytest.mark.parametrize("seed", range(8))
def test_group_lines_draws_forty_distinct_groups(seed):
    data = classes(slopes=list(np.linspace(-1, 3, 60)))
    drawing = group_lines.draw(data, LABELS, x="x", y="y", sample=40, seed=seed)
    (axes,) = drawing.figure.axes
    segments = np.concatenate([c.get_segments() for c in collections_of(axes)])
    assert len({tuple(segment.ravel()) for segment in segments}) == 40
    shown = axes.collections[0].get_offsets()  # the points: five for each group, of those groups alone
    assert len(shown) == 40 * 5
    # A class has its point at x = 0 at 10 j, and there its line begins.
    assert {y for x, y in shown if x == 0} == {round(segment[0][1], 9) for segment in segments}


def test_group_lines_sample_depends_on_the_seed_and_not_on_the_order_of_rows():
    data = classes(slopes=list(np.linspace(-1, 3, 60)))
    shuffled = {name: values[np.random.default_rng(0).permutation(300)] for name, values in data.items()}
    for name in data:  # one permutation for all columns
        shuffled[name] = data[name][np.random.default_rng(0).permutation(300)]
    first, again, other = (
        group_lines.draw(table, LABELS, x="x", y="y", sample=10, seed=seed).alt
        for table, seed in ((data, 1), (shuffled, 1), (data, 2))
    )
    assert first == again
    assert first != other


def test_groups_without_a_line_are_counted_and_not_drawn():
    data = classes()
    data["x"] = np.where(np.isin(data["class"], ["c000", "c003"]), 1.0, data["x"])
    for drawing in (
        group_lines.draw(data, LABELS, x="x", y="y", sample=6, seed=1),
        group_lines_by_category.draw(data, LABELS, x="x", y="y", category="size"),
    ):
        words = "2 classes have fewer than two distinct values of hours of practice, and so no line."
        assert words in drawing.caption
        assert words in drawing.caption
    drawn = group_lines.draw(data, LABELS, x="x", y="y", sample=6, seed=1)
    assert sum(len(c.get_segments()) for c in collections_of(drawn.figure.axes[0])) == 4
    assert "1 of 4 lines falls" in drawn.caption
    assert drawn.title == "All 6 classes, 4 with an OLS line of their own"
    assert "in all 6 classes, with the OLS line" in drawn.caption
    assert "drawn at random" not in drawn.caption
    two = {name: column[:10] for name, column in classes().items()}
    both = group_lines.draw(two, LABELS, x="x", y="y", sample=3, seed=1)
    assert both.title == "Both classes, each with its own OLS line"
    some = group_lines.draw(data, LABELS, x="x", y="y", sample=3, seed=1)
    assert some.title.startswith("3 of 6 classes, ")
    assert "in 3 classes drawn at random without replacement from 6 (seed 1), with" in some.caption


def test_no_group_has_a_line():
    data = classes() | {"x": np.ones(30)}
    assert "0 of 0 lines fall" in group_lines.draw(data, LABELS, x="x", y="y", sample=6, seed=1).caption
    drawing = group_lines_by_category.draw(data, LABELS, x="x", y="y", category="size")
    assert "Small, 2 classes, no line" in drawing.caption


def test_ols_vs_mixed_gives_both_equations_and_the_gap_between_them():
    drawing = ols_vs_mixed.draw(classes(), FIXED, FIT, LABELS, model="m", x="x", y="y")
    for words in (drawing.caption, texts_of(drawing)):
        assert "y = 25.00 + 0.5417 x" in words
        assert "y = 24.50 + 0.7500 x" in words
    # At the mean of x, 2: 24.5 + 2 * 0.75 - (25 + 2 * 13 / 24) = -1 / 12
    assert "lies 0.083 below the pooled one" in drawing.caption
    higher = FIXED | {"estimate": np.array([25.5, 0.75])}
    above = ols_vs_mixed.draw(classes(), higher, FIT, LABELS, model="m", x="x", y="y")
    assert "lies 0.92 above the pooled one" in above.caption


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ([25.0, 13 / 24], "The two lines are one and the same."),
        ([25.0 - 2 * (0.75 - 13 / 24), 0.75], "At the mean of x the two lines meet."),  # the mean is 2
    ],
)
def test_lines_that_coincide_are_not_said_to_meet(line, said):
    """The pooled line is 25 + 13 / 24 x."""
    fixed = FIXED | {"estimate": np.array(line)}
    drawing = ols_vs_mixed.draw(classes(), fixed, FIT, LABELS, model="m", x="x", y="y")
    assert said in drawing.caption
    assert ("meet" in drawing.caption) == ("meet" in said)


def test_categories_have_a_panel_each_in_their_own_order_with_n_and_mean_slope():
    drawing = group_lines_by_category.draw(classes(), LABELS, x="x", y="y", category="size")
    titles = [axes.get_title() for axes in drawing.figure.axes]
    assert titles == [
        "small\n2 classes\nmean slope 1.75",
        "middling\n3 classes\nmean slope \N{MINUS SIGN}0.167",
        "large\n1 class\nmean slope 0.250",
    ]
    assert "Small, 2 classes, mean slope 1.75; middling, 3 classes" in drawing.caption
    for axes, colour, n in zip(drawing.figure.axes, ("#000000", "#e69f00", "#56b4e9"), (2, 3, 1), strict=True):
        others, mine = collections_of(axes)
        assert to_hex(mine.get_color()[0]) == colour  # the vignette's first three
        assert (len(mine.get_segments()), len(others.get_segments())) == (n, 6 - n)


def test_category_must_belong_to_the_group_and_have_few_levels():
    data = classes()
    with pytest.raises(UserError, match="'x' is not the same for every pupil of class 'c000'"):
        group_lines_by_category.draw(data, LABELS, x="x", y="y", category="x")
    many = classes(slopes=[1.0] * 13)
    with pytest.raises(UserError, match="13 levels, and the figure shows at most 12"):
        group_lines_by_category.draw(many, LABELS, x="x", y="y", category="class")


@pytest.mark.parametrize("slopes", [[1.0], [1.0, 2.0], [1.0, 2.0, 3.0, 4.0], [1.0] * 12])
def test_any_number_of_categories_up_to_twelve_has_its_panels(slopes):
    drawing = group_lines_by_category.draw(classes(slopes), LABELS, x="x", y="y", category="class")
    assert sum(axes.get_visible() for axes in drawing.figure.axes) == len(slopes)
    render(drawing, "svg")


def quantiles(name: str, n: int = 1000) -> np.ndarray:
    """The most regular sample of a distribution."""
    p = plotting_positions(n)
    return {
        "normal": ndtri(p),
        "uniform": p,
        "exponential": -np.log1p(-p),
        "cauchy": np.tan(np.pi * (p - 0.5)),
    }[name]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("normal", "All 1,000 residuals lie within the band."),
        ("uniform", "both tails are shorter than a normal one."),
        ("cauchy", "both tails are longer than a normal one."),
        (
            "exponential",
            "the lower tail is shorter than a normal one, the upper one longer than a normal one.",
        ),
    ],
)
def test_qq_says_what_the_tails_do(name, found):
    drawing = qq_level1.draw({"residual": quantiles(name)}, FIT, LABELS, model="m")
    assert found in drawing.caption
    assert found in drawing.caption


def test_qq_counts_the_points_outside_its_band():
    drawing = qq_level1.draw({"residual": quantiles("uniform")}, FIT, LABELS, model="m")
    (axes,) = drawing.figure.axes
    points = axes.collections[1].get_offsets()
    vertices = axes.collections[0].get_paths()[0].vertices
    half = len(vertices) // 2
    upper, lower = sorted((vertices[:half], vertices[half:]), key=lambda edge: -edge[:, 1].mean())
    edges = [np.interp(points[:, 0], *edge[np.argsort(edge[:, 0])].T) for edge in (lower, upper)]
    seen = int(((points[:, 1] < edges[0]) | (points[:, 1] > edges[1])).sum())
    stated = int(re.search(r"(\d+) of the 1,000 residuals", drawing.caption)[1])
    # The band is drawn with 300 corners, so points that touch its edge may fall on either side.
    assert seen == pytest.approx(stated, abs=10)
    assert stated > 100


def test_qq_of_effects_that_do_not_vary_says_so():
    effects = {"term": np.array(["x"] * 20), "effect": np.zeros(20)}
    drawing = qq_level2.draw(effects, FIT, LABELS, model="m", term="x")
    assert "All 20 classes have the same value, 0." in drawing.caption
    render(drawing, "svg")


def test_qq_of_effects_takes_its_own_term():
    effects = effect_table()
    effects["effect"] = np.where(effects["term"] == "x", 100.0, effects["effect"])
    drawing = qq_level2.draw(effects, FIT, LABELS, model="m", term="(Intercept)")
    assert drawing.title == "Empirical Bayes random intercepts of 30 classes"
    assert drawing.figure.axes[0].get_ylabel() == "effect (y)"
    slopes = qq_level2.draw(effect_table(), FIT, LABELS, model="m", term="x")
    assert slopes.title == "Empirical Bayes random slopes of x of 30 classes"
    assert slopes.figure.axes[0].get_ylabel() == "effect (y per unit of x)"


def test_residuals_state_the_range_of_mean_and_spread():
    # Twenty slices of twenty; in slice k the fitted value is k, the residuals are k - 5 plus and minus k + 1.
    k, i = (a.ravel() for a in np.indices((20, 20)))
    sign = np.where(i % 2, 1, -1)
    table = {"fitted": k.astype(float), "residual": k - 5.0 + sign * (k + 1) * np.sqrt(19 / 20)}
    drawing = residuals_vs_fitted.draw(table, FIT, LABELS, model="m")
    assert "mean residual runs from \N{MINUS SIGN}5.0 to 14" in drawing.caption
    assert "standard deviation from 1.00 to 20.0" in drawing.caption
    assert "In 20 equal slices" in drawing.caption


def test_residuals_mark_the_limits_that_several_observations_share():
    rng = np.random.default_rng(5)
    fitted = rng.uniform(2, 8, 500)
    outcome = np.clip(fitted + 3 * rng.standard_normal(500), 0, 10)
    table = {"fitted": fitted, "residual": outcome - fitted}
    drawing = residuals_vs_fitted.draw(table, FIT, LABELS, model="m")
    assert "Dotted: y = 10.00 and y = 0, beyond which nothing was observed." in drawing.caption
    assert "y = 10.00" in texts_of(drawing)
    assert "Dotted" not in residuals_vs_fitted.draw(residual_table(), FIT, LABELS, model="m").caption


# --- inference


def lines_of(axes) -> dict[str, list[tuple[list[float], list[float]]]]:
    """Ends of the lines in a panel by their colour."""
    found = {}
    for line in axes.get_lines():
        found.setdefault(to_hex(line.get_color()), []).append((list(line.get_xdata()), list(line.get_ydata())))
    return found


def test_intervals_stand_where_the_table_has_them_each_method_in_its_row():
    drawing = interval_methods.draw(interval_table(), FIT, LABELS, model="m")
    panels = drawing.figure.axes
    listed = parameters(TERMS, TERMS, [2])
    assert [axes.get_title().replace("\n", " ") for axes in panels] == [parameter.label for parameter in listed]
    assert [label.get_text() for label in panels[0].get_yticklabels()] == [
        "percentile",
        "basic",
        "normal",
        "profile",
        "Wald",
    ]
    table = pd.DataFrame(interval_table()).set_index(["parameter", "method"])
    colours = {
        "percentile": "#0072b2",
        "basic": "#e69f00",
        "normal": "#cc79a7",
        "profile": "#d55e00",
        "wald": "#009e73",
    }
    for axes, parameter in zip(panels, listed, strict=True):
        drawn = lines_of(axes)
        for row, (method, colour) in enumerate(colours.items()):
            if method == "wald" and parameter.kind != "fixed":
                assert colour not in drawn
                continue
            of = table.loc[parameter.name, method]
            (ends, rows), (estimate, _) = drawn[colour]
            assert ends == [of["lower"], of["upper"]]
            assert rows == [row, row]
            assert estimate == [of["estimate"]]
    markers = [line.get_marker() for line in panels[-1].get_lines() if line.get_marker() not in ("|", "None")]
    assert len(set(markers)) == 5  # told apart in grey too


def test_a_bound_where_the_parameter_cannot_be_is_shown_and_said():
    """Basic: 2 * 0.9 less the percentile bounds 0.424 and 1.0 is 0.8 to 1.376; the SD of (Intercept) is fine."""
    drawing = interval_methods.draw(interval_table(), FIT, LABELS, model="m")
    assert "Bounds where the parameter cannot be (shaded): 2." in drawing.caption
    assert "where the parameter cannot be" in texts_of(drawing)
    sd, correlation, *_ = drawing.figure.axes
    assert not sd.patches
    (hatched,) = correlation.patches
    assert hatched.get_x() == 1.0
    assert correlation.get_xlim()[1] > 1.37

    low = interval_table()
    low["lower"] = np.where((low["parameter"] == ".sig01") & (low["method"] == "normal"), -0.25, low["lower"])
    assert "(shaded): 3." in interval_methods.draw(low, FIT, LABELS, model="m").caption
    fixed = interval_table()  # a fixed effect can be anything
    fixed["lower"] = np.where(fixed["parameter"] == "x", -0.25, np.maximum(fixed["lower"], -1))
    fixed["upper"] = np.where(fixed["parameter"] == ".sig02", np.minimum(fixed["upper"], 1), fixed["upper"])
    within = interval_methods.draw(fixed, FIT, LABELS, model="m")
    assert "cannot be" not in within.caption + texts_of(within)


def test_a_bound_that_was_not_found_is_a_question_mark():
    table = interval_table()
    lost = (table["parameter"] == ".sig03") & (table["method"] == "profile")
    drawing = interval_methods.draw(table | {"lower": table["lower"].where(~lost)}, FIT, LABELS, model="m")
    assert "A bound was not found (question mark) for SD of x by profile." in drawing.caption
    assert [text.get_text() for text in drawing.figure.axes[2].texts].count("?") == 1
    assert "?" not in texts_of(interval_methods.draw(interval_table(), FIT, LABELS, model="m"))
    render(drawing, "svg")


def test_the_parameter_on_which_methods_agree_least_is_named():
    """One profile bound is moved by half of the intervals' length."""
    table = interval_table()
    moved = (table["parameter"] == ".sigma") & (table["method"] == "profile")
    table["upper"] = table["upper"] + np.where(moved, 3.0, 0)
    assert "and least for residual SD, by" in interval_methods.draw(table, FIT, LABELS, model="m").caption


def test_replicates_are_counted_and_the_percentile_interval_marked():
    replicates = replicate_table(n=999, singular=111)
    drawing = bootstrap_distribution.draw(
        in_blocks(replicates), interval_table(replicates=replicates), FIT, LABELS, model="m"
    )
    assert "111 of 999 (11.1 %)" in drawing.caption
    for axes, estimate in zip(drawing.figure.axes, ESTIMATES, strict=True):
        (bars,) = axes.patches
        assert bars.get_data()[0].sum() == 999
        drawn = lines_of(axes)
        assert drawn["#000000"][0][0] == [estimate, estimate]
        (ends, _), *_ = drawn["#d55e00"]
        assert ends[0] == pytest.approx(estimate - 0.5 + 24 / 998)
    correlation = drawing.figure.axes[1].patches[0].get_data()
    assert correlation[1][-1] == 1.0  # no bin reaches beyond what a correlation can be
    assert correlation[0][-1] > 300


def test_replicates_without_an_optimum_are_said_and_left_out():
    replicates = replicate_table(singular=0)
    none = bootstrap_distribution.draw(in_blocks(replicates), interval_table(), FIT, LABELS, model="m")
    assert "No replicate is on the boundary" in none.caption
    assert "No optimum" not in none.caption
    lost = np.arange(1000) < 7
    for name in [parameter.name for parameter in parameters(TERMS, TERMS, [2])]:
        replicates[name] = np.where(lost, np.nan, replicates[name])
    replicates |= {"optimum_found": ~lost, "singular": np.ones(1000, dtype=bool)}
    drawing = bootstrap_distribution.draw(in_blocks(replicates), interval_table(), FIT, LABELS, model="m")
    assert "993 of 993 (100.0 %). No optimum was found for 7, which are left out." in drawing.caption
    assert drawing.figure.axes[0].patches[0].get_data()[0].sum() == 993


def test_replicates_that_do_not_vary_are_drawn():
    replicates = replicate_table()
    replicates[".sig03"] = np.zeros(1000)
    replicates[".sig02"] = np.full(1000, np.nan)
    table = interval_table(replicates=replicates)
    for drawing in (
        bootstrap_distribution.draw(in_blocks(replicates), table, FIT, LABELS, model="m"),
        interval_methods.draw(table, FIT, LABELS, model="m"),
    ):
        render(drawing, "svg")
        assert "nan" not in drawing.caption


def test_the_simulated_tail_is_drawn_beside_the_nominal_one():
    drawing = reference_distribution.draw(*reference_tables(), COMPARED, LABELS)
    assert drawing.alt.startswith("The test of “M0” against “M”: left, a histogram of 801 data sets with ")
    shape, tail = drawing.figure.axes
    drawn = {to_hex(line.get_color()): line for line in tail.get_lines()}
    # 201 of the 801 statistics 0, 0.01, ... 8 are 6 or larger.
    simulated = drawn["#56b4e9"]
    assert np.interp(6.0, simulated.get_xdata(), simulated.get_ydata()) == pytest.approx(202 / 802, abs=0.005)
    # R: pchisq(6, 2, lower = FALSE) = 0.04978707; (pchisq(6, 1, lower = FALSE) + that) / 2 = 0.03204648
    for colour, p in (("#d55e00", 0.04978707), ("#000000", 0.03204648)):
        curve = drawn[colour]
        assert np.interp(6.0, curve.get_xdata(), curve.get_ydata()) == pytest.approx(p, rel=0.01)
    assert drawn["#0072b2"].get_xdata() == [6.0, 6.0]
    assert tail.get_yscale() == "log"
    heights, edges, _ = shape.patches[0].get_data()
    assert heights @ np.diff(edges) == pytest.approx(1)
    # R: quantile(0:800 / 100, 0.95, type = 6) = 7.609; qchisq(0.95, 2) = 5.991465
    assert "95 % are below 7.61; of chi-square(2) they are below 5.99" in drawing.caption
    assert "is 6.000: p is 0.041 by chi-square(2), 0.032 by the mixture, 0.023 by the bootstrap." in drawing.caption
    assert "half chi-square(1), half chi-square(2)" in texts_of(drawing)
    assert "gave no statistic" not in drawing.caption


def test_without_a_mixture_there_is_one_curve_and_failures_are_said():
    reference, tests = reference_tables([0.1, 0.5, np.nan, 2.0, np.nan], mixture=False)
    drawing = reference_distribution.draw(reference, tests, COMPARED, LABELS)
    assert "mixture" not in drawing.caption
    assert "half" not in texts_of(drawing)
    assert "2 more gave no statistic." in drawing.caption
    assert drawing.title == "The statistic in 3 data sets simulated from “M0”"
    simulated = {to_hex(line.get_color()): line for line in drawing.figure.axes[1].get_lines()}["#56b4e9"]
    # All three are 0 or larger, and one is larger than 1: (1 + 3) / (1 + 3) and (1 + 1) / (1 + 3).
    assert np.interp([0.0, 1.0], simulated.get_xdata(), simulated.get_ydata()).tolist() == [1.0, 0.5]


def test_a_statistic_far_out_is_an_arrow_and_its_number():
    far = reference_distribution.draw(*reference_tables(), COMPARED | {"statistic": 207.34}, LABELS)
    assert "larger than any of the simulated ones" in far.caption
    for axes in far.figure.axes:
        assert [text.get_text() for text in axes.texts] == ["the data:\n207.3"]
        assert axes.get_xlim()[1] < 30  # the scale is not stretched to it
        assert "#0072b2" not in lines_of(axes)
    near = reference_distribution.draw(*reference_tables(), COMPARED, LABELS)
    assert not any(axes.texts for axes in near.figure.axes)


def test_ten_thousand_replicates_make_light_pictures():
    rng = np.random.default_rng(7)
    replicates = replicate_table(n=10_000)
    drawings = (
        bootstrap_distribution.draw(in_blocks(replicates), interval_table(), FIT, LABELS, model="m"),
        reference_distribution.draw(*reference_tables(rng.chisquare(2, 10_000)), COMPARED, LABELS),
    )
    for drawing in drawings:
        assert len(render(drawing, "svg")) < 200_000


def test_the_wall_parts_one_curve_and_the_way_down_is_behind_it():
    drawing = wall.draw(constrained_story(), FIT, LABELS, model="m")
    (axes,) = drawing.figure.axes
    drawn = {to_hex(line.get_color()): line for line in axes.get_lines() if line.get_linewidth() == 2.4}
    open_side, barred = drawn["#0072b2"], drawn["#d55e00"]
    # At x = 0.35, above the optimum: 6 + 40 * 0.35^4 + and - 20 * (0.35 - 0.35^2) = 6.60025 + and - 4.55
    assert np.interp(0.35, open_side.get_xdata(), open_side.get_ydata()) == pytest.approx(11.15025)
    assert np.interp(-0.35, barred.get_xdata()[::-1], barred.get_ydata()[::-1]) == pytest.approx(2.05025)
    assert open_side.get_xdata()[0] == barred.get_xdata()[0] == 0
    assert "There θ₂₂ is zero. On the open side the slope is +20.00" in drawing.caption
    assert "the criterion rises and stays higher." in drawing.caption
    # The lowest of the eleven points is the one at 0.35.
    assert (
        "Behind the bound the slope is \N{MINUS SIGN}20.00: the criterion falls by 3.95, at θ₂₂ = \N{MINUS SIGN}0.35."
        in drawing.caption
    )
    assert "6.00 above the optimum" in texts_of(drawing)
    assert "barred: θ₂₂ < 0" in texts_of(drawing)


def test_a_dip_on_the_open_side_is_not_denied_and_a_level_zero_is_no_wall():
    story = constrained_story()
    story["walls"][0]["path"]["criterion"][-1] = 99.0
    assert "the criterion rises at first." in wall.draw(story, FIT, LABELS, model="m").caption
    level = constrained_story(walls=2)
    level["walls"][1] = level["walls"][1] | {
        "element": "theta_33",
        "derivative": 1e-9,
        "derivative_column_flipped": -1e-9,
    }
    drawing = wall.draw(level, FIT, LABELS, model="m")
    assert len(drawing.figure.axes) == 2
    assert drawing.title.endswith("θ₂₂ and θ₃₃")
    assert "For θ₃₃, the diagonal element for x, zero is no wall" in drawing.caption
    assert drawing.caption.count("Behind the bound") == 1


@pytest.mark.parametrize(
    ("above", "says"), [(-1e-9, "at 94.00, the optimum."), (0.5, "at 94.50, 0.50 above the optimum.")]
)
def test_without_a_wall_the_figure_says_so(above, says):
    bounded = {"criterion": 94.0 + above, "theta": [1.0, 0.2, 0.3], "above_optimum": above}
    story = constrained_story(walls=0) | {"bounded_search": bounded, "fit": None}
    drawing = wall.draw(story, FIT, LABELS, model="m")
    assert drawing.title == "No bound of lme4’s stands in the way of “M”"
    for words in (drawing.caption, texts_of(drawing)):
        assert says in words
        assert "No bound holds it up." in words
    render(drawing, "svg")


def test_where_the_bounded_search_found_no_criterion_the_figure_says_so():
    bounded = {"criterion": None, "theta": [1.0, 0.0, 1.0], "above_optimum": None}
    drawing = wall.draw(constrained_story(walls=0) | {"bounded_search": bounded, "fit": None}, FIT, LABELS, model="m")
    assert "finds no finite criterion. No bound is known to hold it up." in drawing.caption


def test_a_search_s_mark_is_where_it_ended_and_what_it_said():
    drawing = optimiser_audit.draw(audit_rows(), LABELS)
    start, *others = drawing.figure.axes
    marks = {
        (line.get_marker(), to_hex(line.get_color()), round(float(line.get_xdata()[0]), 6))
        for line in start.get_lines()
        if line.get_marker() != "None"
    }
    # Beyond the end of the scale, 1,000 for a largest distance of 200.75, there is no finite criterion.
    assert {mark for mark in marks if mark[1] == "#d55e00"} == {("x", "#d55e00", 200.75), ("o", "#d55e00", 3500.0)}
    assert {mark for mark in marks if mark[1] != "#d55e00"} == {("o", "#0072b2", 1e-6)}
    assert [axes.get_title(loc="left") for axes in others] == ["Start: a tenth of the identity", "Start: the optimum"]
    assert [text.get_text() for text in start.get_yticklabels()][:2] == ["MixedLM, plain .fit()", "MixedLM, bfgs"]
    counted = "2 of 22 searches missed the optimum, and 1 of these said “converged”."
    assert counted in drawing.caption


def test_an_audit_that_finds_everything_or_of_one_model_is_drawn():
    rows = {name: values[:11] for name, values in audit_rows().items()}
    rows["above_optimum"] = np.full(11, -1e-11)
    drawing = optimiser_audit.draw(rows, LABELS)
    assert drawing.title == "Where searches end that a user would try, in 1 model"
    assert "0 of 11 searches missed the optimum" in drawing.caption
    render(drawing, "svg")


# --- what holds for every kind

drawn = cache(every_kind)
KINDS = list(drawn())


@cache
def drawn_again() -> dict[str, Drawing]:
    return every_kind()


@cache
def rendered(kind, file_format) -> bytes:
    return render(drawn()[kind], file_format)


# To render all kinds takes five seconds for each format.
FORMATS = ["svg", pytest.param("png", marks=pytest.mark.slow)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("file_format", FORMATS)
def test_same_drawing_has_the_same_bytes(kind, file_format):
    assert rendered(kind, file_format) == render(drawn_again()[kind], file_format)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("file_format", FORMATS)
def test_files_hold_no_date_and_no_version(kind, file_format):
    picture = rendered(kind, file_format)
    assert b"<dc:date>" not in picture
    assert matplotlib.__version__.encode() not in picture
    assert b"Software" not in picture


@pytest.mark.parametrize("kind", KINDS)
def test_svg_is_xml_and_carries_its_words(kind):
    drawing = drawn()[kind]
    root = ElementTree.fromstring(rendered(kind, "svg"))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.find("{http://www.w3.org/2000/svg}title").text == drawing.title
    description = root.find(".//{http://purl.org/dc/elements/1.1/}description")
    assert description.text == drawing.alt


@pytest.mark.parametrize("kind", KINDS)
def test_words_come_from_the_configuration_and_n_is_stated(kind):
    drawing = drawn()[kind]
    words = " ".join([drawing.title, drawing.alt, drawing.caption, texts_of(drawing)])
    for hsb in ("school", "student", "cses", "mathach", "SES", "math"):
        assert hsb not in words
    assert re.search(r"\d+ (pupils|classes|data sets|models)", drawing.alt)
    assert "nan" not in words.lower()


HOSTILE = {
    "markup": "<script>alert('x')</script> & --> <!-- ]]> \"it's\"",
    "mathematics": "$ per $unit_i^2 \\frac{1}{0} {braces} %s $",
    "long": "x" * 300,
    "long words": "many words " * 30,
    "control": "a\x00b\x1bc\nd\te \u05e9\u05dc\u05d5\u05dd \u202eabc",
}


@pytest.mark.parametrize(
    "name",
    # Each draws every kind, in four seconds.
    [pytest.param(name, id=kind, marks=pytest.mark.slow if kind != "markup" else ()) for kind, name in HOSTILE.items()],
)
def test_hostile_names_are_text_and_break_nothing(name):
    labels = Labels(
        group=name,
        group_noun=Noun(name, name),
        observation_noun=Noun(name, name),
        columns={name + "x": name, name + "y": name, name + "c": name},
        levels={},
    )
    drawings = every_kind(labels, x=name + "x", y=name + "y", size=name + "c", model=name)
    for kind, drawing in drawings.items():
        root = ElementTree.fromstring(render(drawing, "svg"))
        assert not root.findall(".//{http://www.w3.org/2000/svg}script"), kind
        width, height = drawing.figure.get_size_inches()
        for axes in drawing.figure.axes:
            if axes.get_visible():  # nothing has squeezed the plot itself away
                box = axes.get_position()
                assert box.width * width > 0.8, kind
                assert box.height * height > 1.0, kind


@pytest.mark.parametrize("level", HOSTILE.values(), ids=list(HOSTILE))
def test_hostile_levels_are_text_and_break_nothing(level):
    data = classes()
    data["size"] = np.where(data["size"] == "small", level, data["size"])
    drawing = group_lines_by_category.draw(data, LABELS, x="x", y="y", category="size")
    ElementTree.fromstring(render(drawing, "svg"))
    assert render(drawing, "png").startswith(b"\x89PNG")


def test_thousands_of_points_do_not_make_a_heavy_file():
    rng = np.random.default_rng(6)
    n = 7185
    data = {"class": rng.integers(0, 160, n), "x": rng.standard_normal(n), "y": rng.standard_normal(n)}
    residuals = {"fitted": data["x"], "residual": data["y"]}
    for drawing in (
        scatter.draw(data, LABELS, x="x", y="y"),
        residuals_vs_fitted.draw(residuals, FIT, LABELS, model="m"),
    ):
        assert len(render(drawing, "svg")) < 400_000


def test_columns_that_cannot_be_drawn_are_named():
    data = classes()
    with pytest.raises(UserError, match="no column 'z'; the columns are class, x, y, size"):
        scatter.draw(data, LABELS, x="z", y="y")
    with pytest.raises(UserError, match="'size' holds text"):
        scatter.draw(data, LABELS, x="size", y="y")
    with pytest.raises(UserError, match="'x' has missing or infinite values"):
        scatter.draw(data | {"x": np.where(data["x"] == 1, np.nan, data["x"])}, LABELS, x="x", y="y")
    with pytest.raises(UserError, match=r"'x' has the same value, 3\.0, in every row"):
        scatter.draw(data | {"x": np.full(30, 3.0)}, LABELS, x="x", y="y")


# --- the script

NAMES = {
    "group": "class",
    "group_noun": {"singular": "class", "plural": "classes"},
    "observation_noun": {"singular": "pupil", "plural": "pupils"},
    "columns": dict(LABELS.columns),
    "levels": dict(LABELS.levels),
}


def test_script_draws_from_files(tmp_path):
    table = pd.DataFrame(classes())
    table["class"] = table["class"].astype("category")
    table.to_parquet(tmp_path / "data.parquet")
    pd.DataFrame(FIXED).to_csv(tmp_path / "fixed.csv", index=False)
    (tmp_path / "fit.json").write_text(json.dumps(FIT))
    tables = {
        "observations": str(tmp_path / "data.parquet"),
        "fixed_effects": str(tmp_path / "fixed.csv"),
        "fit": str(tmp_path / "fit.json"),
    }
    outputs = {name: str(tmp_path / name) for name in ("svg", "png", "words")}
    settings = {"kind": "ols_vs_mixed", "model": "m", "x": "x", "y": "y"}
    draw_figures.draw("both", settings, NAMES, tables, **outputs)
    expected = ols_vs_mixed.draw(classes(), FIXED, FIT, LABELS, model="m", x="x", y="y")
    assert json.loads((tmp_path / "words").read_text()) == {
        "title": expected.title,
        "alt": expected.alt,
        "caption": expected.caption,
    }
    assert (tmp_path / "svg").read_bytes() == render(expected, "svg")
    assert (tmp_path / "png").read_bytes() == render(expected, "png")


def test_script_names_the_figure_in_an_error_and_writes_nothing(tmp_path):
    pd.DataFrame(classes()).to_parquet(tmp_path / "data.parquet")
    outputs = {name: str(tmp_path / name) for name in ("svg", "png", "words")}
    settings = {"kind": "scatter", "x": "hours", "y": "y"}
    with pytest.raises(UserError, match=r"^figures.all: there is no column 'hours'"):
        draw_figures.draw("all", settings, NAMES, {"observations": str(tmp_path / "data.parquet")}, **outputs)
    assert [path.name for path in tmp_path.iterdir()] == ["data.parquet"]


def test_every_kind_is_a_module_with_a_draw():
    for kind, other in itertools.pairwise([*KINDS, KINDS[0]]):
        module = importlib.import_module(f"twolevel.figures.{kind}")
        assert callable(module.draw)
        assert not hasattr(module, other)  # a kind must not import another, or a change of one redraws both
