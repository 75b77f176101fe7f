"""Likelihood ratio tests with a simulated reference distribution, and without one.

The rows are those of `summary(PBmodcomp(...))` in R's pbkrtest 0.5 (Halekoh & Hojsgaard 2014), and the 50:50 mixture.
Where the two differ:

- pbkrtest drops every simulated statistic that is not above zero, which makes its p values conditional on the others.
  Zeros are part of the distribution: where the null model's own variances are near zero, many data sets gain nothing
  from the alternative. Here they are kept, and only replicates that failed are left out.
- Its bootstrap p value counts statistics above the observed one; here those that equal it count too, as in Davison &
  Hinkley (1997, chapter 4). It matters where the observed one is zero.
- Its F approximation sets the mean of the reference distribution, not of that divided by df, equal to the mean of an F
  distribution. They agree for df = 1; for more, only the latter is the mean of what is compared with F.
- It refits by ML whatever it is given; here the statistics are whatever the caller computed, REML included.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.special import chdtrc, fdtrc, gammaincc

from twolevel.inference.compare import mixture_p_value
from twolevel.inference.samples import Moments, Sample, moments, reached
from twolevel.model.design import Floats

COLUMNS = ["test", "statistic", "df", "ddf", "p_value", "monte_carlo_error"]

# Criteria near 1e5 are known to about 1e-9. A smaller fall is rounding and counts as zero.
NO_FALL = 1e-6


def bootstrap_tests(statistic: float, df: int, reference: Sample, added: int = 0) -> pd.DataFrame:
    """Test a null model by its likelihood ratio statistic and the statistic's simulated distribution under it.

    Parameters
    ----------
    statistic : fall of the criterion from the null model to the alternative
    df : difference in the number of parameters
    reference : the n statistics of data simulated from the null model; NaN where a replicate failed, which the caller
        has to mark: what is not finite is left out, and a negative statistic counts as zero
    added : how many random effects the alternative has beyond the null model's, as `compare.added_random_effects`
        counts them

    Returns
    -------
    A row for each test, with the standard error of its p value that the number of replicates leaves; missing where a
    test does not use the reference distribution.

    - LRT: chi-square(df).
    - mixture, where one random effect is added: half chi-square(df - 1), half chi-square(df). With the same fixed
      effects, and one that is correlated with the q of the null model, these are chi-square(q) and chi-square(q + 1)
      (Stram & Lee 1994); one that is independent of them gives chi-square(0) and chi-square(1). Where covariances alone
      are added, the null model is not on the boundary, and LRT holds. The mixture holds in large samples, and where the
      null model's own covariance matrix is not singular. With two or more added, the weights of the mixture depend on
      the information matrix and have no closed form: there is no row then, and the bootstrap is the test.
    - PBtest: (1 + #{simulated >= observed}) / (1 + n).
    - Gamma: the gamma distribution with the reference distribution's mean and variance.
    - Bartlett: the statistic scaled so that the reference distribution's mean is df, under chi-square(df).
    - F: statistic / df under F(df, ddf), with the ddf that gives the reference distribution's mean divided by df;
      missing where that is not above 1, since the mean of an F distribution is.

    Where a random effect is added, no scaling gives the distribution the shape of a chi-square(df): there Bartlett's p
    value can be half the true one or less, and PBtest is the one to read.

    Raises
    ------
    ValueError
        Every replicate failed.
    """
    simulated = moments(reference, _without_rounding)
    if not simulated.count:
        raise ValueError("no replicate gave a statistic")
    observed = float(_without_rounding(np.array([statistic]))[0])
    # Without a spread they determine no distribution.
    varies = simulated.smallest < simulated.largest
    mean, variance = (simulated.mean, simulated.variance) if varies else (np.nan, np.nan)
    missing = np.nan
    rows: list[tuple[str, float, float, float, float, float]] = []
    rows.append(("LRT", observed, df, missing, float(chdtrc(df, observed)), missing))
    if added == 1:
        rows.append(("mixture", observed, missing, missing, mixture_p_value(observed, df), missing))
    extreme = reached(reference, observed) if observed > 0 else simulated.count
    p_bootstrap = (1 + extreme) / (1 + simulated.count)
    error = float(np.sqrt(p_bootstrap * (1 - p_bootstrap) / simulated.count))
    rows.append(("PBtest", observed, missing, missing, p_bootstrap, error))
    # By the mean m and the variance v of the reference distribution.
    by_moments: tuple[tuple[str, float, float, float, Callable[[float, float], float]], ...] = (
        ("Gamma", observed, missing, missing, lambda m, v: gammaincc(m**2 / v, observed * m / v)),
        ("Bartlett", df * observed / mean, df, missing, lambda m, _: chdtrc(df, df * observed / m)),
        (
            "F",
            observed / df,
            df,
            _denominator_df(mean / df),
            lambda m, _: fdtrc(df, _denominator_df(m / df), observed / df),
        ),
    )
    for name, value, test_df, ddf, p_value in by_moments:
        error = _moment_error(p_value, simulated) if varies else np.nan
        rows.append((name, value, test_df, ddf, float(p_value(mean, variance)), error))
    return pd.DataFrame(rows, columns=COLUMNS).astype({"df": "Int64"})


def _without_rounding(statistics: Floats) -> Floats:
    return np.where(statistics < NO_FALL, 0.0, statistics)


def _denominator_df(mean: float) -> float:
    """The d of an F distribution with this mean, d / (d - 2)."""
    return 2 * mean / (mean - 1) if mean > 1 else np.nan


def _moment_error(p_value: Callable[[float, float], float], simulated: Moments) -> float:
    """Standard error, by the delta method, of a p value that depends on the mean and variance of `simulated`."""
    mean, variance = simulated.mean, simulated.variance
    step, variance_step = 1e-4 * mean, 1e-4 * variance
    by_mean = (p_value(mean + step, variance) - p_value(mean - step, variance)) / (2 * step)
    by_variance = (p_value(mean, variance + variance_step) - p_value(mean, variance - variance_step)) / (
        2 * variance_step
    )
    # The variances of the mean and of the variance, and their covariance, times the number of replicates.
    of_mean, of_both, of_variance = simulated.second, simulated.third, simulated.fourth - simulated.second**2
    influence = by_mean**2 * of_mean + 2 * by_mean * by_variance * of_both + by_variance**2 * of_variance
    return float(np.sqrt(influence / (simulated.count - 1)))
