"""The peer gpboost: a loop over `GPModel.fit`; its random slopes are independent of the intercept, so only the test."""

import gpboost
import numpy as np
from common import Array, Task, loop, main, read_students

students = read_students()
null, full = (gpboost.GPModel(group_data=students.school, num_parallel_threads=1) for _ in range(2))
# Of its optimisers these are the fastest that find the optimum.
search = {"optimizer_cov": "fisher_scoring", "optimizer_coef": "wls"}


def minus_two_log_likelihood(model: gpboost.GPModel, x: Array, y: Array) -> float:
    """Fit by maximum likelihood, from where the bootstrap simulates."""
    model.fit(y=y, X=x, params={**search, "init_cov_pars": START})
    return float(2 * model.get_current_neg_log_likelihood())


def statistic(y: Array) -> float:
    """Likelihood ratio statistic of minority."""
    at_null = minus_two_log_likelihood(null, students.null_design, y)
    return at_null - minus_two_log_likelihood(full, students.full_design, y)


if __name__ == "__main__":
    null.fit(y=students.mathach, X=students.null_design, params=search)
    START = np.ravel(null.get_cov_pars(format_pandas=False))  # residual variance, variance of the intercept
    fixed = np.ravel(null.get_coef(format_pandas=False))[:2]
    test = loop(statistic, students, fixed, START[1], START[0] ** 0.5)
    main("gpboost", Task("test", "loop over GPModel.fit", test, statistic, samples=200, repeats=1, checked=50))
