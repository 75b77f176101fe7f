"""The bootstrap of models with independent blocks, against responses written out, lme4's bootMer, and theory."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from bootstrap.test_simulate import check_against_explicit, truth
from independent import REFERENCE, in_blocks, reference_design, side_by_side
from scipy.stats import chi2
from simulated import SEED, experiment, gaps, unbalanced_table
from twolevel.bootstrap.experiment import Experiment, from_arrays, to_arrays
from twolevel.bootstrap.likelihood_ratio_tests import bootstrap_tests
from twolevel.bootstrap.parts import run_part
from twolevel.bootstrap.replicate_tables import reference_table, replicate_table
from twolevel.bootstrap.replicates import Replicates, replicate_fits
from twolevel.bootstrap.streams import stream_key
from twolevel.fitting.fit import fit_model
from twolevel.inference.compare import added_random_effects
from twolevel.likelihood.crossproducts import cross_products
from twolevel.likelihood.deviance import n_theta
from twolevel.model.design import Design
from twolevel.model.formula import build_design
from twolevel.model.parameters import parameters

THREE = "y ~ x + t + (x + t | g)"


def three(*blocks: int) -> Design:
    return in_blocks(build_design(THREE, unbalanced_table()), blocks)


def two(*blocks: int) -> Design:
    return in_blocks(build_design("y ~ x * w + (x | g)", unbalanced_table()), blocks)


# Models simulated from, and models that see the same responses.
CASES = {
    "two": (two(1, 1),),
    "three": (three(1, 1, 1),),
    "pair and one": (three(2, 1),),
    "one and pair": (three(1, 2),),
    "an independent slope is added": (build_design("y ~ x * w + (1 | g)", unbalanced_table()), two(1, 1)),
    "a covariance is added": (two(1, 1), two(2)),
    "a block is joined": (three(2, 1), three(3)),
}


@cache
def of_case(case: str, reml: bool) -> tuple[tuple[Design, ...], Experiment, np.ndarray]:
    designs = CASES[case]
    fits = [truth(design, reml) for design in designs]
    of = experiment(designs, tuple(lower for lower, *_ in fits), fits[0][1], reml=reml, name=case)
    return designs, of, fits[0][2]


@pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
@pytest.mark.parametrize("case", CASES)
def test_a_replicate_is_the_fit_to_a_response_with_its_cross_products(case: str, reml: bool) -> None:
    check_against_explicit(*of_case(case, reml), range(1, 16))


@pytest.mark.parametrize("case", CASES)
def test_no_replicate_misses_what_a_search_from_many_starts_finds(case: str) -> None:
    # 1e-6 as in test_bootstrap.py: two searches know a criterion to some 1e-9.
    assert gaps(of_case(case, True)[1], range(1, 41), random_starts=4).max() < 1e-6


def test_replicates_of_overlapping_blocks_find_their_optimum() -> None:
    table = unbalanced_table().assign(a=lambda of: pd.Categorical(np.where(of["t"] > 0, "high", "low")))
    design = side_by_side(*(build_design(f"y ~ x + a + ({term} | g)", table) for term in ("1", "0 + a")))
    lower, sigma, _ = truth(design, True)
    of = experiment((design,), (lower,), sigma, reml=True, name="overlap")
    assert gaps(of, range(1, 41), random_starts=4).max() < 1e-6


@pytest.mark.parametrize("case", ["one and pair", "a covariance is added"])
def test_an_experiment_is_stored_with_its_blocks(case: str) -> None:
    _, of, _ = of_case(case, True)
    again = from_arrays(to_arrays(of))
    assert [target.data.blocks for target in again.targets] == [target.data.blocks for target in of.targets]
    parts = [run_part(one, SEED, range(1, 4)).fits for one in (of, again)]
    for target, ours, theirs in zip(of.targets, *parts, strict=True):
        np.testing.assert_array_equal(ours.theta, theirs.theta)
        assert ours.theta.shape == (3, n_theta(target.data.blocks))


def test_the_bootstrap_of_sleepstudy_is_bootmers(hsb) -> None:
    """R's 1,000 replicates of the same model by REML, beside 10,000 of ours."""
    design = reference_design("sleep", hsb)
    data = cross_products(design)
    fit = fit_model(design, data, reml=True, random_starts=4, seed=1)
    of = experiment((design,), (fit.lower,), fit.sigma, reml=True, name="sleep")
    (found,) = replicate_fits(of.simulator, of.targets, stream_key(SEED, of.name), range(1, 10_001))
    assert found.found.all()
    listed = parameters(design.random_terms, design.fixed_terms, design.blocks)
    ours = replicate_table(found, data, fit.beta, listed)
    theirs = REFERENCE["bootstrap"]
    n = theirs["replicates"]
    assert [parameter.name for parameter in listed] == theirs["parameters"]
    for k, name in enumerate(theirs["parameters"]):
        values = ours[name].to_numpy()
        sd, error = values.std(), np.sqrt(1 / n + 1 / 10_000)
        # Four standard errors: of a mean sd / sqrt(n), of an SD sd / sqrt(2 n), of a 10 % quantile of a nearly normal
        # distribution 1.71 sd / sqrt(n) (sqrt(0.1 0.9) over the density there).
        assert values.mean() == pytest.approx(theirs["mean"][k], abs=4 * sd * error), name
        assert sd == pytest.approx(theirs["sd"][k], abs=4 * sd * error / np.sqrt(2)), name
        for key, probability in (("quantile_10", 0.1), ("quantile_90", 0.9)):
            quantile = np.quantile(values, probability)
            assert quantile == pytest.approx(theirs[key][k], abs=4 * 1.71 * sd * error), (name, key)
    # One in a thousand of R's has a variance of zero: a Poisson count, of which ours says what to expect.
    expected = n * ours["singular"].mean()
    assert abs(theirs["singular"] - expected) < 4 * np.sqrt(expected) + 1


# ------------------------------------------------------------------------- likelihood ratio tests and theory


def many_groups(random: str) -> Design:
    """600 groups of 8, which is a large sample for the limits of likelihood ratio statistics."""
    rng = np.random.default_rng(4)
    group = np.repeat(np.arange(600), 8)
    x, t = rng.normal(size=(2, len(group)))
    table = pd.DataFrame({"g": group.astype(str), "x": x, "t": t, "y": rng.normal(size=len(group))})
    return build_design(f"y ~ x + t + ({random} | g)", table)


# Null model, alternative, the variances under the null, and the limit: half chi-square(a), half chi-square(b).
LIMITS = {
    "an independent slope": (many_groups("1"), in_blocks(many_groups("x"), (1, 1)), [0.7], (0, 1)),
    "a correlated slope": (many_groups("1"), many_groups("x"), [0.7], (1, 2)),
    "a covariance": (in_blocks(many_groups("x"), (1, 1)), many_groups("x"), [0.7, 0.5], (1, 1)),
    "a third, and all covariances": (
        in_blocks(many_groups("x"), (1, 1)), many_groups("x + t"), [0.7, 0.5], (3, 4)
    ),
    "a third beside a pair": (many_groups("x"), in_blocks(many_groups("x + t"), (2, 1)), [0.7, 0.5], (0, 1)),
}  # fmt: skip


@cache
def statistics(case: str) -> np.ndarray:
    null, alternative, sds, _ = LIMITS[case]
    data = [cross_products(design) for design in (null, alternative)]
    lowers = [data[0].basis_units(np.diag(sds))]
    lowers.append(0.3 * np.eye(len(data[1].s)))
    of = experiment((null, alternative), tuple(lowers), 1.0, reml=True, name=case)
    fits: tuple[Replicates, ...] = replicate_fits(of.simulator, of.targets, stream_key(SEED, case), range(1, 4_001))
    found = reference_table(*fits, (null.blocks, alternative.blocks))["statistic"].to_numpy()
    assert not np.isnan(found).any()
    return found


@pytest.mark.slow
@pytest.mark.parametrize("case", LIMITS)
def test_statistics_have_their_limiting_distribution(case: str) -> None:
    first, second = LIMITS[case][3]
    found = statistics(case)

    def tail(point: float) -> float:
        return (chi2(first).sf(point) if first else 0.0) / 2 + chi2(second).sf(point) / 2

    for point in (0.5, 1.0, 2.0, 4.0, 6.0, 9.0):
        share = tail(point)
        # Four standard errors of a share of 4,000; and a tenth of it, for samples are not infinite.
        error = 4 * np.sqrt(share * (1 - share) / 4_000) + 0.1 * share
        assert (found > point).mean() == pytest.approx(share, abs=error), point


@pytest.mark.parametrize("case", LIMITS)
def test_the_row_of_the_mixture_is_that_limit(case: str) -> None:
    null, alternative, _, (first, second) = LIMITS[case]
    df, added = n_theta(alternative.blocks) - n_theta(null.blocks), added_random_effects(null, alternative)
    tests = bootstrap_tests(3.0, df, [np.array([0.0, 1.0, 2.0, 5.0])], added).set_index("test")["p_value"]
    assert tests["LRT"] == pytest.approx(chi2(df).sf(3.0), rel=1e-12)
    if first == second:
        assert "mixture" not in tests
        assert df == first
    else:
        # Every statistic is as large as zero.
        nothing = bootstrap_tests(0.0, df, [np.array([0.0, 1.0, 2.0, 5.0])], added).set_index("test")["p_value"]
        assert nothing["mixture"] == nothing["PBtest"] == 1.0
        expected = ((chi2(first).sf(3.0) if first else 0.0) + chi2(second).sf(3.0)) / 2
        assert tests["mixture"] == pytest.approx(expected, rel=1e-12)


def test_two_independent_variances_at_once_have_no_mixture() -> None:
    null, alternative = many_groups("1"), in_blocks(many_groups("x + t"), (1, 1, 1))
    added = added_random_effects(null, alternative)
    assert added == 2
    assert "mixture" not in bootstrap_tests(3.0, 2, [np.array([0.0, 1.0, 2.0])], added)["test"].to_list()
