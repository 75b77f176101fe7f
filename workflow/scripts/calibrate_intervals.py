"""See which intervals cover the truth in data sets simulated from a model: one part of them."""

import logging
from typing import Any

import numpy as np
from _job import job, read_arrays, read_json, read_table, split_part, write_arrays
from twolevel.bootstrap.calibration import Study, study_part_to_arrays
from twolevel.bootstrap.coverage import coverage_experiment, coverage_part
from twolevel.bootstrap.experiment import from_arrays, share
from twolevel.bootstrap.simulate import projection
from twolevel.likelihood.deviance import from_lme4
from twolevel.model.formula import build_design
from twolevel.model.parameters import parameters


def main(files: Any, output: str, part: str, data_sets: int, replicates: int, seed: int, level: float) -> None:
    """Write what the intervals of `part`, such as 2-of-4, of so many `data_sets` cover."""
    number, parts = split_part(part)
    experiment, fit = from_arrays(read_arrays(files.experiment)), read_json(files.fit)
    data = experiment.targets[0].data
    project = projection((build_design(fit["formula"], read_table(files.table)),), (data,))
    study = Study(coverage_experiment(experiment), project, replicates, seed)
    numbers = share(number, parts, data_sets)
    listed = parameters(fit["random_terms"], fit["fixed_terms"], fit["blocks"])
    lower = from_lme4(fit["theta"], data)
    beta = np.array(fit["fixed_effects"])
    done = coverage_part(study, numbers, listed, lower, fit["sigma"], beta, level)
    failed = int(np.isnan(done.found["covers"]).all(axis=(1, 2)).sum())
    logging.info(
        f"{experiment.name}: data sets {numbers.start} to {numbers.stop - 1} of {data_sets}, each with {replicates} "
        f"bootstrap replicates; {failed} without intervals"
    )
    write_arrays(output, study_part_to_arrays(done))


if __name__ == "__main__":
    with job(snakemake.log[0]):  # noqa: F821
        main(
            snakemake.input,  # noqa: F821
            snakemake.output[0],  # noqa: F821
            snakemake.wildcards.scatteritem,  # noqa: F821
            **snakemake.params,  # noqa: F821
        )
