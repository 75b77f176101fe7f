"""The bootstrap: known intervals and reference distributions, an optimum for every replicate, and no trace of how the
work was divided."""

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from reference.multistart_check import TOLERANCE, experiments
from scipy.stats import chi2
from simulated import SEED, experiment, gaps, unbalanced_table
from twolevel.bootstrap import replicates as bootstrap
from twolevel.bootstrap.experiment import Experiment, target
from twolevel.bootstrap.replicate_tables import reference_table, replicate_table
from twolevel.bootstrap.replicates import Replicates, replicate_fits
from twolevel.bootstrap.streams import stream_key
from twolevel.fitting.search import is_singular
from twolevel.inference.quantiles import quantile
from twolevel.inference.samples import ordered
from twolevel.likelihood import groupwise
from twolevel.model.formula import build_design
from twolevel.model.parameters import parameters


@pytest.fixture(scope="module")
def pipeline() -> dict[str, Experiment]:
    """The experiments of the pipeline, by name."""
    return {of.name: of for of in experiments()}


def fits(of: Experiment, replicates: range) -> tuple[Replicates, ...]:
    return replicate_fits(of.simulator, of.targets, stream_key(SEED, of.name), replicates)


def assert_same(one: Replicates, other: Replicates) -> None:
    for field in fields(Replicates):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name), err_msg=field.name)


# ---------------------------------------------------------------------------------------- known distributions

# 95 % percentile intervals of `mathach ~ cses + (cses | school)` by REML from 20,000 replicates of another program,
# glmm, which simulates responses and loops over its fits.
GLMM = {
    ".sig01": (2.591, 3.294),
    ".sig02": (-0.327, 0.378),
    ".sig03": (0.415, 1.135),
    ".sigma": (5.958, 6.160),
    "(Intercept)": (12.163, 13.119),
    "cses": (1.943, 2.444),
}


@pytest.mark.slow
def test_intervals_are_those_of_another_program(pipeline: dict[str, Experiment], models) -> None:
    of, model = pipeline["models/random_coefficients"], models["random_coefficients"]
    (found,) = fits(of, range(1, 20_001))
    assert found.found.all()
    listed = parameters(model.design.random_terms, model.design.fixed_terms, model.design.blocks)
    table = replicate_table(found, of.targets[0].data, model.reml.beta, listed)
    for name, bounds in GLMM.items():
        # A correlation beside a slope variance of zero is missing.
        of = ordered([table[name].to_numpy()])
        assert of.count >= 19_900
        for probability, bound in zip((0.025, 0.975), bounds, strict=True):
            # Both have an error of this size, and theirs is rounded to the third decimal.
            value, error = quantile(of, probability)
            assert value == pytest.approx(bound, abs=4 * np.sqrt(2) * error + 0.0005), (name, probability)


@pytest.mark.slow
def test_the_statistic_of_a_fixed_effect_is_chi_square(pipeline: dict[str, Experiment]) -> None:
    # The test of a coefficient with f degrees of freedom in the denominator is about n log(1 + F/f), of mean
    # 1 + O(1/f); minority varies within schools, and Kenward and Roger's f is about 6,000 there: 0.1 % is allowed for
    # it beside four standard errors of what was simulated.
    null, alternative = fits(pipeline["comparisons/minority_effect"], range(1, 20_001))
    statistic = reference_table(null, alternative, ((1,), (1,)))["statistic"].to_numpy()
    assert not np.isnan(statistic).any()
    assert statistic.mean() == pytest.approx(1, abs=4 * np.sqrt(2 / 20_000) + 1e-3)
    of = ordered([statistic])
    for probability in (0.5, 0.9, 0.95, 0.99):
        expected = chi2(1).ppf(probability)
        value, error = quantile(of, probability)
        assert value == pytest.approx(expected, abs=4 * error + 1e-3 * expected), probability


@pytest.mark.slow
def test_the_statistic_of_a_slope_variance_is_a_mixture(pipeline: dict[str, Experiment]) -> None:
    # Half chi-square(1), half chi-square(2) in large samples (Stram & Lee 1994). 160 schools are no large sample: the
    # slope variance is estimated with a skew, 54 % of the optima are on the boundary, and the mixture's tail is too
    # heavy, by 4 % at the median and 17 % at its 1 % point (100,000 replicates). So 20 % is allowed to one side and
    # nothing to the other, beside four standard errors. Chi-square(2) is 1.3 to 1.6 times too heavy there.
    null, alternative = fits(pipeline["comparisons/cses_slope_variance"], range(1, 20_001))
    table = reference_table(null, alternative, ((1,), (2,)))
    statistic = table["statistic"].to_numpy()
    assert not np.isnan(statistic).any()
    error = 4 * 0.5 / np.sqrt(20_000)
    assert table["alternative_singular"].mean() == pytest.approx(0.53, abs=0.03 + error)
    for probability in (0.5, 0.25, 0.1, 0.05, 0.01):
        point = mixture_point(probability)
        above = (statistic > point).mean()
        error = 4 * np.sqrt(probability * (1 - probability) / 20_000)
        assert 0.8 * probability - error < above < probability + error, (probability, above)
        assert above < 0.9 * chi2(2).sf(point)


def mixture_point(probability: float) -> float:
    points = np.linspace(0, 20, 200_001)
    tail = (chi2(1).sf(points) + chi2(2).sf(points)) / 2
    return float(np.interp(-probability, -tail, points))


# ---------------------------------------------------------------------------------------- the optimum


@pytest.mark.slow
@pytest.mark.parametrize("first", [1, 5_001])
def test_no_replicate_misses_what_a_search_from_many_starts_finds(first: int, pipeline: dict[str, Experiment]) -> None:
    # tests/reference/multistart_check.py does it for 10,000 replicates, in about twenty minutes.
    missed = {}
    for name, of in pipeline.items():
        gap = gaps(of, range(first, first + 50), random_starts=4)
        if (gap > TOLERANCE).any():
            missed[name] = [(int(t), first + int(i)) for t, i in np.argwhere(gap > TOLERANCE)]
    assert not missed


SINGULAR: dict[str, Any] = {
    "no variance": ("y ~ x + (1 | g)", np.zeros((1, 1))),
    "no slope variance": ("y ~ x + (x | g)", np.diag([1.0, 0.0])),
    "a correlation of one": ("y ~ x + (x | g)", np.array([[1.0, 0.0], [0.5, 0.0]])),
    "one variance of three": ("y ~ x + t + (x + t | g)", np.diag([0.0, 1.0, 0.0])),
}


@pytest.mark.parametrize("case", SINGULAR)
def test_a_singular_truth_can_be_bootstrapped(case: str) -> None:
    formula, lower = SINGULAR[case]
    design = build_design(formula, unbalanced_table())
    of = experiment((design,), (lower,), 1.5, reml=True, name=case)
    (found,) = fits(of, range(1, 101))
    assert found.found.all()
    singular = is_singular(found.theta, (len(lower),))
    # On the boundary, or one of the two sides of it: neither is rare, among 100.
    assert 5 < singular.sum() < 100
    assert gaps(of, range(1, 51), random_starts=4).max() < TOLERANCE


def test_a_search_starts_beside_the_boundary_not_on_it() -> None:
    data = experiment(
        (build_design("y ~ x + (x | g)", unbalanced_table()),), (np.zeros((2, 2)),), 1, reml=True
    ).targets[0]
    assert (data.start[[0, 2]] >= 0.1).all()
    lower = np.array([[0.7, 0.0], [0.3, 0.4]])
    np.testing.assert_array_equal(target(data.data, lower, reml=True).start, [0.7, 0.3, 0.4])


# ---------------------------------------------------------------------------------------- how work is divided


@pytest.mark.parametrize("name", ["models/random_coefficients_minority", "comparisons/cses_slope_variance"])
def test_a_replicate_does_not_depend_on_its_company(name: str, pipeline: dict[str, Experiment], monkeypatch) -> None:
    of = pipeline[name]
    whole = fits(of, range(1, 301))
    for draws in (1, 320, 3_000, 10**7):
        monkeypatch.setattr(bootstrap, "DRAWS", draws)
        for one, other in zip(whole, fits(of, range(1, 301)), strict=True):
            assert_same(one, other)
    for replicates in (range(1, 2), range(300, 301), range(17, 40)):
        for one, part in zip(whole, fits(of, replicates), strict=True):
            for field in fields(Replicates):
                expected = getattr(one, field.name)[replicates.start - 1 : replicates.stop - 1]
                np.testing.assert_array_equal(getattr(part, field.name), expected)


def test_no_replicates_are_no_rows(pipeline: dict[str, Experiment]) -> None:
    null, alternative = fits(pipeline["comparisons/minority_effect"], range(5, 5))
    assert (null.criterion.shape, null.theta.shape, null.delta.shape) == ((0,), (0, 1), (0, 2))
    assert (alternative.delta.shape, alternative.found.shape) == ((0, 3), (0,))


def test_a_block_that_the_groups_fill_is_the_same_as_a_larger_one(monkeypatch) -> None:
    # Normals are dealt to groups block by block: which of them a group has depends on the number of blocks, which is
    # why the size of a block is no setting.
    design = build_design("y ~ x + (x | g)", unbalanced_table())
    (whole,) = fits(experiment((design,), (np.eye(2),), 1.5, reml=True), range(1, 21))
    monkeypatch.setattr(groupwise, "BLOCK", 24)
    (again,) = fits(experiment((design,), (np.eye(2),), 1.5, reml=True), range(1, 21))
    assert_same(whole, again)


def test_where_the_compiled_search_ends_short_another_goes_on(monkeypatch) -> None:
    # The compiled search is cut short: the search that takes over finds what it would have found.
    design = build_design("y ~ x + (x | g)", unbalanced_table())
    of = experiment((design,), (np.eye(2),), 1.5, reml=True)
    monkeypatch.setattr(bootstrap, "CHUNKS", 1)  # all replicates at once, so that every third is every third
    (whole,) = fits(of, range(1, 21))
    compiled = bootstrap._fit_all

    def without_end(*arguments: Any) -> None:
        compiled(*arguments)
        theta, found = arguments[11], arguments[15]
        theta[::3] += 0.3
        found[::3] = False

    monkeypatch.setattr(bootstrap, "_fit_all", without_end)
    (again,) = fits(of, range(1, 21))
    assert again.found.all()
    # Two searches for one optimum: the gradient at which they end, 1e-6, over curvatures of 1 and more.
    np.testing.assert_allclose(again.criterion, whole.criterion, rtol=0, atol=1e-9)
    np.testing.assert_allclose(np.abs(again.theta[:, 0]), np.abs(whole.theta[:, 0]), rtol=0, atol=1e-5)
    np.testing.assert_allclose(again.delta, whole.delta, rtol=0, atol=1e-5)
    np.testing.assert_allclose(again.sigma, whole.sigma, rtol=1e-6)
    assert (again.evaluations[::3] > whole.evaluations[::3]).all()


@pytest.mark.parametrize("threads", [2, 5])
def test_threads_change_nothing(pipeline: dict[str, Experiment], threads: int) -> None:
    of, replicates = pipeline["comparisons/cses_slope_variance"], range(11, 411)  # several chunks
    key = stream_key(SEED, of.name)
    together = replicate_fits(of.simulator, of.targets, key, replicates, threads)
    for one, other in zip(fits(of, replicates), together, strict=True):
        assert_same(one, other)
