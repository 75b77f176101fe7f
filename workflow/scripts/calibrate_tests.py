"""Test a null model that is true in simulated data sets: one part of them."""

import logging
from typing import Any

from _job import job, read_arrays, read_json, read_table, split_part, write_arrays
from twolevel.bootstrap.calibration import Study, calibrated, failures
from twolevel.bootstrap.experiment import from_arrays
from twolevel.bootstrap.parts import Part, part_to_arrays, share
from twolevel.bootstrap.simulate import projection
from twolevel.bootstrap.type_1_error import rejection_part
from twolevel.model.formula import build_design


def main(files: Any, output: str, part: str, data_sets: int, replicates: int, seed: int) -> None:
    """Write the p values of `part`, such as 2-of-4, of so many `data_sets`, each bootstrapped with `replicates`."""
    experiment, comparison = from_arrays(read_arrays(files.experiment)), read_json(files.comparison)
    table = read_table(files.table)
    designs = tuple(build_design(read_json(fit)["formula"], table) for fit in files.fits)
    project = projection(designs, [target.data for target in experiment.targets])
    study = Study(calibrated(experiment), project, replicates, seed)
    numbers = share(*split_part(part), data_sets)
    done = rejection_part(study, numbers, comparison["df"], comparison["added_random_effects"])
    write_part(output, done, experiment.name, data_sets, replicates)


def write_part(output: str, done: Part, name: str, data_sets: int, replicates: int) -> None:
    """Write some data sets of a calibration, and say how many of them could not be analysed."""
    logging.info(
        f"{name}: data sets {done.replicates.start} to {done.replicates.stop - 1} of {data_sets}, each with "
        f"{replicates} bootstrap replicates; {failures(done)} without a result"
    )
    write_arrays(output, part_to_arrays(done))


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(snakemake.input, snakemake.output[0], snakemake.wildcards.scatteritem, **snakemake.params)
