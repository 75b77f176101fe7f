"""Joint tests of the terms of a formula: of a factor's levels, of an interaction, of a polynomial's columns.

They are tests of type III, as in lmerTest's `anova(m)`: a term is tested as an average over the levels of the factors
in the interactions that contain it. With every factor coded so that its contrasts sum to zero over its levels, that is
the test that the term's own coefficients are all zero.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from twolevel.inference.fixed_tests import SmallSamples, joint_test
from twolevel.model.design import Design, Floats

# Elements of a change of coding are sums of products of simple fractions; this is rounding beside them.
ROUNDING = 1e-10


def term_tests(design: Design, methods: tuple[SmallSamples, ...]) -> pd.DataFrame:
    """Test every term of the fixed part by F, by each method.

    Returns
    -------
    a row for each method and term: `method`, `term`, `statistic`, `df` (the numerator's), `ddf` (the denominator's),
    `p_value`; none where the fixed part has only an intercept
    """
    hypotheses = type3_contrasts(design)
    rows = []
    for of in methods:
        for term, contrasts in hypotheses.items():
            test = joint_test(of, contrasts)
            rows.append((of.method, term, test.statistic, test.df, test.ddf, test.p_value))
    columns = {"method": "str", "term": "str", "statistic": "float", "df": "int", "ddf": "float", "p_value": "float"}
    return pd.DataFrame(rows, columns=list(columns)).astype(columns)


def term_columns(design: Design) -> dict[str, list[int]]:
    """The columns of each term, by its name as R prints it; the intercept is none."""
    columns: dict[str, list[int]] = {}
    for column, factors in enumerate(design.fixed_factors):
        if factors:
            term = ":".join(dict.fromkeys(design.meanings[name].column for name in factors))
            columns.setdefault(term, []).append(column)
    return columns


def type3_contrasts(design: Design) -> dict[str, Floats]:
    """Combinations (m, p) of the fixed effects that are zero where a term of m columns has no effect, by its name.

    Satterthwaite's degrees of freedom depend on which m combinations stand for a hypothesis. As in lmerTest they are
    each coefficient of the term plus what it takes of the coefficients of others; where there is only one term, they
    are those of the sequential (type I) test.
    """
    columns = term_columns(design)
    if len(columns) == 1:
        upper = np.linalg.qr(design.x, mode="r")
        upper = upper / np.diag(upper)[:, None]
        return {term: upper[of] for term, of in columns.items()}
    change = _to_sum_coding(design, columns)
    return {term: np.asarray(np.linalg.solve(change[np.ix_(of, of)], change[of])) for term, of in columns.items()}


def _to_sum_coding(design: Design, columns: Mapping[str, list[int]]) -> Floats:
    """The coefficients, with factors coded by contrasts that sum to zero, as combinations (p, p) of the model's own."""
    recoded = design.x.copy()
    for of in columns.values():
        reference = _reference(design, of)
        for column in of:
            factors = design.fixed_factors[column]
            pieces = [design.factors[name] - reference.get(design.meanings[name].column, 0.0) for name in factors]
            recoded[:, column] = np.prod(pieces, axis=0)
    sizes, own = (np.sqrt((x**2).mean(axis=0)) for x in (recoded, design.x))
    change = np.linalg.lstsq(recoded / sizes, design.x / own, rcond=None)[0]
    change[np.abs(change) < ROUNDING] = 0.0
    return np.asarray(change * own / sizes[:, None])


def _reference(design: Design, columns: list[int]) -> dict[str, Floats]:
    """An indicator (n,) of the reference level of each variable that these columns of a term compare with one."""
    levels: dict[str, dict[str, Floats]] = {}
    for column in columns:
        for name in design.fixed_factors[column]:
            if design.meanings[name].level is not None:
                levels.setdefault(design.meanings[name].column, {})[name] = design.factors[name]
    return {variable: np.asarray(1.0 - np.sum([*of.values()], axis=0)) for variable, of in levels.items()}
