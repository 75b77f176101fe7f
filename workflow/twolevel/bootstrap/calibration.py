"""How far nominal levels are right: data sets are simulated from a fitted model, and each has its own bootstrap.

There are two levels. The outer one is an `Experiment`: data set i of M is replicate i of the experiment's stream. The
inner one is the bootstrap that a person with data set i would run: B replicates simulated from the fit to data set i.
Its stream is named after the outer one and the data set's number, so no two bootstraps share random numbers, and
neither do the two levels. A data set's results depend on its number alone, so they are the same however the data sets
are split over jobs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from twolevel.bootstrap.experiment import Experiment, target
from twolevel.bootstrap.parts import Part, run_part
from twolevel.bootstrap.replicates import Replicates, replicate_fits
from twolevel.bootstrap.simulate import Projection
from twolevel.bootstrap.streams import stream_key
from twolevel.likelihood.crossproducts import CrossProducts, triangular
from twolevel.likelihood.deviance import factor
from twolevel.model.design import Floats


@dataclass(frozen=True)
class Study:
    """Simulated data sets, and how each is analysed.

    Attributes
    ----------
    experiment : the data sets, and the models fitted to them
    projection : of the models that each bootstrap fits: the first of the experiment's targets, or all
    replicates : of the bootstrap of each data set
    seed : of both levels
    """

    experiment: Experiment
    projection: Projection
    replicates: int
    seed: int


def calibrated(experiment: Experiment) -> Experiment:
    """The outer level for an experiment of the pipeline, under a name of its own, which gives it streams of its own."""
    return replace(experiment, name=f"calibration/{experiment.name}")


def outer_fits(study: Study, data_sets: range) -> Part:
    """Simulate and fit the data sets of those numbers."""
    return run_part(study.experiment, study.seed, data_sets, inner=study.replicates)


def inner_experiment(study: Study, number: int, fits: Sequence[Replicates], row: int) -> Experiment:
    """The bootstrap of one data set: the same models, simulated from the first one's fit to that data set.

    Parameters
    ----------
    number : of the data set
    fits, row : the models fitted to data sets, and which of these it is
    """
    targets = study.experiment.targets[: len(study.projection.z)]
    lowers = [fitted_factor(of, row, at.data) for of, at in zip(fits, targets, strict=False)]
    return Experiment(
        name=f"{study.experiment.name}/data set {number}",
        simulator=study.projection.simulator(lowers[0], float(fits[0].sigma[row])),
        targets=tuple(target(at.data, lower, reml=at.reml) for at, lower in zip(targets, lowers, strict=True)),
    )


def inner_fits(study: Study, experiment: Experiment) -> tuple[Replicates, ...]:
    """Run the bootstrap of one data set."""
    key = stream_key(study.seed, experiment.name)
    return replicate_fits(experiment.simulator, experiment.targets, key, range(1, study.replicates + 1))


def fitted_factor(fits: Replicates, row: int, data: CrossProducts) -> Floats:
    """Relative covariance factor (q, q) fitted to one data set, its diagonal non-negative."""
    return triangular(factor(fits.theta[row], data.blocks))


def failures(part: Part) -> int:
    """How many data sets could not be analysed: nothing was found in them."""
    found = next(iter(part.found.values()))
    return int(np.isnan(found).reshape(len(found), -1).all(axis=1).sum())
