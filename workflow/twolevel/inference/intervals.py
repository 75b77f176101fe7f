"""Confidence intervals from replicates, of fixed effects by t and z, as one tidy table; and of a proportion."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import betaincinv, ndtri

from twolevel.inference.fixed_tests import FixedTests
from twolevel.inference.quantiles import quantile
from twolevel.inference.samples import Moments, Sample, moments, ordered
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
    listed: Sequence[Parameter], estimates: Floats, replicates: Iterable[Sample], level: float
) -> pd.DataFrame:
    """Percentile, basic and normal intervals as R's `boot.ci` defines them (Davison & Hinkley 1997, sections 5.2-5.3).

    As there, a bound of the basic and the normal interval can lie where the parameter cannot.

    Parameters
    ----------
    listed : the m parameters
    estimates : (m,)
    replicates : those of each parameter; those that are not finite, as a correlation beside a zero variance, are left
        out parameter by parameter, and `replicates` in the table counts those used
    level : for example 0.95

    Returns
    -------
    a row for each method and parameter, `COLUMNS`; bias is the replicates' mean less the estimate, and the Monte Carlo
    errors are the standard deviations of the bounds over repetitions of the bootstrap
    """
    rows = []
    for parameter, estimate, sample in zip(listed, estimates, replicates, strict=True):
        of = moments(sample)
        simulated = {"replicates": of.count, "bias": of.mean - estimate}
        percentile = _percentile(sample, level)
        kinds = {
            "percentile": percentile,
            "basic": _mirrored(percentile, estimate),
            "normal": _normal(of, estimate, level),
        }
        rows += [interval_row(parameter, estimate, kind, level, **simulated, **found) for kind, found in kinds.items()]
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


def _percentile(sample: Sample, level: float) -> dict[str, Any]:
    of = ordered(sample)
    lower, upper = (quantile(of, probability) for probability in ((1 - level) / 2, (1 + level) / 2))
    return {
        "lower": lower[0],
        "upper": upper[0],
        "lower_monte_carlo_error": lower[1],
        "upper_monte_carlo_error": upper[1],
        "note": _too_few(of.count, (1 - level) / 2),
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


def _normal(of: Moments, estimate: float, level: float) -> dict[str, Any]:
    """Estimate less bias, -+ z standard deviations; Monte Carlo errors by the delta method from four moments."""
    z = ndtri((1 + level) / 2)
    if of.count < 2:
        return {"lower": np.nan, "upper": np.nan, "note": _too_few(of.count, 0.0)}
    sd = np.sqrt(of.variance)
    mean_sd, sd_sd = (of.third / (2 * sd), (of.fourth - sd**4) / (4 * sd**2)) if sd > 0 else (0.0, 0.0)
    # A bound is 2 estimate - mean -+ z sd, and var(mean), cov(mean, sd), var(sd) are these over n.
    lower_error, upper_error = (np.sqrt((sd**2 + sign * 2 * z * mean_sd + z**2 * sd_sd) / of.count) for sign in (1, -1))
    return {
        "lower": 2 * estimate - of.mean - z * sd,
        "upper": 2 * estimate - of.mean + z * sd,
        "lower_monte_carlo_error": lower_error,
        "upper_monte_carlo_error": upper_error,
    }


def _too_few(count: int, low: float) -> str:
    if count < 2:
        return "too few replicates"
    return "" if (count + 1) * low > 1 else "too few replicates: the bound is the most extreme one"
