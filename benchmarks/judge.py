"""Whether a tool's bootstrap is right: its optima, and the distribution of what it gives.

Independent of the library that is measured: the criterion is computed here from its definition, and what it is
compared with are lme4's best optima (tests/reference).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from common import PARAMETERS, Array, Students
from scipy import stats

OPTIMA = Path(__file__).resolve().parents[1] / "tests" / "reference" / "simulated_random_coefficients.csv"

# A fit that is this far above the optimum in -2 log-likelihood missed it; tools differ by 1e-4 where they stop.
MISSED = 0.01

# Lower and upper bounds of the 95 % percentile intervals of PARAMETERS, from 20,000 replicates by glmm 0.6.2, and the
# SDs of such bounds from 500 replicates.
RIGHT = np.array([[2.591, -0.327, 0.415, 5.958, 12.163, 1.943], [3.294, 0.378, 1.135, 6.160, 13.119, 2.444]])
SPREAD = np.array([[0.02, 0.03, 0.03, 0.006, 0.03, 0.015], [0.02, 0.03, 0.016, 0.006, 0.03, 0.015]])

# A bound further off than this many of its SDs is wrong: by chance one run of 12 bounds in a thousand is.
TOO_FAR = 4.0


def missed(task: str, refits: Sequence[Any], responses: Array, students: Students) -> int:
    """Count the refits of the first responses that missed the optimum."""
    optima = pd.read_csv(OPTIMA)
    if task == "test":
        at = optima.query("simulated_from == 'random_intercept'")
        best = at["random_intercept_ml_criterion"] - at["random_intercept_minority_ml_criterion"]
        error = np.abs(np.array(refits) - best[: len(refits)])
    else:
        best = optima.query("simulated_from == 'random_coefficients'")["criterion"]
        reached = [reml_criterion(row, y, students) for row, y in zip(refits, responses, strict=False)]
        error = np.array(reached) - best[: len(refits)]
    return int((~(error < MISSED)).sum())


def wrong(result: Mapping[str, Any]) -> str:
    """Say what is wrong with the bootstrap values of a task; empty where nothing is, or they are too few to tell."""
    if result["task"] == "test":
        # The effect of a level-1 predictor in 7,185 students: chi-square(1) to well within the error of the simulation.
        p = stats.kstest(np.array(result["values"], dtype=float), stats.chi2(1).cdf).pvalue
        return f"the statistics are not chi-square(1), p = {p:.0e}" if not p > 1e-4 else ""
    if result["samples"] < 500:
        return ""
    # R's confint gives the bounds, the others the replicates.
    bounds = np.array(
        result.get("bounds") or np.quantile(np.array(result["values"], dtype=float), [0.025, 0.975], axis=0)
    )
    off = np.abs(bounds - RIGHT) / SPREAD
    if (off < TOO_FAR).all():
        return ""
    worst = int(off.max(axis=0).argmax())
    (lower, upper), (right_lower, right_upper) = bounds[:, worst], RIGHT[:, worst]
    return f"{PARAMETERS[worst]} is [{lower:.2f}, {upper:.2f}] where it is [{right_lower:.2f}, {right_upper:.2f}]"


def reml_criterion(parameters: Sequence[float], y: Array, students: Students) -> float:
    """REML criterion at the given covariance and residual SD, with the fixed effects that are best there, as lme4's."""
    first, correlation, second, sigma = parameters[:4]
    link = correlation * first * second
    relative = np.array([[first**2, link], [link, second**2]]) / sigma**2
    x = students.null_design
    starts = np.flatnonzero(np.diff(students.school, prepend=-1))
    xtx_by_school = np.add.reduceat(x[:, :, None] * x[:, None, :], starts)
    xty_by_school = np.add.reduceat(x * y[:, None], starts)
    # V_j^-1 = I - Z_j K_j Z_j' with K_j = T (I + Z_j'Z_j T)^-1, V relative to sigma^2; here Z = X.
    m = np.eye(2) + xtx_by_school @ relative
    k = relative @ np.linalg.inv(m)
    xtvx = (xtx_by_school - xtx_by_school @ k @ xtx_by_school).sum(axis=0)
    kxty = np.einsum("jab,jb->ja", k, xty_by_school)
    xtvy = xty_by_school.sum(axis=0) - np.einsum("jab,jb->a", xtx_by_school, kxty)
    rss = y @ y - np.sum(xty_by_school * kxty) - xtvy @ np.linalg.solve(xtvx, xtvy)
    free = len(y) - 2
    # sigma is profiled out, as the fixed effects are.
    logs = np.log(np.linalg.det(m)).sum() + np.linalg.slogdet(xtvx)[1]
    return float(logs + free * (1 + np.log(2 * np.pi * rss / free)))
