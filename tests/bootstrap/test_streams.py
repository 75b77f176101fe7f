"""Random streams: the seed, the name and the replicate decide what is drawn, and nothing else does."""

import numpy as np
import pytest
from scipy.stats import chi2, kstest
from twolevel.bootstrap.streams import draw, sharing, stream_key

KEY = stream_key(2002, "models/one_way_anova")


# Numbers of normals with which 1,428, 10 and 2 replicates share a stream, and with which each has its own.
@pytest.mark.parametrize("n_normals", [7, 999, 5000, 12_000])
def test_a_replicate_draws_the_same_in_every_range(n_normals: int) -> None:
    normals, chi_squares = draw(KEY, range(1, 41), n_normals, df=30)
    for first, end in ((1, 2), (17, 18), (9, 11), (10, 20), (19, 31), (30, 41), (2, 40)):
        some, of_some = draw(KEY, range(first, end), n_normals, df=30)
        np.testing.assert_array_equal(some, normals[first - 1 : end - 1])
        np.testing.assert_array_equal(of_some, chi_squares[first - 1 : end - 1])


@pytest.mark.parametrize("replicate", [1, 2, 12345, 2**32, 2**64 - 1])
@pytest.mark.parametrize("n_normals", [3, 4000])
def test_a_stream_is_seeded_with_the_key_and_its_number(replicate: int, n_normals: int) -> None:
    number, row = divmod(replicate, sharing(n_normals))
    stream = np.random.Generator(np.random.SFC64(np.random.SeedSequence(KEY, spawn_key=(number,))))
    normals, chi_squares = draw(KEY, range(replicate, replicate + 1), n_normals, df=9)
    assert chi_squares[0] == stream.chisquare(9, size=sharing(n_normals))[row]
    np.testing.assert_array_equal(normals[0], stream.standard_normal((row + 1, n_normals))[row])


def test_streams_never_meet() -> None:
    # Of 65,536 independent normals, each made of 52 random bits or more, two are equal in one of two million tests.
    names = ("models/one_way_anova", "models/random_intercept", "comparisons/one_way_anova", "models/one_way_anova ")
    keys = [stream_key(seed, name) for seed in (0, 1, 2002, 20020) for name in names]
    assert len(set(keys)) == len(keys)
    firsts = (1, 2**31, 2**32, 2**63)
    drawn = np.concatenate([draw(key, range(first, first + 4), 256, df=0)[0] for key in keys for first in firsts])
    assert len(np.unique(drawn)) == drawn.size == 65_536


def test_a_long_stream_does_not_reach_its_neighbour() -> None:
    long, _ = draw(KEY, range(1, 2), 200_000, df=0)
    neighbour, _ = draw(KEY, range(2, 3), 200_000, df=0)
    assert not np.isin(neighbour[0, :64], long).any()


def test_a_seed_and_a_name_do_not_run_into_each_other() -> None:
    assert stream_key(1, "2 x") != stream_key(12, " x")


@pytest.mark.parametrize("df", [1, 7000])
def test_draws_are_normal_and_chi_square(df: int) -> None:
    # Over replicates, as the bootstrap uses them: first normals, last normals, and chi-squares, each a sample of 4,000
    # independent numbers. Fixed seed; one of the three falls below 0.001 in three of a thousand correct generators.
    normals, chi_squares = draw(KEY, range(1, 4001), 3, df)
    assert kstest(normals[:, 0], "norm").pvalue > 1e-3
    assert kstest(normals[:, -1], "norm").pvalue > 1e-3
    assert kstest(chi_squares, chi2(df).cdf).pvalue > 1e-3
    # And independent of their neighbours: correlations of 4,000 pairs have a standard error of 0.016.
    for one, other in ((normals[1:, 0], normals[:-1, 0]), (normals[:, 0], normals[:, 1]), (normals[:, 0], chi_squares)):
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.07


def test_without_unseen_degrees_of_freedom_nothing_is_unseen() -> None:
    assert (draw(KEY, range(1, 4), 2, df=0)[1] == 0).all()


def test_no_replicates_are_an_empty_draw() -> None:
    normals, chi_squares = draw(KEY, range(5, 5), 3, df=2)
    assert (normals.shape, chi_squares.shape) == ((0, 3), (0,))
