"""Unite the parts of a model's bootstrap; set the intervals of all methods side by side."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from _job import Column, job, read_arrays, read_json, write_blocks, write_table
from simulate_replicates import blocks_of
from twolevel.bootstrap.experiment import from_arrays
from twolevel.bootstrap.replicate_tables import replicate_table
from twolevel.inference.fixed_tests import student
from twolevel.inference.intervals import bootstrap_intervals, t_intervals, wald_intervals
from twolevel.inference.profile_intervals import profile_intervals
from twolevel.inference.reported import by_estimator, reported
from twolevel.likelihood.deviance import from_lme4, pack


def main(files: Any, output: Any, replicates: int, seed: int, level: float) -> None:
    """Write the replicate table and the intervals of the model in `files.fit`."""
    write_intervals(files, files.parts, output, replicates, seed, level)


def write_intervals(
    files: Any, parts: Sequence[str], output: Any, replicates: int, seed: int, level: float, threads: int = 1
) -> None:
    """The same with the parts beside the other files; without `parts` the bootstrap is run here."""
    fit = read_json(files.fit)
    experiment = from_arrays(read_arrays(files.experiment))
    data, beta, of = experiment.targets[0].data, np.array(fit["fixed_effects"]), reported(fit)
    blocks = blocks_of(experiment, seed, replicates, parts, threads)
    tables = (replicate_table(block.fits[0], data, beta, of.listed, block.replicates.start) for block in blocks)
    write_blocks(output.replicates, tables)
    if failed := sum(int((~found).sum()) for found in Column(output.replicates, "optimum_found")):
        logging.warning(f"warning: {experiment.name}: {failed} of {replicates} bootstrap replicates found no optimum")
    simulated = [Column(output.replicates, parameter.name) for parameter in of.listed]
    ml_theta = pack(from_lme4(by_estimator(fit, "ML")["theta"], data), data.blocks)
    effects = pd.read_csv(files.fixed_effects)
    tests = {
        method: student(*(effects[name].to_numpy() for name in ("estimate", f"{prefix}std_error", f"{prefix}df")))
        for method, prefix in (("satterthwaite", ""), ("kenward_roger", "kr_"))
    }
    intervals = [
        bootstrap_intervals(of.listed, of.estimates, simulated, level),
        profile_intervals(fit["random_terms"], fit["fixed_terms"], data, ml_theta, level),
        *(t_intervals(of.listed, of_method, method, level) for method, of_method in tests.items()),
        wald_intervals(of.listed, of.estimates, of.std_errors, level),
    ]
    write_table(output.intervals, pd.concat(intervals))


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(snakemake.input, snakemake.output, **snakemake.params)
