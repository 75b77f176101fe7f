"""Tables that a paper sets beside a fit: tests of terms, marginal means, robust standard errors, least squares."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from twolevel.fitting.fit import Fit
from twolevel.inference.fixed_tests import SmallSamples, kenward_roger, satterthwaite
from twolevel.inference.marginal_means import marginal_means, pairwise_contrasts, prediction_table
from twolevel.inference.own_lines import own_lines
from twolevel.inference.robust import robust
from twolevel.inference.single_level import between, pooled, single_level_test
from twolevel.inference.term_tests import term_tests
from twolevel.likelihood.crossproducts import CrossProducts
from twolevel.model.design import Design


def supplements(
    design: Design,
    data: CrossProducts,
    fit: Fit,
    table: pd.DataFrame,
    predict: Sequence[Mapping[str, object]],
    level: float,
) -> dict[str, pd.DataFrame]:
    """Make all of them, by the names of their files.

    Parameters
    ----------
    table : what the design was made of
    predict : values of predictors, for each set of which the response is predicted
    level : of the intervals
    """
    methods = small_samples(data, fit)
    return {
        "term_tests": term_tests(design, methods),
        "marginal_means": marginal_means(design, table, methods[-1], level),
        "contrasts": pairwise_contrasts(design, table, methods[-1], level),
        "predictions": prediction_table(design, table, methods[-1], predict, level),
        "robust": robust_table(design, data, fit, level),
        "single_level": single_level_table(design, data, fit),
        "single_level_test": single_level_test_table(data, fit),
        "own_lines": own_lines_table(design),
    }


def small_samples(data: CrossProducts, fit: Fit) -> tuple[SmallSamples, ...]:
    """What each method that the fit allows says of its fixed effects: Kenward and Roger's, last, needs REML."""
    return (satterthwaite(data, fit), *([kenward_roger(data, fit)] if fit.estimator == "REML" else []))


def robust_table(design: Design, data: CrossProducts, fit: Fit, level: float) -> pd.DataFrame:
    """Fixed effects with cluster-robust standard errors, and t tests and intervals by the better of them, CR2."""
    found = robust(design, data, fit)
    lower, upper = found.tests.interval(level)
    return pd.DataFrame(
        {
            "term": design.fixed_terms,
            "estimate": fit.beta,
            "cr0_std_error": found.cr0_std_error,
            "cr2_std_error": found.tests.std_error,
            "statistic": found.tests.statistic,
            "df": found.tests.df,
            "p_value": found.tests.p_value,
            "lower": lower,
            "upper": upper,
        }
    )


def single_level_table(design: Design, data: CrossProducts, fit: Fit) -> pd.DataFrame:
    """The fixed part by the mixed model, by least squares of all rows, and of the groups' means."""
    regressions = {"pooled": pooled(data), "between": between(design)}
    return pd.DataFrame(
        {
            "term": design.fixed_terms,
            "estimate": fit.beta,
            "std_error": np.sqrt(np.diag(fit.beta_covariance)),
            **{
                f"{name}_{column}": getattr(of, column)
                for name, of in regressions.items()
                for column in ("estimate", "std_error", "df", "p_value")
            },
        }
    )


def single_level_test_table(data: CrossProducts, fit: Fit) -> pd.DataFrame:
    """The likelihood ratio test of the mixed model against least squares with the same fixed part, in one row."""
    test = single_level_test(data, fit)
    row: Mapping[str, object] = {
        "estimator": fit.estimator,
        "single_level_criterion": test.criterion,
        "criterion": fit.criterion,
        "statistic": test.statistic,
        "df": test.df,
        "p_chi_square": test.p_chi_square,
        "p_mixture": test.p_mixture,
    }
    return pd.DataFrame([row])


def own_lines_table(design: Design) -> pd.DataFrame:
    """Each group's own least squares of the level-1 equation, a row for each group and term."""
    own = own_lines(design)
    k = len(own.terms)
    return pd.DataFrame(
        {
            "group": np.repeat(design.group_labels, k),
            "term": np.tile(own.terms, len(own.n)),
            "n": np.repeat(own.n, k),
            "computed": np.repeat(np.where(own.computed, "yes", "no"), k),
            "estimate": own.estimate.ravel(),
            "std_error": own.std_error.ravel(),
            "sigma": np.repeat(own.sigma, k),
        }
    )
