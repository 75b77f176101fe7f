"""What a paper sets beside a model's estimates, as the appendix shows it."""

from dataclasses import replace

import pandas as pd
from report.test_report import APPENDIX, Page, pages, results

MEAN = {"method": "kenward_roger", "estimate": 31.25, "std_error": 0.125, "df": 17.2, "lower": 30.986, "upper": 31.514}
TERMS = ["(Intercept)", "hours", "kindnew", "hours:kindnew"]


def supplements():
    """Those of `full`; there are no contrasts."""
    tests = [(method, "kind", 5.5, 1, ddf, 0.031) for method, ddf in (("satterthwaite", 17.2), ("kenward_roger", 16.5))]
    robust = {"cr0_std_error": 0.2, "cr2_std_error": 0.25, "statistic": 6.0, "df": 12.5, "p_value": 0.0004}
    least = {f"{of}{name}": 1.25 for of in ("", "pooled_", "between_") for name in ("estimate", "std_error")}
    test = {"estimator": "REML", "statistic": 45.41, "df": 3, "p_chi_square": 0.00001, "p_mixture": float("nan")}
    return {
        "term_tests": pd.DataFrame(tests, columns=["method", "term", "statistic", "df", "ddf", "p_value"]),
        "marginal_means": pd.DataFrame([{"factor": "kind", "level": "<new>", **MEAN}]),
        "contrasts": pd.DataFrame(),
        "predictions": pd.DataFrame([{"number": 1, "at": "hours = 5", **MEAN}]),
        "robust": pd.DataFrame({"term": TERMS, "estimate": 1.5} | robust),
        "single_level": pd.DataFrame({"term": TERMS} | least),
        "single_level_test": pd.DataFrame([test]),
    }


def appendix(**changes):
    made = results()
    tables = replace(made.model_tables["full"], beside=supplements() | changes)
    return pages(replace(made, model_tables=made.model_tables | {"full": tables}))[APPENDIX]


def test_each_table_stands_with_its_model_and_as_a_file():
    html = appendix()
    text = Page(html).text.replace("\xa0", " ")
    for row in (
        "Satterthwaite kind 5.50 1 17.2 0.031",
        "Kenward and Roger kind 5.50 1 16.5 0.031",
        "kind <new> 31.250 0.125 17.2 30.986 to 31.514",
        "hours = 5 31.250 0.125 17.2 30.986 to 31.514",
        "0.100 0.200 0.250 12.5 < 0.001",
        "the likelihood ratio statistic of the random effects is 45.41 (REML; df 3, by chi-square p < 0.0001",
    ):
        assert row in text, row
    for name in ("term_tests", "marginal_means", "predictions", "robust", "single_level"):
        assert f'download="models-full-{name}.csv"' in html
    assert "Differences of the marginal means" not in text
    assert "<new>" not in html


def test_a_model_by_ml_has_one_method():
    by_ml = supplements()["term_tests"].query("method == 'satterthwaite'")
    assert "Kenward and Roger kind 5.50" not in Page(appendix(term_tests=by_ml)).text
