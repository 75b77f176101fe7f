"""Check the raw table, derive columns; write the table that models are fitted to, and one row per group."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from _job import job, read_json, write_table
from twolevel.data.columns import check_columns
from twolevel.data.derive import derive, group_level_columns, group_table


def main(
    raw: Path,
    provenance: Path,
    table: Path,
    groups: Path,
    data: Mapping[str, Any],
    recipes: Mapping[str, Any],
) -> None:
    """Write the prepared table to `table` (Parquet) and the groups to `groups` (CSV).

    `data` and `recipes` are the configuration's sections `data` and `derive`.
    """
    columns, group = data["columns"], data["group"]
    source = read_json(provenance)["source"]
    checked = check_columns(pd.read_parquet(raw), columns, group, keep=recipes, name=source, missing=data["missing"])
    prepared = derive(checked, group, recipes)
    by_group = group_table(prepared, group, group_level_columns(columns, recipes))
    write_table(table, prepared)
    write_table(groups, by_group)


if __name__ == "__main__":
    with job(snakemake.log[0]):  # noqa: F821
        main(
            raw=Path(snakemake.input.raw),  # noqa: F821
            provenance=Path(snakemake.input.provenance),  # noqa: F821
            table=Path(snakemake.output.table),  # noqa: F821
            groups=Path(snakemake.output.groups),  # noqa: F821
            data=snakemake.params.data,  # noqa: F821
            recipes=snakemake.params.derive,  # noqa: F821
        )
