"""Samples in blocks: the moments and order statistics of the whole, held or not; a large sample takes little memory."""

import tracemalloc
from collections.abc import Iterator
from dataclasses import astuple, dataclass

import numpy as np
import pytest
from scipy import stats
from twolevel.inference import samples
from twolevel.inference.quantiles import quantile
from twolevel.inference.samples import histogram, moments, ordered, reached, size

N = 3000


def drawn() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    normal = rng.normal(size=N)
    # All that are looked at first are alike: at an end, where one in 60 is, and in the middle, where one in 6 is.
    misleading = np.where(np.arange(N) % 60 == 0, 9.0, normal)
    hollow = np.where(np.arange(N) % 6 == 0, 0.0, normal + np.where(rng.random(N) < 0.5, -9.0, 9.0))
    return {
        "normal": normal,
        "heavy tails": rng.standard_cauchy(N),
        "three of five are zero": np.where(rng.random(N) < 0.6, 0.0, normal),
        "a few values": rng.integers(0, 4, N).astype(float),
        "sorted": np.sort(normal),
        "misleading": misleading,
        "hollow": hollow,
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
    values, whole = SAMPLES[shape], np.sort(SAMPLES[shape])
    of = ordered(in_blocks(values, rng))
    assert of.count == N
    assert len(of.members) <= held
    spans = [(0, 1), (0, N), (N - 1, N), (N // 2, N // 2 + 1), (40, 110), (1800, 1830), (2890, 2960)]
    spans += [tuple(np.sort(rng.choice(N + 1, 2, replace=False))) for _ in range(20)]
    for first, end in spans:
        np.testing.assert_array_equal(of.statistics(first, end), whole[first:end], err_msg=f"{first} to {end}")


@pytest.mark.parametrize("shape", SAMPLES)
def test_quantiles_are_those_of_the_whole(shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    probabilities = (1e-5, 0.005, 0.025, 0.5, 0.95, 0.99999)
    of = ordered([SAMPLES[shape]])
    whole = [quantile(of, probability) for probability in probabilities]
    monkeypatch.setattr(samples, "HELD", 500)
    of = ordered(in_blocks(SAMPLES[shape], np.random.default_rng(3)))
    assert len(of.members) == 500
    np.testing.assert_equal([quantile(of, probability) for probability in probabilities], whole)


def test_a_sample_that_does_not_mislead_is_passed_over_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "HELD", 500)
    passes = []

    @dataclass(frozen=True)
    class Counted:
        def __iter__(self) -> Iterator[np.ndarray]:
            passes.append(1)
            return iter([SAMPLES["normal"]])

    of = ordered(Counted())
    passes.clear()
    quantile(of, 0.025)
    assert len(passes) == 1


def test_a_sample_that_changes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="the sample has 3000 numbers at one pass and 0 at the next"):
        moments(iter([SAMPLES["normal"]]))
    with pytest.raises(ValueError, match="the sample has 3000 numbers at one pass and 0 at the next"):
        ordered(iter([SAMPLES["normal"]]))
    monkeypatch.setattr(samples, "HELD", 500)
    of = ordered(blocks := [SAMPLES["normal"]])
    blocks[0] = blocks[0][:2000]
    with pytest.raises(ValueError, match="the sample no longer has 3000 numbers"):
        of.statistics(N - 1, N)


@pytest.mark.parametrize("nothing", [[], [np.array([])], [np.array([np.nan, np.inf])]])
def test_a_sample_may_be_empty(nothing: list[np.ndarray]) -> None:
    assert size(nothing) == moments(nothing).count == ordered(nothing).count == reached(nothing, 0.0) == 0
    np.testing.assert_equal(quantile(ordered(nothing), 0.5), (np.nan, np.nan))
    np.testing.assert_array_equal(histogram(nothing, 3, 0.0, 1.0)[0], [0, 0, 0])


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
        of = ordered(sample)
        for probability in (0.025, 0.5):
            value, error = quantile(of, probability)
            assert value == pytest.approx(stats.norm.ppf(probability), abs=4 * error)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # 2 MB are in order, twice while they are put together; the rest is blocks, and what is collected.
    assert peak < 10e6
