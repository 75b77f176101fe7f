"""Set all models side by side: a row for each quantity, a column for each model."""

from _job import job, read_jsons, write_table
from twolevel.output.side_by_side import side_by_side, side_by_side_table


def main(fits: list[str], output: str) -> None:
    """Write the table; the files' folders are the models' names."""
    stories = read_jsons(fits)
    write_table(output, side_by_side_table(side_by_side(stories), [*stories]))


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(snakemake.input.fits, snakemake.output[0])
