"""Unite the parts of a comparison's bootstrap; set its tests side by side."""

import logging
from typing import Any

from _job import job, read_arrays, read_json, write_table
from twolevel.bootstrap.experiment import from_arrays, part_from_arrays, unite
from twolevel.bootstrap.likelihood_ratio_tests import bootstrap_tests
from twolevel.bootstrap.replicate_tables import reference_table, simulated_statistics


def main(files: Any, output: Any, replicates: int, seed: int) -> None:
    """Write the reference distribution and the tests of the comparison in `files.comparison`."""
    comparison = read_json(files.comparison)
    experiment = from_arrays(read_arrays(files.experiment))
    null, alternative = unite(experiment, seed, replicates, [part_from_arrays(read_arrays(p)) for p in files.parts])
    blocks = [target.data.blocks for target in experiment.targets]
    table = reference_table(null, alternative, (blocks[0], blocks[1]))
    statistics = simulated_statistics(table, experiment.name, comparison["null_model"])
    if failed := int((~table["optimum_found"]).sum()):
        logging.warning(f"warning: {experiment.name}: {failed} of {replicates} bootstrap replicates gave no statistic")
    tests = bootstrap_tests(
        comparison["statistic"],
        comparison["df"],
        statistics,
        comparison["added_random_effects"],
    )
    write_table(output.reference, table)
    write_table(output.tests, tests)


if __name__ == "__main__":
    with job(snakemake.log[0]):  # noqa: F821
        main(snakemake.input, snakemake.output, **snakemake.params)  # noqa: F821
