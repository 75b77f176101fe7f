"""Each sentence of a model is there only where it is true, and each number keeps its digits."""

from dataclasses import asdict, replace
from math import nan

import numpy as np
import pytest
from report.test_report import INTERCEPT, Page, fit, page, results, tables, with_full
from twolevel.model.terms import Factor
from twolevel.output.numbers import digits, fixed, percent, share
from twolevel.output.words import Labels, Noun, configured_names, number, read_labels
from twolevel.report.model import read_model
from twolevel.report.prose import held_equal, left_out, model_sentences, outcome

LABELS = Labels("class", Noun("class", "classes"), Noun("pupil", "pupils"), {"words": "words read per minute"})


def coefficient(factors, column, random=None):
    """A level-1 coefficient with a constant."""
    return {"term": ":".join(factors), "factors": factors, "predictors": [[column, []]], "random": random}


def factor(column, level=None, reference=None, coding="number", made_of=None):
    return asdict(Factor(column, level, reference, coding, made_of or (column,)))


def model_of(hierarchy, terms, meanings, values, covariance=((1.0,),), std_error=0.1, **changes):
    """A model from its design, its estimates and what its factors mean."""
    made = fit(hierarchy, terms, [[*row] for row in covariance], 1100.0)
    made["meanings"] |= meanings
    made |= changes
    found = tables(made, values)
    found = replace(found, fixed_effects=found.fixed_effects.assign(std_error=std_error))
    return read_model("full", {}, made, found)


def sentences(*design, with_zero=("hours",), **changes):
    return model_sentences(model_of(*design, **changes), LABELS, with_zero)


NO_INTERCEPT = {"term": "(Intercept)", "factors": [], "predictors": [], "random": 0}
LEVELS = ("A", "B", "C")
INDICATORS = {f"arm{level}": factor("arm", level, None, "indicator") for level in LEVELS}


def cell_means(random=None):
    """One mean for each level of a factor: `0 + arm`."""
    return [coefficient([f"arm{level}"], i, random and i) for i, level in enumerate(LEVELS)]


def test_the_mean_of_a_level_is_no_difference():
    """machines.csv, score ~ 0 + Machine: R's lme4 gives B a mean of 60.32; B - A is 7.967."""
    terms = [f"arm{level}" for level in LEVELS]
    said = sentences([NO_INTERCEPT, *cell_means()], terms, INDICATORS, [52.36, 60.32, 66.27])
    assert len(said) == 2
    assert said[0] == "Intercept: over classes its standard deviation is 1.00 (95 % profile interval 0.50 to 1.50)."
    assert not any(word in " ".join(said) for word in ("against", "higher", "difference", "expected"))


def test_random_means_of_levels_are_no_differences():
    hierarchy = [coefficient([f"arm{level}"], i, i) for i, level in enumerate(LEVELS)]
    covariance = np.diag([16.0, 74.0, 19.0])
    said = sentences(hierarchy, [*INDICATORS], INDICATORS, [52.36, 60.32, 66.27], covariance=covariance)
    assert said[1].startswith("Coefficient of (arm B): over classes its standard deviation is")
    assert not any(word in " ".join(said) for word in ("ifference", "one sign", "expected"))


def test_a_factor_in_two_codings_has_no_sentence():
    """`y ~ 0 + arm + (arm | class)`: armB is B's mean in the fixed part, B - A in the random one."""
    names = [f"arm{level}" for level in LEVELS]
    meanings = INDICATORS | {name: factor("arm", name[3:], "A", "treatment") for name in names[1:]}
    hierarchy = [NO_INTERCEPT, *(coefficient([name], i, i or None) for i, name in enumerate(names))]
    design = hierarchy, names, meanings, [52.36, 60.32, 66.27]
    model = model_of(*design, covariance=np.diag([9.0, 4.0, 5.0]))
    assert not any("against" in text or "expected" in text for text in model_sentences(model, LABELS, []))
    assert [effect.plausible for effect in model.random] == [None, None, None]  # nor has the table a range about B


@pytest.mark.parametrize(
    "second",
    [
        factor("log(hours)", made_of=("hours",)),
        factor("I(hours^2)", made_of=("hours",)),
        factor("poly(hours, 2)", coding="basis", made_of=("hours",)),
        factor("I(hours > 3)", "TRUE", "FALSE", "treatment", ("hours",)),
    ],
)
def test_a_variable_and_a_function_of_it_cannot_move_apart(second):
    """No "hours, one unit more, the other held equal", and no intercept "where hours and log(hours) are 0"."""
    hierarchy = [INTERCEPT, coefficient(["hours"], 1), coefficient(["f"], 2)]
    terms = ["(Intercept)", "hours", "f"]
    model = model_of(hierarchy, terms, {"f": second}, [30.0, 2.0, 0.5])
    said = " ".join(model_sentences(model, LABELS, ["hours"]))
    assert "one unit more" not in said
    assert "where" not in said
    assert "against" not in said
    assert not held_equal(model, LABELS, ["hours"])


@pytest.mark.parametrize("recipe", [{"cut": "hours", "at": [3], "labels": ["few", "many"]}, {"recode": "hours"}])
def test_a_column_and_its_ranges_cannot_move_apart(recipe):
    noun = {"singular": "class", "plural": "classes"}
    names = {"data": {"group": "class", "group_noun": noun, "observation_noun": noun, "columns": {}}}
    labels = read_labels(configured_names(names | {"derive": {"load": recipe}}))
    hierarchy = [INTERCEPT, coefficient(["hours"], 1), coefficient(["loadmany"], 2)]
    meaning = {"loadmany": factor("load", "many", "few", "treatment", ("load",))}
    model = model_of(hierarchy, ["(Intercept)", "hours", "loadmany"], meaning, [30.0, 2.0, 0.5])
    assert held_equal(model, LABELS, ["hours"])
    assert not held_equal(model, labels, ["hours"])
    assert "one unit more" not in " ".join(model_sentences(model, labels, ["hours"]))


@pytest.mark.parametrize("coding", ["basis", "contrast"])
def test_columns_of_a_basis_or_a_contrast_are_left_to_the_table(coding):
    names = ["f1", "f2"]
    meanings = {name: factor("f", None if coding == "basis" else name, None, coding) for name in names}
    hierarchy = [INTERCEPT, *(coefficient([name], i + 1, i + 1) for i, name in enumerate(names))]
    said = " ".join(
        sentences(hierarchy, ["(Intercept)", *names], meanings, [30.0, 1.0, 2.0], covariance=np.eye(3).tolist())
    )
    assert "oefficient of" not in said
    assert "expected" not in said


def test_products_of_indicators_are_left_to_the_table():
    """ratpupweight.csv, weight ~ 0 + Treatment:sex: cell means, no slope of sexMale."""
    meanings = {name: factor(name[:3], name[3:], None, "indicator") for name in ("armA", "armB", "sexF", "sexM")}
    cells = [
        {"term": f"sex{sex}", "factors": [f"sex{sex}"], "random": None}
        | {"predictors": [[2 * i + k, [f"arm{arm}"]] for k, arm in enumerate("AB")]}
        for i, sex in enumerate("FM")
    ]
    terms = ["armA:sexF", "armB:sexF", "armA:sexM", "armB:sexM"]
    said = " ".join(sentences([NO_INTERCEPT, *cells], terms, meanings, [6.6, 6.2, 6.2, 6.0]))
    assert "slope" not in said
    assert "against" not in said


def test_zero_beyond_the_data_is_not_spoken_of():
    """A litter of no pups, or the year 1970: no intercept there, no slope where a litter has none."""
    hierarchy = [
        INTERCEPT | {"predictors": [[0, []], [2, ["size"]]]},
        {"term": "hours", "factors": ["hours"], "predictors": [[1, []], [3, ["size"]]], "random": 1},
    ]
    terms = ["(Intercept)", "hours", "size", "hours:size"]
    design = hierarchy, terms, {}, [30.0, 2.0, 1.0, 0.5]
    far = sentences(*design, covariance=np.eye(2).tolist(), with_zero=["hours"])
    assert not any(text.startswith("Intercept: words") or "hours, one unit" in text for text in far)
    assert "size, one unit more: the slope of hours is 0.50 higher (95 % interval 0.29 to 0.71)." in far
    near = sentences(*design, covariance=np.eye(2).tolist(), with_zero=["hours", "size"])
    assert near[0].startswith("Intercept: words read per minute where hours is 0 and size is 0 is 30.00")
    assert any(text.endswith("(95 % interval 0.29 to 0.71), from 2.00 at 0, and so stronger.") for text in near)


def test_an_intercept_far_from_the_data_has_no_spread():
    """unixtime.csv: the SD of the intercepts is that in 1970."""
    hierarchy = [INTERCEPT, coefficient(["sec"], 1, 1)]
    design = hierarchy, ["(Intercept)", "sec"], {}, [-19.6, 2.0]
    far, near = (sentences(*design, covariance=np.eye(2).tolist(), with_zero=columns) for columns in ((), ("sec",)))
    assert not any("Intercept: over" in text for text in far)
    assert any("Intercept: over" in text for text in near)


def test_a_random_slope_without_its_fixed_effect_leaves_no_grand_mean():
    hierarchy = [INTERCEPT, {"term": "hours", "factors": ["hours"], "predictors": [], "random": 1}]
    said = sentences(hierarchy, ["(Intercept)"], {}, [30.0], covariance=np.eye(2).tolist())
    assert said[0].startswith("Intercept: words read per minute where hours is 0 is 30.00")
    assert "Grand mean" not in " ".join(said)


def test_a_verdict_on_a_slope_takes_both_signs():
    """Of a slope whose own sign is open nothing becomes stronger."""
    hierarchy = [
        INTERCEPT,
        {"term": "hours", "factors": ["hours"], "predictors": [[1, []], [2, ["armB"]]], "random": None},
    ]
    meanings = {"armB": factor("arm", "B", "A", "treatment")}
    design = hierarchy, ["(Intercept)", "hours", "hours:armB"], meanings
    assert any(text.endswith("2.50 in place of 2.00, and so stronger.") for text in sentences(*design, [30, 2, 0.5]))
    assert any(text.endswith("0.60 in place of 0.10.") for text in sentences(*design, [30, 0.1, 0.5]))


@pytest.mark.parametrize(
    ("response", "columns", "said"),
    [
        ("words", ["words", "class"], "words read per minute"),
        ("post - pre", ["post", "pre", "class"], "“post - pre”"),
        ("log(words)", ["words", "class"], "“log(words)”"),
    ],
)
def test_an_outcome_that_is_an_expression_is_quoted(response, columns, said):
    hierarchy, terms = [INTERCEPT, coefficient(["armB"], 1)], ["(Intercept)", "armB"]
    meanings = {"armB": factor("arm", "B", "A", "treatment")}
    model = model_of(hierarchy, terms, meanings, [30.0, -2.0], response=response, columns=columns)
    assert outcome(model, LABELS) == said
    assert f"arm, B against A: {said} is 2.00 lower" in " ".join(model_sentences(model, LABELS, []))


def test_an_offset_is_told():
    """The coefficients are those of the outcome less the offset; what is made of its columns cannot be held equal."""
    formula = "words ~ hours + arm + offset(log(hours)) + (1 | class)"
    hierarchy = [INTERCEPT, coefficient(["hours"], 1), coefficient(["armB"], 2)]
    meanings = {"armB": factor("arm", "B", "A", "treatment")}
    model = model_of(hierarchy, ["(Intercept)", "hours", "armB"], meanings, [30, 2, 1.5], formula=formula)
    said = " ".join(model_sentences(model, LABELS, ["hours"]))
    assert "arm, B against A: words read per minute less “log(hours)” is 1.50 higher" in said
    assert "hours, one unit more" not in said
    assert r"\text{log(hours)}_{ij} + \beta_{0j}" in model.equations.level1.latex
    assert r"\text{log(hours)}_{ij} + \gamma_{00}" in model.equations.combined.latex.replace("= {} & ", "= ")


def test_rows_left_out_are_counted():
    made = {"left_out": {"rows": 12, "missing": {"hours": 11, "words": 2}}, "n_obs": 188}
    model = model_of([INTERCEPT], ["(Intercept)"], {}, [30.0], **made)
    assert left_out(model, LABELS) == (
        "12 pupils are left out, since a value that the model needs is missing: 11 have no hours and 2 have no words."
    )
    assert left_out(model_of([INTERCEPT], ["(Intercept)"], {}, [30.0]), LABELS) == ""
    full = results().fits["full"] | made
    text = Page(page(with_full(results(), full, [30.0, 2.0, 1.5, -0.5]))).text
    assert "12 pupils are left out" in text
    assert "2 two-level models were fitted to 188 to 200 pupils in 20 classes." in text


def test_independent_blocks_have_no_correlation_and_zeros_in_t():
    hierarchy = [INTERCEPT, coefficient(["hours"], 1, 1), coefficient(["size"], 2, 2)]
    terms = ["(Intercept)", "hours", "size"]
    covariance = [[1.0, 0.0, 0.0], [0.0, 4.0, 1.0], [0.0, 1.0, 1.0]]
    made = fit(hierarchy, terms, covariance, 1100.0) | {"blocks": [1, 2]}
    text = Page(page(with_full(results(), made, [30.0, 2.0, 1.0]))).text.replace("\xa0", " ")
    assert "Correlations over classes: hours with size 0.50 (95 % profile interval −0.50 to 0.50" in text
    assert "independent of each other: (Intercept); hours with size." in text
    assert "Correlation with hours" in text
    assert "Correlation with (Intercept)" not in text
    assert "0 & \\tau_{11}" in text  # the matrix T is shown


def test_a_note_on_models_of_such_data_stands_once():
    note = "The response passed has two values only, 0 and 1."
    made = results()
    text = Page(page(replace(made, fits={name: fit | {"notes": [note]} for name, fit in made.fits.items()}))).text
    assert len(made.fits) == 2
    assert text.count(note) == 1


@pytest.mark.parametrize(("n_groups", "few"), [(2, True), (4, True), (5, False)])
def test_so_few_groups_are_warned_of(n_groups, few):
    said = " ".join(sentences([INTERCEPT], ["(Intercept)"], {}, [30.0], n_groups=n_groups))
    assert (f"{n_groups} classes say little of how classes differ" in said) == few
    assert ("95 % of classes are expected" in said) == (not few)


def test_a_zero_variance_without_a_fixed_intercept_is_zero():
    """What rounding leaves of it, 1e-9, is not shown as a number."""
    terms = [f"arm{level}" for level in LEVELS]
    design = [NO_INTERCEPT, *cell_means()], terms, INDICATORS, [52.36, 60.32, 66.27]
    model = model_of(*design, covariance=((1e-18,),), singular=True)
    assert model.zero_variances == ("(Intercept)",)
    assert "its standard deviation is 0 (95 %" in model_sentences(model, LABELS, [])[0]


# Numbers


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [
        (1.785061e-05, 8, "1.785\xa0×\xa010⁻⁵"),
        (-7.607814e-10, 12, "−7.61\xa0×\xa010⁻¹⁰"),
        (1.785061e-05, 6, "0.000018"),
        (0.25, 8, "0.25000000"),
        (1e-13, 8, "0"),  # nothing that can be told from zero
        (7.607814e8, 0, "760,781,400"),
    ],
)
def test_small_numbers_are_told_by_powers_of_ten(value, decimals, expected):
    assert fixed(value, decimals) == expected


def test_what_is_not_zero_is_not_shown_as_zero():
    assert (digits(8.943408e-11), digits(36.7), digits(0.0), digits(None)) == ("8.943\xa0×\xa010⁻¹¹", "36.70", "0", "–")
    assert (share(0.0001), share(0.0), share(0.25)) == ("<\xa00.001", "0.000", "0.250")
    assert (percent(0.0003), percent(0.0), percent(1e-9)) == ("0.03\xa0%", "0.0\xa0%", "<\xa00.0001\xa0%")
    assert number(-1.785061e-05, 3) == "−1.79\xa0×\xa010⁻⁵"


def test_each_row_has_the_digits_of_its_own_error():
    """income.csv, y ~ income + (income | town), by lme4: slope 1.785061e-05 (0.110794e-05), variance 0.8943408e-10."""
    made = results()
    full = made.fits["full"]
    full = full | {"random_effects_covariance": [[1.0, 0.0], [0.0, 0.8943408e-10]]}
    values = [3.10, 1.785061e-05, 1.5, -0.5]
    changed = with_full(made, full, values, percentile_sig03=(7.8e-6, 1.13e-5), profile_sig03=(7.8e-6, 1.13e-5))
    table = changed.model_tables["full"].fixed_effects.assign(std_error=[0.1, 1.10794e-06, 0.1, 0.1])
    full_tables = replace(changed.model_tables["full"], fixed_effects=table)
    text = Page(page(replace(changed, model_tables=changed.model_tables | {"full": full_tables}))).text
    text = text.replace("\xa0", " ")
    assert "hours 1.785 × 10⁻⁵ 1.11 × 10⁻⁶" in text.replace("\\gamma_{10}", "").replace("γ10", "").replace("  ", " ")
    assert "8.943 × 10⁻¹¹ 9.457 × 10⁻⁶" in text
    assert "SD of hours 9.55 × 10⁻⁶" in text
    assert "7.80 × 10⁻⁶ to 1.130 × 10⁻⁵" in text


def test_a_monte_carlo_error_is_not_zero():
    made = results()
    intervals = made.model_tables["full"].intervals
    for name, error in (("lower_monte_carlo_error", 3e-6), ("upper_monte_carlo_error", 4e-6)):
        intervals = intervals.assign(**{name: intervals[name].where(intervals[name].isna(), error)})
    full = replace(made.model_tables["full"], intervals=intervals)
    text = Page(page(replace(made, model_tables=made.model_tables | {"full": full}))).text.replace("\xa0", " ")
    assert "0.50 to 1.50 4.0 × 10⁻⁶ hours" in text
    assert "0.0000" not in text.partition("Basic and normal intervals of full")[2].partition("What the")[0]


def test_criteria_of_different_fixed_effects_are_not_left_to_be_compared():
    text = Page(page(results())).text
    assert "The criteria of models with different fixed effects cannot be compared with each other." in text


def test_groups_too_small_for_least_squares_are_told():
    made = results()
    parts = made.model_tables["full"].variance_components.assign(usable_groups=0, reliability=nan, chi_square=nan)
    full = replace(made.model_tables["full"], variance_components=parts)
    text = Page(page(replace(made, model_tables=made.model_tables | {"full": full}))).text
    assert "No class’s own data allow least squares, so there is no reliability and no χ²." in text
    assert "from the 0 of" not in text
