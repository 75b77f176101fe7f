"""The peer mixedlm: its `bootMer`; for the test a loop over the optimiser that it uses, warm started as there."""

import mixedlm
import numpy as np
import pandas as pd
from common import Array, Task, loop, main, parameters, read_students
from mixedlm.estimation.reml import LMMOptimizer

students = read_students()
table = pd.DataFrame(
    {
        "mathach": students.mathach,
        "cses": students.cses,
        "minority": students.minority,
        "school": students.school.astype(str),
    }
)
null = mixedlm.lmer("mathach ~ cses + (1 | school)", table, REML=False)
full = mixedlm.lmer("mathach ~ cses + minority + (1 | school)", table, REML=False)
slopes = mixedlm.lmer("mathach ~ cses + (cses | school)", table)
null_search, full_search = (LMMOptimizer(model.matrices, REML=False, use_rust=True) for model in (null, full))


def statistic(y: Array) -> float:
    """Likelihood ratio statistic of minority."""
    searches = (null_search.with_response(y), full_search.with_response(y))
    at_null, at_full = (search.optimize(start=null.theta, method="auto") for search in searches)
    return float(at_null.deviance - at_full.deviance)


def estimate(y: Array) -> list[float]:
    """PARAMETERS of random coefficients."""
    found = slopes.refit(y)
    return as_parameters(found.theta, found.sigma, found.beta)


def as_parameters(theta: Array, sigma: float, beta: Array) -> list[float]:
    """Bring theta, lme4's, to PARAMETERS."""
    factor = sigma * np.array([[theta[0], 0.0], [theta[1], theta[2]]])
    return parameters(factor @ factor.T, float(sigma), beta.tolist())


def intervals(samples: int, seed: int) -> list[list[float]]:
    """Replicates of PARAMETERS; those that failed are nan."""
    boot = mixedlm.bootMer(slopes, samples, seed=seed)
    return list(map(as_parameters, boot.theta_samples, boot.sigma_samples, boot.beta_samples))


if __name__ == "__main__":
    test = loop(statistic, students, null.beta, (null.sigma * null.theta) ** 2, null.sigma)
    main(
        "mixedlm",
        Task("test", "loop over LMMOptimizer.optimize", test, statistic, samples=1000, repeats=3),
        Task("intervals", "bootMer", intervals, estimate, samples=500, repeats=3),
    )
