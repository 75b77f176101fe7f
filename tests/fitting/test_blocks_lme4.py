"""Models with independent blocks of random effects, number by number beside lme4, lmerTest and pbkrtest."""

import copy
import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fitted import fitted_by_both
from independent import (
    BLOCKS,
    EXACT_BOUNDS,
    FOLDER,
    REFERENCE,
    factor_and_intercept,
    in_blocks,
    reference_design,
    sleepstudy,
)
from reference.test_reference_fixtures import differences
from twolevel.fitting.effects import fitted_values
from twolevel.fitting.fit import Fit
from twolevel.inference.compare import added_random_effects, likelihood_ratio
from twolevel.inference.fixed_tests import kenward_roger, satterthwaite, t_tests
from twolevel.inference.profile_intervals import profile_intervals
from twolevel.model.estimable import check_blocks
from twolevel.model.formula import build_design
from twolevel.output.results import random_effects_table
from twolevel.output.summary import summary_text

ROOT = Path(__file__).resolve().parents[2]


SEARCH = {"random_starts": 4, "seed": 2002}


@pytest.fixture(scope="module")
def cases(hsb):
    return cache(lambda name: fitted_by_both(reference_design(name, hsb), **SEARCH))


def check_estimates(ours: Fit, theirs: dict[str, Any]) -> None:
    """lme4's optimum, polished, is known to about 1e-6 in theta (tests/reference/README.md), the criterion to 1e-10."""
    assert ours.criterion == pytest.approx(theirs["criterion"], abs=1e-6)
    assert (ours.npar, ours.singular) == (theirs["npar"], theirs["singular"])
    assert [ours.aic, ours.bic] == pytest.approx([theirs["aic"], theirs["bic"]], abs=1e-6)
    assert ours.sigma == pytest.approx(theirs["sigma"], rel=1e-6)
    np.testing.assert_allclose(ours.beta, theirs["fixed_effects"], rtol=1e-6)
    np.testing.assert_allclose(np.sqrt(np.diag(ours.beta_covariance)), theirs["std_errors"], rtol=1e-5)


@pytest.mark.parametrize("estimator", ["REML", "ML"])
@pytest.mark.parametrize("name", BLOCKS)
def test_estimates_are_lme4s(name: str, estimator: str, cases) -> None:
    ours = cases(name).reml if estimator == "REML" else cases(name).ml
    theirs = REFERENCE["models"][name][estimator]
    assert ours.trustworthy, ours.doubts
    check_estimates(ours, theirs)
    np.testing.assert_allclose(ours.theta, theirs["theta"], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", BLOCKS)
def test_variances_and_covariances_stand_as_in_varcorr(name: str, cases) -> None:
    # as.data.frame(VarCorr(m)): school, school.1, ..., and no covariance between them.
    table = random_effects_table(cases(name).design, cases(name).reml)
    theirs = pd.DataFrame(REFERENCE["models"][name]["REML"]["random_effects"])
    labels = ["group", "term_1", "term_2"]
    pd.testing.assert_frame_equal(table[labels], theirs[labels].fillna(""), check_dtype=False)
    np.testing.assert_allclose(table["vcov"], theirs["vcov"], rtol=2e-5, atol=1e-6)
    np.testing.assert_allclose(table["sdcor"], theirs["sdcor"], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", BLOCKS)
def test_group_effects_are_lme4s_ranef(name: str, cases) -> None:
    fitted = cases(name)
    terms, labels = fitted.design.random_terms, fitted.design.group_labels
    rows = REFERENCE["models"][name]["REML"]["group_effects"]
    assert len(rows) == 10 * len(terms)
    for row in rows:
        at = labels.index(row["group"]), terms.index(row["term"])
        assert fitted.effects.effect[at] == pytest.approx(row["effect"], rel=1e-4, abs=1e-4)
        assert fitted.effects.effect_std_error[at] == pytest.approx(row["std_error"], rel=1e-5)
    values = fitted_values(fitted.design, fitted.reml.beta, fitted.effects.effect)
    np.testing.assert_allclose(values[:5], REFERENCE["models"][name]["REML"]["fitted_head"], rtol=1e-5)


@pytest.mark.parametrize("name", BLOCKS)
def test_summary_is_what_lme4_prints(name: str, cases) -> None:
    fitted = cases(name)
    residuals = fitted.design.y - fitted_values(fitted.design, fitted.reml.beta, fitted.effects.effect)
    ours = summary_text(fitted.design, fitted.reml, residuals / fitted.reml.sigma, "hsb").splitlines()
    theirs = REFERENCE["models"][name]["summary_text"]
    first = next(i for i, line in enumerate(theirs) if line.startswith("REML criterion"))
    # R breaks a long formula over lines, ours does not.
    assert ours[ours.index(theirs[first]) :] == theirs[first:]


@pytest.mark.parametrize("name", BLOCKS)
def test_degrees_of_freedom_are_lmertests_and_pbkrtests(name: str, cases) -> None:
    fitted, theirs = cases(name), REFERENCE["models"][name]
    plain, adjusted = (t_tests(test(fitted.data, fitted.reml)) for test in (satterthwaite, kenward_roger))
    # lmerTest's derivatives are numerical (tests/inference/test_fixed_tests.py); pbkrtest's formulas are exact.
    np.testing.assert_allclose(plain.df, theirs["satterthwaite"]["df"], rtol=1e-4)
    np.testing.assert_allclose(plain.p_value, theirs["satterthwaite"]["p_value"], rtol=1e-3)
    np.testing.assert_allclose(adjusted.df, theirs["kenward_roger"]["df"], rtol=1e-4)
    np.testing.assert_allclose(adjusted.std_error, theirs["kenward_roger"]["std_error"], rtol=1e-5)


@pytest.mark.parametrize("name", BLOCKS)
def test_profile_intervals_are_lme4s(name: str, cases) -> None:
    fitted = cases(name)
    table = profile_intervals(
        fitted.design.random_terms, fitted.design.fixed_terms, fitted.data, fitted.ml.search.best.theta, 0.95
    ).set_index("parameter")
    rows = REFERENCE["models"][name]["intervals"]
    assert table.index.tolist() == [row["parameter"] for row in rows]
    assert (table["note"] == "").all()
    for row in rows:
        width = row["upper"] - row["lower"]
        for side in ("lower", "upper"):
            key = (name, row["parameter"], side)
            # lme4 interpolates the profile by a spline (test_profile_intervals.py). Near an SD of zero, and where it
            # complains and interpolates linearly, it is off by up to a hundredth of the width: there the bound is a
            # root on its deviance function, known to 1e-7. An end of a parameter's range is exact.
            expected, tolerance = (EXACT_BOUNDS[key], 1e-6) if key in EXACT_BOUNDS else (row[side], 2e-5 * width)
            assert table.loc[row["parameter"], side] == pytest.approx(expected, abs=tolerance), key


@pytest.mark.parametrize("key", EXACT_BOUNDS, ids=" ".join)
def test_lme4_s_interpolation_misses_the_bounds_that_are_roots(key: tuple[str, str, str]) -> None:
    name, parameter, side = key
    (row,) = (row for row in REFERENCE["models"][name]["intervals"] if row["parameter"] == parameter)
    assert abs(row[side] - EXACT_BOUNDS[key]) > 2e-5 * (row["upper"] - row["lower"])


def test_a_factor_beside_the_intercept_reaches_lme4s_optimum(hsb) -> None:
    """Six parameters of five: the criterion, the fixed effects and their tests are lme4's, the split is nobody's."""
    theirs = REFERENCE["factor_and_intercept"]
    design = factor_and_intercept(hsb)
    check_blocks(design)
    fitted = fitted_by_both(design, **SEARCH)
    for fit, expected in ((fitted.reml, theirs["REML"]), (fitted.ml, theirs["ML"])):
        check_estimates(fit, expected | {"singular": fit.singular})
        (doubt,) = fit.doubts
        assert doubt.startswith(
            "the data do not tell apart all variances and covariances of (Intercept), minorityNo, min"
        )
        assert "cses" not in doubt
        # What can be told apart: the slope's variance, and the sums of the others.
        of = {(row["term_1"], row["term_2"]): row["vcov"] for row in expected["random_effects"]}
        minority = ("minorityNo", "minorityYes")
        at = [design.random_terms.index(term) for term in ("(Intercept)", "cses", *minority)]
        t = fit.covariance[np.ix_(at, at)]
        assert t[1, 1] == pytest.approx(of["cses", None], rel=1e-4)
        shared = of["(Intercept)", None]
        for i, term in enumerate(minority, start=2):
            assert t[0, 0] + t[i, i] == pytest.approx(shared + of[term, None], rel=1e-4)
        assert t[0, 0] + t[2, 3] == pytest.approx(shared + of[minority], rel=1e-4)
    adjusted = t_tests(kenward_roger(fitted.data, fitted.reml))
    np.testing.assert_allclose(adjusted.df, theirs["kenward_roger"]["df"], rtol=1e-3)
    np.testing.assert_allclose(adjusted.std_error, theirs["kenward_roger"]["std_error"], rtol=1e-5)


def test_likelihood_ratio_tests_are_anovas_with_their_place_on_the_boundary() -> None:
    # anova(one, two, whole) by ML. A variance alone is added, on the boundary; then a covariance alone, inside.
    table = sleepstudy()
    one = build_design("Reaction ~ Days + (1 | Subject)", table)
    whole = build_design("Reaction ~ Days + (Days | Subject)", table)
    designs = (one, in_blocks(whole, (1, 1)), whole)
    fits = [
        {"estimator": "ML", "criterion": fit.criterion, "npar": fit.npar}
        for fit in (fitted_by_both(design, **SEARCH).ml for design in designs)
    ]
    theirs = REFERENCE["comparison"]
    assert [fit["npar"] for fit in fits] == theirs["npar"]
    for k, on_boundary in ((1, True), (2, False)):
        pair = (designs[k - 1], designs[k])
        test = likelihood_ratio("mine", fits[k - 1], fits[k], pair)
        assert test.statistic == pytest.approx(theirs["chisq"][k], abs=2e-6)
        assert test.df == theirs["df"][k] == 1
        assert test.p_value == pytest.approx(theirs["p_value"][k], rel=1e-5)
        assert test.on_boundary is on_boundary
        assert added_random_effects(*pair) == int(on_boundary)


@pytest.mark.slow
@pytest.mark.needs_r
def test_r_still_gives_the_reference_values(tmp_path: Path, rscript: str) -> None:
    made = tmp_path / "independent_blocks.json"
    script, snapshot = FOLDER / "independent_blocks.R", ROOT / "data/hsb_snapshot.csv"
    subprocess.run([rscript, script, snapshot, made], check=True)
    again = json.loads(made.read_text(encoding="utf-8"))
    assert (tmp_path / "sleepstudy.csv").read_bytes() == (FOLDER / "sleepstudy.csv").read_bytes()
    bounds = tmp_path / "bounds.json"
    subprocess.run([rscript, FOLDER / "independent_blocks_bounds.R", snapshot, bounds], check=True)
    for row in json.loads(bounds.read_text(encoding="utf-8"))["bounds"]:
        assert row["value"] == pytest.approx(EXACT_BOUNDS[row["model"], row["parameter"], row["side"]], abs=1e-6)
    theirs = copy.deepcopy(REFERENCE)
    for of in (again, theirs):
        # Where the split is not identified, R may end elsewhere on the ridge.
        for estimator in ("REML", "ML"):
            for key in ("theta", "random_effects", "group_effects"):
                of["factor_and_intercept"][estimator].pop(key, None)
        # What lme4 interpolates in the place of a root depends on the processor's rounding: 0.2504 on one of Intel's,
        # 0.2513 on one of AMD's, where the root is 0.2501. The roots are held above.
        for name, parameter, side in EXACT_BOUNDS:
            (row,) = (row for row in of["models"][name]["intervals"] if row["parameter"] == parameter)
            del row[side]
    assert differences(theirs, again) == []
