"""Where nothing is said of figures: checks of every model, and what can be drawn of its interactions."""

from typing import Any

from standard_figures import standard_figures

COLUMNS = {
    "g": {"type": "identifier"},
    "y": {"type": "number", "min": 1},
    "x": {"type": "number"},
    "w": {"type": "number", "group_level": True},
    "arm": {"type": "factor", "levels": ["a", "b", "c"]},
    "many": {"type": "factor", "levels": list("abcdefgh")},
}


def figures_of(**formulas: str) -> dict[str, dict[str, str]]:
    models = {name: {"formula": formula} for name, formula in formulas.items()}
    config: dict[str, Any] = {"data": {"group": "g", "columns": COLUMNS}, "derive": {}, "models": models}
    return standard_figures(config)


def drawn(formula: str) -> list[tuple[str, str]]:
    return [(of["x"], of["by"]) for of in figures_of(m=formula).values() if of["kind"] == "interaction"]


def test_each_model_is_checked() -> None:
    made = figures_of(one="y ~ (1 | g)", two="y ~ x * arm + (x | g)")
    assert made == {
        "checks_one": {"kind": "checks", "model": "one"},
        "checks_two": {"kind": "checks", "model": "two"},
        "two_x_by_arm": {"kind": "interaction", "model": "two", "x": "x", "by": "arm"},
    }


def test_a_number_comes_before_a_factor_and_level_1_before_level_2() -> None:
    assert drawn("y ~ arm * x + (1 | g)") == [("x", "arm")]
    assert drawn("y ~ w * x + (1 | g)") == [("x", "w")]
    assert drawn("y ~ x * w * arm + (1 | g)") == [("x", "w"), ("x", "arm"), ("w", "arm")]


def test_what_cannot_be_drawn_is_left_out() -> None:
    assert drawn("y ~ x * many + (1 | g)") == []
    assert drawn("y ~ poly(x, 2) * arm + (1 | g)") == []
    assert drawn("log(y) ~ x * arm + (1 | g)") == []
    assert drawn("y ~ x * arm + offset(w) + (1 | g)") == []
