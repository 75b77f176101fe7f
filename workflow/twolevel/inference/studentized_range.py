"""The distribution of the studentized range, by which Tukey adjusts comparisons of several means.

SciPy has it as `scipy.stats.studentized_range`, but needs a third of a second for a quantile, and a table of contrasts
has dozens.
"""

from functools import cache

import numpy as np
from scipy.optimize import root_scalar
from scipy.special import chdtri, gammaln, ndtr

from twolevel.model.design import Floats

NODES = 160

# Beyond these the normal density, and the tails of the chi distribution, are below what a double shows beside 1.
FARTHEST = 8.5
TAIL = 1e-16


def upper_tail(q: float, k: int, df: float) -> float:
    """The chance that the range of k standard normal numbers over an independent root of chi-square(df)/df exceeds q.

    P(range < w) = k times the integral of phi(z) (Phi(z) - Phi(z - w))^(k - 1), and this is averaged over the root s:
    w = q s. Both integrals are by Gauss and Legendre's rule.
    """
    if not np.isfinite(df):
        return np.nan
    roots, weights = _root_of_chi_square(df)
    return float(np.clip(weights @ (1.0 - _range(q * roots, k)), 0.0, 1.0))


def quantile(probability: float, k: int, df: float) -> float:
    """The value that the studentized range stays below with this probability."""
    if not np.isfinite(df):
        return np.nan
    high = 2.0
    while upper_tail(high, k, df) > 1 - probability:
        high *= 2.0
    found = root_scalar(lambda q: upper_tail(q, k, df) - (1 - probability), bracket=(0.0, high), xtol=1e-10)
    return float(found.root)


def _range(w: Floats, k: int) -> Floats:
    """P(range of k standard normal numbers < w), elementwise."""
    nodes, weights = _rule()
    z = FARTHEST * nodes
    density = FARTHEST * weights * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return np.asarray(k * ((ndtr(z) - ndtr(z - w[:, None])) ** (k - 1)) @ density)


@cache
def _rule() -> tuple[Floats, Floats]:
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    return nodes, weights


def _root_of_chi_square(df: float) -> tuple[Floats, Floats]:
    """Points s of sqrt(chi-square(df) / df), and weights that sum to one."""
    low, high = (np.sqrt(chdtri(df, tail) / df) for tail in (1 - TAIL, TAIL))
    nodes, weights = _rule()
    s = low + (high - low) * (nodes + 1) / 2
    log_density = np.log(2) + df / 2 * np.log(df / 2) - gammaln(df / 2) + (df - 1) * np.log(s) - df * s**2 / 2
    density = weights * np.exp(log_density - log_density.max())
    return s, density / density.sum()
