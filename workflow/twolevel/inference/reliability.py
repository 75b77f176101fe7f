"""What the HLM program prints of each variance component: reliability, chi-square test, plausible values.

All three compare the variance tau_qq of a random coefficient with v_qj, the variance with which group j alone would
estimate that coefficient.
"""

import numpy as np
import pandas as pd
from scipy.special import chdtrc, ndtri

from twolevel.fitting.fit import Fit
from twolevel.likelihood.crossproducts import CrossProducts
from twolevel.model.design import Design, Floats
from twolevel.model.hierarchy import Coefficient, level1_coefficients

# A group has an OLS of its own where Z_j'Z_j, in coordinates where all observations together have Z'Z = n I, keeps
# this much of its largest eigenvalue in every direction. Rounding leaves about 1e-15 where nothing varies.
USABLE = 1e-12


def variance_components(design: Design, data: CrossProducts, fit: Fit) -> pd.DataFrame:
    """Measure how far each random coefficient varies beyond the sampling error in each group.

    With v_qj = sigma^2 [(Z_j'Z_j)^-1]_qq over the usable groups (Raudenbush & Bryk 2002, chapter 3):

    - reliability_q = mean_j tau_qq / (tau_qq + v_qj);
    - H_q = sum_j (bhat_qj - gammahat_q . W_j)^2 / v_qj, on as many degrees of freedom as there are usable groups less
      the fixed effects that predict the coefficient;
    - plausible values gamma_q0 +- 1.96 sqrt(tau_qq), of coefficients without level-2 predictors (p. 78).

    A level-1 predictor whose coefficient has no random effect is taken out of y at its estimate, and the groups' OLS
    is that of the rest on Z_j, as in HLM: the reliability that it prints for a random intercept beside fixed dummies
    (sigma^2 0.23017, tau 0.37069, 4 observations in each group: 0.866) is tau / (tau + sigma^2 / 4).
    # ASSUME: so is its chi-square, which needs the same OLS.

    Returns
    -------
    A row for each of the q random coefficients, a value missing where the data or the model give none: `term`,
    `variance` and `sd`; `reliability`, how well the groups' own OLS tells their coefficients apart, from 0 to 1;
    `chi_square`, `df` and `p_value` of the null hypothesis tau_qq = 0; `usable_groups`, those whose own OLS exists, the
    only ones that these use; `mean`, the coefficient's over groups, missing where level-2 predictors or nothing at all
    predict it; `plausible_lower` and `plausible_upper`, between which lie 95 % of the groups' coefficients, by the
    estimates.
    """
    q = len(design.random_terms)
    usable = np.linalg.matrix_rank(data.ztz, hermitian=True, rtol=USABLE) == q
    to_own = np.linalg.inv(data.s)
    inverse = np.linalg.inv(data.ztz[usable])
    v = fit.sigma**2 * np.diagonal(to_own @ inverse @ to_own.T, axis1=1, axis2=2)
    # y - X gamma regressed on Z_j: bhat_j - W_j gamma, since Z_j W_j is the part of X_j whose coefficients are random.
    delta = data.r @ (fit.beta - data.ols)
    left_over = (data.zty - data.ztx @ delta)[usable]
    deviation = np.einsum("jab,jb->ja", inverse, left_over) @ to_own.T

    tau, usable_groups = np.diag(fit.covariance), int(usable.sum())
    coefficients = _random_coefficients(design)
    chi_square = (deviation**2 / v).sum(axis=0)
    df = usable_groups - np.array([len(coefficient.columns) for coefficient in coefficients])
    tested = df > 0
    mean = np.array([_mean(coefficient, fit.beta) for coefficient in coefficients])
    reach = ndtri(0.975) * np.sqrt(tau)
    return pd.DataFrame(
        {
            "term": design.random_terms,
            "variance": tau,
            "sd": np.sqrt(tau),
            "reliability": (tau / (tau + v)).mean(axis=0) if usable_groups else np.nan,
            "chi_square": np.where(tested, chi_square, np.nan),
            "df": np.maximum(df, 0),
            "p_value": np.where(tested, chdtrc(np.maximum(df, 1), chi_square), np.nan),
            "usable_groups": usable_groups,
            "mean": mean,
            "plausible_lower": mean - reach,
            "plausible_upper": mean + reach,
        }
    )


def _random_coefficients(design: Design) -> list[Coefficient]:
    """Level-1 coefficients that vary at random, in the order of the random effects."""
    found = {coefficient.random: coefficient for coefficient in level1_coefficients(design)}
    return [found[index] for index in range(len(design.random_terms))]


def _mean(coefficient: Coefficient, beta: Floats) -> float:
    """Mean gamma_q0 of a coefficient whose only predictor is the constant."""
    return float(beta[coefficient.columns[0]]) if coefficient.predictors == ((),) else np.nan
