"""Test a null model that is true in simulated data sets: one part of them."""

import logging
from typing import Any

import numpy as np
from _job import job, read_arrays, read_json, read_table, split_part, write_arrays
from twolevel.bootstrap.calibration import Study, calibrated, study_part_to_arrays
from twolevel.bootstrap.experiment import from_arrays, share
from twolevel.bootstrap.simulate import projection
from twolevel.bootstrap.type_1_error import rejection_part
from twolevel.model.formula import build_design


def main(files: Any, output: str, part: str, data_sets: int, replicates: int, seed: int) -> None:
    """Write the p values of `part`, such as 2-of-4, of so many `data_sets`, each bootstrapped with `replicates`."""
    number, parts = split_part(part)
    experiment, comparison = from_arrays(read_arrays(files.experiment)), read_json(files.comparison)
    table = read_table(files.table)
    designs = tuple(build_design(read_json(fit)["formula"], table) for fit in files.fits)
    project = projection(designs, [target.data for target in experiment.targets])
    study = Study(calibrated(experiment), project, replicates, seed)
    numbers = share(number, parts, data_sets)
    done = rejection_part(study, numbers, comparison["df"], comparison["added_random_effects"])
    failed = int(np.isnan(done.found["p_values"]).all(axis=1).sum())
    logging.info(
        f"{experiment.name}: data sets {numbers.start} to {numbers.stop - 1} of {data_sets}, each with {replicates} "
        f"bootstrap replicates; {failed} without a test"
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
