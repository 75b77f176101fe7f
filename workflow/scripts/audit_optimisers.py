"""Try on one model the optimisers that a user would try."""

import logging
from typing import Any

import numpy as np
from _job import job, read_json, read_table, write_table
from twolevel.inference.reported import by_estimator
from twolevel.likelihood.crossproducts import cross_products
from twolevel.model.formula import build_design
from twolevel.optimisers.audit import audit_optimisers, audit_table, seconds_table


def main(name: str, table: str, fit: str, output: Any, methods: list[str]) -> None:
    """Audit the model called `name`, from the prepared table and its `fit.json`."""
    read = read_json(fit)
    found = by_estimator(read, "REML")
    design = build_design(read["formula"], read_table(table))
    relative = np.array(found["random_effects_covariance"]) / found["sigma"] ** 2
    trials = audit_optimisers(design, cross_products(design), relative, methods)
    for trial in trials:
        said = "converged" if trial.converged else "did not converge"
        logging.info(
            f"{trial.program} {trial.method} from {trial.start}: criterion {trial.criterion:.6f}, {said}, "
            f"{trial.evaluations} evaluations"
        )
    write_table(output.trials, audit_table(name, trials, found["criterion"]))
    write_table(output.seconds, seconds_table(name, trials))


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            snakemake.wildcards.model, snakemake.input.table, snakemake.input.fit, snakemake.output, **snakemake.params
        )
