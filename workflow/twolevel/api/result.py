"""One fitted model, and everything that is computed from it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from typing import Literal, get_args

import numpy as np
import pandas as pd

from twolevel.api.checks import check_table, check_whole
from twolevel.bootstrap.experiment import experiment_of
from twolevel.bootstrap.parts import run_part
from twolevel.bootstrap.replicate_tables import replicate_table, simulated_values
from twolevel.errors import UserError
from twolevel.fitting.effects import GroupEffects, fitted_values, group_effects
from twolevel.fitting.fit import Fit, fit_model
from twolevel.inference.fixed_tests import SmallSamples, kenward_roger, satterthwaite, t_tests
from twolevel.inference.intervals import bootstrap_intervals, t_intervals, wald_intervals
from twolevel.inference.marginal_means import marginal_means, pairwise_contrasts, predictions
from twolevel.inference.profile_intervals import profile_intervals
from twolevel.inference.reported import Reported, reported
from twolevel.inference.term_tests import term_tests
from twolevel.likelihood.crossproducts import CrossProducts
from twolevel.likelihood.deviance import from_lme4, pack
from twolevel.model.design import Design
from twolevel.model.new_data import new_rows
from twolevel.output.results import estimates, fixed_effects_table, random_effects_table, residuals_table
from twolevel.output.summary import summary_text
from twolevel.output.supplements import own_lines_table, robust_table, single_level_table, small_samples

Method = Literal["satterthwaite", "kenward_roger", "wald", "profile", "bootstrap"]

# The names of a notebook, and those of the pipeline's tables.
_FIXED_EFFECTS = {"statistic": "t", "p_value": "p", "kr_statistic": "kr_t", "kr_p_value": "kr_p"}


@dataclass(frozen=True, repr=False, eq=False)
class Result:
    """A model that `twolevel.fit` has fitted. Nothing in it changes: each method computes a new table.

    Attributes
    ----------
    design : response and design matrices, coded and named as R does
    products : the cross-products from which the criterion is computed
    estimates : the optimum, what was found on the way to it, and the estimates as arrays
    table : the columns of the data that the model uses, all rows
    random_starts, seed : of the search
    """

    design: Design
    products: CrossProducts
    estimates: Fit
    table: pd.DataFrame
    random_starts: int
    seed: int

    @property
    def criterion(self) -> float:
        """REML criterion, or -2 log-likelihood, at the optimum."""
        return self.estimates.criterion

    @property
    def log_likelihood(self) -> float:
        """Log-likelihood, the restricted one of a fit by REML."""
        return self.estimates.log_likelihood

    @property
    def aic(self) -> float:
        """Akaike's criterion, of the fit's own log-likelihood, as lme4 has it."""
        return self.estimates.aic

    @property
    def aicc(self) -> float:
        """The same, corrected for small samples, with n the number of observations (MuMIn's `AICc`)."""
        return self.estimates.aicc

    @property
    def bic(self) -> float:
        """Schwarz's criterion with log of the number of observations, as lme4 has it."""
        return self.estimates.bic

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why the optimum cannot be trusted; empty where it can."""
        return self.estimates.doubts

    @property
    def singular(self) -> bool:
        """Whether a block's covariance matrix is singular, as lme4's `isSingular`."""
        return self.estimates.singular

    @property
    def n_obs(self) -> int:
        """Observations used."""
        return self.estimates.n_obs

    @property
    def left_out(self) -> Mapping[str, int]:
        """How many values are missing in each column of the model that lacks any; their rows are left out."""
        return self.design.dropped

    @property
    def fixed_effects(self) -> pd.DataFrame:
        """Estimates with t tests, a row for each of the p fixed effects.

        `estimate`, `std_error`, `t` as lme4 has them, `df` and `p` by Satterthwaite's method (lmerTest's);
        `kr_std_error`, `kr_t`, `kr_df` and `kr_p` by Kenward and Roger's (pbkrtest's). Where a method has no answer its
        columns are missing: Satterthwaite's at a singular fit, Kenward and Roger's at a fit by ML.
        """
        table = fixed_effects_table(self.design, self.products, self.estimates)
        return table.rename(columns=_FIXED_EFFECTS).set_index("term")

    @property
    def random_effects(self) -> pd.DataFrame:
        """Variances and covariances as R's `as.data.frame(VarCorr(m))`: `group`, `term_1`, `term_2`, `vcov`, `sdcor`.

        A row without `term_2` is a variance (`vcov`, in squared units of the response) and standard deviation
        (`sdcor`), one with it a covariance and a correlation; the last is the residual.
        """
        return random_effects_table(self.design, self.estimates)

    @property
    def vcov(self) -> pd.DataFrame:
        """Covariance matrix (p, p) of the fixed effects."""
        terms = pd.Index(self.design.fixed_terms)
        return pd.DataFrame(self.estimates.beta_covariance, index=terms, columns=terms)

    @property
    def effects(self) -> pd.DataFrame:
        """Empirical Bayes effects u_j, a row for each group and random term, as `as.data.frame(ranef(m))` has them.

        `std_error` is the conditional standard deviation. `effects["estimate"].unstack()` has a row for each group.
        """
        return self._by_group(self._effects.effect, self._effects.effect_std_error)

    @property
    def coefficients(self) -> pd.DataFrame:
        """Empirical Bayes coefficients of each group: what the fixed effects predict for it, plus its effect.

        Level-2 predictors and their products with the term are counted in (Raudenbush & Bryk 2002, chapter 3): with
        none, these are R's `coef(m)`. `std_error` is that of the prediction error, the uncertainty of the fixed effects
        included.
        """
        return self._by_group(self._effects.coefficient, self._effects.coefficient_std_error)

    @property
    def fitted(self) -> pd.Series:
        """Fitted values (n,) of the rows used, with their index in the data: fixed effects, groups' effects, offset."""
        return self._rows["fitted"]

    @property
    def residuals(self) -> pd.Series:
        """Response less fitted values (n,), of the rows used, with their index in the data."""
        return self._rows["residual"]

    def summary(self) -> str:
        """Everything that lme4's `summary(m)` prints, in its layout, with doubts at the end where there are any.

        Examples
        --------
        >>> print(model.summary())  # doctest: +ELLIPSIS
        Linear mixed model fit by REML ['lmerMod']
        Formula: Reaction ~ Days + (Days | Subject)
        ...
        Random effects:
         Groups   Name        Variance Std.Dev. Corr
         Subject  (Intercept) 612.09   24.740
                  Days         35.07    5.922   0.07
         Residual             654.94   25.592
        Number of obs: 180, groups:  Subject, 18
        ...
        """
        return summary_text(self.design, self.estimates, np.asarray(self._rows["scaled_residual"]), "")

    def term_tests(self) -> pd.DataFrame:
        """F tests of type III of every term of the formula, as lmerTest's `anova(m)`.

        Returns
        -------
        a row for each method (Satterthwaite's; by REML Kenward and Roger's too) and term: `statistic`, `df`, `ddf`, `p`

        Examples
        --------
        >>> model.term_tests().round(2)
                            statistic  df   ddf    p
        method        term
        satterthwaite Days      45.85   1  17.0  0.0
        kenward_roger Days      45.85   1  17.0  0.0
        """
        table = term_tests(self.design, small_samples(self.products, self.estimates))
        return table.rename(columns={"p_value": "p"}).set_index(["method", "term"])

    def marginal_means(self, level: float = 0.95) -> pd.DataFrame:
        """Marginal means of every factor, and of factors that interact, as R's emmeans.

        They are averages over the levels of the other factors with equal weights; numbers are at their means. Degrees
        of freedom are Kenward and Roger's, at a fit by ML Satterthwaite's.
        """
        _check_level("marginal_means", level)
        table = marginal_means(self.design, self.table, self._best_method, level)
        return table.set_index(["factor", "level"])

    def contrasts(self, level: float = 0.95) -> pd.DataFrame:
        """Differences of every two of these means, adjusted as by Tukey: emmeans' `pairs`."""
        _check_level("contrasts", level)
        table = pairwise_contrasts(self.design, self.table, self._best_method, level)
        return table.rename(columns=_FIXED_EFFECTS).set_index(["factor", "contrast"])

    def robust(self, level: float = 0.95) -> pd.DataFrame:
        """Fixed effects with cluster-robust standard errors: CR0 (HLM's), and CR2 with its t tests and intervals.

        Examples
        --------
        >>> model.robust()[["estimate", "cr0_std_error", "cr2_std_error", "df"]].round(2)
                     estimate  cr0_std_error  cr2_std_error    df
        term
        (Intercept)    251.41           6.63           6.82  17.0
        Days            10.47           1.50           1.55  17.0
        """
        _check_level("robust", level)
        table = robust_table(self.design, self.products, self.estimates, level)
        return table.rename(columns=_FIXED_EFFECTS).set_index("term")

    def least_squares(self) -> pd.DataFrame:
        """The fixed part by the model, by least squares of all rows (pooled) and of the groups' means (between)."""
        return single_level_table(self.design, self.products, self.estimates).set_index("term")

    def own_lines(self) -> pd.DataFrame:
        """Least squares of the level-1 equation in each group alone, as lme4's `lmList`."""
        return own_lines_table(self.design).set_index(["group", "term"])

    def predict_means(self, values: Mapping[str, object], level: float = 0.95) -> pd.DataFrame:
        """Predict the response's mean over groups, with intervals, for given values of predictors.

        Parameters
        ----------
        values : a value or a list of values of each column, or of some: every combination is predicted. Of the others,
            numbers stand at their means, and levels of factors count alike, as for emmeans' `ref_grid(m, at = ...)`.
        level : of the intervals, which are of the mean, not of one observation

        Returns
        -------
        a row for each combination: its values, `estimate`, `std_error`, `df`, `lower`, `upper`

        Examples
        --------
        >>> model.predict_means({"Days": [0, 5]}).round(1)
           Days  estimate  std_error    df  lower  upper
        0     0     251.4        6.8  17.0  237.0  265.8
        1     5     303.7        9.6  17.0  283.5  324.0
        """
        _check_level("predict_means", level)
        return predictions(self.design, self.table, self._best_method, values, level)

    def predict(self, new_data: pd.DataFrame | None = None, groups: bool = True) -> pd.Series:
        """Predict the response, as lme4's `predict(m, newdata, allow.new.levels = TRUE)`.

        What the formula computes from all values of a column, such as `scale(x)`, `poly(x, 2)`, `ns(x, 3)`, `cut(x, 3)`
        or the levels of a factor, is computed with the constants of the fit. (R does so too, but for `cut`, whose equal
        ranges it computes anew.)

        Parameters
        ----------
        new_data : m rows with the columns of the model's right-hand side; else the rows of the fit
        groups : add the effects of each row's group (lme4's default); else predict from the fixed effects alone, for
            which the column of groups is not needed (`re.form = NA`)

        Returns
        -------
        (m,) with the index of `new_data`. A row in which a variable is missing has a missing prediction. A row whose
        group is missing, or was not in the fit, has the prediction for a group whose effects are zero.

        Raises
        ------
        UserError
            A column is lacking or of another kind than at the fit; a factor has a level that the fit does not know; a
            value lies where an expression has none, as outside the ranges of `cut`.

        Examples
        --------
        >>> import pandas as pd
        >>> days = pd.DataFrame({"Days": [0, 10], "Subject": [308, 999]})
        >>> model.predict(days).round(3).tolist()
        [253.664, 356.078]
        >>> model.predict(days, groups=False).round(3).tolist()
        [251.405, 356.078]
        """
        if new_data is None:
            if groups:
                return self.fitted
            values = self.design.x @ self.estimates.beta + self.design.offset
            return pd.Series(values, index=self._rows.index, name="prediction")
        check_table("predict: the new data", new_data)
        rows = new_rows(self.design, self.table, new_data, groups)
        values = rows.x @ self.estimates.beta + rows.offset
        if groups:
            values = values + (rows.z * self._effects.effect[rows.group_index]).sum(axis=1)
        return pd.Series(values, index=new_data.index, name="prediction")

    def confint(
        self, method: Method = "profile", level: float = 0.95, replicates: int = 10_000, seed: int = 1
    ) -> pd.DataFrame:
        """Confidence intervals, as lme4's `confint(m, method)`.

        Parameters
        ----------
        method : "profile" and "bootstrap" give every parameter: SDs and correlations of the random effects in the order
            of lme4's theta (`.sig01`, ...), the residual SD (`.sigma`), the fixed effects; the others the fixed effects
            alone. "satterthwaite" and "kenward_roger" belong to the t tests in `fixed_effects`; "wald" is by z, as
            lme4's. "profile" is of the ML fit, as lme4's, whatever the estimator of this one.
        level : between 0 and 1
        replicates, seed : of the bootstrap

        Returns
        -------
        A row for each parameter, in units of the response: `label`, `estimate`, `lower`, `upper` and more; `note` says
        why a bound is missing. "bootstrap" has the percentile, the basic and the normal interval of R's `boot.ci`
        (`method`), with the Monte Carlo errors of the bounds.

        Examples
        --------
        >>> model.confint()[["label", "lower", "upper"]].round(3)
                                                    label    lower    upper
        parameter
        .sig01                          SD of (Intercept)   14.381   37.716
        .sig02       correlation of Days with (Intercept)   -0.481    0.685
        .sig03                                 SD of Days    3.801    8.753
        .sigma                                residual SD   22.898   28.858
        (Intercept)                           (Intercept)  237.681  265.130
        Days                                         Days    7.359   13.576
        """
        if method not in get_args(Method):
            raise UserError(f"confint: method is {method!r}; expected one of {', '.join(get_args(Method))}.")
        _check_level("confint", level)
        of = self._reported
        if method == "wald":
            table = wald_intervals(of.listed, of.estimates, of.std_errors, level)
        elif method in ("satterthwaite", "kenward_roger"):
            table = t_intervals(of.listed, t_tests(self._small_samples(method)), method, level)
        elif method == "profile":
            at = pack(from_lme4(self._by(reml=False).theta, self.products), self.design.blocks)
            table = profile_intervals(self.design.random_terms, self.design.fixed_terms, self.products, at, level)
        else:
            simulated = simulated_values(self.bootstrap(replicates, seed), of.listed)
            table = bootstrap_intervals(of.listed, of.estimates, simulated, level)
        return table.set_index("parameter")

    def bootstrap(self, n: int = 10_000, seed: int = 1) -> pd.DataFrame:
        """Simulate n responses from the fit, and fit the model to each: the parametric bootstrap of lme4's `bootMer`.

        The replicates do not depend on the number of processors.

        Returns
        -------
        n rows: `replicate`, `criterion`, `optimum_found`, `singular`, `evaluations`, the elements of theta, and each
        parameter as `confint` names it, missing where no optimum was found.

        Examples
        --------
        >>> replicates = model.bootstrap(200)
        >>> print(replicates["optimum_found"].sum(), replicates["Days"].std().round(1))
        200 1.5
        """
        check_whole("bootstrap: the number of replicates", n, 1)
        check_whole("bootstrap: seed", seed, 0)
        fit, blocks = self.estimates, (self.products,)
        about = experiment_of(
            self.design.formula, (self.design,), blocks, (fit.lower,), fit.sigma, reml=fit.estimator == "REML"
        )
        (fits,) = run_part(about, seed, range(1, n + 1), processors()).fits
        return replicate_table(fits, self.products, fit.beta, self._reported.listed)

    def confirm(self) -> "Result":
        """Have statsmodels' MixedLM search from the optimum (needs statsmodels), as the pipeline does with every fit.

        Returns
        -------
        The same result with MixedLM's estimates where it ends at the same criterion to 1e-6; else with a doubt.
        """
        from twolevel.fitting.confirm import confirm  # imports statsmodels

        return replace(self, estimates=confirm(self.design, self.products, self.estimates))

    def __repr__(self) -> str:
        fit, design = self.estimates, self.design
        return (
            f"<Result: {design.formula} by {fit.estimator}, criterion {fit.criterion:.3f}, {fit.n_obs} observations in "
            f"{len(design.group_labels)} groups of {design.group}>"
        )

    def _repr_html_(self) -> str:
        doubts = "".join(f"<p>Do not trust this fit: {escape(doubt)}</p>" for doubt in self.doubts)
        tables = (self.random_effects, self.fixed_effects)
        return f"<p>{escape(repr(self)[1:-1])}</p>{doubts}" + "".join(table.to_html(escape=True) for table in tables)

    @cached_property
    def _effects(self) -> GroupEffects:
        return group_effects(self.design, self.products, self.estimates.lower, self.estimates.at)

    @cached_property
    def _best_method(self) -> SmallSamples:
        return small_samples(self.products, self.estimates)[-1]

    def _small_samples(self, method: Literal["satterthwaite", "kenward_roger"]) -> SmallSamples:
        if method == "kenward_roger" and self.estimates.estimator == "ML":
            raise UserError(
                "Kenward and Roger's method needs a fit by REML: fit with reml=True, or take satterthwaite."
            )
        return {"satterthwaite": satterthwaite, "kenward_roger": kenward_roger}[method](self.products, self.estimates)

    @cached_property
    def _rows(self) -> pd.DataFrame:
        """Fitted values and residuals of the rows used, with their index in the data."""
        values = fitted_values(self.design, self.estimates.beta, self._effects.effect)
        return residuals_table(self.design, self.estimates, values).set_index(self.table.index[self.design.rows])

    @property
    def _reported(self) -> Reported:
        design = self.design
        about = {"random_terms": design.random_terms, "fixed_terms": design.fixed_terms, "blocks": design.blocks}
        return reported(about | estimates(self.estimates, design.blocks))

    def _by(self, *, reml: bool) -> Fit:
        """Estimates of the same model by that estimator."""
        if reml == (self.estimates.estimator == "REML"):
            return self.estimates
        return fit_model(self.design, self.products, reml=reml, random_starts=self.random_starts, seed=self.seed)

    def _by_group(self, values: np.ndarray, std_errors: np.ndarray) -> pd.DataFrame:
        index = pd.MultiIndex.from_product(
            [self.design.group_labels, self.design.random_terms], names=[self.design.group, "term"]
        )
        return pd.DataFrame({"estimate": values.ravel(), "std_error": std_errors.ravel()}, index=index)


def processors() -> int:
    """How many threads a bootstrap takes."""
    return os.cpu_count() or 1


def _check_level(what: str, level: float) -> None:
    if not 0 < level < 1:
        raise UserError(f"{what}: level is {level}; expected a number between 0 and 1, such as 0.95.")
