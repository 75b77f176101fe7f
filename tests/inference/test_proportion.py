"""The exact interval of a proportion."""

import pytest
from scipy import stats
from twolevel.inference.proportion import proportion_interval


@pytest.mark.parametrize(("successes", "trials"), [(0, 20), (1, 20), (10, 20), (20, 20), (512, 10_000), (0, 1)])
@pytest.mark.parametrize("level", [0.95, 0.99])
def test_scipy_gives_the_same(successes, trials, level) -> None:
    # SciPy finds the bounds by root search on the binomial distribution; both know them to about 1e-12.
    theirs = stats.binomtest(successes, trials).proportion_ci(level, method="exact")
    assert proportion_interval(successes, trials, level) == pytest.approx((theirs.low, theirs.high), rel=1e-8)


def test_the_rule_of_three() -> None:
    # None of n: the upper bound is 1 - 0.025^(1/n).
    assert proportion_interval(0, 100) == pytest.approx((0, 1 - 0.025 ** (1 / 100)), rel=1e-12)
