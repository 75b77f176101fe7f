"""How often tests reject a null model that is true, counted in data sets simulated from it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from twolevel.bootstrap.calibration import Study, inner_experiment, inner_fits, outer_fits
from twolevel.bootstrap.likelihood_ratio_tests import bootstrap_tests
from twolevel.bootstrap.parts import Part
from twolevel.bootstrap.replicate_tables import reference_table
from twolevel.bootstrap.replicates import Replicates
from twolevel.inference.intervals import proportion_interval
from twolevel.model.design import Floats

# The levels at which tests are judged.
NOMINAL = (0.05, 0.01)

# The tests, as `bootstrap_tests` calls them. Its F is left out: it does not exist where the reference distribution's
# mean is at most df, which under a chi-square happens by chance in half of all data sets.
TESTS = ("LRT", "mixture", "PBtest", "Gamma", "Bartlett")

# Those that use no simulated reference distribution.
WITHOUT_REPLICATES = ("LRT", "mixture")

# replicates is missing where a test uses none; lower and upper are Clopper and Pearson's 95 % interval of the rate.
COLUMNS = {
    "comparison": "str",
    "test": "str",
    "nominal": "float64",
    "data_sets": "int64",
    "replicates": "Int64",
    "rejected": "int64",
    "rate": "float64",
    "lower": "float64",
    "upper": "float64",
}


def rejection_part(study: Study, data_sets: range, df: int, added: int) -> Part:
    """Simulate data sets from the null model, the study's first, and test it in each as `bootstrap_tests` does.

    Parameters
    ----------
    data_sets : their numbers
    df, added : the alternative's parameters and random effects beyond those of the null model

    Returns
    -------
    a part with `p_values` (n, len(TESTS)), missing where there is no such test or a search found no optimum
    """
    outer = outer_fits(study, data_sets)
    statistics = _statistics(study, outer.fits)
    p_values = np.full((len(data_sets), len(TESTS)), np.nan)
    for row in map(int, np.flatnonzero(~np.isnan(statistics))):
        inner = inner_experiment(study, data_sets[row], outer.fits, row)
        reference = _statistics(study, inner_fits(study, inner))
        if not np.isnan(reference).all():
            tests = bootstrap_tests(statistics[row], df, [reference], added).set_index("test")["p_value"]
            p_values[row] = tests.reindex(TESTS)
    return replace(outer, found={"p_values": p_values})


def _statistics(study: Study, fits: Sequence[Replicates]) -> Floats:
    null, alternative = (target.data.blocks for target in study.experiment.targets)
    return reference_table(fits[0], fits[1], (null, alternative))["statistic"].to_numpy()


def rejection_rows(comparison: str, p_values: Floats, replicates: int) -> list[dict[str, Any]]:
    """Count rejections: a row for each test and nominal level.

    Parameters
    ----------
    comparison : its name
    p_values : (M, len(TESTS)); data sets without a p value are not counted
    replicates : of the bootstraps
    """
    rows = []
    for test, column in zip(TESTS, p_values.T, strict=True):
        known = column[~np.isnan(column)]
        of = {"comparison": comparison, "test": test, "data_sets": len(known)}
        if test not in WITHOUT_REPLICATES:
            of["replicates"] = replicates
        for nominal in NOMINAL if len(known) else ():
            rejected = int((known <= nominal).sum())
            lower, upper = proportion_interval(rejected, len(known))
            counted = {"rejected": rejected, "rate": rejected / len(known), "lower": lower, "upper": upper}
            rows.append(of | {"nominal": nominal} | counted)
    return rows


def rejection_table(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Rows of all comparisons as a table."""
    return pd.DataFrame(list(rows), columns=list(COLUMNS)).astype(COLUMNS)
