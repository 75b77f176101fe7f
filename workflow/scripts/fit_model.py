"""Fit one model by REML and by ML, with its intervals where their bootstrap is short: the files of its results."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from _job import job, read_table, write_arrays, write_json, write_table, write_text
from gather_intervals import write_intervals
from twolevel import __version__
from twolevel.bootstrap.experiment import experiment_of, to_arrays
from twolevel.errors import UserError
from twolevel.fitting.confirm import confirm
from twolevel.fitting.effects import fitted_values, group_effects
from twolevel.fitting.fit import fit_model
from twolevel.inference.influence import influence
from twolevel.inference.reliability import variance_components
from twolevel.likelihood.crossproducts import cross_products
from twolevel.model.formula import build_design
from twolevel.optimisers.bounded import bounded_fit
from twolevel.optimisers.constrained import constrained_json
from twolevel.output.results import (
    fit_json,
    fixed_effects_table,
    group_effects_table,
    influence_table,
    notes_on,
    random_effects_table,
    residuals_table,
)
from twolevel.output.summary import summary_text
from twolevel.output.supplements import supplements


def main(
    name: str,
    table: str,
    output: Any,
    formula: str,
    group: str,
    optimiser: dict[str, int],
    data_name: str,
    estimator: str = "REML",
    predict: Sequence[Mapping[str, object]] = (),
    level: float = 0.95,
    bootstrap: Mapping[str, int] | None = None,
) -> None:
    """Fit the model called `name` to the prepared table; `output` names a file for each part of the result.

    The results are those by `estimator`, REML or ML; beside them `fit.json` has the estimates by the other. `predict`
    has sets of values of predictors for which the response is predicted; `level` is that of intervals. `bootstrap` has
    `replicates` and `seed` where this job is to run it, and nothing where others do.
    """
    prepared = read_table(table)
    design = build_design(formula, prepared, group)
    if left_out := design.n_rows - len(design.y):
        missing = ", ".join(f"{column} in {count}" for column, count in design.dropped.items())
        logging.warning(f"warning: {name} leaves out {left_out} of {design.n_rows} rows; missing are {missing}")
    for note in notes_on(design):
        logging.info(f"{name}: {note}")  # the run says it once, at its end
    data = cross_products(design)
    both = (fit_model(design, data, reml=by_reml, **optimiser) for by_reml in (True, False))
    reml, ml = (confirm(design, data, fit) for fit in both)
    record, other = (reml, ml) if estimator == "REML" else (ml, reml)
    for fit in (reml, ml):
        logging.info(
            f"{fit.estimator}: criterion {fit.criterion:.6f}, reached by {fit.search.reached_best} of "
            f"{len(fit.search.runs)} searches" + (", singular" if fit.singular else "")
        )
        for doubt in fit.doubts:
            logging.warning(f"warning: do not trust this fit: {doubt}")

    effects = group_effects(design, data, record.lower, record.at)
    residuals = residuals_table(design, record, fitted_values(design, record.beta, effects.effect))
    fingerprint = {
        "data": hashlib.sha256(Path(table).read_bytes()).hexdigest(),
        "formula": design.formula,
        "library": f"twolevel {__version__}, statsmodels {version('statsmodels')}",
    }
    experiment = experiment_of(f"models/{name}", (design,), (data,), (record.lower,), record.sigma, reml=record is reml)
    summary = summary_text(design, record, residuals["scaled_residual"].to_numpy(), data_name)
    write_text(output.summary, summary)
    bounded = {by_reml: bounded_fit(data, reml=by_reml) for by_reml in {True, record is reml}}
    story = fit_json(design, record, other, bounded[record is reml], residuals["residual"].to_numpy(), fingerprint)
    write_json(output.fit, story)
    write_json(output.constrained, constrained_json(design, data, reml, bounded[True]) | {"fingerprint": fingerprint})
    write_table(output.fixed_effects, fixed_effects_table(design, data, record))
    write_table(output.random_effects, random_effects_table(design, record))
    write_table(output.variance_components, variance_components(design, data, record))
    write_table(output.group_effects, group_effects_table(design, effects))
    write_table(output.influence, influence_table(design, data, record, influence(design, data, record)))
    try:
        tables = supplements(design, data, record, prepared, predict, level)
    except UserError as error:  # of the predictions alone, whose values are a user's
        raise UserError(f"models.{name}.predict: {error}") from None
    for file, supplement in tables.items():
        write_table(getattr(output, file), supplement)
    write_table(output.residuals, residuals)
    write_arrays(output.experiment, to_arrays(experiment))
    if bootstrap:
        write_intervals(output, (), output, **bootstrap, level=level)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(snakemake.wildcards.model, snakemake.input.table, snakemake.output, **snakemake.params)
