"""Compare two fitted models by their likelihood ratio."""

import numpy as np
import pandas as pd

from twolevel.api.checks import check_whole
from twolevel.api.result import Result, processors
from twolevel.bootstrap.experiment import comparison_experiment
from twolevel.bootstrap.likelihood_ratio_tests import bootstrap_tests
from twolevel.bootstrap.parts import run_part
from twolevel.bootstrap.replicate_tables import check_statistics, reference_table
from twolevel.errors import UserError
from twolevel.inference.compare import comparison_table, likelihood_ratio, mixture_p_value
from twolevel.output.results import estimates


def compare(null: Result, alternative: Result, bootstrap: int = 0, seed: int = 1) -> pd.DataFrame:
    """Test a null model against an alternative that contains it, as R's `anova(null, alternative, refit = FALSE)`.

    Parameters
    ----------
    null, alternative : fitted to the same rows by the same estimator; by REML only where the fixed effects are the same
    bootstrap : how many responses to simulate from the null model, with both models fitted to each; 0 for no such test
    seed : of the bootstrap

    Returns
    -------
    A row for each model, named by its formula: `npar`, `AIC`, `BIC`, `logLik`, `deviance`, and in the alternative's row
    `chisq`, `df` and the p values:

    - `p_value` by chi-square(df), which is too large where a random effect is added;
    - `p_mixture`, where one is added, by half chi-square(df - 1) and half chi-square(df);
    - with a bootstrap, `p_bootstrap` with its Monte Carlo error `p_bootstrap_error`, from `replicates` statistics; and,
      as in pbkrtest, `p_gamma`, `p_bartlett` and `p_f` by distributions that have the moments of the simulated one.

    Raises
    ------
    UserError
        The models are not nested, are the same, have another response, other groups or other rows, or are fitted by
        different estimators; by REML, the fixed effects differ; or every replicate failed.

    Examples
    --------
    >>> from twolevel import compare, fit
    >>> one = fit("Reaction ~ Days + (1 | Subject)", sleepstudy)
    >>> compare(one, model)[["npar", "deviance", "chisq", "df"]].round(3)
                                        npar  deviance   chisq    df
    model
    Reaction ~ Days + (1 | Subject)        4  1786.465     NaN  <NA>
    Reaction ~ Days + (Days | Subject)     6  1743.628  42.837     2
    """
    if null.estimates.estimator != alternative.estimates.estimator:
        raise UserError(
            f"compare: the null model is fitted by {null.estimates.estimator}, the alternative by "
            f"{alternative.estimates.estimator}. Fit both with reml=True or both with reml=False."
        )
    designs, names = (null.design, alternative.design), (null.design.formula, alternative.design.formula)
    fits = (estimates(null.estimates, designs[0].blocks), estimates(alternative.estimates, designs[1].blocks))
    test = likelihood_ratio("compare", *fits, designs)
    found: dict[str, float] = {}
    if test.added_random_effects == 1:
        found["p_mixture"] = mixture_p_value(max(test.statistic, 0.0), test.df)
    if bootstrap:
        check_whole("compare: the number of replicates", bootstrap, 1)
        products = (null.products, alternative.products)
        experiment = comparison_experiment(" against ".join(names), designs, products, fits)
        of_null, of_alternative = run_part(experiment, seed, range(1, bootstrap + 1), processors()).fits
        reference = reference_table(of_null, of_alternative, (designs[0].blocks, designs[1].blocks))
        statistics = [reference["statistic"].to_numpy()]
        check_statistics(statistics, "compare", names[0])
        tests = bootstrap_tests(test.statistic, test.df, statistics, test.added_random_effects).set_index("test")
        found |= {"p_bootstrap": tests["p_value"]["PBtest"], "p_bootstrap_error": tests["monte_carlo_error"]["PBtest"]}
        found |= {"replicates": float(reference["optimum_found"].sum())}
        found |= {f"p_{name.lower()}": tests["p_value"][name] for name in ("Gamma", "Bartlett", "F")}
    table = comparison_table(names, fits, test).set_index("model")
    for name, value in found.items():
        table[name] = [np.nan, value]
    return table
