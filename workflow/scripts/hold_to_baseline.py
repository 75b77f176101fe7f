"""Hold the results to the accepted baseline, or record them as the next one."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml
from _job import job, read_json, write_json, write_text
from changes.contract import AcceptedTable, read_contract
from changes.differences import left_out, moved, renewed
from changes.rows import Rows, baseline_text, rows_of_baseline, rows_of_results
from changes.telling import MadeFrom, told
from twolevel.errors import UserError


def main(results: str, files: Sequence[str], contract: str, settings: Mapping[str, Any], record: bool) -> None:
    """Compare the accepted ones of `files` in `results` with the baseline beside the contract; or `record` it anew."""
    folder = Path(contract).parent
    tables = read_contract(yaml.safe_load(Path(contract).read_text(encoding="utf-8")), contract)
    texts = _texts(tables, results, files)
    held = [(table, _baseline(table, folder), rows_of_results(table, texts)) for table in tables]
    now = MadeFrom(_data(results, texts), settings)
    about = folder / "made_from.json"
    before = MadeFrom(**read_json(about)) if about.is_file() else None
    if before is None and not record:
        raise UserError(f"{folder} holds no baseline that the results could be held to; `make accept` records one.")

    changed = before.changed(now) if before and not record else frozenset()
    differences = [line for table, accepted, found in held for line in moved(table, accepted, found, changed)]
    unseen = sum(left_out(table, accepted, changed) for table, accepted, _ in held)
    message = told(differences, before or now, now, unseen)
    if record:
        for table, accepted, found in held:
            if found:
                write_text(folder / f"{table.name}.csv", baseline_text(table, renewed(table, accepted, found)))
        for file in {*folder.glob("*.csv")} - {folder / f"{table.name}.csv" for table, _, found in held if found}:
            file.unlink()
        write_json(about, asdict(now))
        what = f"What moved:\n{message or 'nothing'}" if before else "There was none before."
        logging.info(f"{folder} holds the results as they are now. {what}")
    elif message:
        raise UserError(
            f"the results are not as accepted in {folder}:\n{message}\n"
            f"Where that is meant, `make accept` records them anew ({folder}/README.md)."
        )
    else:
        values = sum(len(row) for _, _, found in held for row in found.values())
        logging.info(f"Verified: {values} values are as accepted in {folder}.")


def _texts(tables: Sequence[AcceptedTable], results: str, files: Sequence[str]) -> dict[str, str]:
    """The accepted files by their paths within the results."""
    paths = sorted(Path(file).relative_to(results).as_posix() for file in files if Path(file).is_relative_to(results))
    return {
        path: Path(results, path).read_text(encoding="utf-8")
        for path in paths
        if any(table.match(path) is not None for table in tables)
    }


def _baseline(table: AcceptedTable, folder: Path) -> Rows:
    file = folder / f"{table.name}.csv"
    return rows_of_baseline(table, file.read_text(encoding="utf-8")) if file.is_file() else {}


def _data(results: str, texts: Mapping[str, str]) -> str:
    """The data that the fits say they were computed from; several where the run did not finish."""
    fits = [path for path in texts if Path(path).name == "fit.json"]
    return ", ".join(sorted({read_json(Path(results, path))["fingerprint"]["data"] for path in fits}))


if __name__ == "__main__":
    with job(snakemake.log[0]):
        results = Path(snakemake.input.provenance).parents[1]
        main(str(results), snakemake.input.run, snakemake.input.contract, **snakemake.params)
