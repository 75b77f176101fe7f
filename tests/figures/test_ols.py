"""Regression lines, over all observations and within groups, against R's lm."""

import numpy as np
import pytest
from twolevel.figures.ols import fit_group_lines, fit_line

# d <- data.frame(g = c("b","a","a","b","c","a","b","d","d"), x = c(1,2,4,3,5,9,-2,6,6),
#                 y = c(2.5,1,3.5,0,7,4,8,1,3))
GROUP = ["b", "a", "a", "b", "c", "a", "b", "d", "d"]
X = [1, 2, 4, 3, 5, 9, -2, 6, 6]
Y = [2.5, 1, 3.5, 0, 7, 4, 8, 1, 3]
# R prints 15 digits; both sides round differently in the last of them.
EXACT = {"rel": 1e-13, "abs": 1e-13}


def test_line_through_all_observations_is_lm():
    line = fit_line(X, Y)
    # coef(lm(y ~ x, d))
    assert (line.intercept, line.slope) == pytest.approx((4.049202127659576, -0.189494680851064), **EXACT)
    assert line.at([0, 10]) == pytest.approx([4.049202127659576, 2.154255319148936], **EXACT)


def test_lines_within_groups_are_lm_of_each_group():
    lines = fit_group_lines(GROUP, X, Y)
    assert lines.group.tolist() == ["a", "b", "c", "d"]
    assert lines.n.tolist() == [3, 3, 1, 2]
    # for (g in c("a", "b")) print(coef(lm(y ~ x, d[d$g == g, ])))
    assert lines.intercept[:2] == pytest.approx([1.006410256410256, 4.57894736842105], **EXACT)
    assert lines.slope[:2] == pytest.approx([0.365384615384615, -1.61842105263158], **EXACT)


def test_group_with_one_value_of_x_has_no_line():
    lines = fit_group_lines(GROUP, X, Y)
    assert lines.has_line.tolist() == [True, True, False, False]  # c has one row, d has x = 6 twice
    assert np.isnan(lines.slope[2:]).all()
    assert np.isnan(lines.intercept[2:]).all()


def test_x_that_differs_only_by_rounding_of_its_mean_is_still_one_value():
    # 0.1 + 0.1 + 0.1 is not 3 * 0.1, so the centred x is 1e-17 rather than 0: a slope from it would be noise.
    lines = fit_group_lines(["a"] * 3, [0.1] * 3, [1, 2, 4])
    assert not lines.has_line.any()
    assert np.isnan(lines.slope).all()


def test_segments_span_each_groups_own_range():
    lines = fit_group_lines(GROUP, X, Y)
    segments = lines.take(lines.has_line).segments()
    assert segments[:, :, 0].tolist() == [[2, 9], [-2, 3]]
    assert segments[:, :, 1] == pytest.approx(
        np.array(
            [
                [1.006410256410256 + 2 * 0.365384615384615, 1.006410256410256 + 9 * 0.365384615384615],
                [4.57894736842105 + 2 * 1.61842105263158, 4.57894736842105 - 3 * 1.61842105263158],
            ]
        ),
        **EXACT,
    )


def test_a_large_mean_costs_no_digits():
    far = fit_group_lines(GROUP, np.array(X) + 2.0**40, Y)
    near = fit_group_lines(GROUP, X, Y)
    # x + 2^40 is exact; its group mean is rounded to 2^-12, relative to x differences of about 5.
    assert far.slope[:2] == pytest.approx(near.slope[:2], rel=1e-3)


def test_line_needs_two_values():
    with pytest.raises(ValueError, match="two distinct values"):
        fit_line([2, 2, 2], [1, 2, 3])
