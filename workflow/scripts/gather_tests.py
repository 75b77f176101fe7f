"""Unite the parts of a comparison's bootstrap; set its tests side by side."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from _job import Column, job, read_arrays, read_json, write_blocks, write_table
from simulate_replicates import blocks_of
from twolevel.bootstrap.experiment import Experiment, from_arrays
from twolevel.bootstrap.likelihood_ratio_tests import bootstrap_tests
from twolevel.bootstrap.replicate_tables import check_statistics, reference_table


def main(files: Any, output: Any, replicates: int, seed: int) -> None:
    """Write the reference distribution and the tests of the comparison in `files.comparison`."""
    experiment = from_arrays(read_arrays(files.experiment))
    write_tests(read_json(files.comparison), experiment, files.parts, output, replicates, seed)


def write_tests(
    comparison: Mapping[str, Any],
    experiment: Experiment,
    parts: Sequence[str],
    output: Any,
    replicates: int,
    seed: int,
    threads: int = 1,
) -> None:
    """The same for a comparison and an experiment at hand; without `parts` the bootstrap is run here."""
    random_effects = (experiment.targets[0].data.blocks, experiment.targets[1].data.blocks)
    blocks = blocks_of(experiment, seed, replicates, parts, threads)
    tables = (reference_table(of.fits[0], of.fits[1], random_effects, of.replicates.start) for of in blocks)
    write_blocks(output.reference, tables)
    statistics = Column(output.reference, "statistic")
    if failed := check_statistics(statistics, experiment.name, comparison["null_model"]):
        logging.warning(f"warning: {experiment.name}: {failed} of {replicates} bootstrap replicates gave no statistic")
    tests = bootstrap_tests(
        comparison["statistic"],
        comparison["df"],
        statistics,
        comparison["added_random_effects"],
    )
    write_table(output.tests, tests)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(snakemake.input, snakemake.output, **snakemake.params)
