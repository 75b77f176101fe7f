"""Make the tables that only the study needs."""

from collections.abc import Mapping, Sequence
from typing import Any

from _job import job, read_table, write_table
from study_loader import find_study, load_part


def main(table: str, outputs: Sequence[str], study: str, settings: Mapping[str, Any]) -> None:
    """Make and write them.

    Parameters
    ----------
    table : path of the prepared table
    outputs : paths of the tables, in the order in which the study names them
    study : folder of the study
    settings : what it picked from the configuration
    """
    folder = find_study(study)
    own = load_part(folder, "tables", "TABLES")
    made = own.make(read_table(table), {name: folder / name for name in own.reads}, settings)
    for name, output in zip(own.made, outputs, strict=True):
        write_table(output, made[name])


if __name__ == "__main__":
    with job(snakemake.log[0]):
        params = snakemake.params
        main(snakemake.input.table, snakemake.output, params.study, params.settings)
