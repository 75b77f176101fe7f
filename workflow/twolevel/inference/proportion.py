"""An interval for a proportion that was counted."""

from scipy.special import betaincinv


def proportion_interval(successes: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """Exact interval of Clopper & Pearson (1934): it covers the true proportion at least as often as `level` says.

    The bounds are quantiles of beta distributions. (SciPy has it as `scipy.stats.binomtest(...).proportion_ci()`, in a
    package that takes a job half a second to import.)
    """
    tail = (1 - level) / 2
    lower = betaincinv(successes, trials - successes + 1, tail) if successes else 0.0
    upper = betaincinv(successes + 1, trials - successes, 1 - tail) if successes < trials else 1.0
    return float(lower), float(upper)
