"""summary.txt, line by line beside what lme4 prints."""

from dataclasses import replace

import numpy as np
import pytest
from fitting.test_fit import MODELS
from twolevel.fitting.effects import fitted_values, group_effects
from twolevel.output.rformat import abbreviate, format_real
from twolevel.output.summary import summary_text


@pytest.mark.parametrize("name", MODELS)
def test_summary_is_what_lme4_prints(name, models, lme4) -> None:
    # capture.output(print(summary(m))) of the tightly optimised fit.
    fitted = models[name]
    design, fit = fitted.design, fitted.reml
    effects = group_effects(design, fitted.data, fit.lower, fit.at)
    scaled = (design.y - fitted_values(design, fit.beta, effects.effect)) / fit.sigma
    ours = summary_text(design, fit, scaled, "hsb").splitlines()
    # R breaks a long formula; ours stays on one line.
    theirs = "\n".join(lme4["models"][name]["summary_text"]).replace("+  \n    (", "+ (").splitlines()
    assert ours == theirs


@pytest.mark.parametrize(
    ("values", "digits", "min_decimals", "shown"),
    [
        # R: format(c(...), digits = 4)
        (
            [-3.0968, -0.73193, 0.01855, 0.75386, 2.89924],
            4,
            0,
            ["-3.09680", "-0.73193", " 0.01855", " 0.75386", " 2.89924"],
        ),
        ([8.681, 0.694, 36.7], 4, 0, [" 8.681", " 0.694", "36.700"]),
        ([1.0, 2.0], 4, 0, ["1", "2"]),
        ([123456.789, 0.5], 4, 0, ["123456.8", "     0.5"]),
        ([1e-10, 1.0], 4, 0, ["1e-10", "1e+00"]),
        ([0.0, 0.0], 4, 0, ["0", "0"]),
        # R: format(c(...), nsmall = 2)
        ([1.0, 0.02], 7, 2, ["1.00", "0.02"]),
        ([1.0, -1.0], 7, 3, [" 1.000", "-1.000"]),
        ([float("nan"), 0.25], 4, 0, [" NaN", "0.25"]),
    ],
)
def test_numbers_are_formatted_as_r_does(values, digits, min_decimals, shown) -> None:
    assert format_real(values, digits, min_decimals) == shown


def test_names_are_abbreviated_as_r_does() -> None:
    # R: abbreviate(x, minlength = 6) and 11
    names = [
        "(Intercept)",
        "sectorCatholic",
        "cses:mean.ses",
        "cses:sectorCatholic",
        "occupationEngineer level",
        "log(size)",
    ]
    assert abbreviate(names, 6) == ["(Intr)", "sctrCt", "css:m.", "css:sC", "occpEl", "lg(sz)"]
    longer = ["(Intercept)", "sectorCthlc", "cses:men.ss", "css:sctrCth", "occptnEngnl", "log(size)"]
    assert abbreviate(names, 11) == longer


def test_abbreviations_stay_distinct() -> None:
    # R: abbreviate(c("treatmentA1", "treatmentA2", "treatmentB"), 3), and of abcdefgh1, abcdefgh2, abcdefgi3
    assert abbreviate(["treatmentA1", "treatmentA2", "treatmentB"], 3) == ["tA1", "tA2", "trB"]
    assert abbreviate(["abcdefgh1", "abcdefgh2", "abcdefgi3"], 3) == ["ab1", "ab2", "ab3"]
    assert len(set(abbreviate(["aaaaaab", "aaaaaac", "aaaaaad"], 2))) == 3


def test_singular_and_doubtful_fits_say_so(models) -> None:
    fitted = models["random_intercept"]
    fit = replace(fitted.reml, singular=True, doubts=("only one of 3 searches reached the best criterion",))
    text = summary_text(fitted.design, fit, np.zeros(5), "hsb")
    assert text.splitlines()[-2:] == [
        "boundary (singular) fit: a variance is zero or a correlation is 1 or -1",
        "do not trust this fit: only one of 3 searches reached the best criterion",
    ]
