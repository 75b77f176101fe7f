"""The report on small results written by hand: sentences follow the estimates, names are text, nothing is fetched."""

import copy
import csv
import hashlib
import json
import pickle
import re
from base64 import b64encode
from dataclasses import asdict, replace
from functools import cache
from html.parser import HTMLParser
from io import StringIO
from itertools import pairwise
from math import inf, nan
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from twolevel.errors import UserError
from twolevel.model.expression import quoted
from twolevel.model.parameters import parameters
from twolevel.model.terms import Factor
from twolevel.output.numbers import decimals, fine_p, fine_p_phrase, fixed, p_value, percent, signed
from twolevel.output.words import clean
from twolevel.report.contents import Results, contents
from twolevel.report.files import file_name, shown_address
from twolevel.report.intervals import Replicates
from twolevel.report.model import ModelTables
from twolevel.report.optimiser_audit import AuditResults
from twolevel.report.page import APPENDIX, PAGE, breakable, render_pages, typographic

ROOT = Path(__file__).resolve().parents[2]

TEMPLATES = ROOT / "workflow/report"

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 3"/>'

CONFIG = {
    "data": {
        "title": "Reading",
        "group": "class",
        "group_noun": {"singular": "class", "plural": "classes"},
        "observation_noun": {"singular": "pupil", "plural": "pupils"},
        "columns": {
            "class": {"type": "identifier", "label": "class"},
            "kind": {"type": "factor", "levels": ["old", "new"], "group_level": True, "label": "kind of lesson"},
            "hours": {"type": "number", "label": "hours of practice"},
            "words": {"type": "number", "label": "words read per minute"},
        },
    },
    "derive": {},
    "models": {
        "empty": {"formula": "words ~ (1 | class)"},
        "full": {"formula": "words ~ hours * kind + (hours | class)", "baseline": "empty"},
    },
    "comparisons": {"slopes": {"null_model": "empty", "alternative_model": "full", "estimator": "ML"}},
    "figures": {
        "cloud": {"kind": "scatter", "x": "hours", "y": "words"},
        "tails": {"kind": "qq_level1", "model": "full"},
    },
    "report": {"narrative": None},
}

INTERCEPT = {"term": "(Intercept)", "factors": [], "predictors": [[0, []]], "random": 0}


def fit(hierarchy, terms, covariance, criterion, sigma=2.0, response="words"):
    """A `fit.json` with what the report reads of it."""
    q = len(covariance)
    sds = [covariance[i][i] ** 0.5 for i in range(q)]
    correlation = [
        [covariance[i][k] / (sds[i] * sds[k]) if sds[i] * sds[k] else None for k in range(q)] for i in range(q)
    ]
    story = {
        "reached_best": 10,
        "runs": [{}] * 10,
        "mixedlm": {"difference": 0.0, "messages": []},
        "defaults": {
            "lme4_bounds": {"criterion": criterion, "theta": [1.0] * (q * (q + 1) // 2), "repeats_lme4": True},
        },
    }
    random_terms = [
        c["term"] for c in sorted((c for c in hierarchy if c["random"] is not None), key=lambda c: c["random"])
    ]
    products = [[*c["factors"], *predictor] for c in hierarchy for _, predictor in c["predictors"]]
    effects = [c["factors"] for c in hierarchy if c["random"] is not None]
    columns = [meaning(name).column for c in hierarchy for name in sorted(names_of(c))]
    fixed, random = (" + ".join(map(term_of, several)) for several in (products, effects))
    return {
        "formula": f"{response} ~ {fixed} + ({random} | class)",
        "response": response,
        "group": "class",
        "n_obs": 200,
        "n_groups": 20,
        "columns": [*dict.fromkeys([response, *columns, "class"])],
        "left_out": {"rows": 0, "missing": {}},
        "hierarchy": hierarchy,
        "meanings": {name: asdict(meaning(name)) for c in hierarchy for name in names_of(c)},
        "fixed_terms": terms,
        "random_terms": random_terms,
        "blocks": [len(random_terms)],
        "fixed_effects": [1.0] * len(terms),
        "fixed_effects_covariance": [[0.01 * (i == k) for k in range(len(terms))] for i in range(len(terms))],
        "random_effects_covariance": covariance,
        "random_effects_correlation": correlation,
        "estimator": "REML",
        "criterion": criterion,
        "aic": criterion + 12,
        "bic": criterion + 24,
        "npar": len(terms) + q * (q + 1) // 2 + 1,
        "shares": {"intraclass_correlation": 0.2, "r2_marginal": 0.125, "r2_conditional": 0.3},
        "sigma": sigma,
        "singular": False,
        "doubts": [],
        "ml": {"estimator": "ML", "doubts": []} | dict.fromkeys(("criterion", "aic", "aicc", "bic"), criterion - 1),
        "scaled_residual_quantiles": [-3.0, -0.7, 0.0, 0.7, 3.0],
        "fingerprint": {"data": "d" * 64, "formula": "", "library": "twolevel 0.1.0, statsmodels 0.15.0"},
        "optimiser": story,
    }


def term_of(factors):
    """A product of factors as a formula has it: by their columns."""
    return ":".join(quoted(meaning(name).column) for name in factors) or "1"


def names_of(coefficient):
    """The factors in a level-1 coefficient and its predictors."""
    return {*coefficient["factors"], *(name for _, predictor in coefficient["predictors"] for name in predictor)}


def meaning(name):
    """The column kind is a factor, and its reference level is old; all else are numbers."""
    if name.startswith("kind"):
        return Factor("kind", name.removeprefix("kind"), "old", "treatment", ("kind",))
    return Factor(name, made_of=(name,))


def estimates(values, std_error=0.1):
    table = pd.DataFrame({"estimate": values, "std_error": std_error})
    tests = {"df": 17.25, "p_value": 0.012, "kr_std_error": 0.101, "kr_df": 16.5, "kr_p_value": 0.013}
    return table.assign(statistic=table["estimate"] / table["std_error"], **tests)


def intervals(of, **changes):
    """Every interval 1 wide and about 1, but for those in `changes`: bounds by method and name, as `basic_sig01`."""
    rows = []
    for parameter in parameters(of["random_terms"], of["fixed_terms"], of["blocks"]):
        for method in ("percentile", "basic", "normal", "profile", "wald"):
            if method == "wald" and parameter.kind != "fixed":
                continue
            lower, upper = (-0.5, 0.5) if parameter.kind == "correlation" else (0.5, 1.5)
            lower, upper = changes.get(method + parameter.name.replace(".", "_"), (lower, upper))
            simulated = method in ("percentile", "basic", "normal")
            rows.append(
                {
                    "parameter": parameter.name,
                    "label": parameter.label,
                    "estimate": (lower + upper) / 2,
                    "method": method,
                    "level": 0.95,
                    "lower": lower,
                    "upper": upper,
                    "bias": changes.get("bias" + parameter.name.replace(".", "_"), 0.01) if simulated else nan,
                    "lower_monte_carlo_error": 0.004 if simulated else nan,
                    "upper_monte_carlo_error": 0.006 if simulated else nan,
                    "note": changes.get("note_" + method, nan),
                }
            )
    return pd.DataFrame(rows)


WENT_WELL = Replicates(simulated=1000, failed=0, singular=0)


def tables(of, values, replicates=WENT_WELL, **changes):
    """The tables of one model."""
    q = len(of["random_terms"])
    components = pd.DataFrame(
        {
            "term": of["random_terms"],
            "reliability": 0.75,
            "chi_square": [41.5] * q,
            "df": 18,
            "p_value": 0.0014,
            "usable_groups": 19,
        }
    )
    random = pd.DataFrame({"group": "group", "term_1": of["random_terms"], "term_2": None, "vcov": 1.0, "sdcor": 1.0})
    return ModelTables(estimates(values), random, components, intervals(of, **changes), replicates)


def with_full(made, model, values, **changes):
    """The results with another model in place of `full`."""
    return replace(
        made,
        fits=made.fits | {"full": model},
        model_tables=made.model_tables | {"full": tables(model, values, **changes)},
    )


def table_of_tests(p_bootstrap=0.002, p_chi_square=0.01, p_mixture=None):
    """A `tests.csv`."""
    found = {"LRT": p_chi_square, "mixture": p_mixture, "PBtest": p_bootstrap, "Gamma": 0.003, "F": nan}
    found = {name: p for name, p in found.items() if p is not None}
    table = pd.DataFrame({"test": [*found], "statistic": 12.5, "p_value": [*found.values()], "ddf": nan})
    return table.assign(monte_carlo_error=[0.0012 if name == "PBtest" else nan for name in found])


# Statistics of which one in twenty is beyond the 95 % quantile of chi-square(4), 9.49 (R: qchisq(0.95, 4)).
NOMINAL = np.where(np.arange(999) % 20 == 0, 10.0, 3.0)


def results(slope=2.0, change=-0.5, kind="new", **changes):
    """Two models: one without predictors, and one in which hours and kind of lesson interact."""
    full = [
        INTERCEPT | {"predictors": [[0, []], [2, [f"kind{kind}"]]]},
        {"term": "hours", "factors": ["hours"], "predictors": [[1, []], [3, [f"kind{kind}"]]], "random": 1},
    ]
    terms = ["(Intercept)", "hours", f"kind{kind}", f"hours:kind{kind}"]
    values = [30.0, slope, 1.5, change]
    config = copy.deepcopy(CONFIG)
    config["data"]["columns"]["kind"]["levels"] = ["old", kind]
    fits = {
        "empty": fit([INTERCEPT], ["(Intercept)"], [[1.0]], 1200.0),
        "full": fit(full, terms, [[1.0, 0.3], [0.3, 0.25]], 1100.0),
    }
    made = Results(
        config=config,
        provenance={
            "source": "reading.csv",
            "obtained": "file",
            "obtained_at": "2001-02-03T04:05:06+00:00",
            "sha256": "5" * 64,
            "expected_sha256": None,
            "rows": 200,
            "groups": 20,
        },
        observations=pd.DataFrame(
            {
                "class": [f"c{i // 10}" for i in range(200)],
                "kind": ["old"] * 150 + [kind] * 50,
                "hours": [i % 10 for i in range(200)],
                "words": [20.0 + i % 10 for i in range(200)],
            }
        ),
        fits=fits,
        model_tables={"empty": tables(fits["empty"], [30.0]), "full": tables(fits["full"], values)},
        variance_explained=pd.DataFrame(
            {
                "model": ["full", "full"],
                "level": [1, 2],
                "term": ["Residual", "(Intercept)"],
                "baseline": ["empty", "empty"],
                "baseline_variance": [5.0, 1.0],
                "variance": [4.0, 1.0],
                "explained": [0.2, 0.0],
            }
        ),
        comparisons={
            "slopes": {"statistic": 12.5, "df": 4, "on_boundary": True, "added_random_effects": 1, "estimator": "ML"}
        },
        comparison_tables={
            "slopes": pd.DataFrame(
                {
                    "model": ["empty", "full"],
                    "npar": [3, 8],
                    "AIC": [1206.0, 1112.0],
                    "BIC": [1216.0, 1130.0],
                    "logLik": [-600.0, -550.0],
                    "deviance": [1200.0, 1100.0],
                    "chisq": [nan, 12.5],
                    "p_value": [nan, 0.01],
                }
            )
        },
        tests={"slopes": table_of_tests()},
        statistics={"slopes": [NOMINAL]},
        pictures={"cloud": SVG, "tails": SVG},
        words={
            name: {"title": name, "alt": f"What {name} shows.", "caption": f"Caption of {name}."}
            for name in ("cloud", "tails")
        },
    )
    return replace(made, **changes)


@cache
def templates():
    files = [path for path in TEMPLATES.rglob("*") if path.name.endswith((".html.j2", ".css", ".js"))]
    return {str(path.relative_to(TEMPLATES)): path.read_text(encoding="utf-8") for path in files}


def pages(made):
    """The page and its appendix, by the names of their files; those of equal results are made once."""
    return _rendered(pickle.dumps(made))


@cache
def _rendered(pickled):
    return render_pages(contents(pickle.loads(pickled)), templates())


def page(made):
    """All that a reader finds: the page, then the appendix."""
    both = pages(made)
    return both[PAGE] + both[APPENDIX]


class Page(HTMLParser):
    """What a page holds: its text, its elements with their attributes."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.pieces, self.script = [], [], False
        self.feed(html)
        self.text = " ".join("".join(self.pieces).split())

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self.script = tag == "script"

    def handle_endtag(self, tag):
        self.script = False
        if tag in ("td", "th"):
            self.pieces.append(" ")

    def handle_data(self, data):
        if not self.script:
            self.pieces.append(data)

    def all(self, attribute):
        return [attributes[attribute] for _, attributes in self.elements if attribute in attributes]


# Numbers


def test_a_snapshot_in_the_place_of_a_download_is_told():
    made = results()
    assert "There was no network" not in page(made)
    provenance = made.provenance | {"obtained": "snapshot, because there was no network"}
    assert (
        "There was no network: this report is of the snapshot reading.csv"
        in Page(page(replace(made, provenance=provenance))).text
    )


@pytest.mark.parametrize(
    ("value", "places", "expected"),
    [
        (1234.567, 1, "1,234.6"),
        (-0.5, 2, "−0.50"),
        (-0.001, 2, "0.00"),  # no minus before a zero
        (None, 2, "–"),
        (nan, 2, "–"),
        (inf, 2, "–"),
        (0, 0, "0"),
    ],
)
def test_a_number_with_so_many_decimals(value, places, expected):
    assert fixed(value, places) == expected


def test_other_numbers():
    assert [signed(v, 2) for v in (8.25, -8.25, 0.001, None)] == ["+8.25", "−8.25", "0.00", "–"]
    assert [p_value(p) for p in (0.0, 1e-47, 0.0009999, 0.001, 0.0076, 1.0, None)] == [
        "<\xa00.001",
        "<\xa00.001",
        "<\xa00.001",
        "0.001",
        "0.008",
        "1.000",
        "–",
    ]
    assert [fine_p(p) for p in (0.0, 0.00009, 0.00012, 0.0076, 0.5, nan)] == [
        "<\xa00.0001",
        "<\xa00.0001",
        "0.00012",
        "0.0076",
        "0.50",
        "–",
    ]
    assert (fine_p_phrase(0.0076), fine_p_phrase(0)) == ("p\xa0=\xa00.0076", "p\xa0<\xa00.0001")
    assert (percent(0.18035), percent(-0.0006), percent(None)) == ("18.0\xa0%", "−0.1\xa0%", "–")


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0.245, 0.128], 3), ([1234.0], 0), ([36.7, 0.694], 3), ([36.7, 1e-12], 1), ([0.0, nan, None], 0), ([1e-9], 11)],
)
def test_decimals_show_three_digits_of_what_matters(values, expected):
    assert decimals(values) == expected


def test_typography_of_sentences():
    assert (
        typographic("lme4's bounds, the classes' mean, 95 % of 'x'")
        == "lme4’s bounds, the classes’ mean, 95\xa0% of 'x'"
    )
    assert breakable("a_<b>") == "a_<wbr>&lt;b&gt;"


# Sentences


def test_the_generic_report_says_what_the_estimates_say():
    text = Page(page(results())).text
    for sentence in (
        # 1 / (1 + 2^2)
        "Of the variance of words read per minute, 20.0 % lies between classes, the rest within them.",
        "Grand mean of words read per minute over classes: 30.00 (95 % interval 29.79 to 30.21).",
        "Intercept: words read per minute where hours of practice is 0 and kind of lesson is old is 30.00",
        "Hours of practice, one unit more: words read per minute is 2.00 higher on average over classes "
        "(95 % interval 1.79 to 2.21), where kind of lesson is old.",
        "Kind of lesson, new against old: words read per minute is 1.50 higher",
        "Kind of lesson, new against old: the slope of hours of practice is 0.50 lower (95 % interval 0.29 to 0.71), "
        "1.50 in place of 2.00, and so weaker.",
        "Slope of hours of practice: over classes with the same predictors its standard deviation is 0.50 "
        "(95 % profile interval 0.50 to 1.50).",
        "Correlations over classes: (Intercept) with hours 0.60 (95 % profile interval −0.50 to 0.50, so its sign is "
        "not known).",
        "Within a class, pupils spread about the model’s equation with a standard deviation of 2.00.",
        "“Full” fits better than “Empty” by more than chance would explain: the likelihood ratio statistic is 12.50, "
        "and of 999 data sets simulated from “Empty” 1 reaches it (bootstrap test, p = 0.0020).",
        "30.000 0.100 300.00 17.2 0.012 29.789 to 30.211",
        "Reliability and χ² are from the 19 of 20 classes whose own data allow least squares",
        "(Intercept) 0.750 41.5 18 0.001",
        "Intraclass correlation 0.200; R2 marginal 0.125, conditional 0.300.",
        "No fit is singular.",
        "Nothing speaks against any of the fits.",
        "old: 15 (75.0 %), new: 5 (25.0 %)",  # of 20 classes,
    ):
        assert sentence in text.replace("\xa0", " ")


@pytest.mark.parametrize(
    ("slope", "change", "expected"),
    [
        (2.0, 0.5, "0.50 higher (95 % interval 0.29 to 0.71), 2.50 in place of 2.00, and so stronger."),
        (2.0, -0.5, "0.50 lower (95 % interval 0.29 to 0.71), 1.50 in place of 2.00, and so weaker."),
        (2.0, -3.0, "3.00 lower (95 % interval 2.79 to 3.21), −1.00 in place of 2.00."),
        (-2.0, -0.5, "0.50 lower (95 % interval 0.29 to 0.71), −2.50 in place of −2.00, and so stronger."),
        (2.0, 0.1, "0.10 higher (95 % interval −0.11 to 0.31, so its sign is not known), 2.10 in place of 2.00."),
    ],
)
def test_a_sentence_turns_with_the_sign(slope, change, expected):
    assert expected in Page(page(results(slope, change))).text.replace("\xa0", " ")


@pytest.mark.parametrize(
    ("sd", "expected"),  # 2 +- 1.96 sd
    [
        (
            0.5,
            "0.50 (95 % profile interval 0.50 to 1.50), so 95 % of classes are expected between 1.02 and 2.98.",
        ),
        (
            2.0,
            "2.00 (95 % profile interval 0.50 to 1.50), so 95 % of classes are expected between −1.9 and 5.9.",
        ),
    ],
)
def test_the_range_of_plausible_slopes_is_told_without_a_verdict(sd, expected):
    made, terms = results(), ["(Intercept)", "hours"]
    hierarchy = [INTERCEPT, {"term": "hours", "factors": ["hours"], "predictors": [[1, []]], "random": 1}]
    model = fit(hierarchy, terms, [[1.0, 0.0], [0.0, sd**2]], 1100.0)
    text = Page(page(with_full(made, model, [30.0, 2.0]))).text
    assert f"its standard deviation is {expected}" in text.replace("\xa0", " ")


def compared(statistics=NOMINAL, comparison=None, **p):
    """The text of a page whose one comparison has these p values."""
    made = results()
    result = made.comparisons["slopes"] | (comparison or {})
    changed = replace(made, comparisons={"slopes": result}, tests={"slopes": table_of_tests(**p)})
    return Page(page(replace(changed, statistics={"slopes": [statistics]}))).text.replace("\xa0", " ")


def test_a_test_that_rejects_nothing_is_not_said_to():
    text = compared(p_bootstrap=0.4, p_chi_square=0.91)
    assert "The data do not show that “Full” fits better than “Empty”: the likelihood ratio statistic is 12.50" in text
    assert "999 data sets simulated from “Empty” 399 reach it (bootstrap test, p = 0.40)" in text
    assert "more than chance" not in text


def test_a_bootstrap_that_no_data_set_reaches_says_how_small_p_can_be():
    text = compared(p_bootstrap=0.001, p_chi_square=1e-20)
    assert "none reaches it (bootstrap test, p = 0.0010)" in text
    assert "The smallest p that 999 data sets can give is 1/1,000: the true one may be far smaller." in text
    assert "p < 0.0001; no simulated data set lies so far out that it could say whether that is right." in text
    assert "The smallest p" not in compared()
    few = compared(statistics=np.full(9, 1.0), p_bootstrap=0.1)
    assert "cannot be told from so few simulated data sets: 9, from which no p can be below 0.10. It takes 19" in few
    assert "By the chi-square distribution with 4 degrees of freedom p < 0.0001." not in few
    assert "By the chi-square distribution with 4 degrees of freedom p = 0.010." in few
    assert "the chi-square test at 5 % rejects" not in few
    assert "Monte Carlo error." not in few


@pytest.mark.parametrize(
    ("p_chi_square", "expected"),
    # Of 999 data sets 29 reach the statistic; R: binom.test(29, 999)$conf.int is 0.0195 to 0.0414.
    [
        (0.042, "p = 0.042: this is larger than the simulated one by more than Monte Carlo error."),
        (0.040, "p = 0.040: this agrees with the simulated one within Monte Carlo error."),
        (0.019, "p = 0.019: this is smaller than the simulated one by more than Monte Carlo error."),
        (0.060, "decide differently, and the bootstrap is the one to go by."),
    ],
)
def test_chi_square_and_bootstrap_are_set_side_by_side(p_chi_square, expected):
    text = compared(p_bootstrap=0.03, p_chi_square=p_chi_square)
    assert expected in text
    assert "by the mixture p" not in text
    assert ("decide differently" in text) == (p_chi_square > 0.05)


def test_the_mixture_has_its_row_and_its_verdict():
    text = compared(p_bootstrap=0.03, p_chi_square=0.045, p_mixture=0.031)
    assert "by the mixture p = 0.031: the first is larger than the simulated one" in text
    assert "the second agrees with the simulated one within Monte Carlo error." in text
    assert "50:50 mixture 12.50 3 and 4 0.031 –" in text
    assert "Bootstrap 12.50 – 0.030 0.0012" in text


def test_a_p_near_the_level_is_said_to_be_open():
    # R: binom.test(51, 999)$conf.int is 0.0383 to 0.0666.
    assert "leaves open on which side of 0.05 this p lies (95 % interval 0.038 to 0.067)" in compared(p_bootstrap=0.052)
    assert "leaves open" not in compared(p_bootstrap=0.03)


@pytest.mark.parametrize(
    ("reject", "expected"),
    [(50, "5.0 % (95 % interval 3.7 % to 6.5 %): as often as it should."), (20, "too seldom"), (80, "too often")],
)
def test_how_often_the_chi_square_test_rejects_is_counted(reject, expected):
    """Of 999; R: qchisq(0.95, 4) = 9.487729; binom.test(50, 999)$conf.int is 0.0374 to 0.0655."""
    statistics = np.where(np.arange(999) < reject, 9.4878, 9.4877)
    assert f"rejects {expected}" in compared(statistics) or f": {expected}" in compared(statistics)


def test_data_sets_without_a_statistic_are_counted():
    assert "Both models were fitted to every simulated data set: none failed." in compared()
    text = compared(np.concatenate([NOMINAL, [nan] * 7]))
    assert "7 of 1,006 simulated data sets gave no statistic and are left out." in text
    assert "from 999 simulated data sets" in text


def test_what_is_said_of_the_boundary_follows_what_is_added():
    one = compared()
    assert "The null model sets a variance to zero" in one
    assert "it follows a 50:50 mixture of chi-square(3) and chi-square(4) in large samples (Stram and Lee 1994)." in one
    two = compared(comparison={"added_random_effects": 2})
    assert "With 2 random effects more at once there is no simple mixture in its place" in two
    assert "50:50 mixture of" not in two
    assert "edge of what a variance" not in compared(comparison={"on_boundary": False, "added_random_effects": 0})
    made = results()
    singular = made.fits | {"empty": made.fits["empty"] | {"singular": True}}
    text = Page(page(replace(made, fits=singular))).text
    assert "the null model’s own fit is singular, and the mixture does not hold there" in text


def test_degrees_of_freedom_come_from_kenward_and_roger_where_satterthwaite_has_none():
    made = results()
    full = made.model_tables["full"]
    without = full.fixed_effects.assign(df=nan, p_value=nan)
    changed = replace(made, model_tables=made.model_tables | {"full": replace(full, fixed_effects=without)})
    text = Page(page(changed)).text.replace("\xa0", " ")
    assert "By Kenward and Roger’s: (Intercept) df 16.5, p = 0.013; hours df 16.5, p = 0.013;" in text
    assert "By Kenward and Roger’s" not in Page(page(made)).text


@cache
def inference(replicates=WENT_WELL, **changes):
    """The text of a page whose model `full` has these intervals and replicates."""
    made = results()
    full = made.fits["full"]
    values = made.model_tables["full"].fixed_effects["estimate"].tolist()
    return Page(page(with_full(made, full, values, replicates=replicates, **changes))).text.replace("\xa0", " ")


def test_intervals_stand_in_the_model_s_tables():
    text = inference(percentile_sig03=(0.25, 1.75), profile_sig03=(0.0, 1.7), bias_sig03=-0.0321)
    assert "SD of hours 1.00 −0.032 0.25 to 1.75 0.00 to 1.70" in text  # two digits of a quarter of the length
    assert "Correlation of hours with (Intercept) 0.00 +0.010 −0.50 to 0.50 −0.50 to 0.50" in text
    assert "hours 0.50 to 1.50 0.50 to 1.50 – – 0.50 to 1.50 0.0060 hours" in text  # basic, normal, by t, z, error
    assert "goes on to the end of what the parameter can be" in text
    assert "SD of hours in “Full”, 0.00 to 1.70." in text
    plain = inference()
    assert "end of what the parameter can be" not in plain


@pytest.mark.parametrize(
    ("sd", "correlation", "expected"),
    [
        ((0.0, 1.7), (0.1, 0.9), ["0.00 to 1.70, so it may be zero)", "interval 0.10 to 0.90)."]),
        ((0.1, 1.7), (-0.9, 0.1), ["0.10 to 1.70).", "−0.90 to 0.10, so its sign is not known)."]),
        ((nan, 1.7), (-0.9, -0.1), ["its standard deviation is 0.50.", "interval −0.90 to −0.10)."]),
    ],
)
def test_what_is_said_of_random_effects_follows_their_intervals(sd, correlation, expected):
    text = inference(profile_sig03=sd, profile_sig02=correlation)
    assert all(words in text for words in expected)


def test_too_few_replicates_say_nothing_of_intervals():
    """The bounds of a 95 % percentile interval are within what was simulated from 39 replicates on."""
    few = inference(Replicates(simulated=38, failed=0, singular=3))
    assert "at 95 % it takes 39 at the least, and a thousand are better (bootstrap.replicates). Do not read the" in few
    assert "bootstrap’s intervals of “Full”." in few
    assert "most often in “Full”" not in few
    assert "So few replicates" not in inference(Replicates(simulated=39, failed=0, singular=3))
    assert "So few replicates" in inference(Replicates(simulated=39, failed=1, singular=3))


def test_one_replicate_leaves_the_estimates_their_digits():
    """An interval without length does not say how many decimals matter."""
    text = inference(Replicates(simulated=1, failed=0, singular=0), percentile_sig03=(0.123, 0.123))
    assert "SD of hours 0.123 " in text


def test_a_monte_carlo_error_as_large_as_its_p_value_is_left_out():
    tests = table_of_tests(p_bootstrap=0.0005).assign(monte_carlo_error=[nan, 0.0005, 0.003, nan])
    text = Page(page(results(tests={"slopes": tests}))).text
    assert "Bootstrap 12.50 – 0.00050 0.00050" in text  # of which it is known how exact it is
    assert "Gamma approximation 12.50 – 0.0030 –" in text
    tests.loc[tests["test"] == "Gamma", "monte_carlo_error"] = 0.0029
    assert "Gamma approximation 12.50 – 0.0030 0.0029" in Page(page(results(tests={"slopes": tests}))).text


def test_an_interval_is_as_wide_as_its_t_test_asks_for():
    """With three degrees of freedom 2.5 standard errors are p = 0.088 (R: 2 * pt(-2.5, 3)); qt(0.975, 3) is 3.1824."""
    made = results(change=-0.25)
    full = made.model_tables["full"]

    def told(**changes):
        few = replace(full, fixed_effects=full.fixed_effects.assign(**changes))
        text = Page(page(replace(made, model_tables=made.model_tables | {"full": few}))).text
        return text.replace("\xa0", " ")

    assert "(95 % interval −0.07 to 0.57, so its sign is not known), 1.75 in place" in told(df=3.0, p_value=0.0877)
    # qt(0.975, 17.25) is 2.1075
    assert "(95 % interval 0.04 to 0.46), 1.75 in place of 2.00, and so weaker." in told()
    # Where Satterthwaite's method has no answer, by Kenward and Roger's, with its standard error 0.101; without, by z.
    none = {"df": float("nan"), "p_value": float("nan")}
    assert "(95 % interval −0.07 to 0.57, so its sign is not known)" in told(**none, kr_df=3.0)
    by_z = told(**none, kr_df=float("nan"), kr_p_value=float("nan"))
    assert "(95 % interval by z 0.05 to 0.45), 1.75 in place of 2.00, and so weaker." in by_z
    assert "−0.446 to −0.054 (z)" in by_z


def test_every_figure_is_shown_once_whatever_its_kind():
    made = results()
    figures = {kind: {"kind": kind, "model": "full"} for kind in ("caterpillar", "shrinkage", "fitted_lines", "wall")}
    figures |= {kind: {"kind": kind, "model": "full"} for kind in ("interval_methods", "bootstrap_distribution")}
    figures |= {"reference": {"kind": "reference_distribution", "comparison": "slopes"}, "new": {"kind": "unheard_of"}}
    config = made.config | {"figures": made.config["figures"] | figures}
    words = {name: {"title": name, "alt": name, "caption": name} for name in config["figures"]}
    parsed = Page(page(replace(made, config=config, words=words, pictures=dict.fromkeys(words, SVG))))
    shown = [name for name in parsed.all("id") if name.startswith("figure-")]
    assert sorted(shown) == sorted(f"figure-{name}" for name in words)


def test_failed_and_singular_replicates_are_counted():
    plain = inference()
    assert "In every model the search found the optimum of every replicate: none failed." in plain
    assert "No replicate of any model is on the boundary" in plain
    text = inference(Replicates(simulated=1000, failed=200, singular=100))
    assert "without an optimum, which the intervals leave out: “Full”, 200 of 1,000. In the other models none" in text
    assert "most often in “Full”: 12.5 %." in text  # 100 of the 800 that were fitted
    assert "Full 1,000 200 12.5 %" in text
    assert "the bootstrap’s from 800 replicates" in text


def test_intervals_that_leave_the_range_or_disagree_are_named():
    text = inference(basic_sig01=(-0.25, 1.0), normal_sig02=(-1.25, 0.5), profile_sig03=(0.75, 1.75))
    assert "reach beyond what the parameter can be for SD of (Intercept) in “Full”: basic, −0.25 to 1.00; " in text
    assert "correlation of hours with (Intercept) in “Full”: normal, −1.25 to 0.50." in text
    assert "For standard deviations a percentile bound is never farther from the profile bound than 25.0 %" in text
    assert "(SD of hours in “Full”: 0.50 to 1.50 by percentile, 0.75 to 1.75 by profile)" in text
    assert "No basic or normal interval reaches beyond what its parameter can be." in inference()


@pytest.mark.parametrize(("bias", "said"), [(0.1, "0.10 above the estimate"), (-0.1, "0.10 below the estimate")])
def test_the_largest_bias_is_named_with_its_sign(bias, said):
    text = inference(bias_sigma=bias)
    # The normal interval is 1 = 2 * 1.96 standard deviations long: 0.1 is 0.39 of one.
    assert f"is that of residual SD in “Full”: its replicates are on average {said}, 0.39 of their" in text


def test_the_note_of_an_interval_is_passed_on():
    assert "profile: no bound was found" in inference(note_profile="no bound was found")
    assert "; and 5 more." in inference(note_profile="no bound was found")  # of eight parameters
    assert "Not as they should be" not in inference()


def test_what_is_wrong_with_a_fit_is_said():
    made = results()
    wrong = copy.deepcopy(made.fits["full"])
    wrong["singular"] = True
    wrong["doubts"] = ["the best point found is a saddle"]
    wrong["random_effects_correlation"] = [[1.0, None], [None, 1.0]]
    story = wrong["optimiser"]
    wrong["random_effects_covariance"] = [[1.0, 0.0], [0.0, 0.0]]
    story["reached_best"] = 3
    story["mixedlm"]["difference"] = 0.5
    story["defaults"]["lme4_bounds"] |= {"criterion": 1108.25, "repeats_lme4": False}
    text = Page(page(replace(made, fits=made.fits | {"full": wrong}))).text.replace("\xa0", " ")
    for sentence in (
        "Not to be trusted: “Full”.",
        "The fit is singular: the estimated variance of hours is zero. A model without this random effect would fit "
        "as well.",
        "Do not trust this fit (by REML, the best point found is a saddle).",
        "Some searches ended at a higher criterion in “Full”.",
        "MixedLM, started at the optimum, ended a millionth or more from its criterion, or broke down, in “Full”.",
        "stopped above the optimum in 1 of 2 models: “Full” (by 8.25).",
        "where predictors differ much in size or are far from zero, as in “Full”, lme4 itself can end elsewhere",
        "Singular: “Full”.",
        "Not to be trusted: “Full” (by REML, the best point found is a saddle).",
    ):
        assert sentence in text
    assert "Correlations over classes" not in text


@pytest.mark.parametrize(
    ("sds", "correlation", "expected"),
    [
        # The standard error of both means is 0.1: below a hundredth of it a standard deviation is zero.
        (
            [0.0, 0.5],
            None,
            ["the estimated variance of (Intercept) is zero. A model without this random effect would"],
        ),
        ([0.0, 0.0], None, ["variances of (Intercept) and hours are zero. A model without these random effects"]),
        ([0.5, 9e-4], 0.7, ["the estimated variance of hours is zero."]),  # whatever its correlation
        ([0.5, 2e-3], 1.0, ["the estimated correlation of (Intercept) with hours is 1. Both variances are above"]),
        ([0.5, 0.3], -1.0, ["the estimated correlation of (Intercept) with hours is −1.", "may fit worse."]),
    ],
)
def test_only_an_effect_of_no_variance_is_said_to_be_needless(sds, correlation, expected):
    """y ~ x + (x | g) with a correlation of 1 can fit better than (1 | g): 603.954 against 606.188 in one sample."""
    made = results()
    singular = made.fits["full"] | {"singular": True}
    singular["random_effects_correlation"] = [[1.0, correlation], [correlation, 1.0]]
    covariance = (correlation or 0) * sds[0] * sds[1]
    singular["random_effects_covariance"] = [[sds[0] ** 2, covariance], [covariance, sds[1] ** 2]]
    text = Page(page(replace(made, fits=made.fits | {"full": singular}))).text.replace("\xa0", " ")
    assert all(words in text for words in expected)
    assert text.count("The fit is singular: ") == 2  # on the page, and in the appendix
    assert ("would fit as well" in text) == ("zero" in expected[0].replace("above zero", ""))


def test_three_effects_can_be_singular_without_a_zero_variance_or_a_correlation_of_one():
    """u3 = u1 + u2 with u1 and u2 independent: correlations 0 and 1 / sqrt(2)."""
    slopes = [
        {"term": name, "factors": [name], "predictors": [[i, []]], "random": i}
        for i, name in enumerate(("hours", "size"), start=1)
    ]
    covariance = [[1.0, 0.0, 1.0], [0.0, 1.0, 1.0], [1.0, 1.0, 2.0]]
    model = fit([INTERCEPT, *slopes], ["(Intercept)", "hours", "size"], covariance, 1100.0) | {"singular": True}
    made = results()
    text = Page(page(with_full(made, model, [30.0, 2.0, 1.0]))).text
    assert "a combination of the random effects does not vary. A model without one of them may fit worse." in text


@pytest.mark.parametrize(("change", "verdict"), [(-0.5, ", and so weaker there."), (0.1, ".")])
def test_two_slopes_are_compared_under_their_condition(change, verdict):
    """Words on hours by kind and by size: the slopes of the two kinds are those where size is 0."""
    full = [
        INTERCEPT,
        {"term": "hours", "factors": ["hours"], "predictors": [[1, []], [2, ["kindnew"]], [3, ["size"]]], "random": 1},
    ]
    terms = ["(Intercept)", "hours", "hours:kindnew", "hours:size"]
    made = results()
    made = replace(made, observations=made.observations.assign(size=0.0))
    model = fit(full, terms, [[1.0, 0.3], [0.3, 0.25]], 1100.0)
    text = Page(page(with_full(made, model, [30.0, 2.0, change, 1.0]))).text.replace("\xa0", " ")
    assert f"{fixed(2 + change, 2)} in place of 2.00 where size is 0{verdict}" in text
    assert ", from 2.00 at 0 where kind of lesson is old, and so stronger there." in text


def test_mixedlm_that_broke_down_is_said_to():
    made = results()
    broken = copy.deepcopy(made.fits["full"])
    broken["optimiser"]["mixedlm"]["difference"] = None
    parsed = Page(page(replace(made, fits=made.fits | {"full": broken})))
    assert "ended a millionth or more from its criterion, or broke down, in “Full”." in parsed.text
    assert "not finite" in parsed.text


AUDIT_ROW = {"start": "identity", "criterion": 1100.0, "above_optimum": 0.0, "converged": True, "evaluations": 9}
AUDIT_ROW |= {"gradients": 8, "messages": "<b>careful</b>"}


def test_the_audit_of_optimisers_is_told_where_it_was_made():
    rows = [{"model": name, "method": method} for name in ("empty", "full") for method in ("plain", "bfgs", "bounded")]
    table = pd.DataFrame([row | AUDIT_ROW for row in rows])
    table.loc[3, ["criterion", "above_optimum"]] = [-inf, nan]
    audited = {"models": {name: fit["fingerprint"] for name, fit in results().fits.items()}, "comparisons": {}}
    parsed = Page(page(results(optimiser_audit=AuditResults(audited, table))))
    text = parsed.text.replace("\xa0", " ")
    for words in (
        "What other searches find",
        "missed the optimum of 1 of 2 models, in “Full” (no finite criterion); it said that it had converged.",
        "a quasi-Newton method",
        "MixedLM, plain .fit() 1 of 2 not finite “Full” 1 9",
        "<b>careful</b>",
        "results/optimiser_audit_seconds.csv",
    ):
        assert words in text
    assert "conjugate gradients, each" in text
    assert "simplex" not in text  # that was not tried
    check_links(pages(results(optimiser_audit=AuditResults(audited, table))))
    assert "What other searches find" not in Page(page(results())).text


def test_an_audit_of_other_fits_is_left_out_and_said_to_be():
    table = pd.DataFrame([{"model": "empty", "method": "plain"} | AUDIT_ROW])
    fingerprints = {name: fit["fingerprint"] for name, fit in results().fits.items()}
    first = next(iter(fingerprints))
    for models in (fingerprints | {first: {**fingerprints[first], "data": "0" * 64}}, {first: fingerprints[first]}):
        old = AuditResults({"models": models, "comparisons": {}}, table)
        text = Page(page(results(optimiser_audit=old))).text
        assert "Which optimisers can be believed" not in text
        assert "The audit of optimisers in results/optimiser_audit.csv was made with other data" in text


def test_models_of_different_data_are_not_put_on_one_page():
    made = results()
    other = copy.deepcopy(made.fits["full"])
    other["fingerprint"]["data"] = "e" * 64
    with pytest.raises(UserError, match="empty and full were fitted with different data"):
        contents(replace(made, fits=made.fits | {"full": other}))


def test_a_report_without_comparisons_figures_and_baselines_has_no_empty_heads():
    made = results()
    bare = replace(
        made,
        config=made.config | {"comparisons": {}, "figures": {}},
        variance_explained=made.variance_explained.iloc[:0],
    )
    parsed = Page(page(bare))
    check_links(pages(bare))
    assert not {"comparisons", "diagnostics", "variance-explained"} & {*parsed.all("id")}
    assert [tag for tag, _ in parsed.elements].count("img") == 0


# The page


def test_the_page_needs_nothing_from_elsewhere():
    parsed = Page(page(results()))
    addresses = parsed.all("src") + [a["href"] for tag, a in parsed.elements if tag == "link"]
    assert addresses
    assert all(address.startswith("data:") for address in addresses)
    assert not re.search(r"url\(|@import", templates()["report.css"])
    assert not [tag for tag, _ in parsed.elements if tag in ("iframe", "object", "embed", "form")]


def test_the_page_s_policy_allows_its_own_script_and_no_other():
    html = pages(results())[PAGE]
    parsed = Page(html)
    scripts = re.findall(r"<script([^>]*)>(.*?)</script", html, re.DOTALL)
    # The words to search are no script: a browser does not run them.
    assert [attributes for attributes, _ in scripts] == [' type="application/json" id="search-index"', ""]
    own = b64encode(hashlib.sha256(scripts[1][1].encode()).digest()).decode()
    policy = next(a["content"] for tag, a in parsed.elements if tag == "meta" and "http-equiv" in a)
    assert policy == f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{own}'"
    assert not [name for _, attributes in parsed.elements for name in attributes if name.startswith("on")]


def check_links(found):
    """Every link within a page or to the other one leads to something there; no id stands twice."""
    parsed = {name: Page(html) for name, html in found.items()}
    ids = {name: it.all("id") for name, it in parsed.items()}
    for name, it in parsed.items():
        assert len(ids[name]) == len(set(ids[name]))
        assert {*it.all("aria-labelledby")} <= {*ids[name]}
        links = [a["href"] for tag, a in it.elements if tag == "a" and "download" not in a]
        inside = [link for link in links if not link.startswith("https://")]
        assert len(inside) > 10
        assert {*found} <= {link.partition("#")[0] or name for link in inside}  # to both, from both
        for link in inside:
            file, _, target = link.partition("#")
            assert target in ids[file or name], link


def test_every_link_has_its_target_on_the_page_or_in_the_appendix():
    check_links(pages(results()))
    check_links(pages(results(ledger=LEDGER)))


def test_a_link_that_leads_nowhere_is_refused():
    broken = templates() | {"sections/data.html.j2": '<p><a href="#nowhere">there</a></p>'}
    with pytest.raises(LookupError, match=r"report\.html has a link to #nowhere, and no page has that"):
        render_pages(contents(results()), broken)


def test_every_table_and_every_figure_of_the_page_is_referred_to_by_its_number():
    html = pages(results())[PAGE]
    parsed = Page(html)
    for kind, mark in (("Table", '<caption id="([^"]+)">'), ("Figure", '<figure id="([^"]+)"')):
        shown = re.findall(mark, html)
        assert shown
        for number, name in enumerate(shown, 1):
            assert f'<a href="#{name}">{kind} {number}</a>' in html
    assert "Table A1." not in parsed.text
    assert "Table A1." in Page(pages(results())[APPENDIX]).text


def test_every_source_is_cited_where_it_is_used_and_has_a_link():
    found = pages(results())
    sources = re.findall(r'<li id="(ref-[^"]+)">(.*?)</li>', found[PAGE])
    assert len(sources) == 10
    for name, text in sources:
        assert 'href="https://doi.org/' in text
        assert any(f'#{name}"' in html for html in found.values()), name


def test_the_search_finds_the_words_of_both_pages():
    found = pages(results())
    both = {re.search(r'id="search-index">(.*?)</script>', html, re.DOTALL)[1] for html in found.values()}
    assert len(both) == 1  # the same on both
    entries = {address: (title, words.split()) for address, title, words in json.loads(both.pop())}
    assert "pupils" in entries["report.html#summary-heading"][1]
    assert entries["appendix.html#full-full-heading"][0] == "Every model in full: Full"
    for address in entries:
        file, _, name = address.partition("#")
        assert f' id="{name}"' in found[file]


def test_what_a_reader_who_cannot_see_needs_is_there():
    parsed = Page(page(results()))
    tags = [tag for tag, _ in parsed.elements]
    assert dict(parsed.elements[0][1])["lang"] == "en-GB"
    assert {"header", "nav", "main", "footer", "h1"} <= set(tags)
    assert (
        tags.count("caption")
        == tags.count("table")
        == len([c for c in parsed.all("tabindex") if c == "0"])
        - (sum("formula" in c.split() for c in parsed.all("class")) + tags.count("pre"))
    )
    assert all(attributes.get("scope") for tag, attributes in parsed.elements if tag == "th")
    assert parsed.all("alt") == ["What cloud shows.", "What tails shows."]
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_the_time_of_the_download_is_not_on_the_page():
    assert "2001" not in page(results())


HOSTILE = [
    "</style><script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "{{ 7 * 7 }}{% raw %}",
    "‮שלום‬ ﷽",
    "x" * 300,
    "a\nb\x07c",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_level_appears_as_text_and_adds_no_element(name):
    # Neither name is one that Stata and SPSS can have, so that neither page has code for them.
    html, plain = page(results(kind=name)), Page(page(results(kind="brand new")))
    parsed = Page(html)
    assert f"Kind of lesson, {clean(name)} against old" in parsed.text
    assert clean(f"kind{name}") in parsed.text
    assert shape(parsed) == shape(plain)


def shape(parsed):
    """The page's elements; equations left out, where a long name breaks a line."""
    math = {"mtable", "mtr", "mtd", "mi", "mo", "mrow", "mspace"}
    return [(tag, [*attributes]) for tag, attributes in parsed.elements if tag not in math]


def test_hostile_labels_nouns_titles_and_captions_appear_as_text():
    evil = "<b onclick=alert(1)>&amp;</b>"
    made = results()
    config = copy.deepcopy(made.config)
    config["data"]["columns"]["words"]["label"] = evil
    config["data"]["group_noun"] = {"singular": evil, "plural": evil}
    config["data"]["title"] = evil
    words = {name: dict.fromkeys(("title", "alt", "caption"), evil) for name in made.words}
    provenance = made.provenance | {"source": evil, "obtained": evil}
    html = page(replace(made, config=config, words=words, provenance=provenance))
    assert not [tag for tag, _ in Page(html).elements if tag == "b"]
    assert Page(html).all("alt") == [evil, evil]
    assert evil in Page(html).text


# Files in the page


def downloads(html):
    """The tables that the page offers: their rows by the name of the file."""
    links = [a for tag, a in Page(html).elements if tag == "a" and "download" in a and "href" in a]
    start = "data:text/csv;charset=utf-8,"
    assert all(link["href"].startswith(start) for link in links)
    return {link["download"]: rows_of(link["href"].removeprefix(start)) for link in links}


def rows_of(content):
    return list(csv.reader(StringIO(unquote(content), newline="")))


def test_every_table_offers_its_csv_and_every_figure_its_picture():
    parsed = Page(page(results()))
    tags = [tag for tag, _ in parsed.elements]
    files = [a["download"] for tag, a in parsed.elements if tag == "a" and "download" in a]
    assert sum(name.endswith(".csv") for name in files) == tags.count("table") > 10
    assert [name for name in files if not name.endswith(".csv")] == ["cloud.svg", "tails.svg"]


def test_a_result_table_is_offered_at_full_precision():
    made = results(slope=2.123456789012345)
    rows = downloads(page(made))["models-full-fixed_effects.csv"]
    assert rows[0] == [*made.model_tables["full"].fixed_effects.columns]
    assert rows[2][0] == "2.123456789012345"


def test_a_table_without_a_result_file_is_offered_as_it_is_shown():
    table = """
        <thead><tr><th rowspan="2">Model</th><th colspan="2">Plain <code>fit</code></th><th>Symbol</th></tr>
        <tr><th>above</th><th>&ldquo;ended&rdquo;</th></tr></thead>
        <tbody><tr><th rowspan="2">a &amp; b</th><td>−1,234.5</td><td>+8.25</td>
        <td><math alttext="\\gamma_{00}"><mi>γ</mi></math></td></tr>
        <tr><td>–</td><td>−0.5 to 1,000</td><td>two
        words</td></tr></tbody>"""
    expected = [
        ["Model", "Plain fit above", "Plain fit “ended”", "Symbol"],
        ["a & b", "-1234.5", "8.25", "\\gamma_{00}"],
        ["a & b", "", "-0.5 to 1,000", "two words"],
    ]
    assert rows_of(shown_address(table).partition(",")[2]) == expected


@pytest.mark.parametrize("name", [*HOSTILE, '=cmd|"/c calc"!A1', 'a,"b"'])
def test_a_hostile_level_is_one_cell_of_a_csv(name):
    columns = next(rows for file, rows in downloads(page(results(kind=name))).items() if file.startswith("The-columns"))
    assert {len(row) for row in columns} == {4}
    # White space is made single, as a browser shows it.
    shown = " ".join(clean(name).split())
    assert next(row for row in columns if row[0] == "kind")[3] == f"old: 15 (75.0 %), {shown}: 5 (25.0 %)"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("models/full/fixed_effects.csv", "models-full-fixed_effects.csv"),
        ("Fixed effects of a&b, by REML.", "Fixed-effects-of-a-b-by-REML.csv"),
        ("../../<script>", "script.csv"),
        ("x" * 300, f"{'x' * 80}.csv"),
        ("…", "table.csv"),
    ],
)
def test_the_name_of_a_file_is_one_on_every_system(name, expected):
    assert file_name(name) == expected


# The ledger

LEDGER = pd.DataFrame(
    [
        ["c1-01", "1", "1.1", "m_1", "variance", "Residual", "0.10", "0.10", "match", ""],
        ["c1-02", "1", "1.1.1", "m_1", "REML criterion", "", "46503.4", "46495.1", "not_optimum", "it stopped <early>"],
        ["c2-01", "2", "2.10", "m_2", "t", "x", "3.1", "", "mismatch", "not there"],
    ],
    columns=["id", "chapter", "section", "model", "quantity", "term", "printed", "computed", "verdict", "reason"],
)


def test_what_the_ledger_says_of_several_rows_stands_once():
    said = "it ended at <the wall>"
    several = pd.concat([LEDGER, LEDGER.assign(id=["c3-01", "c3-02", "c3-03"], reason=[said, said, "not there"])])
    html = page(results(ledger=several))
    text = Page(html).text
    assert text.count(said) == 1
    assert text.count("it stopped <early>") == 1
    assert html.count('data-note="1"') == html.count('data-note="2"') == 2
    assert [row[-1] for row in downloads(html)["ledger.csv"]].count(said) == 2


def test_the_ledger_is_all_there_without_script():
    html = page(results(ledger=LEDGER))
    text = Page(html).text
    assert "it stopped <early>" in text
    assert html.count("<tr id=") == len(LEDGER)
    for title, count in (("Match", 1), ("Not at the optimum", 1), ("Mismatch", 1), ("Misprint", 0)):
        assert text.count(f"{title} {count}") == 2  # in the strip that opens the page, and where it is explained
    assert downloads(html)["ledger.csv"] == [[*LEDGER.columns], *LEDGER.to_numpy().tolist()]
    assert '<option value="2.10">' in html
    controls = next(a for _, a in Page(html).elements if a.get("id") == "ledger-filters")
    assert "hidden" in controls


def test_without_a_ledger_there_is_no_strip_but_the_data_are_named():
    html = page(results())
    assert 'class="strip"' not in html
    assert 'id="ledger-filters"' not in html
    assert "Data: reading.csv (file), SHA-256 555555555555…." in Page(html).text
