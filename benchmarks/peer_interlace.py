"""The peer interlace-lme: its `bootMer`; for the test a loop over its `fit`, warm started."""

from typing import Any

import interlace
import numpy as np
import pandas as pd
from common import Array, Task, loop, main, parameters, read_students

students = read_students()
table = pd.DataFrame({"mathach": students.mathach, "cses": students.cses, "minority": students.minority})
table["school"] = students.school.astype(str)


def fit(formula: str, y: Array, random: str, method: str, start: Array | None = None) -> Any:
    """Fit one model."""
    return interlace.fit(formula, table.assign(mathach=y), random=[random], method=method, theta0=start)


def statistic(y: Array) -> float:
    """Likelihood ratio statistic of minority."""
    at_full = fit("mathach ~ cses + minority", y, "(1 | school)", "ML", null.theta)
    return float(2 * (at_full.llf - fit("mathach ~ cses", y, "(1 | school)", "ML", null.theta).llf))


def estimate(y: Array) -> list[float]:
    """PARAMETERS of random coefficients."""
    found = fit("mathach ~ cses", y, "(1 + cses | school)", "REML")
    return as_parameters([*found.fe_params, found.scale**0.5, *found.theta])


def as_parameters(values: Any) -> list[float]:
    """Bring the default statistic of its bootstrap, fixed effects, sigma and lme4's theta, to PARAMETERS."""
    intercept, slope, sigma, *theta = map(float, values)
    factor = sigma * np.array([[theta[0], 0.0], [theta[1], theta[2]]])
    return parameters(factor @ factor.T, sigma, [intercept, slope])


def intervals(samples: int, seed: int) -> list[list[float]]:
    """Replicates of PARAMETERS."""
    return [as_parameters(row) for row in slopes.bootMer(B=samples, seed=seed).estimates]


if __name__ == "__main__":
    null = fit("mathach ~ cses", students.mathach, "(1 | school)", "ML")
    slopes = fit("mathach ~ cses", students.mathach, "(1 + cses | school)", "REML")
    variance = null.scale * null.theta[0] ** 2
    test = loop(statistic, students, list(null.fe_params), variance, null.scale**0.5)
    main(
        "interlace-lme",
        Task("test", "loop over fit", test, statistic, samples=50, repeats=1, checked=20),
        Task("intervals", "bootMer", intervals, estimate, samples=30, repeats=1, checked=20),
    )
