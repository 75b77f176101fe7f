"""What a normal quantile-quantile plot shows: positions and line as R defines them, and a band."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, ndtri

from twolevel.figures.ols import Line


@dataclass(frozen=True)
class QuantilePlot:
    """Points of a normal QQ plot in ascending order, its reference line and its pointwise band.

    Attributes
    ----------
    theoretical : (n,) standard normal quantiles at the plotting positions.
    sample : (n,) the values, sorted.
    line : through the first and third quartiles of both.
    lower, upper : (n,) where each order statistic of a normal sample of this size lies with the given
        probability, were the line the population's.
    """

    theoretical: NDArray[np.float64]
    sample: NDArray[np.float64]
    line: Line
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]


def plotting_positions(n: int) -> NDArray[np.float64]:
    """Probabilities at which `n` sorted values are plotted: (i - a) / (n + 1 - 2a), as R's ppoints.

    a is 3/8 for up to 10 values and 1/2 for more (Blom 1958; R Core Team, help page of ppoints).
    """
    a = 3 / 8 if n <= 10 else 1 / 2
    return (np.arange(1, n + 1, dtype=np.float64) - a) / (n + 1 - 2 * a)


def quartile_line(values: ArrayLike) -> Line:
    """Line through the first and third quartiles of `values` and of the standard normal, as R's qqline.

    Sample quartiles are R's type 7, NumPy's default.
    """
    first, third = np.quantile(np.asarray(values, dtype=float), [0.25, 0.75])
    z_first, z_third = ndtri([0.25, 0.75])
    slope = (third - first) / (z_third - z_first)
    return Line(float(first - slope * z_first), float(slope))


def normal_quantile_plot(values: ArrayLike, level: float = 0.95) -> QuantilePlot:
    """Everything that a normal QQ plot of `values` draws.

    The i-th smallest of n uniform values follows Beta(i, n + 1 - i) (David and Nagaraja 2003, chapter 2), so
    its quantiles, taken through the normal quantile function and the reference line, bound the i-th smallest
    of n normal values. The band is pointwise, and exact for independent values of which the reference line is
    the population's.

    Parameters
    ----------
    values : (n,) in any order.
    level : probability that one point of a normal sample lies in its part of the band.
    """
    sample = np.sort(np.asarray(values, dtype=float))
    n = len(sample)
    line = quartile_line(sample)
    rank = np.arange(1, n + 1)
    tail = (1 - level) / 2
    lower, upper = (line.at(ndtri(betaincinv(rank, n + 1 - rank, p))) for p in (tail, 1 - tail))
    return QuantilePlot(ndtri(plotting_positions(n)), sample, line, lower, upper)
