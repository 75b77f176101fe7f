"""Intervals from replicates against R's boot package; their Monte Carlo errors against repeating the bootstrap."""

import numpy as np
import pytest
from factors_and_levels import fitted as sleepstudy
from scipy import stats
from scipy.special import betainc
from twolevel.inference.fixed_tests import kenward_roger, satterthwaite, student, t_tests
from twolevel.inference.intervals import (
    COLUMNS,
    bootstrap_intervals,
    proportion_interval,
    t_intervals,
    wald_intervals,
)
from twolevel.inference.quantiles import quantile
from twolevel.inference.samples import ordered
from twolevel.model.parameters import parameters

MU = parameters((), ["mu"], ())[1:]  # one fixed effect

# R 4.2, boot 1.3-28.1: i <- 1:R; t <- sin(i) * exp(cos(3 * i)); if (R == 199) t[c(5, 50)] <- NA
# ci <- boot.ci(boot(1:2, function(d, i) 0, R = R), conf = level, t0 = 0.25, t = t, type = c("perc", "basic", "norm"))
# c(ci$percent[4:5], ci$basic[4:5], ci$normal[2:3]), to 12 digits
BOOT_CI = {
    (30, 0.95): [-2.28511180116, 2.37521331562, -1.87521331562, 2.78511180116, -1.7224185288, 2.67919079083],
    (30, 0.9): [-2.12137489084, 2.29338941446, -1.79338941446, 2.62137489084, -1.3685873621, 2.32535962413],
    (199, 0.95): [-2.33011232866, 2.3754113358, -1.8754113358, 2.83011232866, -1.62762376492, 2.61341793789],
    (199, 0.9): [-2.06710462373, 2.14338437884, -1.64338437884, 2.56710462373, -1.28670011069, 2.27249428367],
    (1000, 0.95): [-2.3211983445, 2.3207923756, -1.8207923756, 2.8211983445, -1.59322560946, 2.59266710557],
    (1000, 0.9): [-2.10952287006, 2.13446140696, -1.63446140696, 2.60952287006, -1.25673520436, 2.25617670047],
}


@pytest.mark.parametrize(("n", "level"), BOOT_CI)
def test_intervals_are_those_of_boot_ci(n: int, level: float) -> None:
    i = np.arange(1, n + 1)
    replicates = np.sin(i) * np.exp(np.cos(3 * i))
    if n == 199:
        replicates[[4, 49]] = np.nan
    table = bootstrap_intervals(MU, np.array([0.25]), [[replicates]], level)
    assert table["method"].tolist() == ["percentile", "basic", "normal"]
    bounds = table[["lower", "upper"]].to_numpy().ravel()
    np.testing.assert_allclose(bounds, BOOT_CI[n, level], rtol=1e-10)  # 12 digits are stored
    assert (table["replicates"] == np.isfinite(replicates).sum()).all()
    np.testing.assert_allclose(table["bias"], np.nanmean(replicates) - 0.25)
    # boot.ci warns of "extreme order statistics" for 30 replicates at 0.95 and nowhere else.
    extreme = [n == 30 and level == 0.95] * 2 + [False]
    assert (table["note"].str.contains("most extreme") == extreme).all()


DRAWS = {
    "symmetric": lambda rng, size: rng.normal(size=size),
    "skewed": lambda rng, size: rng.exponential(size=size),
    "heavy tails": lambda rng, size: rng.standard_t(6, size=size),
}


@pytest.mark.parametrize("shape", DRAWS)
def test_monte_carlo_errors_are_the_spread_of_the_bounds_when_the_bootstrap_is_repeated(shape: str) -> None:
    rng = np.random.default_rng(20)
    draws = DRAWS[shape](rng, (500, 999))
    # Each bootstrap is a parameter of its own.
    table = bootstrap_intervals(parameters((), [*map(str, range(500))], ())[1:], np.zeros(500), draws[:, None], 0.95)
    for method, rows in table.groupby("method"):
        for side in ("lower", "upper"):
            spread = rows[side].std()
            stated = np.sqrt((rows[f"{side}_monte_carlo_error"].astype(float) ** 2).mean())
            # The SD of 500 bounds is known to 3 %; the estimators' own bias at 999 replicates is a few per cent.
            assert stated == pytest.approx(spread, rel=0.15), (method, side)


def test_the_error_of_a_median_is_that_of_maritz_and_jarrett() -> None:
    # By its definition, weights from the Beta(3, 3) distribution (Maritz & Jarrett 1978).
    values = np.array([1.0, 2.0, 4.0, 7.0, 11.0])
    u = np.linspace(0, 1, 6)
    weights = np.diff(10 * u**3 - 15 * u**4 + 6 * u**5)  # Beta(3, 3) distribution function
    expected = np.sqrt(weights @ values**2 - (weights @ values) ** 2)
    assert quantile(ordered([values]), 0.5) == (4.0, pytest.approx(expected, rel=1e-12))  # rounding


def test_the_ends_of_a_sample_are_its_extreme_quantiles() -> None:
    of = ordered([np.array([2.0, 4.0, 1.0])])
    np.testing.assert_equal([quantile(of, 0.01), quantile(of, 0.99)], [(1.0, np.nan), (4.0, np.nan)])


def test_replicates_are_counted_parameter_by_parameter() -> None:
    listed = parameters(["(Intercept)", "x"], ["mu"], (2,))
    replicates = np.random.default_rng(3).normal(size=(50, 5))
    replicates[:7, 1] = np.nan  # a correlation beside a zero variance
    replicates[-2:] = np.nan  # replicates that failed
    replicates[:, 3] = np.nan
    table = bootstrap_intervals(listed, np.zeros(5), replicates.T[:, None], 0.9)
    percentile = table[table["method"] == "percentile"]
    assert percentile["replicates"].tolist() == [48, 41, 48, 0, 48]
    nothing = table[table["parameter"] == ".sigma"]
    assert nothing[["lower", "upper", "bias"]].isna().all(axis=None)
    assert (nothing["note"] == "too few replicates").all()


@pytest.mark.parametrize("n", [3, 40, 199, 9999])
@pytest.mark.parametrize("probability", [0.001, 0.025, 0.5, 0.975])
def test_the_error_of_a_quantile_is_that_of_all_order_statistics(n: int, probability: float) -> None:
    """Only those near the rank are weighed: with all of them the error is the same, however heavy the tails."""
    values = np.sort(np.random.default_rng(1).standard_cauchy(n))
    rank = (n + 1) * probability
    weights = np.diff(betainc(rank, n + 1 - rank, np.linspace(0, 1, n + 1)))
    expected = np.sqrt(weights @ (values - weights @ values) ** 2) if 1 <= rank <= n else np.nan
    np.testing.assert_allclose(quantile(ordered([values]), probability)[1], expected, rtol=1e-12)


@pytest.mark.parametrize("value", [2.0, 0.1])  # the mean of 99 times 0.1 is not 0.1 where the sum is rounded
def test_replicates_without_variation_give_a_point_without_error(value: float) -> None:
    table = bootstrap_intervals(MU, np.array([value]), [[np.full(99, value)]], 0.9)
    assert (table[["lower", "upper"]] == value).all(axis=None)
    # Weights that add up to 1 but for rounding.
    assert (table[["lower_monte_carlo_error", "upper_monte_carlo_error"]] < 1e-15).all(axis=None)


def test_wald_intervals_are_lme4s(models) -> None:
    # confint(lmer(mathach ~ cses + (cses | school)), method = "Wald"), lme4 1.1-31
    fitted = models["random_coefficients"]
    listed = parameters(fitted.design.random_terms, fitted.design.fixed_terms, fitted.design.blocks)
    estimates = np.array([np.nan] * 4 + fitted.reml.beta.tolist())
    table = wald_intervals(listed, estimates, np.sqrt(np.diag(fitted.reml.beta_covariance)), 0.95)
    assert table["parameter"].tolist() == ["(Intercept)", "cses"]
    # lme4's optimum is known to about 1e-6.
    np.testing.assert_allclose(
        table[["lower", "upper"]], [[12.156974461, 13.11541167], [1.941813942, 2.44457866]], atol=1e-5
    )
    assert table[["replicates", "bias", "lower_monte_carlo_error"]].isna().all(axis=None)


@pytest.mark.parametrize("method", [satterthwaite, kenward_roger])
def test_an_interval_by_t_leaves_zero_out_where_p_is_below_its_level(method, models, config) -> None:
    """All effects of HSB's models and of sleepstudy's: at 95 % exactly where p < 0.05, and so at each p's own level."""
    fits = [(of.design, of.data, of.reml) for of in map(models.__getitem__, config["models"])] + [
        sleepstudy("sleepstudy")
    ]
    count = 0
    for design, data, fit in fits:
        of = method(data, fit)
        tests = t_tests(of)
        listed = parameters(design.random_terms, design.fixed_terms, design.blocks)
        table = t_intervals(listed, tests, of.method, 0.95)
        assert table["parameter"].tolist() == list(design.fixed_terms)
        clear = (table["lower"] > 0) | (table["upper"] < 0)
        np.testing.assert_array_equal(clear, tests.p_value < 0.05)
        for p in tests.p_value[(tests.p_value > 1e-6) & np.isfinite(tests.p_value)]:
            just_below, just_above = (tests.interval(1 - p * factor) for factor in (0.999, 1.001))
            crosses = [(low <= 0) & (high >= 0) for low, high in (just_below, just_above)]
            at = np.flatnonzero(tests.p_value == p)
            assert crosses[0][at].all()
            assert not crosses[1][at].any()
            count += 1
    assert count >= 5


def test_where_there_are_no_degrees_of_freedom_there_is_no_interval() -> None:
    missing = student(np.array([1.0]), np.array([2.0]), np.array([np.nan]))
    table = t_intervals(MU, missing, "satterthwaite", 0.95)
    assert table[["lower", "upper"]].isna().all(axis=None)
    assert table["note"].tolist() == ["the method gives no degrees of freedom"]


def test_columns_are_the_contract() -> None:
    table = bootstrap_intervals(MU, np.zeros(1), [[np.ones(5)]], 0.95)
    assert list(table.columns) == list(COLUMNS)


@pytest.mark.parametrize(("successes", "trials"), [(0, 20), (1, 20), (10, 20), (20, 20), (512, 10_000), (0, 1)])
@pytest.mark.parametrize("level", [0.95, 0.99])
def test_scipy_gives_the_same_interval_of_a_proportion(successes, trials, level) -> None:
    # SciPy finds the bounds by root search on the binomial distribution; both know them to about 1e-12.
    theirs = stats.binomtest(successes, trials).proportion_ci(level, method="exact")
    assert proportion_interval(successes, trials, level) == pytest.approx((theirs.low, theirs.high), rel=1e-8)


def test_the_rule_of_three() -> None:
    # None of n: the upper bound is 1 - 0.025^(1/n).
    assert proportion_interval(0, 100) == pytest.approx((0, 1 - 0.025 ** (1 / 100)), rel=1e-12)
