"""Measure the variance that each model explains against its baseline."""

import pandas as pd
from _job import folder_of, job, read_jsons, write_table
from twolevel.inference.variance_explained import check_baseline, variance_explained


def main(fits: list[str], random_effects: list[str], output: str, baselines: dict[str, str]) -> None:
    """Compare each model named in `baselines` with its baseline; the files' folders are the models' names."""
    stories = read_jsons(fits)
    for model, baseline in baselines.items():
        check_baseline(model, stories[model], baseline, stories[baseline])
    tables = {folder_of(file): _read(file) for file in random_effects}
    write_table(output, variance_explained(tables, baselines))


def _read(file: str) -> pd.DataFrame:
    """Read random effects; a term may be called `NA`, `null` or `1`, and only an empty field has no value."""
    texts = dict.fromkeys(("group", "term_1", "term_2"), "str")
    return pd.read_csv(file, keep_default_na=False, na_values=[""], dtype=texts)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(snakemake.input.fits, snakemake.input.random_effects, snakemake.output[0], snakemake.params.baselines)
