"""Samples in blocks: the moments and order statistics of the whole, held or not; a large sample takes little memory."""

import tracemalloc
from collections.abc import Iterator
from dataclasses import astuple, dataclass

import numpy as np
import pytest
from scipy import stats
from twolevel.inference import samples
from twolevel.inference.quantiles import around, quantile, quantile_error
from twolevel.inference.samples import OrderStatistics, histogram, moments, order_statistics

N = 3000


def drawn() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    normal = rng.normal(size=N)
    # Of those that one in 60 is looked at first, all are alike.
    misleading = np.where(np.arange(N) % 60 == 0, 9.0, normal)
    return {
        "normal": normal,
        "heavy tails": rng.standard_cauchy(N),
        "three of five are zero": np.where(rng.random(N) < 0.6, 0.0, normal),
        "a few values": rng.integers(0, 4, N).astype(float),
        "sorted": np.sort(normal),
        "misleading": misleading,
        "all alike": np.full(N, 0.1),
    }


SAMPLES = drawn()


def in_blocks(values: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """Blocks of any length, among them empty ones, with numbers between that do not count."""
    ends = np.sort(rng.integers(0, len(values), 12))
    return [np.insert(block, 0, [np.nan, np.inf, -np.inf][: k % 4]) for k, block in enumerate(np.split(values, ends))]


@pytest.mark.parametrize("shape", SAMPLES)
def test_moments_are_those_of_the_whole(shape: str) -> None:
    values = SAMPLES[shape]
    of = moments(in_blocks(values, np.random.default_rng(1)))
    assert (of.count, of.smallest, of.largest) == (N, values.min(), values.max())
    expected = [values.mean(), *(((values - values.mean()) ** power).mean() for power in (2, 3, 4))]
    # Sums of 3,000 numbers in another order; odd moments cancel, to the size of their terms.
    scale = np.maximum(np.abs(expected), np.abs(values - values.mean()).max() ** np.arange(1, 5))
    assert (np.abs(np.array(astuple(of)[3:]) - expected) <= 1e-12 * scale + 1e-16).all()
    assert of.variance == pytest.approx(values.var(ddof=1), rel=1e-12, abs=1e-30)


def test_moments_of_a_function_and_of_nothing() -> None:
    of = moments([np.array([-1.0, 2.0]), np.array([np.nan, 4.0])], np.abs)
    assert (of.smallest, of.mean, of.variance) == (1.0, pytest.approx(7 / 3), pytest.approx(7 / 3))
    assert moments([np.array([np.nan])]).count == 0
    assert np.isnan(moments([np.array([1.0])]).variance)


@pytest.mark.parametrize("shape", SAMPLES)
@pytest.mark.parametrize("held", [50, 500, N])
def test_order_statistics_are_those_of_the_whole(shape: str, held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "HELD", held)
    rng = np.random.default_rng(2)
    values, ordered = SAMPLES[shape], np.sort(SAMPLES[shape])
    spans = [(0, 1), (0, N), (N - 1, N), (N // 2, N // 2 + 1), (40, 110), (2890, 2960)]
    spans += [tuple(np.sort(rng.choice(N + 1, 2, replace=False))) for _ in range(20)]
    for first, end in spans:
        found = order_statistics(in_blocks(values, rng), N, first, end)
        np.testing.assert_array_equal(found.between(first, end), ordered[first:end], err_msg=f"{first} to {end}")


@pytest.mark.parametrize("shape", SAMPLES)
def test_quantiles_are_those_of_the_whole(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "HELD", 500)
    whole = OrderStatistics(N, 0, np.sort(SAMPLES[shape]))
    for probability in (1e-5, 0.005, 0.025, 0.5, 0.95, 0.99999):
        near = around(in_blocks(SAMPLES[shape], np.random.default_rng(3)), N, probability)
        assert quantile(near, probability) == quantile(whole, probability)
        np.testing.assert_equal(quantile_error(near, probability), quantile_error(whole, probability))


def test_a_histogram_is_that_of_the_whole() -> None:
    values = SAMPLES["normal"]
    expected = np.histogram(values, 20, (-2.0, 3.0))
    for found, whole in zip(
        histogram(in_blocks(values, np.random.default_rng(4)), 20, -2.0, 3.0), expected, strict=True
    ):
        np.testing.assert_array_equal(found, whole)


@dataclass(frozen=True)
class Drawn:
    """Normal numbers that are drawn anew at each pass."""

    blocks: int

    def __iter__(self) -> Iterator[np.ndarray]:
        rng = np.random.default_rng(6)
        return (rng.standard_normal(2**16) for _ in range(self.blocks))


def test_of_a_large_sample_a_small_part_is_held() -> None:
    sample = Drawn(64)  # 34 MB
    count = 64 * 2**16
    tracemalloc.start()
    try:
        assert moments(sample).count == count
        for probability in (0.025, 0.5):
            near = around(sample, count, probability)
            expected = stats.norm.ppf(probability)
            assert quantile(near, probability) == pytest.approx(expected, abs=4 * quantile_error(near, probability))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # 2 MB are the members that are sorted, twice while they are put together; the rest is blocks and what is collected.
    assert peak < 10e6
