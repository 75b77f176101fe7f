"""Fit a model to a table."""

import pandas as pd

from twolevel.api.checks import check_table, check_whole
from twolevel.api.result import Result
from twolevel.errors import UserError
from twolevel.fitting.fit import fit_model
from twolevel.likelihood.crossproducts import cross_products
from twolevel.model.formula import build_design


def fit(
    formula: str,
    data: pd.DataFrame,
    reml: bool = True,
    *,
    group: str | None = None,
    random_starts: int = 4,
    seed: int = 1,
) -> Result:
    """Fit a two-level linear mixed model, as lme4's `lmer(formula, data, REML)` does.

    The optimum is searched from several starts, without bounds on the variances. The first fit after the installation
    compiles the engine, which takes half a minute; then a fit takes milliseconds.

    The pipeline also has statsmodels' MixedLM confirm each fit. Here, call `Result.confirm` to do so.

    Parameters
    ----------
    formula : of one response, fixed effects and random effects by one column of groups, such as
        `y ~ x + (x | g)`; docs/formulas.md says what it may have
    data : n rows, one per observation. Numbers, truth values, categories or text; text is a factor with its levels in
        the order of the alphabet. Rows in which a variable of the model is missing are left out.
    reml : by restricted maximum likelihood, else by maximum likelihood
    group : the column of groups, where every random effect has to be by that column
    random_starts : how many random starts beside the two that are not random
    seed : of the random starts

    Raises
    ------
    UserError
        The formula cannot be read, is no two-level model, or cannot be estimated from these data; the message says
        what to mend.

    Examples
    --------
    `sleepstudy` is the table of that name in lme4: reaction times of 18 subjects in milliseconds on days 0 to 9.

    >>> from twolevel import fit
    >>> model = fit("Reaction ~ Days + (Days | Subject)", sleepstudy)
    >>> model
    <Result: Reaction ~ Days + (Days | Subject) by REML, criterion 1743.628, 180 observations in 18 groups of Subject>
    >>> model.fixed_effects[["estimate", "std_error", "t", "df"]].round(3)
                 estimate  std_error       t    df
    term
    (Intercept)   251.405      6.825  36.838  17.0
    Days           10.467      1.546   6.771  17.0
    """
    check_table("fit: data", data)
    if not isinstance(formula, str):
        raise UserError(f"fit: formula is of type {type(formula).__name__}; expected a text such as 'y ~ x + (x | g)'.")
    if not isinstance(reml, bool):
        raise UserError(f"fit: reml is {reml!r}; expected True (REML) or False (ML).")
    if not isinstance(group, str | None):
        raise UserError(f"fit: group is {group!r}; expected the name of a column.")
    check_whole("fit: random_starts", random_starts, 0)
    check_whole("fit: seed", seed, 0)
    design = build_design(formula, data, group)
    products = cross_products(design)
    found = fit_model(design, products, reml=reml, random_starts=random_starts, seed=seed)
    used = data[list(design.columns)].copy()
    return Result(design, products, found, used, random_starts, seed)
