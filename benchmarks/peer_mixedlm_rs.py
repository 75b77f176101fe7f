"""The peer mixedlm-rs: a loop over `with_endog(y).fit()`, which it has for bootstraps."""

from typing import Any

import numpy as np
from common import Array, Task, loop, main, parameters, read_students
from mixedlm_rs import MixedLM

students = read_students()
y, x, x_full = students.mathach, students.null_design, students.full_design
one = np.ones((len(y), 1))
null = MixedLM(y, x, students.school, exog_re=one)
full = MixedLM(y, x_full, students.school, exog_re=one)
slopes = MixedLM(y, x, students.school, exog_re=x)


def statistic(response: Array) -> float:
    """Likelihood ratio statistic of minority."""
    fits = [model.with_endog(response).fit(reml=False) for model in (full, null)]
    return float(2 * (fits[0].llf - fits[1].llf))


def estimate(response: Array) -> list[float]:
    """PARAMETERS of random coefficients."""
    return as_parameters(slopes.with_endog(response).fit(reml=True))


def as_parameters(found: Any) -> list[float]:
    """Bring its results to PARAMETERS."""
    return parameters(np.asarray(found.cov_re), found.scale**0.5, np.asarray(found.fe_params).tolist())


if __name__ == "__main__":
    at_null, at_slopes = null.fit(reml=False), slopes.fit(reml=True)
    test = loop(statistic, students, at_null.fe_params, at_null.cov_re, at_null.scale**0.5)
    intervals = loop(estimate, students, at_slopes.fe_params, at_slopes.cov_re, at_slopes.scale**0.5)
    main(
        "mixedlm-rs",
        Task("test", "loop over with_endog().fit()", test, statistic, samples=1000),
        Task("intervals", "loop over with_endog().fit()", intervals, estimate, samples=500),
    )
