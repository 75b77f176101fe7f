"""Check every claim about what the source got wrong against the results."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from _job import Column, folder_of, job, read_jsons, read_table, write_table
from published.claims import check_claims, read_claims
from published.printed_numbers import read_rows
from published.run import Comparison, Run
from study_loader import find_study, load_part
from twolevel.data.source import read_texts


def main(
    files: Any,
    output: str,
    study: str,
    names: Mapping[str, str],
    comparisons: Mapping[str, Mapping[str, str]],
    group: str,
) -> None:
    """Write the claims with their evidence.

    Parameters
    ----------
    files : paths by what they hold; those of a model or comparison lie in the folder of its name
    output : path of the table
    study : folder of the study that has the evidence
    names : the models by the names that the source gave them
    comparisons : the configuration's
    group : column that names the groups
    """
    evidence = load_part(find_study(study), "evidence", "EVIDENCE")
    claims = read_claims(read_texts(Path(files.errata).read_bytes(), files.errata), files.errata, evidence)
    fits, constrained = read_jsons(files.fits), read_jsons(files.constrained)
    residuals = {folder_of(file): read_table(file, columns=["fitted", "residual"]) for file in files.residuals}
    run = Run(
        fits=_renamed(fits, names),
        constrained=_renamed(constrained, names),
        residuals=_renamed(residuals, names),
        comparisons=_comparisons(files, comparisons, names),
        observations=read_table(files.table),
        group=group,
        printed=tuple(read_rows(read_texts(Path(files.published).read_bytes(), files.published), files.published)),
    )
    table = check_claims(claims, run, evidence)
    logging.info(f"{table['shown'].sum()} of {len(table)} claims shown")
    for row in table[~table["shown"]].itertuples():
        logging.info(f"not shown: {row.id}: {row.evidence}")
    write_table(output, table)


def _comparisons(
    files: Any, settings: Mapping[str, Mapping[str, str]], names: Mapping[str, str]
) -> dict[tuple[str, str], Comparison]:
    """Each comparison under all names that the source gave its two models."""
    results = read_jsons(files.comparisons)
    simulated = {folder_of(file): Column(file, "statistic") for file in files.reference_distributions}
    return {
        (null, alternative): Comparison(results[name]["statistic"], simulated[name])
        for name, entry in settings.items()
        for null, model in names.items()
        for alternative, other in names.items()
        if (model, other) == (entry["null_model"], entry["alternative_model"])
    }


def _renamed(of_models: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {name: of_models[model] for name, model in names.items()}


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(snakemake.input, snakemake.output[0], **snakemake.params)
