"""Account for every number that the source printed: computed from the results, formatted as printed, with a verdict."""

import logging
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from _job import NAMES, Column, Columns, folder_of, job, read_jsons, read_table, write_json, write_table
from published.inventory import Comparison, Inventory
from published.ledger_tables import ledger_table, witnesses_json
from published.printed_numbers import read_declared, read_rows
from published.solution import from_results
from published.verdicts import give_verdicts
from published.witness import Centre, centre
from study_loader import find_study, load_part
from twolevel.data.source import read_texts
from twolevel.likelihood.crossproducts import cross_products
from twolevel.model.formula import build_design
from twolevel.optimisers.face import theta_positions


def main(
    files: Any,
    output: Any,
    study: str | None,
    names: dict[str, str],
    comparisons: dict[str, dict[str, str]],
    sampled_groups: list[int],
) -> None:
    """Write the ledger, and the points that its verdicts rest on."""
    rows = read_rows(read_texts(Path(files.published).read_bytes(), files.published), files.published)
    declared = read_declared(read_texts(Path(files.verdicts).read_bytes(), files.verdicts), rows, files.verdicts)
    fits, constrained = read_jsons(files.fits), read_jsons(files.constrained)
    fixed_effects, random_effects = _tables(files.fixed_effects), _tables(files.random_effects)
    observations = read_table(files.table)
    inventory = Inventory(
        names=names,
        solutions={model: from_results(fits[model], fixed_effects[model], random_effects[model]) for model in fits},
        variance_explained={(row["model"], row["term"]): row for row in _records(_table(files.variance_explained))},
        comparisons=_comparisons(files, comparisons),
        intervals=_tables(files.intervals),
        bootstrap={folder_of(file): Columns(file) for file in files.bootstrap},
        groups=pd.read_csv(files.groups),
        n_obs=len(observations),
        sampled_groups=tuple(sampled_groups),
        quantities=load_part(find_study(study), "quantities", "QUANTITIES", {}) if study else {},
    )

    @cache
    def centre_of(model: str, on_face: bool) -> Centre:
        design = build_design(fits[model]["formula"], observations)
        at = constrained[model]["fit"] if on_face else fits[model]
        zero = theta_positions(constrained[model]["face"], tuple(at["blocks"])) if on_face else ()
        return centre(design, cross_products(design), at["theta"], zero)

    lines, found = give_verdicts(rows, declared, inventory, constrained, centre_of)
    for verdict, count in Counter(line.verdict for line in lines).most_common():
        logging.info(f"{count} {verdict}")
    for line in lines:
        if line.verdict == "mismatch":
            logging.warning(
                f"warning: {line.row.id}: {line.row.printed} is printed, {line.computed or 'nothing'} computed "
                f"({line.row.model} {line.row.quantity} {line.row.term}): {line.reason}"
            )
    write_table(output.ledger, ledger_table(lines))
    write_json(output.witnesses, witnesses_json(found))


def _comparisons(files: Any, settings: dict[str, dict[str, str]]) -> tuple[Comparison, ...]:
    tables, references = _tables(files.comparison_tables), files.reference_distributions
    statistics = {folder_of(file): Column(file, "statistic") for file in references}
    return tuple(
        Comparison(
            models=(entry["null_model"], entry["alternative_model"]),
            estimator=entry["estimator"],
            table={row["model"]: row for row in _records(tables[name])},
            reference=statistics[name],
        )
        for name, entry in settings.items()
    )


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [dict(zip(table.columns, row, strict=True)) for row in table.itertuples(index=False)]


def _tables(paths: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Tables by the names of their folders."""
    return {folder_of(path): _table(path) for path in paths}


def _table(path: str) -> pd.DataFrame:
    table = read_table(path)
    return table.fillna({name: "" for name in NAMES if name in table})


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(snakemake.input, snakemake.output, **snakemake.params)
