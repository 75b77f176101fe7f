"""Run one part of a bootstrap: simulate its replicates and fit the models to them."""

import logging
from collections.abc import Collection, Iterator, Sequence

from _job import job, read_arrays, reading, split_part, write_arrays
from twolevel.bootstrap.experiment import Experiment, from_arrays
from twolevel.bootstrap.parts import (
    Part,
    check_parts,
    in_blocks,
    part_from_arrays,
    part_to_arrays,
    place,
    run_part,
    share,
)

# Replicates that are gathered at a time: some 50 MB.
BLOCK = 2**17


def main(experiment: str, output: str, part: str, threads: int, replicates: int, seed: int) -> None:
    """Write the replicates of `part`, such as 2-of-4, of so many `replicates`."""
    numbers = share(*split_part(part), replicates)
    done = simulated(from_arrays(read_arrays(experiment)), seed, numbers, threads)
    write_arrays(output, part_to_arrays(done))


def blocks_of(experiment: Experiment, seed: int, replicates: int, parts: Sequence[str], threads: int) -> Iterator[Part]:
    """All replicates, a block at a time: read where they were made in `parts`, else made here."""
    if not parts:
        firsts = range(1, replicates + 1, BLOCK)
        return (simulated(experiment, seed, range(k, min(k + BLOCK, replicates + 1)), threads) for k in firsts)
    heads = {part: read_part(part, ("experiment", "replicates")) for part in parts}
    in_order = sorted(parts, key=lambda part: place(heads[part]))
    check_parts(experiment, seed, replicates, [heads[part] for part in in_order])
    return in_blocks(map(read_part, in_order), BLOCK)


def read_part(path: str, names: Collection[str] = ()) -> Part:
    """Read some replicates, or what stands of them under some names."""
    arrays = read_arrays(path, names)
    with reading(path):
        return part_from_arrays(arrays)


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
