"""Checks of a model, influence of its groups, interactions: on small data with answers known by construction."""

from dataclasses import asdict
from pathlib import Path

import draw_figures
import numpy as np
import pandas as pd
import pytest
from matplotlib import font_manager, get_data_path
from twolevel.errors import UserError
from twolevel.figures import caterpillar, checks, influence, interaction, scatter
from twolevel.figures.drawing import render
from twolevel.figures.fonts import legible
from twolevel.figures.requirements import check_model_of_figure
from twolevel.figures.tables import complete
from twolevel.model.terms import Factor
from twolevel.output.words import Labels, Noun

LABELS = Labels("class", Noun("class", "classes"), Noun("pupil", "pupils"), {"x": "practice"}, {"arm": ["b", "a"]})
FIT = {
    "formula": "y ~ x + (x | class)", "response": "y", "estimator": "REML", "n_groups": 5,
    "random_terms": ["(Intercept)", "x"], "fixed_terms": ["(Intercept)", "x"],
    "fixed_effects_covariance": [[4.0, 0.0], [0.0, 0.25]], "meanings": {"x": asdict(Factor("x"))},
}  # fmt: skip


def left_out(distances, names="abcde"):
    """Without the k-th class the intercept is 2 higher; the slope of 1 is 0.6 lower without `d`."""
    rows = [
        (name, "held", distance, term, estimate, estimate + moved)
        for name, distance in zip(names, distances, strict=True)
        for term, estimate, moved in (("(Intercept)", 10.0, 2.0), ("x", 1.0, -0.6 * (name == "d")))
    ]
    rows += [("d", "refitted", 1.1, parameter, 1.0, 1.0) for parameter in (".sig01", "(Intercept)", "x")]
    columns = ("group", "components", "cooks_distance", "parameter", "estimate", "without")
    return {name: np.array(column) for name, column in zip(columns, zip(*rows, strict=True), strict=True)}


def test_the_most_influential_class_is_named_with_what_it_moves() -> None:
    drawing = influence.draw(left_out([0.1, 0.9, 0.2, 1.0, 0.3]), FIT, LABELS, model="m")
    (axes,) = drawing.figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["d", "b", "e", "c", "a"]
    assert "2 classes have a distance above 4/5 (dashed)." in drawing.caption
    # The slope's standard error is 0.5, the intercept's 2.
    assert "is that of class d: without it, x is 1.2 standard errors lower." in drawing.caption


def test_the_key_of_the_distances_is_not_cut_off() -> None:
    drawing = influence.draw(
        left_out(np.linspace(0, 1, 30), [f"c{i}" for i in range(29)] + ["d"]), FIT, LABELS, model="m"
    )
    drawing.figure.draw_without_rendering()
    (key,) = drawing.figure.legends
    assert key.get_window_extent().x1 <= drawing.figure.bbox.x1


def test_a_class_that_cannot_be_left_out_is_said() -> None:
    drawing = influence.draw(left_out([0.1, np.nan, 0.2, 1.0, 0.3]), FIT, LABELS, model="m")
    assert "Without 1 class not all fixed effects can be estimated." in drawing.caption
    none = influence.draw(left_out([np.nan] * 5), FIT, LABELS, model="m")
    assert "No class can be left out" in none.caption


def test_forty_classes_are_named_and_no_more() -> None:
    effects = {"group": np.arange(41), "term": np.repeat("(Intercept)", 41), "effect": np.linspace(-1, 1, 41)}
    effects["effect_std_error"] = np.full(41, 0.5)
    predictors = [{"term": "(Intercept)", "factors": [], "predictors": [[0, []]], "random": 0}]
    fit = FIT | {"random_terms": ["(Intercept)"], "hierarchy": predictors, "fixed_effects": [1.0]}
    for count, named in ((40, 40), (41, 0)):
        few = {name: column[:count] for name, column in effects.items()}
        (axes,) = caterpillar.draw(few, fit, LABELS, model="m").figure.axes
        assert len(axes.get_xticklabels()) == named
    moves = left_out(np.linspace(0, 1, 41), [f"c{i}" for i in range(40)] + ["d"])
    (axes,) = influence.draw(moves, FIT | {"n_groups": 41}, LABELS, model="m").figure.axes
    assert len(axes.get_yticklabels()) == 40


def test_checks_have_a_panel_for_each_random_effect() -> None:
    rng = np.random.default_rng(1)
    residuals = {"fitted": rng.normal(size=60), "residual": rng.normal(size=60)}
    effects = {"term": np.tile(["(Intercept)", "x"], 5), "effect": rng.normal(size=10)}
    drawing = checks.draw(residuals, effects, left_out([0.1, 0.9, 0.2, 1.0, 0.3]), FIT, LABELS, model="m")
    shown = [axes.get_title() for axes in drawing.figure.axes if axes.get_visible()]
    assert shown == ["level-1 residuals"] * 2 + ["random intercepts", "random slopes of x", "classes left out"]
    for words in ("normal sample: residuals ", ", intercepts 0.0 %", ", slopes of x ", "2 classes have a distance"):
        assert words in drawing.caption
    assert len(drawing.caption.split()) <= 60
    assert len(drawing.alt) < 250


# y = 1 + 2 x + 3 [arm a] - 1 x [arm a] + 0 w
INTERACTION = FIT | {
    "formula": "y ~ x * arm + w + (1 | class)",
    "fixed_effects": [1.0, 2.0, 3.0, -1.0, 0.0],
    "fixed_effects_covariance": (0.01 * np.eye(5)).tolist(),
    "hierarchy": [
        {"term": "(Intercept)", "factors": [], "predictors": [[0, []], [2, ["arma"]], [4, ["w"]]], "random": 0},
        {"term": "x", "factors": ["x"], "predictors": [[1, []], [3, ["arma"]]], "random": None},
    ],
    "meanings": {"x": asdict(Factor("x")), "w": asdict(Factor("w")),
                 "arma": asdict(Factor("arm", "a", "b", "treatment"))},
}  # fmt: skip
OBSERVED = {
    "class": np.repeat(["c1", "c2"], 6),
    "arm": np.tile(["a", "b"], 6),
    "x": np.arange(12.0),
    "w": np.repeat([0.0, 5.0, 10.0], 4),
    "y": np.arange(12.0) ** 2,
}


def test_a_panel_has_the_points_of_its_level_and_the_slope_there() -> None:
    drawing = interaction.draw(OBSERVED, INTERACTION, LABELS, model="m", x="x", by="arm")
    panels = drawing.figure.axes
    # In the order of the levels, whatever comes first in the data.
    assert [axes.get_title() for axes in panels] == ["b", "a"]
    for axes, level in zip(panels, ("b", "a"), strict=True):
        np.testing.assert_array_equal(axes.collections[0].get_offsets()[:, 0], OBSERVED["x"][OBSERVED["arm"] == level])
    # Its variance is 0.01 for b, 0.02 for a.
    assert "At b the slope is 2.00 (1.80 to 2.20). At a the slope is 1.00 (0.723 to 1.28)." in drawing.caption
    assert "Held fixed: w at its mean, 5.00." in drawing.caption


def test_a_number_in_the_second_place_has_a_panel_at_each_quartile() -> None:
    drawing = interaction.draw(OBSERVED, INTERACTION, LABELS, model="m", x="x", by="w")
    # R: quantile(rep(c(0, 5, 10), each = 4), c(0.25, 0.5, 0.75))
    assert [axes.get_title() for axes in drawing.figure.axes] == ["w = 0", "w = 5.00", "w = 10.0"]
    counts = [len(axes.collections[0].get_offsets()) for axes in drawing.figure.axes]
    assert counts == [4, 4, 4]


def test_a_factor_in_the_first_place_has_a_mean_for_each_level() -> None:
    drawing = interaction.draw(OBSERVED, INTERACTION, LABELS, model="m", x="arm", by="w")
    # At the mean of x, 5.5: b 1 + 2 * 5.5 = 12, a 4 + 5.5 = 9.5.
    assert "At w = 5.00: b 12.00, a 9.500." in drawing.caption


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"by": "z"}, "by is z, but the predictors of m are: arm, w, x. Name one of these"),
        ({"by": "x"}, "x and by are both x; name two predictors"),
        ({"response": "log(y)"}, r"m is a model of log\(y\), which is no column"),
        ({"formula": "y ~ x * arm + offset(w) + (1 | class)"}, "m has an offset"),
    ],
)
def test_what_cannot_be_drawn_is_refused_beforehand(change: dict[str, str], says: str) -> None:
    settings = {"kind": "interaction", "model": "m", "x": "x", "by": "arm"} | change
    fit = INTERACTION | {key: value for key, value in change.items() if key in INTERACTION}
    with pytest.raises(UserError, match=says):
        check_model_of_figure(settings, fit, list(OBSERVED))


@pytest.fixture
def own_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    """No font but those that come with matplotlib, whatever the machine has."""
    own = [font for font in font_manager.fontManager.ttflist if font.fname.startswith(get_data_path())]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", own)


def labelled(word: str) -> scatter.Drawing:
    labels = Labels("class", Noun("class", "classes"), Noun("pupil", "pupils"), {"x": word})
    return scatter.draw(OBSERVED, labels, x="x", y="y")


@pytest.mark.usefixtures("own_fonts")
def test_letters_that_the_figures_font_lacks_are_set_in_another() -> None:
    # ᶁ is in STIXGeneral, which comes with matplotlib, and not in DejaVu Sans.
    plain, other = labelled("мäß مستوى"), labelled("ᶁ")
    assert legible(plain) is plain
    found = legible(other)
    assert found.caption == other.caption
    families = found.figure.axes[0].xaxis.label.get_fontfamily()
    assert families[0] == "DejaVu Sans"
    assert "STIXGeneral" in families
    assert render(found, "svg").startswith(b"<?xml")


@pytest.mark.usefixtures("own_fonts")
def test_letters_that_no_font_has_are_named() -> None:
    found = legible(labelled("学校"))
    assert "No font of the machine that drew the figure has the letters 学校" in found.caption


def test_a_level_that_is_missing_is_no_level(tmp_path: Path) -> None:
    levels = pd.Categorical(["N", None, "F"], categories=["N", "F"], ordered=True)
    pd.DataFrame({"arm": levels, "y": [1.0, 2.0, np.nan]}).to_parquet(tmp_path / "table.parquet")
    table = draw_figures._read(str(tmp_path / "table.parquet"))
    assert table["arm"].tolist() == ["N", None, "F"]
    assert complete(table, ["arm"])[1] == 1
    assert complete(table, ["arm", "y"])[1] == 2
