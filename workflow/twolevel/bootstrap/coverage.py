"""How often intervals cover the truth, counted in data sets simulated from a fitted model."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from twolevel.bootstrap.calibration import (
    Study,
    calibrated,
    fitted_factor,
    inner_experiment,
    inner_fits,
    outer_fits,
)
from twolevel.bootstrap.experiment import Experiment
from twolevel.bootstrap.parts import Part
from twolevel.bootstrap.replicate_tables import replicate_table, simulated_values
from twolevel.bootstrap.replicates import Replicates
from twolevel.bootstrap.simulate import simulated
from twolevel.bootstrap.streams import draw, stream_key
from twolevel.inference.descent import ProfileError
from twolevel.inference.intervals import FROM_REPLICATES, bootstrap_intervals, proportion_interval, wald_intervals
from twolevel.inference.profile_deviance import optimum, profile_deviance_at
from twolevel.likelihood.crossproducts import CrossProducts
from twolevel.likelihood.deviance import profile
from twolevel.model.design import Floats
from twolevel.model.parameters import Parameter, parameter_values

METHODS = (*FROM_REPLICATES, "profile", "wald")

# lower and upper are Clopper and Pearson's 95 % interval of the coverage. mean_width is missing for profile intervals,
# whose bounds are not computed.
COLUMNS = {
    "model": "str",
    "parameter": "str",
    "label": "str",
    "method": "str",
    "level": "float64",
    "data_sets": "int64",
    "replicates": "Int64",
    "covered": "int64",
    "coverage": "float64",
    "lower": "float64",
    "upper": "float64",
    "mean_width": "float64",
}


def coverage_experiment(experiment: Experiment) -> Experiment:
    """The outer level for a model: each data set is fitted by the model's estimator, and by ML for its profile."""
    (view,), (record,) = experiment.simulator.views, experiment.targets
    return replace(
        calibrated(experiment),
        simulator=replace(experiment.simulator, views=(view, view)),
        targets=(record, replace(record, reml=False)),
    )


def coverage_part(
    study: Study, data_sets: range, listed: Sequence[Parameter], lower: Floats, sigma: float, beta: Floats, level: float
) -> Part:
    """Simulate data sets from a model, and see which of their intervals cover its parameters.

    A profile interval covers a value if the deviance, with the parameter held there, has not risen by more than the
    quantile of chi-square(1). So its bounds need not be found.

    Parameters
    ----------
    study : made of a `coverage_experiment`
    data_sets : their numbers
    listed : the m parameters
    lower, sigma, beta : the truth: relative covariance factor in the coordinates of the cross-products, residual SD
        and fixed effects
    level : of the intervals

    Returns
    -------
    a part with `covers` (n, 5, m): 1 where the interval of a method covers the parameter, 0 where not, missing where
    there is none; and `width` (n, 5, m)
    """
    outer = outer_fits(study, data_sets)
    data = study.experiment.targets[0].data
    truth = parameter_values(data.own_units(lower), sigma, beta, data.blocks)
    covers = np.full((len(data_sets), len(METHODS), len(listed)), np.nan)
    width = covers.copy()
    for row in map(int, np.flatnonzero(outer.fits[0].found & outer.fits[1].found)):
        response = response_of(study, data_sets[row], beta)
        bounds = _bounds(study, data_sets[row], outer.fits, row, response, listed, level)
        inside = (bounds[..., 0] <= truth) & (truth <= bounds[..., 1])
        covers[row] = np.where(np.isfinite(bounds).all(axis=-1) & np.isfinite(truth), inside, np.nan)
        covers[row, METHODS.index("profile")] = _within_profiles(
            response, outer.fits[1].theta[row], listed, truth, level
        )
        width[row] = bounds[..., 1] - bounds[..., 0]
    return replace(outer, found={"covers": covers, "width": width})


def response_of(study: Study, number: int, beta: Floats) -> CrossProducts:
    """One data set as cross-products, from the random numbers that `outer_fits` draws for it."""
    of, key = study.experiment, stream_key(study.seed, study.experiment.name)
    simulator, view = of.simulator, of.simulator.views[0]
    n_normals = simulator.root[:, 0].size
    normals, chi_squares = draw(key, range(number, number + 1), n_normals, simulator.residual_df)
    return simulated(simulator, view, of.targets[0].data, normals[0], float(chi_squares[0]), beta)


def _bounds(
    study: Study,
    number: int,
    fits: Sequence[Replicates],
    row: int,
    response: CrossProducts,
    listed: Sequence[Parameter],
    level: float,
) -> Floats:
    """Bounds of one data set's intervals (5, m, 2); those of profiles, and Wald's of a variance, are missing."""
    at = profile(fits[0].theta[row], response, reml=study.experiment.targets[0].reml)
    lower = response.own_units(fitted_factor(fits[0], row, response))
    estimates = parameter_values(lower, at.sigma, at.beta, response.blocks)
    (inner,) = inner_fits(study, inner_experiment(study, number, fits, row))
    replicates = simulated_values(replicate_table(inner, response, at.beta, listed), listed)
    bootstrap = bootstrap_intervals(listed, estimates, replicates, level)
    wald = wald_intervals(listed, estimates, np.sqrt(np.diag(at.beta_covariance)), level)
    bounds = np.full((len(METHODS), len(listed), 2), np.nan)
    bounds[:3] = bootstrap[["lower", "upper"]].to_numpy().reshape(3, len(listed), 2)
    bounds[METHODS.index("wald"), -len(wald) :] = wald[["lower", "upper"]]
    return bounds


def _within_profiles(
    response: CrossProducts, theta: Floats, listed: Sequence[Parameter], truth: Floats, level: float
) -> list[float]:
    """Whether each parameter's true value raises the deviance above the ML optimum by no more than the quantile."""
    rise = ndtri((1 + level) / 2) ** 2  # the quantile of chi-square(1)
    best, theta = optimum(response, theta)
    covers = []
    for parameter, value in zip(listed, truth, strict=True):
        try:
            covers.append(float(profile_deviance_at(response, theta, parameter, value) - best <= rise))
        except ProfileError:
            covers.append(np.nan)
    return covers


def coverage_rows(
    model: str,
    listed: Sequence[Parameter],
    covers: Floats,
    width: Floats,
    level: float,
    replicates: int,
) -> list[dict[str, Any]]:
    """Count what is covered: a row for each method and parameter that has such intervals.

    Parameters
    ----------
    model : its name
    listed : the m parameters
    covers, width : (M, 5, m) from `coverage_part`; data sets without an interval are not counted
    level : of the intervals
    replicates : of the bootstraps
    """
    rows = []
    for k, method in enumerate(METHODS):
        for i, parameter in enumerate(listed):
            known = covers[~np.isnan(covers[:, k, i]), k, i]
            if not len(known):
                continue
            covered = int(known.sum())
            lower, upper = proportion_interval(covered, len(known))
            widths = width[np.isfinite(width[:, k, i]), k, i]
            rows.append(
                {
                    "model": model,
                    "parameter": parameter.name,
                    "label": parameter.label,
                    "method": method,
                    "level": level,
                    "data_sets": len(known),
                    "replicates": replicates if method in FROM_REPLICATES else None,
                    "covered": covered,
                    "coverage": covered / len(known),
                    "lower": lower,
                    "upper": upper,
                    "mean_width": widths.mean() if len(widths) else np.nan,
                }
            )
    return rows


def coverage_table(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Rows of all models as a table."""
    return pd.DataFrame(list(rows), columns=list(COLUMNS)).astype(COLUMNS)
