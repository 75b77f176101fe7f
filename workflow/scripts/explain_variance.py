"""Measure the variance that each model explains against its baseline."""

from pathlib import Path

import pandas as pd
from _job import job, write_table
from twolevel.variance import variance_explained


def main(random_effects: list[str], output: str, baselines: dict[str, str]) -> None:
    """Compare each model named in `baselines` with its baseline; the files' folders are the models' names."""
    tables = {Path(file).parent.name: _read(file) for file in random_effects}
    write_table(output, variance_explained(tables, baselines))


def _read(file: str) -> pd.DataFrame:
    """Read random effects; a term may be called `NA`, `null` or `1`, and only an empty field has no value."""
    texts = dict.fromkeys(("group", "term_1", "term_2"), "str")
    return pd.read_csv(file, keep_default_na=False, na_values=[""], dtype=texts)


if __name__ == "__main__":
    with job(snakemake.log[0]):  # noqa: F821
        main(snakemake.input.random_effects, snakemake.output[0], snakemake.params.baselines)  # noqa: F821
