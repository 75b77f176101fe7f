"""The peer lme-python: its `bootstrap_lrt`; its `boot_lmer`, and beside that a loop over its prepared fit."""

from functools import partial

import lme_python
import numpy as np
import polars as pl
from common import Array, Task, loop, main, parameters, read_students

COEFFICIENTS = "mathach ~ cses + (cses | school)"

students = read_students()
table = pl.DataFrame(
    {
        "mathach": students.mathach,
        "cses": students.cses,
        "minority": students.minority,
        "school": students.school.astype(str),
    }
)
null = lme_python.prepare_lmer("mathach ~ cses + (1 | school)", table)
full = lme_python.prepare_lmer("mathach ~ cses + minority + (1 | school)", table)
slopes = lme_python.prepare_lmer(COEFFICIENTS, table)
at_slopes = slopes.fit(reml=True)


def test(samples: int, seed: int) -> list[float]:
    """Likelihood ratio statistics of minority."""
    return [np.nan if t is None else t for t in lme_python.bootstrap_lrt(full, null, samples, seed=seed).statistics]


def statistic(y: Array) -> float:
    """Likelihood ratio statistic of minority."""
    at_full, at_null = (model.fit(y=y.tolist(), reml=False) for model in (full, null))
    return float(2 * (at_full.log_likelihood - at_null.log_likelihood))


def intervals(samples: int, seed: int) -> list[list[float]]:
    """Replicates of PARAMETERS."""
    boot = lme_python.boot_lmer(COEFFICIENTS, table, at_slopes, nsim=samples, seed=seed, n_jobs=1)
    return [as_parameters(one.theta, one.sigma2, one.coefficients) for one in boot.replicates]


def estimate(y: Array, control: lme_python.FitControl | None = None) -> list[float]:
    """PARAMETERS of random coefficients."""
    found = slopes.fit(y=y.tolist(), reml=True, control=control)
    return as_parameters(found.theta, found.sigma2, found.coefficients)


def as_parameters(theta: list[float], variance: float, coefficients: list[float]) -> list[float]:
    """Bring theta, lme4's, to PARAMETERS."""
    factor = np.array([[theta[0], 0.0], [theta[1], theta[2]]])
    return parameters(variance * factor @ factor.T, variance**0.5, coefficients)


if __name__ == "__main__":
    # From its default start a fit of random coefficients often stops short of the optimum.
    warm = partial(estimate, control=lme_python.FitControl(start=at_slopes.theta))
    first, correlation, second, sigma, *fixed = estimate(students.mathach)
    link = correlation * first * second
    by_loop = loop(warm, students, fixed, [[first**2, link], [link, second**2]], sigma)
    main(
        "lme-python",
        Task("test", "bootstrap_lrt", test, statistic, samples=1000),
        Task("intervals", "boot_lmer", intervals, estimate, samples=500, repeats=3),
        Task("intervals", "loop over prepared fit, warm started", by_loop, warm, samples=500, repeats=3),
    )
