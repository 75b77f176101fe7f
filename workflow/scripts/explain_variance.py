"""Measure the variance that each model explains against its baseline."""

from _job import folder_of, job, read_jsons, read_table, write_table
from twolevel.inference.variance_explained import check_baseline, variance_explained


def main(fits: list[str], random_effects: list[str], output: str, baselines: dict[str, str]) -> None:
    """Compare each model named in `baselines` with its baseline; the files' folders are the models' names."""
    stories = read_jsons(fits)
    for model, baseline in baselines.items():
        check_baseline(model, stories[model], baseline, stories[baseline])
    tables = {folder_of(file): read_table(file) for file in random_effects}
    write_table(output, variance_explained(tables, baselines))


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(snakemake.input.fits, snakemake.input.random_effects, snakemake.output[0], snakemake.params.baselines)
