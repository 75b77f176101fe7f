"""Bootstrap replicates as the tables of the results contract (docs/results.md)."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from twolevel.bootstrap.likelihood_ratio_tests import NO_FALL
from twolevel.bootstrap.replicates import Replicates
from twolevel.errors import UserError
from twolevel.fitting.search import is_singular
from twolevel.inference.samples import Sample, size
from twolevel.likelihood.crossproducts import CrossProducts
from twolevel.likelihood.deviance import factor, pack
from twolevel.model.blocks import Blocks
from twolevel.model.design import Floats
from twolevel.model.parameters import Parameter, parameter_values


def replicate_table(
    fits: Replicates, data: CrossProducts, true_beta: Floats, listed: Sequence[Parameter], first: int = 1
) -> pd.DataFrame:
    """One model fitted to every replicate: a row for each.

    Parameters
    ----------
    fits : the replicates, in order
    data : the model's cross-products
    true_beta : (p,) the fixed effects that the replicates were simulated from
    listed : the model's parameters; estimates of a replicate without an optimum are missing
    first : number of the first replicate
    """
    lower = data.own_units(factor(fits.theta, data.blocks))
    beta = true_beta + np.linalg.solve(data.r, fits.delta.T).T
    values = np.where(fits.found[:, None], parameter_values(lower, fits.sigma, beta, data.blocks), np.nan)
    return pd.DataFrame(
        {
            "replicate": np.arange(first, first + len(fits.criterion)),
            "criterion": fits.criterion,
            "optimum_found": fits.found,
            "singular": is_singular(fits.theta, data.blocks),
            "evaluations": fits.evaluations,
            **{f"theta_{i + 1}": theta for i, theta in enumerate(pack(lower, data.blocks).T)},
            **{parameter.name: column for parameter, column in zip(listed, values.T, strict=True)},
        }
    )


def simulated_values(table: pd.DataFrame, listed: Sequence[Parameter]) -> list[Sample]:
    """The replicates of each parameter in a replicate table, in one block."""
    return [[table[parameter.name].to_numpy()] for parameter in listed]


def reference_table(
    null: Replicates, alternative: Replicates, blocks: tuple[Blocks, Blocks], first: int = 1
) -> pd.DataFrame:
    """The likelihood ratio statistic of every replicate: the fall from the null model's criterion to the alternative's.

    Where either search found no optimum, or the alternative ended above the null model that it contains, the statistic
    is missing.

    Parameters
    ----------
    null, alternative : the two models, fitted to the same simulated data
    blocks : the independent blocks of random effects of each
    first : number of the first replicate
    """
    statistic = null.criterion - alternative.criterion
    found = null.found & alternative.found & (statistic > -NO_FALL)
    return pd.DataFrame(
        {
            "replicate": np.arange(first, first + len(statistic)),
            "statistic": np.where(found, np.maximum(statistic, 0.0), np.nan),
            "null_criterion": null.criterion,
            "alternative_criterion": alternative.criterion,
            "optimum_found": found,
            "null_singular": is_singular(null.theta, blocks[0]),
            "alternative_singular": is_singular(alternative.theta, blocks[1]),
        }
    )


def check_statistics(statistics: Sample, name: str, null: str) -> int:
    """Count the statistics of a reference table that are missing, since a replicate failed.

    Parameters
    ----------
    name, null : what a message calls the comparison and its null model

    Raises
    ------
    UserError
        Every replicate failed.
    """
    count = sum(len(values) for values in statistics)
    failed = count - size(statistics)
    if failed == count:
        raise UserError(
            f"{name}: none of the {count} data sets simulated from {null} could be fitted by both models. Look at "
            f"the 'doubts' of their fits, and simplify the models."
        )
    return failed
