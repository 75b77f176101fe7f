"""Unite the parts of every calibration: count rejections of true null models, and intervals that cover the truth."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from _job import job, read_arrays, read_jsons, write_json, write_table
from simulate_replicates import read_part
from twolevel.bootstrap.calibration import calibrated, failures
from twolevel.bootstrap.coverage import coverage_experiment, coverage_rows, coverage_table
from twolevel.bootstrap.experiment import Arrays, Experiment, from_arrays
from twolevel.bootstrap.parts import unite
from twolevel.bootstrap.type_1_error import rejection_rows, rejection_table
from twolevel.data.fingerprint import studied
from twolevel.model.parameters import parameters


def main(files: Any, output: Any, data_sets: int, replicates: int, seed: int, level: float) -> None:
    """Write the two tables, and what they are about."""
    settings = (seed, data_sets, replicates)
    comparisons = read_jsons(files.comparisons)
    fits = read_jsons(files.fits)
    rejections: list[dict[str, Any]] = []
    for name, file in zip(comparisons, files.tested, strict=True):
        experiment = calibrated(from_arrays(read_arrays(file)))
        found = _united(experiment, files.parts, settings)
        rejections += rejection_rows(name, found["p_values"], replicates)
    covered: list[dict[str, Any]] = []
    for name, file in zip(fits, files.fitted, strict=True):
        experiment = coverage_experiment(from_arrays(read_arrays(file)))
        found = _united(experiment, files.parts, settings)
        listed = parameters(fits[name]["random_terms"], fits[name]["fixed_terms"], fits[name]["blocks"])
        covered += coverage_rows(name, listed, found["covers"], found["width"], level, replicates)
    about = {"data_sets": data_sets, "replicates": replicates, "seed": seed, "level": level}
    write_table(output.type_1_error, rejection_table(rejections))
    write_table(output.coverage, coverage_table(covered))
    write_json(output.about, about | studied(comparisons, fits, list(fits)))


def _united(experiment: Experiment, parts: Sequence[str], settings: tuple[int, int, int]) -> Arrays:
    """What was found in all data sets of one study, whose parts lie in the folder of its name."""
    of_study = [part for part in parts if Path(part).parent.parent.as_posix().endswith(f"/{experiment.name}")]
    seed, data_sets, replicates = settings
    read = [*map(read_part, of_study)]
    whole = unite(experiment, seed, data_sets, read, replicates)
    if failed := failures(whole):
        logging.warning(f"warning: {experiment.name}: {failed} of {data_sets} data sets could not be analysed")
    return whole.found


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(snakemake.input, snakemake.output, **snakemake.params)
