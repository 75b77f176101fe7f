"""Positions and line of a normal QQ plot against R's qqnorm and qqline, and what its band promises."""

import numpy as np
import pytest
from scipy.special import ndtr
from twolevel.figures.qq import normal_quantile_plot, plotting_positions, quartile_line

# With v <- c(3.1, -0.4, 2.2, 5.9, 1.0, 0.3, -2.8); w <- c(v, 4.4, -1.5, 0.8, 7.7, 2.9)
SEVEN = [3.1, -0.4, 2.2, 5.9, 1.0, 0.3, -2.8]
TWELVE = [*SEVEN, 4.4, -1.5, 0.8, 7.7, 2.9]
# R prints 15 digits; two implementations of the normal quantile agree to about as many.
EXACT = {"rel": 1e-12, "abs": 1e-12}


def test_positions_up_to_ten_values_are_qqnorm():
    # sort(qqnorm(v, plot.it = FALSE)$x)
    expected = [-1.364488748170328, -0.758292556991152, -0.352933986126916, 0.0]
    plot = normal_quantile_plot(SEVEN)
    assert plot.theoretical[:4] == pytest.approx(expected, **EXACT)
    assert plot.theoretical == pytest.approx(-plot.theoretical[::-1], **EXACT)
    assert plot.sample.tolist() == sorted(SEVEN)


def test_positions_beyond_ten_values_are_qqnorm():
    # sort(qqnorm(w, plot.it = FALSE)$x)
    expected = [
        -1.731664396122245,
        -1.150349380376008,
        -0.812217801499913,
        -0.548522282698098,
        -0.318639363964375,
        -0.104633455614075,
    ]
    assert normal_quantile_plot(TWELVE).theoretical[:6] == pytest.approx(expected, **EXACT)


def test_positions_change_their_definition_after_ten():
    assert plotting_positions(10)[0] == pytest.approx((1 - 3 / 8) / (10 + 1 / 4), rel=1e-15)  # ppoints(10)[1]
    assert plotting_positions(11)[0] == pytest.approx((1 - 1 / 2) / 11, rel=1e-15)  # ppoints(11)[1]


@pytest.mark.parametrize(
    ("values", "intercept", "slope"),
    [(SEVEN, 1.3, 2.00151299498256), (TWELVE, 1.775, 2.44629366053424)],
)
def test_reference_line_is_qqline(values, intercept, slope):
    # By yq <- quantile(v, c(.25, .75)); xq <- qnorm(c(.25, .75)); s <- diff(yq) / diff(xq);
    # and c(yq[1] - s * xq[1], s), which is what the body of qqline computes
    line = quartile_line(values)
    assert (line.intercept, line.slope) == pytest.approx((intercept, slope), **EXACT)


def test_band_is_the_quantile_of_each_order_statistic():
    plot = normal_quantile_plot(SEVEN)
    # i <- 1:7; qnorm(qbeta(.025, i, 8 - i))
    lower = [
        -2.686495424026561,
        -1.790428000148693,
        -1.287337848574243,
        -0.900032161987696,
        -0.552155634728713,
        -0.198628183121368,
        0.228531855118208,
    ]
    assert (plot.lower - plot.line.intercept) / plot.line.slope == pytest.approx(lower, **EXACT)
    assert (plot.upper - plot.line.intercept) / plot.line.slope == pytest.approx([-z for z in reversed(lower)], **EXACT)


def test_band_holds_each_point_of_a_normal_sample_as_often_as_it_says():
    samples = np.sort(np.random.default_rng(7).standard_normal((4000, 20)), axis=1)
    plot = normal_quantile_plot(samples[0], level=0.9)
    lower, upper = ((edge - plot.line.intercept) / plot.line.slope for edge in (plot.lower, plot.upper))
    covered = ((samples >= lower) & (samples <= upper)).mean(axis=0)
    # 4 standard errors of a proportion of 0.9 in 4000 samples, for each of 20 points
    assert np.abs(covered - 0.9).max() < 4 * np.sqrt(0.9 * 0.1 / 4000)


def test_normal_quantiles_are_inverted_by_the_normal_distribution():
    plot = normal_quantile_plot(np.arange(7185.0))
    assert ndtr(plot.theoretical) == pytest.approx(plotting_positions(7185), rel=1e-13)
