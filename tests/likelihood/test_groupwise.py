"""Sums over groups in blocks, against the same sums by matrices written out."""

import numpy as np
import pytest
from simulated import unbalanced_table
from twolevel.likelihood import groupwise
from twolevel.likelihood.crossproducts import CrossProducts, cross_products
from twolevel.likelihood.deviance import factor, pack, profile
from twolevel.likelihood.groupwise import BLOCK, in_blocks, out_of_blocks, reduce_groups
from twolevel.model.formula import build_design


@pytest.mark.parametrize("n_groups", [1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 3])
def test_blocks_hold_every_group_once_and_zeros(n_groups: int) -> None:
    per_group = np.random.default_rng(1).standard_normal((n_groups, 2, 3))
    blocks = in_blocks(per_group)
    n_blocks, *shape, size = blocks.shape
    assert shape == [2, 3]
    assert size <= BLOCK
    assert n_blocks * size - n_groups < n_blocks, "more filling than one group for each block"
    assert blocks.flags.c_contiguous
    np.testing.assert_array_equal(out_of_blocks(blocks, n_groups), per_group)
    assert np.abs(blocks).sum() == pytest.approx(np.abs(per_group).sum(), rel=1e-13)


@pytest.fixture
def data() -> CrossProducts:
    return cross_products(build_design("y ~ x * w + t + (x + t | g)", unbalanced_table()))


THETA = np.array([0.9, 0.2, -0.4, 0.7, 0.3, 0.5])


@pytest.mark.parametrize("block", [1, 5, 7, 23, 24, 1000])
def test_the_size_of_a_block_changes_rounding_alone(block: int, data: CrossProducts, monkeypatch) -> None:
    # 24 groups; of blocks of 5 and 7 the last is filled up with groups of zeros. A criterion of some 600 and its
    # derivatives are sums of 24 terms: 1e-12 of them.
    expected = {reml: profile(THETA, data, reml) for reml in (True, False)}
    monkeypatch.setattr(groupwise, "BLOCK", block)
    again = cross_products(build_design("y ~ x * w + t + (x + t | g)", unbalanced_table()))
    assert again.stacked.shape[0] == -(-24 // block)
    for reml, of in expected.items():
        at = profile(THETA, again, reml)
        assert at.criterion == pytest.approx(of.criterion, rel=1e-12)
        assert at.sigma == pytest.approx(of.sigma, rel=1e-12)
        np.testing.assert_allclose(at.gradient, of.gradient, rtol=0, atol=1e-11 * np.abs(of.gradient).max())
        np.testing.assert_allclose(at.hessian, of.hessian, rtol=0, atol=1e-11 * np.abs(of.hessian).max())
        np.testing.assert_allclose(at.beta, of.beta, rtol=1e-11)


@pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
@pytest.mark.parametrize(
    ("random", "theta"), [("1", [0.9]), ("1", [0.0]), ("x", [0.9, 0.2, 0.7]), ("x", [0.9, 0.2, 0.0])]
)
def test_the_loops_for_few_effects_are_those_for_any_number(random: str, theta: list[float], reml: bool) -> None:
    # A third random effect of variance zero takes the general loops, and changes nothing. The bases of Z are nested.
    q = {1: 1, 3: 2}[len(theta)]
    lower = np.zeros((3, 3))
    lower[:q, :q] = factor(np.array(theta), (q,))
    few, all_three = (
        cross_products(build_design(f"y ~ x * w + t + ({effects} | g)", unbalanced_table()))
        for effects in (random, "x + t")
    )
    found, expected = profile(np.array(theta), few, reml), profile(pack(lower, (3,)), all_three, reml)
    assert found.criterion == pytest.approx(expected.criterion, rel=1e-13)
    assert found.sigma == pytest.approx(expected.sigma, rel=1e-13)
    np.testing.assert_allclose(found.beta, expected.beta, rtol=1e-11)
    kept = [0] if q == 1 else [0, 1, 3]  # of the lower triangle, column by column
    gradient, hessian = expected.gradient[kept], expected.hessian[np.ix_(kept, kept)]
    np.testing.assert_allclose(found.gradient, gradient, rtol=0, atol=1e-11 * np.abs(gradient).max())
    np.testing.assert_allclose(found.hessian, hessian, rtol=0, atol=1e-11 * np.abs(hessian).max())


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e3])
def test_logarithms_of_determinants_whose_product_overflows(size: int, data: CrossProducts) -> None:
    # 24 groups 50 times over: at a factor of 1,000 the product of their determinants has 17,000 digits.
    lower = size * factor(THETA, (3,))
    many = in_blocks(np.tile(np.concatenate([data.ztz, data.ztx, data.zty[:, :, None]], axis=2), (50, 1, 1)))
    totals = np.diag(np.full(many.shape[2] - 2, 1e3))
    found = reduce_groups(lower, many, np.empty_like(many), totals)
    # |I + L'AL| through the singular values of RL, A = R'R: no cancellation, whatever the size.
    values, vectors = np.linalg.eigh(data.ztz)
    roots = np.sqrt(np.maximum(values, 0.0))[:, :, None] * np.swapaxes(vectors, 1, 2)
    ranks = np.linalg.matrix_rank(data.ztz, tol=1e-8)
    singular = np.linalg.svd(roots @ lower, compute_uv=False)
    singular[np.arange(3) >= ranks[:, None]] = 0.0
    expected = 50 * np.log1p(singular**2).sum()
    # In groups of less than full rank a pivot is 1 by cancellation from 1e6: 1e-10 of it is rounding.
    assert found == pytest.approx(expected, rel=1e-9)
