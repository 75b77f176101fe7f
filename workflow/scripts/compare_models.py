"""Test one null model against one alternative by their likelihood ratio."""

from typing import Any

import pandas as pd
from _job import job, read_json, write_json, write_table
from twolevel.compare import comparison_table, likelihood_ratio
from twolevel.fingerprint import check_same_data
from twolevel.formula import build_design


def main(name: str, table: str, fits: list[str], output: Any, settings: dict[str, str]) -> None:
    """Compare the two models of `settings`, fitted in `fits` (null, alternative), by its estimator."""
    names = (settings["null_model"], settings["alternative_model"])
    both = [read_json(file) for file in fits]
    check_same_data(both[0], both[1], names)
    data = pd.read_parquet(table)
    designs = [build_design(fit["formula"], data) for fit in both]
    null, alternative = (fit if settings["estimator"] == "REML" else fit["ml"] for fit in both)
    test = likelihood_ratio(name, null, alternative, (designs[0], designs[1]))
    result = {
        "null_model": names[0],
        "alternative_model": names[1],
        "estimator": settings["estimator"],
        "statistic": test.statistic,
        "df": test.df,
        "p_value": test.p_value,
        "on_boundary": test.on_boundary,
        "fingerprints": [fit["fingerprint"] for fit in both],
    }
    write_json(output.comparison, result)
    write_table(output.table, comparison_table(names, (null, alternative), test))


if __name__ == "__main__":
    with job(snakemake.log[0]):  # noqa: F821
        main(
            snakemake.wildcards.comparison,  # noqa: F821
            snakemake.input.table,  # noqa: F821
            snakemake.input.fits,  # noqa: F821
            snakemake.output,  # noqa: F821
            snakemake.params.settings,  # noqa: F821
        )
