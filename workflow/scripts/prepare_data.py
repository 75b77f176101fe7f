"""Check the raw table, derive columns; write the table that models are fitted to, one row per group, descriptives."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from _job import job, read_json, read_table, write_table
from twolevel.data.columns import check_columns
from twolevel.data.descriptives import descriptives as describe
from twolevel.data.descriptives import frequencies as count_levels
from twolevel.data.look_alikes import warnings_of
from twolevel.data.source import read_file, suffix_of
from twolevel.errors import UserError
from twolevel.model.derive import derive, group_level_columns, group_table


def main(
    raw: Path,
    provenance: Path,
    table: Path,
    text: Path,
    groups: Path,
    descriptives: Path,
    frequencies: Path,
    data: Mapping[str, Any],
    recipes: Mapping[str, Any],
) -> None:
    """Write the prepared table as Parquet and as CSV (`text`), the groups, and what all columns hold (CSV).

    `data` and `recipes` are the configuration's sections `data` and `derive`.
    """
    columns, group = data["columns"], data["group"]
    story = read_json(provenance)
    checked = check_columns(
        read_table(raw),
        columns,
        group,
        keep=recipes,
        name=story["source"],
        missing=data["missing"],
        unreadable=story["unreadable"],
    )
    for warning in warnings_of(checked, columns):
        logging.warning("%s, %s", story["source"], warning)
    prepared = derive(checked, group, recipes, _joined(recipes))
    by_group = group_table(prepared, group, group_level_columns(columns, recipes))
    write_table(table, prepared)
    write_table(text, prepared)
    write_table(groups, by_group)
    write_table(descriptives, describe(prepared, by_group, group))
    write_table(frequencies, count_levels(prepared, by_group, group))


def _joined(recipes: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """The tables of groups that recipes name."""
    tables = {}
    for name, recipe in recipes.items():
        file = recipe.get("join")
        if file is None or file in tables:
            continue
        if not Path(file).is_file():
            raise UserError(f"derive.{name}.join: there is no file {file!r} in {Path.cwd()}; correct the path.")
        read = read_file(Path(file).read_bytes(), suffix_of(file), file)
        for note in read.notes:
            logging.warning("%s: %s.", file, note)
        tables[file] = read.table
    return tables


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            raw=Path(snakemake.input.raw),
            provenance=Path(snakemake.input.provenance),
            table=Path(snakemake.output.table),
            text=Path(snakemake.output.text),
            groups=Path(snakemake.output.groups),
            descriptives=Path(snakemake.output.descriptives),
            frequencies=Path(snakemake.output.frequencies),
            data=snakemake.params.data,
            recipes=snakemake.params.derive,
        )
