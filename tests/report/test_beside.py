"""What a paper sets beside a model's estimates, as the appendix shows it."""

from dataclasses import replace

import pandas as pd
from report.test_report import APPENDIX, Page, pages, results

MEAN = {"method": "kenward_roger", "estimate": 31.25, "std_error": 0.125, "df": 17.2, "lower": 30.986, "upper": 31.514}
TERMS = ["(Intercept)", "hours", "kindnew", "hours:kindnew"]


def beside():
    """The tables of `full`."""
    tests = [(method, "kind", 5.5, 1, ddf, 0.031) for method, ddf in (("satterthwaite", 17.2), ("kenward_roger", 16.5))]
    robust = {"cr0_std_error": 0.2, "cr2_std_error": 0.25, "statistic": 6.0, "df": 12.5, "p_value": 0.0004}
    least = {f"{of}{name}": 1.25 for of in ("", "pooled_", "between_") for name in ("estimate", "std_error")}
    contrasts = ["factor", "contrast", "method", "adjustment", "statistic", "p_value"]
    test = {"estimator": "REML", "statistic": 45.41, "df": 3, "p_chi_square": 0.00001, "p_mixture": float("nan")}
    return {
        "term_tests": pd.DataFrame(tests, columns=["method", "term", "statistic", "df", "ddf", "p_value"]),
        "marginal_means": pd.DataFrame([{"factor": "kind", "level": "<new>", **MEAN}]),
        "contrasts": pd.DataFrame(columns=contrasts),
        "predictions": pd.DataFrame([{"number": 1, "at": "hours = 5", **MEAN}]),
        "robust": pd.DataFrame({"term": TERMS, "estimate": 1.5, "lower": 1.0, "upper": 2.0} | robust),
        "single_level": pd.DataFrame({"term": TERMS} | least),
        "single_level_test": pd.DataFrame([test]),
    }


def appendix(**changes):
    made = results()
    full = replace(made.model_tables["full"], beside=beside() | changes)
    return pages(replace(made, model_tables={**made.model_tables, "full": full}))[APPENDIX]


def test_each_table_stands_with_its_model_and_as_a_file():
    html = appendix()
    text = Page(html).text.replace("\xa0", " ")
    for row in (
        "Kenward and Roger kind 5.50 1 16.5 0.031 Satterthwaite kind 5.50 1 17.2 0.031",
        "kind <new> 31.250 0.125 17.2 30.986 to 31.514",
        "hours = 5 31.250 0.125 17.2 30.986 to 31.514",
        "hours 2.000 0.100 0.200 0.250 12.5 < 0.001",  # the estimate and the first standard error are the model's
        "hours 1.2 (1.2) 1.2 (1.2) 1.2 (1.2)",
        "the likelihood ratio statistic of the random effects is 45.41 (REML; df 3, by chi-square p < 0.0001: a value "
        "that is too large",
    ):
        assert row in text, row
    for name in ("term_tests", "marginal_means", "predictions", "robust", "single_level"):
        assert f'download="models-full-{name}.csv"' in html
    assert "Differences of the marginal means" not in text  # there are none
    assert "<new>" not in html


def test_headings_have_the_level_of_the_intervals():
    made = results()
    full = replace(made.model_tables["full"], beside=beside())
    full = replace(full, intervals=full.intervals.assign(level=0.9))
    html = pages(replace(made, model_tables={**made.model_tables, "full": full}))[APPENDIX]
    text = Page(html).text.replace("\xa0", " ")
    assert "Factor Level Mean Std. error df 90 % interval" in text
    assert "At Prediction Std. error df 90 % interval" in text


def test_a_model_by_ml_has_one_method():
    by_ml = beside()["term_tests"].query("method == 'satterthwaite'")
    text = Page(appendix(term_tests=by_ml)).text
    assert "Satterthwaite kind 5.50 1 17.2 0.031 CSV" in text
    assert "Kenward and Roger kind" not in text


def test_the_data_in_numbers():
    described = pd.DataFrame(
        [
            (1, "words", None, None, 200, 3, 24.5, 2.875, 20.0, 29.0),
            (1, "words", "kind", "<new>", 50, 0, 24.25, 2.5, 20.0, 29.0),
        ],
        columns=["level", "column", "by", "category", "n", "missing", "mean", "sd", "min", "max"],
    )
    html = pages(replace(results(), descriptives=described))[APPENDIX]
    text = Page(html).text.replace("\xa0", " ")
    assert "words 1 200 3 24.50 2.88 20.00 29.00" in text
    assert "words <new> 1 50 0 24.25 2.50 20.00 29.00" in text
    assert 'id="descriptives"' not in pages(results())[APPENDIX]
