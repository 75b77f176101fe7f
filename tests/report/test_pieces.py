"""Models side by side, sentences and code as the page shows them: readable for many models, and silent where unsure."""

import re
from dataclasses import replace

import pytest
from report.test_prose import INDICATORS, LABELS, LEVELS, NO_INTERCEPT, coefficient, factor, model_of
from report.test_report import INTERCEPT, NOMINAL, Page, fit, page, results, table_of_tests
from twolevel.output.prepared import Prepared
from twolevel.output.python_code import mixedlm_model, python_model
from twolevel.output.r_code import r_model, r_test
from twolevel.output.stata_spss_code import spss_model, stata_model
from twolevel.report.apa import model_sentence
from twolevel.report.apa import test_sentence as sentence_of_test
from twolevel.report.contents import contents
from twolevel.report.side_by_side import MOST_COLUMNS, sheets

# ----------------------------------------------------------------------------------------------------- side by side


def slope(std_error=0.1, name="full", **changes):
    """words ~ hours + (1 | class)."""
    model = model_of([INTERCEPT, coefficient(["hours"], 1)], ["(Intercept)", "hours"], {}, [30.0, 2.0], **changes)
    model.fit["fixed_effects_covariance"][1][1] = std_error**2
    return replace(model, name=name)


def lines(models):
    """The rows of the first table by their labels."""
    first = sheets({model.name: model for model in models}, "pupils", "classes")[0]
    return {line.label: line for _, part in first.parts for line in part}


@pytest.mark.parametrize(("count", "columns"), [(1, [1]), (5, [5]), (6, [3, 3]), (10, [5, 5]), (11, [4, 4, 3])])
def test_many_models_are_split_evenly(count, columns):
    models = {f"m{i}": slope(name=f"m{i}") for i in range(count)}
    found = sheets(models, "pupils", "classes")
    assert [len(sheet.models) for sheet in found] == columns
    assert max(columns) <= MOST_COLUMNS
    assert [model.name for sheet in found for model in sheet.models] == [*models]


def test_a_row_has_the_digits_of_its_smallest_error():
    found = lines(
        [slope(0.25, "a", fixed_effects=[30.0, 1.23456]), slope(0.00123, "b", fixed_effects=[30.0, 0.456789])]
    )
    assert found["hours"].cells == (("1.2346", "(0.2500)"), ("0.4568", "(0.0012)"))
    small = lines([slope(1.10794e-6, fixed_effects=[30.0, 1.785061e-05])])
    assert small["hours"].cells == (("1.79\xa0×\xa010⁻⁵", "(1.1\xa0×\xa010⁻⁶)"),)


def test_what_a_model_lacks_is_empty():
    empty = replace(model_of([INTERCEPT], ["(Intercept)"], {}, [30.0]), name="empty")
    found = lines([empty, slope()])
    assert found["hours"].cells[0] == ("", "")
    assert found["(Intercept)"].cells[0][0]


def test_a_variance_of_zero_is_zero():
    hierarchy = [INTERCEPT, coefficient(["hours"], 1, 1)]
    design = hierarchy, ["(Intercept)", "hours"], {}, [30.0, 2.0]
    model = model_of(*design, covariance=[[1.0, 0.0], [0.0, 1e-18]], singular=True)
    found = {line.label: line for line in dict(sheets({"full": model}, "pupils", "classes")[0].parts)["Variances"]}
    assert found["hours"].cells == (("0", "SD 0"),)
    assert found["(Intercept)"].cells == (("1.00", "SD 1.00"),)


def test_reml_criteria_of_other_fixed_effects_are_marked():
    empty = replace(model_of([INTERCEPT], ["(Intercept)"], {}, [30.0]), name="empty")
    assert lines([empty, slope(name="x"), slope(name="y")])["REML criterion"].marks == ("a", "b", "b")
    assert lines([empty, slope(name="x")])["AIC (ML)"].marks == ()
    assert lines([slope(name="x"), slope(name="y")])["REML criterion"].marks == ()
    text = Page(page(results())).text
    assert "REML criteria with different letters cannot be compared" in text
    fewer = slope(name="fewer", n_obs=190, left_out={"rows": 10, "missing": {"hours": 10}})
    assert lines([slope(name="x"), fewer])["AIC (ML)"].marks == ("a", "b")


def test_the_page_has_every_model_in_a_column_and_its_csv():
    html = page(results())
    section = html[html.index('<section id="side-by-side"') :].split("</section>")[0]
    assert re.findall(r'<a href="appendix\.html#full-(\w+)">', section) == ["empty", "full"]
    assert 'download="models-side_by_side.csv"' in section


# -------------------------------------------------------------------------------------------------------- sentences


def said(*design, **changes):
    return model_sentence(model_of(*design, **changes), LABELS).replace("\xa0", " ")


def test_a_sentence_has_every_estimate_and_its_test():
    text = said([INTERCEPT, coefficient(["hours"], 1)], ["(Intercept)", "hours"], {}, [30.0, -2.0])
    assert text == (
        "In a linear mixed model of words read per minute (200 pupils in 20 classes; restricted maximum likelihood, t "
        "tests and intervals with Satterthwaite’s degrees of freedom), the fixed effects were: intercept, b = 30.00, "
        "SE = 0.10, 95% CI [29.79, 30.21]; hours, b = −2.00, SE = 0.10, 95% CI [−2.21, −1.79], t(17.2) = −20.00, "
        "p = .012; the standard deviation over classes was 1.00 (intercept), and the residual standard deviation was "
        "2.00."
    )


def test_the_means_of_levels_are_not_tested_against_zero():
    levels = [coefficient([f"arm{level}"], i) for i, level in enumerate(LEVELS)]
    text = said([NO_INTERCEPT, *levels], [*INDICATORS], INDICATORS, [52.0, 60.0, 66.0])
    assert "arm (B), b = 60.00, SE = 0.10" in text
    assert "t(" not in text
    assert "t tests" not in text
    assert "intercept, b" not in text
    assert "was 1.00 (intercept)" in text


def test_differences_and_products_are_named_by_their_levels():
    hierarchy = [
        INTERCEPT,
        {"term": "hours", "factors": ["hours"], "predictors": [[1, []], [2, ["armB"]]], "random": 1},
    ]
    meanings = {"armB": factor("arm", "B", "A", "treatment")}
    design = hierarchy, ["(Intercept)", "hours", "hours:armB"], meanings, [30.0, 2.0, 0.5]
    text = said(*design, covariance=[[1.0, -0.25], [-0.25, 1.0]])
    assert "hours × arm (B vs. A), b = 0.50" in text
    assert "over classes were 1.00 (intercept) and 1.00 (hours) with a correlation of −.25, and" in text


def test_columns_of_a_polynomial_go_by_their_names():
    names = ["poly(hours, 2)1", "poly(hours, 2)2"]
    meanings = {name: factor("poly(hours, 2)", coding="basis", made_of=("hours",)) for name in names}
    hierarchy = [INTERCEPT, *(coefficient([name], i + 1) for i, name in enumerate(names))]
    assert "; poly(hours, 2)2, b = 1.00" in said(hierarchy, ["(Intercept)", *names], meanings, [30.0, 2.0, 1.0])


def test_independent_effects_have_no_correlation():
    hierarchy = [INTERCEPT, coefficient(["hours"], 1, 1)]
    design = hierarchy, ["(Intercept)", "hours"], {}, [30.0, 2.0]
    model = model_of(*design, covariance=[[1.0, 0.0], [0.0, 4.0]])
    model.fit.update(blocks=[1, 1], random_effects_correlation=[[1.0, None], [None, 1.0]])
    assert "correlation" not in model_sentence(model, LABELS)


def test_no_sentence_on_a_fit_in_doubt_or_with_too_many_effects():
    design = [INTERCEPT, coefficient(["hours"], 1)], ["(Intercept)", "hours"], {}, [30.0, 2.0]
    assert said(*design, doubts=["the gradient is 1, not zero"]) == ""
    names = [f"x{i}" for i in range(9)]
    many = [INTERCEPT, *(coefficient([name], i + 1) for i, name in enumerate(names))]
    assert said(many, ["(Intercept)", *names], {}, [1.0] * 10) == ""


def comparison(**changes):
    return contents(replace(results(), **changes)).comparisons["slopes"]


def test_a_sentence_on_a_test_says_what_is_added():
    text = sentence_of_test(comparison(), LABELS).replace("\xa0", " ")
    assert text == (
        "Adding fixed effects of hours, kind (new vs. old) and hours × kind (new vs. old) and random slopes of hours "
        "significantly improved the fit (likelihood ratio test by ML), χ²(4) = 12.50, p = .002 by parametric bootstrap "
        "with 999 samples."
    )


def test_without_a_bootstrap_there_is_no_sentence_on_the_boundary():
    few = {"statistics": {"slopes": [NOMINAL[:10]]}}
    assert sentence_of_test(comparison(**few), LABELS) == ""
    inside = results().comparisons["slopes"] | {"on_boundary": False, "added_random_effects": 0}
    text = sentence_of_test(comparison(**few, comparisons={"slopes": inside}), LABELS).replace("\xa0", " ")
    assert text.endswith("χ²(4) = 12.50, p = .010.")


def test_what_is_not_significant_is_not_called_so():
    text = sentence_of_test(comparison(tests={"slopes": table_of_tests(p_bootstrap=0.3)}), LABELS)
    assert "did not significantly improve the fit" in text


# ------------------------------------------------------------------------------------------------------------- code


TABLE = Prepared("results/data/t.csv", "results/data/t.parquet", "class", {"arm": ["A", "B"], "other": ["u", "v"]})


def slope_fit(**changes):
    """words ~ hours + arm + (hours | class)."""
    hierarchy = [INTERCEPT, coefficient(["hours"], 1, 1), coefficient(["armB"], 2)]
    made = fit(hierarchy, ["(Intercept)", "hours", "armB"], [[1.0, 0.3], [0.3, 0.25]], 1100.0)
    made["meanings"]["armB"] = factor("arm", "B", "A", "treatment")
    formula = {"formula": "words ~ hours + arm + (hours | class)", "columns": ["words", "hours", "arm", "class"]}
    return made | formula | changes


def test_r_reads_groups_and_factors_as_text_and_orders_the_levels():
    lines = r_model(slope_fit(), TABLE).code.splitlines()
    assert '  colClasses = c(class = "character", arm = "character"))' in lines
    assert 'data$arm <- factor(data$arm, levels = c("A", "B"))' in lines
    assert not any("other" in line for line in lines)
    assert lines[-5:-3] == ["REMLcrit(model)  # 1100.0000", "summary(model)"]


def test_r_has_another_optimiser_where_the_default_stops_above():
    plain = slope_fit()
    assert "bobyqa" not in r_model(plain, TABLE).code
    for default in ({"criterion": 1108.0}, {"criterion": None}, {"criterion": 1100.0, "repeats_lme4": False}):
        bounds = plain["optimiser"]["defaults"]["lme4_bounds"] | default
        stopped = slope_fit(optimiser={"defaults": {"lme4_bounds": bounds}})
        found = r_model(stopped, TABLE)
        assert 'control = lmerControl(optimizer = "bobyqa")' in found.code
        assert "allFit()" in found.note


@pytest.mark.parametrize(
    ("formula", "line"),
    [
        ("words ~ ns(hours, df = 3) + (1 | class)", "library(splines)"),
        ("words ~ center(hours) + (1 | class)", "center <- function(x) x - mean(x, na.rm = TRUE)"),
    ],
)
def test_r_gets_what_its_base_lacks(formula, line):
    assert line in r_model(slope_fit(formula=formula), TABLE).code.splitlines()
    assert line not in r_model(slope_fit(), TABLE).code.splitlines()


def test_a_test_by_ml_has_ml_fits_and_a_mixture_only_where_one_effect_is_added():
    null, alternative = slope_fit(), slope_fit()
    code = r_test(null, alternative, "ML", 1, 2, TABLE).code
    assert code.count("REML = FALSE") == 2
    assert "df = c(1, 2)" in code
    assert "pchisq" not in r_test(null, alternative, "REML", 2, 5, TABLE).code


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"singular": True}, "singular"),
        ({"formula": "words ~ hours + (hours || class)"}, "independent blocks"),
        ({"formula": "words ~ log(hours) + (1 | class)"}, "function"),
        ({"formula": "words ~ 0 + arm + (1 | class)"}, "intercept"),
        ({"formula": "words ~ hours + offset(x) + (1 | class)"}, "offset"),
    ],
)
def test_mixedlm_says_what_it_cannot_do(changes, reason):
    found = mixedlm_model(slope_fit(**changes), TABLE)
    assert found.code == ""
    assert reason in found.note


def test_mixedlm_leaves_out_rows_itself():
    assert "dropna" not in mixedlm_model(slope_fit(), TABLE).code
    missing = slope_fit(left_out={"rows": 2, "missing": {"hours": 2}})
    assert 'data = data.dropna(subset=["words", "hours", "arm", "class"])' in mixedlm_model(missing, TABLE).code


def test_stata_and_spss():
    assert stata_model(slope_fit()).code.splitlines() == [
        'generate armB = arm == "B"',
        "mixed words hours armB || class: hours, covariance(unstructured) reml dfmethod(satterthwaite)",
    ]
    assert spss_model(slope_fit()).code.splitlines() == [
        'COMPUTE armB = (arm = "B").',
        "MIXED words WITH hours armB",
        "  /FIXED=hours armB | SSTYPE(3)",
        "  /METHOD=REML",
        "  /PRINT=SOLUTION TESTCOV",
        "  /RANDOM=INTERCEPT hours | SUBJECT(class) COVTYPE(UN).",
    ]
    independent = slope_fit(blocks=[1, 1])
    assert "covariance(independent)" in stata_model(independent).code
    assert spss_model(independent).code.endswith("COVTYPE(VC).")
    assert "Not tested" in stata_model(slope_fit()).note


@pytest.mark.parametrize(
    "changes",
    [
        {"meanings": slope_fit()["meanings"] | {"hours": factor("log(hours)", made_of=("hours",))}},
        {"meanings": slope_fit()["meanings"] | {"armB": factor("arm", "B", None, "indicator")}},
        {"meanings": slope_fit()["meanings"] | {"armB": factor("arm", "2", "1", "treatment")}},
        {"left_out": {"rows": 1, "missing": {"arm": 1}}},
        {"formula": "words ~ hours + arm + offset(x) + (hours | class)"},
        {"response": "log(words)"},
        {"blocks": [2, 1]},
        {"response": "wait days", "columns": ["wait days", "hours", "arm", "class"]},
    ],
)
def test_no_code_for_stata_and_spss_where_the_translation_is_open(changes):
    assert stata_model(slope_fit(**changes)) is None
    assert spss_model(slope_fit(**changes)) is None


def test_the_page_shows_the_code_of_every_model_and_test():
    made = results()
    shown = contents(made).pieces
    html = page(made).replace("&#34;", '"').replace("&gt;", ">").replace("&lt;", "<").replace("&#39;", "'")
    for snippets in (*shown.model_code.values(), *shown.test_code.values()):
        assert len(snippets) >= 2
        for snippet in snippets:
            assert snippet.code in html
    assert 'read.csv("results/data/text/table.csv"' in html


SLOPE = [INTERCEPT, coefficient(["hours"], 1)], ["(Intercept)", "hours"], {}, [30.0, -2.0]
NO_DF = {"df": float("nan"), "p_value": float("nan")}
NO_KR = {"kr_df": float("nan"), "kr_p_value": float("nan"), "kr_std_error": float("nan")}


def with_tests(model, **changes):
    return replace(model, fixed=tuple(replace(effect, **changes) for effect in model.fixed))


def test_a_sentence_says_what_its_tests_and_intervals_are_by():
    model = model_of(*SLOPE)
    by_kenward_roger = model_sentence(with_tests(model, **NO_DF), LABELS).replace("\xa0", " ")
    assert "t tests and intervals with Kenward and Roger’s degrees of freedom" in by_kenward_roger
    # t = -2 / 0.101; R: -2 + c(-1, 1) * qt(0.975, 16.5) * 0.101
    assert "b = −2.00, SE = 0.10, 95% CI [−2.21, −1.79], t(16.5) = −19.80, p = .013" in by_kenward_roger
    by_z = model_sentence(with_tests(model, **NO_DF, **NO_KR), LABELS).replace("\xa0", " ")
    assert "intervals by the normal distribution" in by_z
    assert "t(" not in by_z
    # R: -2 + c(-1, 1) * qnorm(0.975) * 0.1
    assert "95% CI [−2.20, −1.80]" in by_z


def test_a_sentence_and_code_of_a_model_by_ml():
    by_reml = {"estimator": "REML", "doubts": []}
    model = model_of(*SLOPE, estimator="ML", reml=by_reml, columns=["words", "hours", "class"])
    assert "(200 pupils in 20 classes; maximum likelihood, t tests" in model_sentence(model, LABELS).replace(
        "\xa0", " "
    )
    table = Prepared("t.csv", "t.parquet", "class", {})
    r = r_model(model.fit, table).code
    assert "REML = FALSE" in r
    assert "deviance(model)" in r
    assert "reml=False" in python_model(model.fit, table).code
    assert "model.fit(reml=False" in mixedlm_model(model.fit, table).code
    assert stata_model(model.fit).code.endswith(", mle")
    assert "/METHOD=ML" in spss_model(model.fit).code


def test_models_by_ml_are_named_beside_others():
    one = slope(name="x")
    other = slope(name="y", estimator="ML", criterion=495.0, aicc=505.0, reml=one.fit)
    found = lines([one, other])
    assert found["REML criterion"].cells[0] == found["REML criterion"].cells[1]
    assert found["−2 log L (ML)"].cells[1] == ("495.0", "")
    (sheet,) = sheets({"x": one, "y": other}, "pupils", "classes")
    assert sheet.by_ml == other.called
    (sheet,) = sheets({"x": one}, "pupils", "classes")
    assert sheet.by_ml == ""
