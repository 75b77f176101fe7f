"""Fit a textbook's models with each way to code a group mean, and write its tables."""

import logging
from pathlib import Path
from typing import Any

import pandas as pd
from _job import job, write_table
from twolevel.data.codings import CodedColumns
from twolevel.data.source import read_table
from twolevel.output.textbook import components, explained, fit_coding, fixed_effects, group_means, recode


def main(
    files: Any,
    output: Any,
    group: str,
    columns: dict[str, str],
    formulas: dict[str, str],
    baselines: dict[str, str],
    optimiser: dict[str, int],
) -> None:
    """Fit every model in every coding.

    Parameters
    ----------
    files, output : paths by what they hold
    group : the data's grouping column
    columns : which columns are coded, as `CodedColumns`
    formulas, baselines : of the textbook's models
    optimiser : how each optimum is searched
    """
    table, coded = pd.read_parquet(files.table), CodedColumns(**columns)
    file = Path(files.group_means)
    means = group_means(
        read_table(file.read_bytes(), file.suffix, str(file)),
        table.drop_duplicates(group).set_index(group)[coded.mean],
        group,
        str(file),
    )
    fits = []
    for coding, recoded in recode(table, coded, means).items():
        for model, formula in formulas.items():
            fits.append(fit_coding(coding, model, formula, recoded, **optimiser))
            for doubt in fits[-1].fit.doubts:
                logging.warning(f"warning: do not trust {model} with the {coding} coding: {doubt}")
    write_table(output.group_means, means)
    write_table(output.fixed_effects, fixed_effects(fits))
    write_table(output.variance_components, components(fits))
    write_table(output.variance_explained, explained(fits, baselines))


if __name__ == "__main__":
    with job(snakemake.log[0]):  # noqa: F821
        main(snakemake.input, snakemake.output, **snakemake.params)  # noqa: F821
