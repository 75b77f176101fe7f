"""Run one part of a bootstrap: simulate its replicates and fit the models to them."""

import logging

from _job import job, read_arrays, split_part, write_arrays
from twolevel.bootstrap.experiment import from_arrays, part_to_arrays, run_part, share


def main(experiment: str, output: str, part: str, threads: int, replicates: int, seed: int) -> None:
    """Write the replicates of `part`, such as 2-of-4, of so many `replicates`."""
    number, parts = split_part(part)
    done = run_part(from_arrays(read_arrays(experiment)), seed, share(number, parts, replicates), threads)
    for fits in done.fits:
        logging.info(
            f"replicates {done.replicates.start} to {done.replicates.stop - 1}: {int((~fits.found).sum())} without an "
            f"optimum, {int(fits.evaluations.sum())} evaluations"
        )
    write_arrays(output, part_to_arrays(done))


if __name__ == "__main__":
    with job(snakemake.log[0]):  # noqa: F821
        main(
            snakemake.input.experiment,  # noqa: F821
            snakemake.output[0],  # noqa: F821
            snakemake.wildcards.scatteritem,  # noqa: F821
            snakemake.threads,  # noqa: F821
            **snakemake.params,  # noqa: F821
        )
