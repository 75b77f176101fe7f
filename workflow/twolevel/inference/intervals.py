"""Confidence intervals from replicates, of fixed effects by t and z, as one tidy table; and of a proportion."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import betainc, betaincinv, ndtri

from twolevel.inference.fixed_tests import FixedTests
from twolevel.model.design import Floats
from twolevel.model.parameters import Parameter

# The methods that need replicates.
FROM_REPLICATES = ("percentile", "basic", "normal")

# replicates, bias and the Monte Carlo errors are missing where nothing was simulated. note says why a bound is missing
# or is not what it seems; it is empty otherwise.
COLUMNS = {
    "parameter": "str",
    "label": "str",
    "estimate": "float64",
    "method": "str",
    "level": "float64",
    "lower": "float64",
    "upper": "float64",
    "replicates": "Int64",
    "bias": "float64",
    "lower_monte_carlo_error": "float64",
    "upper_monte_carlo_error": "float64",
    "note": "str",
}


def bootstrap_intervals(
    listed: Sequence[Parameter], estimates: Floats, replicates: Iterable[Floats], level: float
) -> pd.DataFrame:
    """Percentile, basic and normal intervals as R's `boot.ci` defines them (Davison & Hinkley 1997, sections 5.2-5.3).

    As there, a bound of the basic and the normal interval can lie where the parameter cannot.

    Parameters
    ----------
    listed : the m parameters
    estimates : (m,)
    replicates : (B,) of each parameter; those that are not finite, as a correlation beside a zero variance, are left
        out parameter by parameter, and `replicates` in the table counts those used
    level : for example 0.95

    Returns
    -------
    a row for each method and parameter, `COLUMNS`; bias is the replicates' mean less the estimate, and the Monte Carlo
    errors are the standard deviations of the bounds over repetitions of the bootstrap
    """
    rows = []
    for parameter, estimate, column in zip(listed, estimates, replicates, strict=True):
        used = column[np.isfinite(column)]
        used.sort()  # in place: there may be millions
        simulated = {"replicates": len(used), "bias": used.mean() - estimate if len(used) else np.nan}
        percentile = _percentile(used, level)
        kinds = {
            "percentile": percentile,
            "basic": _mirrored(percentile, estimate),
            "normal": _normal(used, estimate, level),
        }
        rows += [interval_row(parameter, estimate, kind, level, **simulated, **of) for kind, of in kinds.items()]
    return interval_table(rows, FROM_REPLICATES)


def wald_intervals(listed: Sequence[Parameter], estimates: Floats, std_errors: Floats, level: float) -> pd.DataFrame:
    """Estimate -+ z standard errors, for the fixed effects alone: as lme4's `confint(method = "Wald")`.

    Parameters
    ----------
    listed : the m parameters
    estimates : (m,)
    std_errors : (p,) of the fixed effects
    level : for example 0.95
    """
    z = ndtri((1 + level) / 2)
    fixed = [pair for pair in zip(listed, estimates, strict=True) if pair[0].kind == "fixed"]
    rows = [
        interval_row(parameter, estimate, "wald", level, lower=estimate - z * error, upper=estimate + z * error)
        for (parameter, estimate), error in zip(fixed, std_errors, strict=True)
    ]
    return interval_table(rows, ("wald",))


def t_intervals(listed: Sequence[Parameter], tests: FixedTests, method: str, level: float) -> pd.DataFrame:
    """Intervals of the fixed effects alone, by Student's t with each effect's own degrees of freedom.

    At 95 % an interval leaves zero out exactly where the test's p value is below 0.05.

    Parameters
    ----------
    listed : the m parameters
    tests : of the p fixed effects
    method : what gave the degrees of freedom, "satterthwaite" or "kenward_roger"
    level : for example 0.95
    """
    fixed = [parameter for parameter in listed if parameter.kind == "fixed"]
    bounds = zip(fixed, tests.estimate, *tests.interval(level), strict=True)
    rows = [
        interval_row(parameter, estimate, method, level, lower=lower, upper=upper)
        | ({"note": "the method gives no degrees of freedom"} if np.isnan(lower) else {})
        for parameter, estimate, lower, upper in bounds
    ]
    return interval_table(rows, (method,))


def interval_row(parameter: Parameter, estimate: float, method: str, level: float, **rest: Any) -> dict[str, Any]:
    """One interval; `rest` are further columns."""
    about = {"parameter": parameter.name, "label": parameter.label, "estimate": estimate}
    return about | {"method": method, "level": level, "note": ""} | rest


def interval_table(rows: Iterable[dict[str, Any]], methods: Sequence[str]) -> pd.DataFrame:
    """Intervals as a table, method by method."""
    ordered = sorted(rows, key=lambda row: methods.index(row["method"]))
    return pd.DataFrame(ordered, columns=list(COLUMNS)).astype(COLUMNS)


def proportion_interval(successes: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """Exact interval of Clopper & Pearson (1934): it covers the true proportion at least as often as `level` says.

    The bounds are quantiles of beta distributions. SciPy has it as `scipy.stats.binomtest(...).proportion_ci()`, but a
    job needs half a second to import `scipy.stats`.
    """
    tail = (1 - level) / 2
    lower = betaincinv(successes, trials - successes + 1, tail) if successes else 0.0
    upper = betaincinv(successes + 1, trials - successes, 1 - tail) if successes < trials else 1.0
    return float(lower), float(upper)


def quantile(ordered: Floats, probability: float) -> float:
    """Quantile as `boot.ci` takes it: order statistic (R + 1) p, by interpolation on the normal quantiles' scale.

    Parameters
    ----------
    ordered : (R,) sorted; beyond its ends the quantile is the end itself
    """
    n = len(ordered)
    if n == 0:
        return np.nan
    rank = (n + 1) * probability
    k = int(rank)
    if k == 0 or k >= n:
        return float(ordered[0] if k == 0 else ordered[-1])
    low, at, high = ndtri(np.array([k, rank, k + 1]) / (n + 1))
    return float(ordered[k - 1] + (at - low) / (high - low) * (ordered[k] - ordered[k - 1]))


def quantile_error(ordered: Floats, probability: float) -> float:
    """Standard error of a quantile of a sample, by the estimator of Maritz & Jarrett (1978), which needs no density.

    Order statistic r of n has a Beta(r, n + 1 - r) distribution on the scale of probabilities; the sample's own
    distribution function brings it to the scale of the values.
    """
    n = len(ordered)
    rank = (n + 1) * probability
    if not 1 <= rank <= n:
        return np.nan
    # Farther from the rank than this the weights are below 1e-17.
    reach = 40 + 12 * np.sqrt(rank * (1 - probability))
    first, end = max(0, int(rank - reach)), min(n, int(rank + reach))
    weights = np.diff(betainc(rank, n + 1 - rank, np.arange(first, end + 1) / n))
    near = ordered[first:end]
    return float(np.sqrt(weights @ (near - weights @ near) ** 2))


def _percentile(ordered: Floats, level: float) -> dict[str, Any]:
    low, high = (1 - level) / 2, (1 + level) / 2
    return {
        "lower": quantile(ordered, low),
        "upper": quantile(ordered, high),
        "lower_monte_carlo_error": quantile_error(ordered, low),
        "upper_monte_carlo_error": quantile_error(ordered, high),
        "note": _too_few(ordered, low),
    }


def _mirrored(percentile: dict[str, Any], estimate: float) -> dict[str, Any]:
    """Basic interval: the percentile interval reflected in the estimate."""
    return {
        "lower": 2 * estimate - percentile["upper"],
        "upper": 2 * estimate - percentile["lower"],
        "lower_monte_carlo_error": percentile["upper_monte_carlo_error"],
        "upper_monte_carlo_error": percentile["lower_monte_carlo_error"],
        "note": percentile["note"],
    }


def _normal(ordered: Floats, estimate: float, level: float) -> dict[str, Any]:
    """Estimate less bias, -+ z standard deviations; Monte Carlo errors by the delta method from four moments."""
    n, z = len(ordered), ndtri((1 + level) / 2)
    if n < 2:
        return {"lower": np.nan, "upper": np.nan, "note": _too_few(ordered, 0.0)}
    mean, sd = ordered.mean(), ordered.std(ddof=1)
    deviation = ordered - mean
    squared = deviation**2
    third, fourth = (deviation * squared).mean(), (squared**2).mean()  # other powers take ten times as long
    mean_sd, sd_sd = (third / (2 * sd), (fourth - sd**4) / (4 * sd**2)) if sd > 0 else (0.0, 0.0)
    # A bound is 2 estimate - mean -+ z sd, and var(mean), cov(mean, sd), var(sd) are these over n.
    lower_error, upper_error = (np.sqrt((sd**2 + sign * 2 * z * mean_sd + z**2 * sd_sd) / n) for sign in (1, -1))
    return {
        "lower": 2 * estimate - mean - z * sd,
        "upper": 2 * estimate - mean + z * sd,
        "lower_monte_carlo_error": lower_error,
        "upper_monte_carlo_error": upper_error,
    }


def _too_few(ordered: Floats, low: float) -> str:
    if len(ordered) < 2:
        return "too few replicates"
    return "" if (len(ordered) + 1) * low > 1 else "too few replicates: the bound is the most extreme one"
