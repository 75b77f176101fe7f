"""Equations in Raudenbush & Bryk's notation, against the vignette's sections 8.2 and 8.3, and hostile names in them."""

from xml.etree import ElementTree

import pytest
from twolevel.model.terms import Factor
from twolevel.output.equations import Estimates, equations
from twolevel.output.mathml import Words, latex_text, math


class Meanings(dict[str, Factor]):
    """What names mean: these levels, and numbers."""

    def __missing__(self, name: str) -> Factor:
        return Factor(name)


MEANINGS = Meanings(
    sectorCatholic=Factor("sector", "Catholic", "Public", "treatment"),
    minorityYes=Factor("minority", "Yes", "No", "treatment"),
)

MATHML = "{http://www.w3.org/1998/Math/MathML}"


def coefficient(*factors, predictors=(), random=None):
    """A level-1 coefficient as fit.json has it; `predictors` pairs columns with level-2 factors."""
    return {"term": ":".join(factors), "factors": factors, "predictors": predictors, "random": random}


INTERCEPTS_AND_SLOPES = [
    coefficient(predictors=[[0, []], [2, ["mean.ses"]], [3, ["sectorCatholic"]]], random=0),
    coefficient("cses", predictors=[[1, []], [4, ["mean.ses"]], [5, ["sectorCatholic"]]], random=1),
]


def flat(latex):
    """LaTeX without what only arranges it."""
    for layout in (r"\begin{align*} ", r" \end{align*}", r" \\ & ", "{} & ", r"\,"):
        latex = latex.replace(layout, "")
    return " ".join(latex.split())


def test_the_one_way_anova():
    written = equations([coefficient(predictors=[[0, []]], random=0)], "mathach", MEANINGS, [1])
    assert flat(written.level1.latex) == r"\text{mathach}_{ij} = \beta_{0j} + r_{ij}"
    assert [flat(e.latex) for e in written.level2] == [r"\beta_{0j} = \gamma_{00} + u_{0j}"]
    assert flat(written.combined.latex) == r"\text{mathach}_{ij} = \gamma_{00} + u_{0j} + r_{ij}"
    assert written.covariance is None
    assert flat(written.distributions[1].latex) == r"u_{0j} \sim N(0, \tau_{00})"


def test_intercepts_and_slopes_as_outcomes():
    written = equations(INTERCEPTS_AND_SLOPES, "mathach", MEANINGS, [2])
    catholic = r"(\text{sector} = \text{Catholic})_{j}"
    assert flat(written.level1.latex) == r"\text{mathach}_{ij} = \beta_{0j} + \beta_{1j}\text{cses}_{ij} + r_{ij}"
    assert [flat(e.latex) for e in written.level2] == [
        rf"\beta_{{{q}j}} = \gamma_{{{q}0}} + \gamma_{{{q}1}}\text{{mean.ses}}_{{j}} + "
        rf"\gamma_{{{q}2}}{catholic} + u_{{{q}j}}"
        for q in (0, 1)
    ]
    assert flat(written.combined.latex) == (
        r"\text{mathach}_{ij} = \gamma_{00} + \gamma_{01}\text{mean.ses}_{j} + "
        rf"\gamma_{{02}}{catholic} + \gamma_{{10}}\text{{cses}}_{{ij}} + "
        r"\gamma_{11}\text{mean.ses}_{j} \times \text{cses}_{ij} + "
        rf"\gamma_{{12}}{catholic} \times \text{{cses}}_{{ij}} + u_{{0j}} + u_{{1j}}\text{{cses}}_{{ij}} + r_{{ij}}"
    )
    # The symbols stand in the order of lme4's columns: (Intercept), cses, mean.ses, sector, then the products.
    assert [s.latex for s in written.fixed_symbols] == [
        rf"\gamma_{{{i}}}" for i in ("00", "10", "01", "02", "11", "12")
    ]
    assert [s.latex for s in written.random_symbols] == [r"\tau_{00}", r"\tau_{11}"]


def test_a_coefficient_without_random_effect_or_constant_has_none():
    written = equations(
        [
            coefficient("x", predictors=[[0, []]]),
            coefficient(predictors=[], random=0),
            coefficient("z", predictors=[[1, ["w"]]]),
        ],
        "y",
        MEANINGS,
        [1],
    )
    assert [flat(e.latex) for e in written.level2] == [
        r"\beta_{0j} = u_{0j}",
        r"\beta_{1j} = \gamma_{10}",
        r"\beta_{2j} = \gamma_{21}\text{w}_{j}",
    ]
    assert [s.latex for s in written.fixed_symbols] == [r"\gamma_{10}", r"\gamma_{21}"]


def test_without_an_intercept_the_coefficients_count_from_one():
    written = equations([coefficient("x", predictors=[[0, []]], random=0)], "y", MEANINGS, [1])
    assert flat(written.level1.latex) == r"\text{y}_{ij} = \beta_{1j}\text{x}_{ij} + r_{ij}"


def test_the_order_of_the_random_effects_is_that_of_their_columns():
    written = equations(
        [
            coefficient(predictors=[[0, []]], random=0),
            coefficient("a", predictors=[[1, []]], random=2),
            coefficient("b", predictors=[[2, []]], random=1),
        ],
        "y",
        MEANINGS,
        [3],
    )
    assert [s.latex for s in written.random_symbols] == [r"\tau_{00}", r"\tau_{22}", r"\tau_{11}"]
    assert written.covariance is not None
    assert written.covariance.latex.count(r"\tau_{21}") == 1


@pytest.mark.parametrize(
    ("blocks", "zeros"),
    [
        ([1, 1, 1], [(0, 1), (0, 2), (1, 2)]),
        ([2, 1], [(0, 2), (1, 2)]),
        ([1, 2], [(0, 1), (0, 2)]),
        ([3], []),
    ],
)
def test_the_covariance_matrix_has_zeros_between_blocks(blocks, zeros):
    level1 = [coefficient(name, predictors=[[i, []]], random=i) for i, name in enumerate(["a", "b", "c"])]
    written = equations(level1, "y", MEANINGS, blocks)
    assert written.covariance is not None
    inside = written.covariance.latex.split(r"\begin{pmatrix}")[1].split(r"\end{pmatrix}")[0]
    cells = [[cell.strip() for cell in row.split("&")] for row in inside.split(r"\\")]
    for i in range(3):
        for k in range(3):
            zero = (i, k) in zeros or (k, i) in zeros
            assert cells[i][k] == ("0" if zero else rf"\tau_{{{i + 1}{k + 1}}}")
    assert [s.latex for s in written.random_symbols] == [r"\tau_{11}", r"\tau_{22}", r"\tau_{33}"]


def test_indices_of_two_digits_are_told_apart():
    many = [coefficient(predictors=[[0, []]], random=0)]
    many += [coefficient(f"x{i}", predictors=[[i, []]]) for i in range(1, 12)]
    symbols = [s.latex for s in equations(many, "y", MEANINGS, [1]).fixed_symbols]
    assert len(set(symbols)) == 12
    assert symbols[11] == r"\gamma_{11,0}"
    assert symbols[1] == r"\gamma_{10}"


HOSTILE = [
    r"\input{/etc/passwd}$#&%_^~{}",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "word1",
    "<mtext>word1</mtext>",
    "שלום עולם",
    "x" * 300,
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text(name):
    written = equations(
        [
            coefficient(predictors=[[0, []]], random=0),
            coefficient(name, predictors=[[1, []], [2, [f"sector{name}"]]], random=1),
        ],
        name,
        MEANINGS | {name: Factor(name), f"sector{name}": Factor("sector", name, "Public", "treatment")},
        [2],
    )
    for formula in (written.level1, *written.level2, written.combined):
        tree = ElementTree.fromstring(
            formula.mathml.replace("<math", f'<math xmlns="{MATHML[1:-1]}"', 1)  # as HTML's parser understands it
        )
        known = {"math", "semantics", "annotation", "mrow", "msub", "mi", "mn", "mo", "mtext", "mspace"}
        known |= {"mtable", "mtr", "mtd"}
        assert {element.tag.removeprefix(MATHML) for element in tree.iter()} <= known
        words = [element.text for element in tree.iter(f"{MATHML}mtext")]
        assert set(words) <= {name, "sector"}
        assert tree.get("alttext") == tree.findtext(f".//{MATHML}annotation") == formula.latex
    assert name in [e.text for e in ElementTree.fromstring(written.level1.mathml).iter("mtext")]


def test_latex_prints_special_characters_as_they_are():
    # LaTeX's ten special characters: The LaTeX Companion, section 3.
    assert latex_text(r"a_b\c{d}~^&%$#") == (r"a\_b\textbackslash{}c\{d\}\textasciitilde{}\textasciicircum{}\&\%\$\#")


def test_a_line_break_in_a_name_does_not_break_the_formula():
    assert math(Words("a\n\tb")).latex == r"\text{a b}"


def test_long_sums_break_into_lines_and_lose_nothing():
    names = [f"predictor_{i}" for i in range(1, 8)]
    level1 = [coefficient(predictors=[[0, []]], random=0)]
    level1 += [coefficient(name, predictors=[[i, []]]) for i, name in enumerate(names, start=1)]
    latex = equations(level1, "y", MEANINGS, [1]).combined.latex
    assert latex.count(r"\\") >= 4
    assert all(latex.count(latex_text(name)) == 1 for name in names)
    assert flat(latex).count(" + ") == 9  # of ten terms


def test_names_like_the_place_holders_stay_apart():
    tree = ElementTree.fromstring(math(Words("word1"), " = ", Words("word0")).mathml)
    assert [element.text for element in tree.iter("mtext")] == ["word1", "word0"]


def test_estimates_take_the_place_of_the_symbols():
    """The estimates of the vignette's mod4, rounded; a negative one is subtracted, or leads with its minus."""
    fixed = ["12.13", "2.95", "5.33", "1.23", "1.04", "-1.64"]
    estimates = Estimates(fixed, [["2.38", "0.192"], ["0.192", "0.101"]], "36.7")
    written = equations(INTERCEPTS_AND_SLOPES, "mathach", MEANINGS, [2], estimates=estimates)
    catholic = r"(\text{sector} = \text{Catholic})_{j}"
    assert [flat(e.latex) for e in written.level2] == [
        rf"\beta_{{0j}} = 12.13 + 5.33\text{{mean.ses}}_{{j}} + 1.23{catholic} + u_{{0j}}",
        rf"\beta_{{1j}} = 2.95 + 1.04\text{{mean.ses}}_{{j}} - 1.64{catholic} + u_{{1j}}",
    ]
    assert flat(written.combined.latex).count(" - ") == 1
    assert flat(written.distributions[0].latex) == r"r_{ij} \sim N(0, 36.7)"
    assert r"2.38 & 0.192 \\ 0.192 & 0.101" in written.covariance.latex
    assert not any(symbol in written.combined.latex for symbol in (r"\gamma", r"\tau", r"\sigma"))
    estimates = Estimates(["-3"], [["9"]], "4")
    negative = equations([coefficient(predictors=[[0, []]], random=0)], "y", MEANINGS, [1], estimates=estimates)
    assert flat(negative.level2[0].latex) == r"\beta_{0j} = {-3} + u_{0j}"


def test_independent_blocks_have_zeros_among_the_estimates_too():
    hierarchy = [coefficient(predictors=[[0, []]], random=0), coefficient("x", predictors=[[1, []]], random=1)]
    estimates = Estimates(["1", "2"], [["4.00", "0.00"], ["0.00", "9.00"]], "1.00")
    written = equations(hierarchy, "y", MEANINGS, [1, 1], estimates=estimates)
    assert r"4.00 & 0 \\ 0 & 9.00" in written.covariance.latex
