"""Run one part of a bootstrap: simulate its replicates and fit the models to them."""

import logging
from collections.abc import Sequence

from _job import job, read_arrays, split_part, write_arrays
from twolevel.bootstrap.experiment import (
    Experiment,
    Part,
    from_arrays,
    part_from_arrays,
    part_to_arrays,
    run_part,
    share,
    unite,
)
from twolevel.bootstrap.replicates import Replicates


def main(experiment: str, output: str, part: str, threads: int, replicates: int, seed: int) -> None:
    """Write the replicates of `part`, such as 2-of-4, of so many `replicates`."""
    numbers = share(*split_part(part), replicates)
    done = simulated(from_arrays(read_arrays(experiment)), seed, numbers, threads)
    write_arrays(output, part_to_arrays(done))


def replicates_of(
    experiment: Experiment, seed: int, replicates: int, parts: Sequence[str], threads: int
) -> tuple[Replicates, ...]:
    """All replicates: read where they were made in `parts`, else made here."""
    read = [part_from_arrays(read_arrays(part)) for part in parts]
    made = read or [simulated(experiment, seed, share(1, 1, replicates), threads)]
    return unite(experiment, seed, replicates, made).fits


def simulated(experiment: Experiment, seed: int, numbers: range, threads: int) -> Part:
    """Run one part and say how it went."""
    done = run_part(experiment, seed, numbers, threads)
    for fits in done.fits:
        logging.info(
            f"replicates {done.replicates.start} to {done.replicates.stop - 1}: {int((~fits.found).sum())} without an "
            f"optimum, {int(fits.evaluations.sum())} evaluations"
        )
    return done


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            snakemake.input.experiment,
            snakemake.output[0],
            snakemake.wildcards.scatteritem,
            snakemake.threads,
            **snakemake.params,
        )
