"""Calibration: nested bootstraps are what a plain loop gives, and known rates come out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.special import chdtrc
from twolevel.bootstrap.calibration import (
    Study,
    calibrated,
    outer_fits,
)
from twolevel.bootstrap.coverage import (
    METHODS,
    coverage_experiment,
    coverage_part,
    coverage_rows,
    coverage_table,
    response_of,
)
from twolevel.bootstrap.experiment import Experiment, target
from twolevel.bootstrap.likelihood_ratio_tests import bootstrap_tests
from twolevel.bootstrap.parts import Part, part_from_arrays, part_to_arrays, share, unite
from twolevel.bootstrap.replicate_tables import replicate_table, simulated_values
from twolevel.bootstrap.replicates import replicate_fits
from twolevel.bootstrap.simulate import projection
from twolevel.bootstrap.streams import stream_key
from twolevel.bootstrap.type_1_error import NOMINAL, TESTS, rejection_part, rejection_rows, rejection_table
from twolevel.data.config import check_config
from twolevel.data.fingerprint import is_current, studied
from twolevel.errors import UserError
from twolevel.figures import coverage as coverage_figure
from twolevel.figures import type_1_error as type_1_error_figure
from twolevel.fitting.search import search, starts
from twolevel.inference.intervals import bootstrap_intervals, proportion_interval
from twolevel.inference.profile_intervals import profile_intervals
from twolevel.likelihood.crossproducts import cross_products
from twolevel.likelihood.deviance import factor
from twolevel.model.design import Design
from twolevel.model.formula import build_design
from twolevel.model.parameters import parameter_values, parameters
from twolevel.output.words import Labels, Noun
from twolevel.report.calibration import CalibrationResults, read_calibration

SCHEMA = yaml.safe_load(
    (Path(__file__).resolve().parents[2] / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8")
)

LABELS = Labels("g", Noun("group", "groups"), Noun("row", "rows"))
SEED = 7
SIGMA, LOWER = 2.0, np.array([[0.6]])
BETA = np.array([1.0, -0.5])


def table(n_groups: int, per_group: int) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    n = n_groups * per_group
    names = [f"g{j}" for j in range(n_groups)]
    return pd.DataFrame({"g": np.repeat(names, per_group), "x": rng.normal(size=n), "y": rng.normal(size=n)})


def designs(n_groups: int, per_group: int, *formulas: str) -> tuple[Design, ...]:
    return tuple(build_design(formula, table(n_groups, per_group)) for formula in formulas)


def comparison_study(both: tuple[Design, ...], replicates: int, *, reml: bool) -> Study:
    """The null model has a random intercept with an SD of 0.6 residual SDs; the alternative starts at the identity."""
    data = [cross_products(design) for design in both]
    project = projection(both, data)
    targets = (target(data[0], LOWER, reml=reml), target(data[1], np.eye(len(data[1].s)), reml=reml))
    experiment = Experiment("comparisons/c", project.simulator(LOWER, SIGMA), targets)
    return Study(calibrated(experiment), project, replicates, SEED)


@pytest.fixture(scope="module")
def slopes() -> Study:
    return comparison_study(designs(30, 8, "y ~ x + (1 | g)", "y ~ x + (x | g)"), 19, reml=True)


@pytest.fixture(scope="module")
def model() -> Study:
    (design,) = designs(30, 8, "y ~ x + (x | g)")
    data = cross_products(design)
    project = projection((design,), (data,))
    lower = np.array([[0.6, 0.0], [0.1, 0.3]])
    experiment = Experiment("models/m", project.simulator(lower, SIGMA), (target(data, lower, reml=True),))
    return Study(coverage_experiment(experiment), project, 39, SEED)


LISTED = parameters(("(Intercept)", "x"), ("(Intercept)", "x"), (2,))
TRUE_LOWER = np.array([[0.6, 0.0], [0.1, 0.3]])


def covered(study: Study, data_sets: range) -> Part:
    return coverage_part(study, data_sets, LISTED, TRUE_LOWER, SIGMA, BETA, 0.95)


def test_with_many_groups_the_chi_square_test_of_a_fixed_effect_has_its_nominal_level() -> None:
    # Wilks (1938): the ML statistic of one fixed effect is chi-square(1) in large samples, here 200 groups. A 99.9 %
    # interval of the rate in 800 data sets contains the level in all but one of 1,000 seeds.
    study = comparison_study(designs(200, 5, "y ~ 1 + (1 | g)", "y ~ x + (1 | g)"), 1, reml=False)
    p_values = rejection_part(study, range(1, 801), df=1, added=0).found["p_values"]
    for nominal in NOMINAL:
        rejected = int((p_values[:, TESTS.index("LRT")] <= nominal).sum())
        lower, upper = proportion_interval(rejected, 800, 0.999)
        assert lower < nominal < upper
    assert np.isnan(p_values[:, TESTS.index("mixture")]).all()


@pytest.mark.slow
def test_the_bootstrap_test_of_a_slope_variance_has_its_nominal_level_and_the_chi_square_test_has_not() -> None:
    # Stram & Lee (1994): the statistic is a mixture of chi-square(1) and (2), so that chi-square(2) rejects in
    # (P(chi2_1 > 5.991) + 0.05) / 2 = 3.2 % of data sets where it should in 5 %; here even fewer, as covariance and
    # variance are estimated from 30 groups. A 99.9 % interval, as above.
    study = comparison_study(designs(30, 8, "y ~ x + (1 | g)", "y ~ x + (x | g)"), 99, reml=True)
    p_values = rejection_part(study, range(1, 1001), df=2, added=1).found["p_values"]
    intervals = {
        test: proportion_interval(int((p_values[:, TESTS.index(test)] <= 0.05).sum()), 1000, 0.999) for test in TESTS
    }
    assert intervals["LRT"][1] < 0.05
    assert intervals["PBtest"][0] < 0.05 < intervals["PBtest"][1]


def test_p_values_are_those_of_a_plain_loop(slopes: Study) -> None:
    # The loop prepares every simulation anew from the designs, and counts by itself.
    both = designs(30, 8, "y ~ x + (1 | g)", "y ~ x + (x | g)")
    data = tuple(cross_products(design) for design in both)
    p_values = rejection_part(slopes, range(4, 7), df=2, added=1).found["p_values"]
    outer = projection(both, data).simulator(LOWER, SIGMA)
    for row, number in enumerate((4, 5, 6)):
        key = stream_key(SEED, "calibration/comparisons/c")
        null, alternative = replicate_fits(outer, slopes.experiment.targets, key, range(number, number + 1))
        observed = null.criterion[0] - alternative.criterion[0]
        lowers = [factor(fit.theta[0], of.blocks) for fit, of in zip((null, alternative), data, strict=True)]
        lowers = [lower * np.where(np.diag(lower) < 0, -1.0, 1.0) for lower in lowers]
        targets = tuple(target(of, lower, reml=True) for of, lower in zip(data, lowers, strict=True))
        inner_key = stream_key(SEED, f"calibration/comparisons/c/data set {number}")
        inner = projection(both, data).simulator(lowers[0], null.sigma[0])
        simulated = replicate_fits(inner, targets, inner_key, range(1, 20))
        reference = np.maximum(simulated[0].criterion - simulated[1].criterion, 0.0)
        expected = dict.fromkeys(TESTS, 0.0) | {
            "LRT": chdtrc(2, observed),
            "mixture": (chdtrc(1, observed) + chdtrc(2, observed)) / 2,
            "PBtest": (1 + (reference >= observed).sum()) / 20,
        }
        approximations = bootstrap_tests(observed, 2, [reference], 1).set_index("test")["p_value"]
        expected |= {test: approximations[test] for test in ("Gamma", "Bartlett")}
        # A criterion near 1,000 is known to some 1e-10; p values move by less than that.
        np.testing.assert_allclose(p_values[row], [*expected.values()], rtol=0, atol=1e-7)


def test_no_two_streams_are_the_same(slopes: Study) -> None:
    names = [slopes.experiment.name, "comparisons/c", *(f"{slopes.experiment.name}/data set {i}" for i in range(1, 99))]
    keys = {stream_key(SEED, name) for name in names}
    assert len(keys) == len(names)


@pytest.mark.parametrize("kind", ["tests", "intervals"])
def test_one_part_and_three_give_the_same_bytes(kind: str, slopes: Study, model: Study) -> None:
    study = slopes if kind == "tests" else model

    def run(data_sets: range) -> Part:
        part = rejection_part(study, data_sets, df=2, added=1) if kind == "tests" else covered(study, data_sets)
        return part_from_arrays(part_to_arrays(part))

    whole = unite(study.experiment, SEED, 7, [run(share(1, 1, 7))], study.replicates)
    united = unite(study.experiment, SEED, 7, [run(share(k, 3, 7)) for k in (2, 3, 1)], study.replicates)
    assert whole.found
    for name, array in whole.found.items():
        assert array.tobytes() == united.found[name].tobytes()
    assert whole.fits[0].theta.tobytes() == united.fits[0].theta.tobytes()


def test_parts_of_another_study_are_refused(slopes: Study) -> None:
    part = rejection_part(slopes, range(1, 3), df=2, added=1)
    with pytest.raises(UserError, match="another seed or number of replicates"):
        unite(slopes.experiment, SEED, 2, [part], 99)
    with pytest.raises(UserError, match="another model, other data, another seed"):
        unite(slopes.experiment, SEED + 1, 2, [part], 19)
    with pytest.raises(UserError, match="expected 1-3"):
        unite(slopes.experiment, SEED, 3, [part], 19)
    assert unite(slopes.experiment, SEED, 2, [part], 19).found.keys() == {"p_values"}


def test_a_simulated_response_is_the_one_that_was_fitted(model: Study) -> None:
    # Searches from other starts on the response's own cross-products end at the replicate's optimum. A search ends
    # within 1e-7 of the best criterion (twolevel.fitting.search.FLAT); beta's error is the root of that.
    outer = outer_fits(model, range(11, 14))
    for row, number in enumerate((11, 12, 13)):
        response = response_of(model, number, BETA)
        for fits, reml in zip(outer.fits, (True, False), strict=True):
            found = search(response, reml, starts(response, 2, 1)).best
            assert found.criterion == pytest.approx(fits.criterion[row], abs=1e-6)


def test_an_interval_covers_the_truth_if_its_bounds_enclose_it(model: Study) -> None:
    # Profile bounds are found as roots here; percentile bounds from a bootstrap that is prepared anew.
    data_sets = range(1, 9)
    part = covered(model, data_sets)
    (design,) = designs(30, 8, "y ~ x + (x | g)")
    data = cross_products(design)
    truth = parameter_values(data.own_units(TRUE_LOWER), SIGMA, BETA, data.blocks)
    for row, number in enumerate(data_sets):
        response = response_of(model, number, BETA)
        ml = profile_intervals(("(Intercept)", "x"), ("(Intercept)", "x"), response, part.fits[1].theta[row], 0.95)
        inside = (ml["lower"] <= truth) & (truth <= ml["upper"])
        np.testing.assert_array_equal(part.found["covers"][row, METHODS.index("profile")], inside)

        fit = part.fits[0]
        lower = factor(fit.theta[row], (2,))
        lower = lower * np.where(np.diag(lower) < 0, -1.0, 1.0)
        beta = BETA + np.linalg.solve(data.r, fit.delta[row])
        key = stream_key(SEED, f"calibration/models/m/data set {number}")
        inner = projection((design,), (data,)).simulator(lower, fit.sigma[row])
        (simulated,) = replicate_fits(inner, (target(data, lower, reml=True),), key, range(1, 40))
        values = simulated_values(replicate_table(simulated, data, beta, LISTED), LISTED)
        estimates = parameter_values(data.own_units(lower), fit.sigma[row], beta, data.blocks)
        bounds = bootstrap_intervals(LISTED, estimates, values, 0.95)
        inside = (bounds["lower"] <= np.tile(truth, 3)) & (np.tile(truth, 3) <= bounds["upper"])
        np.testing.assert_array_equal(part.found["covers"][row, :3].ravel(), inside)
        widths = (bounds["upper"] - bounds["lower"]).to_numpy()
        np.testing.assert_allclose(part.found["width"][row, :3].ravel(), widths, rtol=1e-8)
    assert np.isnan(part.found["covers"][:, METHODS.index("wald"), :4]).all()


def test_rejections_are_counted() -> None:
    p_values = np.full((4, len(TESTS)), np.nan)
    p_values[:3, TESTS.index("PBtest")] = 0.01, 0.05, 0.2
    rows = rejection_table(rejection_rows("c", p_values, 99))
    assert rows["test"].tolist() == ["PBtest", "PBtest"]
    assert rows["data_sets"].tolist() == [3, 3]
    assert rows["rejected"].tolist() == [2, 1]
    # Clopper-Pearson of 1 in 3: 1 - 0.975^(1/3) and the root of 3u(1-u)^2 + (1-u)^3 = 0.025 (R: binom.test(1, 3)).
    assert rows.loc[1, "lower"] == pytest.approx(0.0084038, abs=1e-6)
    assert rows.loc[1, "upper"] == pytest.approx(0.9057007, abs=1e-6)


def test_coverage_is_counted() -> None:
    covers = np.full((4, len(METHODS), len(LISTED)), np.nan)
    covers[:, 0, 0] = 1, 0, 1, np.nan
    table = coverage_table(coverage_rows("m", LISTED, covers, np.where(covers == 1, 2.0, 1.0), 0.9, 99))
    assert len(table) == 1
    row = table.iloc[0]
    assert (row["parameter"], row["method"], row["data_sets"], row["covered"]) == (".sig01", "percentile", 3, 2)
    assert row["coverage"] == pytest.approx(2 / 3)


COMPARISONS = {
    "c": {
        "null_model": "a",
        "alternative_model": "b",
        "estimator": "ML",
        "fingerprints": [{"data": "1"}, {"data": "1"}],
    }
}
FITS = {"a": {"fingerprint": {"data": "1"}}, "b": {"fingerprint": {"data": "1"}}}


def test_a_calibration_knows_whether_it_is_about_the_present_fits() -> None:
    about = {"data_sets": 5, **studied(COMPARISONS, FITS, ["a"])}
    assert is_current(about, COMPARISONS, FITS)
    assert is_current(about, COMPARISONS, FITS | {"new": {"fingerprint": {}}})
    assert not is_current(about, COMPARISONS, FITS | {"a": {"fingerprint": {"data": "2"}}})
    assert not is_current(about, COMPARISONS, {"b": FITS["b"]})
    assert not is_current(about, COMPARISONS | {"d": COMPARISONS["c"]}, FITS)
    other = {"c": COMPARISONS["c"] | {"estimator": "REML"}}
    assert not is_current(about, other, FITS)


def test_the_report_s_verdicts_follow_the_intervals() -> None:
    p_values = np.full((1000, len(TESTS)), np.nan)
    even = (np.arange(1000) + 0.5) / 1000
    for test, power in {"LRT": 0.5, "PBtest": 1.0, "Bartlett": 2.0}.items():
        p_values[:, TESTS.index(test)] = even**power  # rejects at a rate of nominal^(1 / power)
    covers = np.ones((1000, len(METHODS), len(LISTED)))
    covers[:50, :4] = 0  # 95 %, but for Wald's 100 %
    covers[:, 4, :4] = np.nan
    covers[:100, 1, 2] = 0  # 90 %
    tables = (
        rejection_table(rejection_rows("no_effect", p_values, 99)),
        coverage_table(coverage_rows("m", LISTED, covers, covers, 0.95, 99)),
    )
    results = CalibrationResults({"data_sets": 1000, "models": {}, "comparisons": {}}, *tables, {}, {})
    told = read_calibration(results, {}, {})
    assert told.current
    assert told.test_sentences == [
        "No effect: the null model is rejected too seldom at 5 % and 1 % by chi-square; about as often as it should be "
        "at 5 % and 1 % by bootstrap; too often at 5 % and 1 % by Bartlett’s correction."
    ]
    assert told.interval_sentences == [
        "m: 95 % intervals cover the true value about as often as they should by percentile, normal and profile "
        "without exception; by basic with the exception of SD of x (too seldom, 90.0\N{NO-BREAK SPACE}%); by Wald for "
        "no parameter: (Intercept) (too often, 100.0\N{NO-BREAK SPACE}%) and x (too often, 100.0\N{NO-BREAK SPACE}%)."
    ]
    assert not read_calibration(replace(results, about={"models": {"gone": {}}, "comparisons": {}}), {}, {}).current


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("data_sets", 0, "calibration.data_sets: found 0; expected a whole number from 1 to 100,000,000"),
        ("replicates", 98, "calibration.replicates: found 98; expected a whole number from 99 to 100,000,000; fewer"),
        ("parts", 0, "calibration.parts: found 0; expected a whole number from 1 to 10,000"),
        ("models", ["random_coefficient"], r"there is no model 'random_coefficient' \(did you mean"),
        ("draws", 5, "calibration: unknown key draws"),
    ],
)
def test_nonsense_is_refused(config: dict, key: str, value: object, says: str) -> None:
    wrong = config | {"calibration": config["calibration"] | {key: value}}
    with pytest.raises(UserError, match=says):
        check_config(wrong, SCHEMA)


def test_replicates_that_do_not_reach_the_bounds_are_refused(config: dict) -> None:
    # boot.ci takes order statistic (B + 1) (1 - level) / 2, which must be at least the first: B = 1999 for 99.9 %.
    exact = config | {"intervals": {"level": 0.999}, "calibration": config["calibration"] | {"replicates": 1999}}
    check_config(exact, SCHEMA)
    with pytest.raises(UserError, match=r"calibration\.replicates: found 1998; expected 1999 or more"):
        check_config(exact | {"calibration": exact["calibration"] | {"replicates": 1998}}, SCHEMA)


def test_the_figures_show_every_rate_at_its_place() -> None:
    p_values = np.full((100, len(TESTS)), np.nan)
    p_values[:, TESTS.index("LRT")] = np.linspace(0.001, 0.03, 100)  # all below 5 %: too often
    p_values[:, TESTS.index("PBtest")] = np.linspace(0.001, 0.999, 100)
    rejected = type_1_error_figure.draw(rejection_table(rejection_rows("c_1", p_values, 99)), LABELS)
    five, one = rejected.figure.axes
    marks = {line.get_marker(): line.get_xdata()[0] for line in five.lines if line.get_marker() not in ("None", "")}
    assert marks == {">": 100.0, "o": pytest.approx(5.0)}
    assert "for each test" in rejected.alt
    assert "100 data sets" in rejected.alt
    assert [text.get_text() for text in five.get_yticklabels()] == ["chi-square", "bootstrap"]
    assert [axes.lines[0].get_xdata()[0] for axes in (five, one)] == [5.0, 1.0]

    covers = np.ones((100, len(METHODS), len(LISTED)))
    covers[:30, 0, 1] = 0
    covers[:5] = 0
    covers[:, METHODS.index("wald"), :4] = np.nan
    drawn = coverage_figure.draw(coverage_table(coverage_rows("m", LISTED, covers, covers, 0.95, 99)), LABELS)
    panel = drawn.figure.axes[1]
    assert panel.get_title() == "correlation of x with (Intercept)"
    assert [line.get_xdata()[0] for line in panel.lines if line.get_marker() == "<"] == [70.0]
    assert sum(line.get_marker() == "o" for line in panel.lines) == 3
    assert "for each method" in drawn.alt
    assert "100 data sets" in drawn.alt
