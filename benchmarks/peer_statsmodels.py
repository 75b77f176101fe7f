"""The peer statsmodels: a loop over `MixedLM.fit`, started where it is simulated, with its fastest right optimiser."""

from typing import Any

import numpy as np
from common import Array, Task, loop, main, parameters, read_students
from statsmodels.regression.mixed_linear_model import MixedLM, MixedLMParams

students = read_students()
one = np.ones((len(students.cses), 1))


def fit(y: Array, x: Array, z: Array, reml: bool, fixed: Array, covariance: Array, sigma: float) -> Any:
    """Fit one model, started at the given parameters; without them it often stops short of the optimum."""
    at_first = np.r_[fixed, np.zeros(x.shape[1] - len(fixed))]
    start = MixedLMParams.from_components(fe_params=at_first, cov_re=covariance / sigma**2)
    return MixedLM(y, x, students.school, exog_re=z).fit(reml=reml, method="lbfgs", start_params=start)


def statistic(y: Array) -> float:
    """Likelihood ratio statistic of minority."""
    at_full, at_null = (fit(y, x, one, False, *NULL) for x in (students.full_design, students.null_design))
    return float(2 * (at_full.llf - at_null.llf))


def estimate(y: Array) -> list[float]:
    """PARAMETERS of random coefficients."""
    found = fit(y, students.null_design, students.null_design, True, *SLOPES)
    return parameters(found.cov_re, found.scale**0.5, found.fe_params.tolist())


def truth(x: Array, z: Array, reml: bool) -> tuple[Array, Array, float]:
    """Fixed effects, covariance of school effects and residual SD of the fit to the data themselves."""
    rough = (np.zeros(2), 0.1 * np.eye(z.shape[1]), 1.0)  # default starts end elsewhere
    found = fit(students.mathach, x, z, reml, *rough)
    return found.fe_params, np.asarray(found.cov_re), found.scale**0.5


if __name__ == "__main__":
    NULL = truth(students.null_design, one, reml=False)
    SLOPES = truth(students.null_design, students.null_design, reml=True)
    test, intervals = loop(statistic, students, *NULL), loop(estimate, students, *SLOPES)
    main(
        "statsmodels",
        Task("test", "loop over MixedLM.fit", test, statistic, samples=30, repeats=1, checked=20),
        Task("intervals", "loop over MixedLM.fit", intervals, estimate, samples=30, repeats=1, checked=20),
    )
