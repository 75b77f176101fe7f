"""Test one null model against one alternative by their likelihood ratio; by bootstrap too where that is short."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from _job import job, read_json, write_arrays, write_json, write_table
from gather_tests import write_tests
from twolevel.bootstrap.experiment import Experiment, target, to_arrays
from twolevel.bootstrap.simulate import simulator
from twolevel.data.fingerprint import check_same_data
from twolevel.inference.compare import added_random_effects, comparison_table, likelihood_ratio
from twolevel.likelihood.crossproducts import cross_products
from twolevel.likelihood.deviance import from_lme4
from twolevel.model.design import Design
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
    data = pd.read_parquet(table)
    designs = (build_design(both[0]["formula"], data), build_design(both[1]["formula"], data))
    null, alternative = (fit if settings["estimator"] == "REML" else fit["ml"] for fit in both)
    test = likelihood_ratio(name, null, alternative, designs)
    result = {
        "null_model": names[0],
        "alternative_model": names[1],
        "estimator": settings["estimator"],
        "statistic": test.statistic,
        "df": test.df,
        "p_value": test.p_value,
        "on_boundary": test.on_boundary,
        "added_random_effects": added_random_effects(*designs),
        "fingerprints": [fit["fingerprint"] for fit in both],
    }
    write_json(output.comparison, result)
    write_table(output.table, comparison_table(names, (null, alternative), test))
    simulated = experiment(name, designs, (null, alternative))
    write_arrays(output.experiment, to_arrays(simulated))
    if bootstrap:
        write_tests(result, simulated, (), output, **bootstrap)


def experiment(name: str, designs: tuple[Design, Design], fits: tuple[dict[str, Any], dict[str, Any]]) -> Experiment:
    """Responses simulated from the null model, with both models fitted to them by the estimator of the comparison."""
    null, alternative = map(cross_products, designs)
    lowers = [from_lme4(fit["theta"], data) for data, fit in zip((null, alternative), fits, strict=True)]
    reml = fits[0]["estimator"] == "REML"
    return Experiment(
        name=f"comparisons/{name}",
        simulator=simulator(designs, (null, alternative), lowers[0], fits[0]["sigma"]),
        targets=(target(null, lowers[0], reml=reml), target(alternative, lowers[1], reml=reml)),
    )


if __name__ == "__main__":
    with job(snakemake.log[0]):  # noqa: F821
        main(
            snakemake.wildcards.comparison,  # noqa: F821
            snakemake.input.table,  # noqa: F821
            snakemake.input.fits,  # noqa: F821
            snakemake.output,  # noqa: F821
            snakemake.params.settings,  # noqa: F821
            snakemake.params.bootstrap,  # noqa: F821
        )
