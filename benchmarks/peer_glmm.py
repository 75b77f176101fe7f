"""The peer glmm: a loop over its `fit`, which does without what a replicate does not need."""

from typing import Any

import glmm
from common import Array, Task, loop, main, parameters, read_students

NULL = "mathach ~ cses + (1 | school)"
FULL = "mathach ~ cses + minority + (1 | school)"
COEFFICIENTS = "mathach ~ cses + (cses | school)"

students = read_students()
columns = {"cses": students.cses, "minority": students.minority, "school": students.school}


def fit(formula: str, y: Array, reml: bool) -> Any:
    """Fit without degrees of freedom, standard errors from second derivatives and likelihood ratio tables."""
    data = {"mathach": y, **columns}
    return glmm.fit(data, formula, reml=reml, satterthwaite=False, wald_se="rx", anova_test="Wald")


def statistic(y: Array) -> float:
    """Likelihood ratio statistic of minority."""
    return float(2 * (fit(FULL, y, reml=False).loglik - fit(NULL, y, reml=False).loglik))


def estimate(y: Array) -> list[float]:
    """PARAMETERS of random coefficients."""
    found = fit(COEFFICIENTS, y, reml=True)
    a, b, c = found.varcorr[0]
    return parameters([[a, b], [b, c]], found.dispersion**0.5, found.beta.tolist())


if __name__ == "__main__":
    null, slopes = fit(NULL, students.mathach, reml=False), fit(COEFFICIENTS, students.mathach, reml=True)
    variance, (a, b, c) = null.varcorr[0][0], slopes.varcorr[0]
    test = loop(statistic, students, null.beta, variance, null.dispersion**0.5)
    intervals = loop(estimate, students, slopes.beta, [[a, b], [b, c]], slopes.dispersion**0.5)
    main(
        "glmm",
        Task("test", "loop over fit", test, statistic, samples=1000),
        Task("intervals", "loop over fit", intervals, estimate, samples=500),
    )
