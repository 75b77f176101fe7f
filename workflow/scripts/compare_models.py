"""Test one null model against one alternative by their likelihood ratio; by bootstrap too where that is short."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from _job import job, read_json, read_table, write_arrays, write_json, write_table
from gather_tests import write_tests
from twolevel.bootstrap.experiment import comparison_experiment, to_arrays
from twolevel.data.fingerprint import check_same_data
from twolevel.inference.compare import comparison_table, likelihood_ratio
from twolevel.inference.reported import by_estimator
from twolevel.likelihood.crossproducts import cross_products
from twolevel.model.formula import build_design


def main(
    name: str,
    table: str,
    fits: list[str],
    output: Any,
    settings: dict[str, str],
    bootstrap: Mapping[str, int] | None = None,
) -> None:
    """Compare the two models of `settings`, fitted in `fits` (null, alternative), by its estimator.

    `bootstrap` has `replicates` and `seed` where this job is to run it, and nothing where others do.
    """
    names = (settings["null_model"], settings["alternative_model"])
    both = [read_json(file) for file in fits]
    check_same_data(both[0], both[1], names)
    data = read_table(table)
    designs = (build_design(both[0]["formula"], data), build_design(both[1]["formula"], data))
    null, alternative = (dict(by_estimator(fit, settings["estimator"])) for fit in both)
    test = likelihood_ratio(f"comparisons.{name}", null, alternative, designs)
    result = {
        "null_model": names[0],
        "alternative_model": names[1],
        "estimator": settings["estimator"],
        **asdict(test),
        "fingerprints": [fit["fingerprint"] for fit in both],
    }
    products = (cross_products(designs[0]), cross_products(designs[1]))
    experiment = comparison_experiment(f"comparisons/{name}", designs, products, (null, alternative))
    write_json(output.comparison, result)
    write_table(output.table, comparison_table(names, (null, alternative), test))
    write_arrays(output.experiment, to_arrays(experiment))
    if bootstrap:
        write_tests(result, experiment, (), output, **bootstrap)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            snakemake.wildcards.comparison,
            snakemake.input.table,
            snakemake.input.fits,
            snakemake.output,
            snakemake.params.settings,
            snakemake.params.bootstrap,
        )
