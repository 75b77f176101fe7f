"""See which intervals cover the truth in data sets simulated from a model: one part of them."""

from typing import Any

import numpy as np
from _job import job, read_arrays, read_json, read_table, split_part
from calibrate_tests import write_part
from twolevel.bootstrap.calibration import Study
from twolevel.bootstrap.coverage import coverage_experiment, coverage_part
from twolevel.bootstrap.experiment import from_arrays
from twolevel.bootstrap.parts import share
from twolevel.bootstrap.simulate import projection
from twolevel.likelihood.deviance import from_lme4
from twolevel.model.formula import build_design
from twolevel.model.parameters import parameters


def main(files: Any, output: str, part: str, data_sets: int, replicates: int, seed: int, level: float) -> None:
    """Write what the intervals of `part`, such as 2-of-4, of so many `data_sets` cover."""
    experiment, fit = from_arrays(read_arrays(files.experiment)), read_json(files.fit)
    data = experiment.targets[0].data
    project = projection((build_design(fit["formula"], read_table(files.table)),), (data,))
    study = Study(coverage_experiment(experiment), project, replicates, seed)
    listed = parameters(fit["random_terms"], fit["fixed_terms"], fit["blocks"])
    lower = from_lme4(fit["theta"], data)
    beta = np.array(fit["fixed_effects"])
    numbers = share(*split_part(part), data_sets)
    done = coverage_part(study, numbers, listed, lower, fit["sigma"], beta, level)
    write_part(output, done, experiment.name, data_sets, replicates)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(snakemake.input, snakemake.output[0], snakemake.wildcards.scatteritem, **snakemake.params)
