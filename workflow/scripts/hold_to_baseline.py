"""Hold the results to the accepted run, or record them as the next one."""

import csv
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

from _job import job, read_json, write_json, write_text
from _runs import (
    ABOUT,
    ABOUT_DATA,
    DATA,
    FIGURES,
    HISTORY,
    accepted_name,
    accepted_rows,
    accepted_run,
    finished_run,
    read_tables,
    texts_of,
)
from changes.comparison import compare_runs
from changes.contract import AcceptedTable
from changes.data import compare_data
from changes.differences import left_out, moved, renewed
from changes.digest import Digest, digest_files
from changes.pictures import other_pictures
from changes.rows import baseline_text, rows_of_results
from changes.telling import MadeFrom, told
from changes.words import paragraph
from twolevel.errors import UserError
from whole_files import write_bytes


def verify(results: Path, files: Sequence[str], contract: str, accepted: Path, named: bool, now: MadeFrom) -> None:
    """Compare the accepted ones of these files with the accepted run.

    Raises
    ------
    UserError
        Something is not as accepted; or the configuration names an accepted run (`named`), and there is none.
    """
    if not (accepted / ABOUT).is_file():
        if named:
            raise UserError(
                f"there is no accepted run in {accepted}, which the configuration names under `accepted`; correct the "
                "path, or let `make accept` record this run there."
            )
        logging.warning("Nothing was verified: there is no accepted run in %s. `make accept` records one.", accepted)
        return
    tables = read_tables(contract, accepted)
    texts = texts_of(results, files, tables)
    held = [(table, accepted_rows(accepted, table), rows_of_results(table, texts)) for table in tables]
    before = made_from(read_json(accepted / ABOUT))
    changed = before.changed(now)
    differences = [line for table, old, new in held for line in moved(table, old, new, changed)]
    message = told(differences, before, now, sum(left_out(table, old, changed) for table, old, _ in held))
    if message:
        raise UserError(
            f"the results are not as accepted in {accepted}:\n{message}\n{results}/changes.html shows the largest "
            f"differences. Where they are meant, `make accept` records them anew (docs/updating.md)."
        )
    values = sum(len(row) for _, _, new in held for row in new.values())
    logging.info(f"Verified: {values} values are as accepted in {accepted}.")


def accept(results: Path, files: Sequence[str], contract: str, accepted: Path, now: MadeFrom, **data: Any) -> None:
    """Record a run as the accepted one; `data` are its `group` and `key`. What has not moved keeps its bytes."""
    tables = read_tables(contract, accepted)
    run = finished_run(results, files, tables, **data)
    accepted.mkdir(parents=True, exist_ok=True)
    today = datetime.now(UTC).date().isoformat()
    if not (accepted / ABOUT).is_file():
        what, before = "The first accepted run.", None
        logging.info("%s holds this run. There was none before.", accepted)
    else:
        about = read_json(accepted / ABOUT)
        before = accepted_run(accepted, tables)
        comparison = compare_runs(before, run, tables)
        what, lines = paragraph(comparison), told(comparison.rows, made_from(about), now, 0)
        if before.digest and not comparison.differs and not lines:
            logging.info("%s already holds these results. What moved:\nnothing", accepted)
            return
        logging.info("%s holds this run. It replaces %s. %s", accepted, accepted_name(about), what)
        logging.info("What moved:\n%s", lines or "nothing")
    _write_tables(accepted, tables, run.rows)
    _write_data(accepted, before.digest if before else None, run.digest)
    _write_figures(accepted / FIGURES, before.thumbnails if before else {}, run.thumbnails)
    write_json(accepted / ABOUT, {"accepted_on": today, **asdict(now)})
    _write_history(accepted / HISTORY, today, now.data, what)


def made_from(about: Mapping[str, Any]) -> MadeFrom:
    """What the accepted results were made from."""
    return MadeFrom(about["data"], about["settings"])


def _write_tables(accepted: Path, tables: Sequence[AcceptedTable], rows: Mapping[str, Any]) -> None:
    held = [table for table in tables if rows[table.name]]
    for table in held:
        text = baseline_text(table, renewed(table, accepted_rows(accepted, table), rows[table.name]))
        write_text(accepted / f"{table.name}.csv", text)
    kept = {accepted / HISTORY, *(accepted / f"{table.name}.csv" for table in held)}
    for file in {*accepted.glob("*.csv")} - kept:
        file.unlink()


def _write_data(accepted: Path, before: Digest | None, after: Digest | None) -> None:
    if after is not None and (before is None or compare_data(before, after)):
        content, about = digest_files(after)
        write_bytes(accepted / DATA, content)
        write_json(accepted / ABOUT_DATA, about)


def _write_figures(folder: Path, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> None:
    for picture in other_pictures(before, after):
        file = folder / f"{picture.name}.png"
        if picture.after is None:
            file.unlink()
        else:
            folder.mkdir(exist_ok=True)
            write_bytes(file, picture.after)


def _write_history(file: Path, today: str, data: str, what: str) -> None:
    earlier = file.read_text(encoding="utf-8") if file.is_file() else "accepted_on,data,what\n"
    line = StringIO()
    csv.writer(line, lineterminator="\n").writerow([today, data, what])
    write_text(file, earlier + line.getvalue())


def made_now(results: Path, files: Sequence[str], settings: Mapping[str, Any]) -> MadeFrom:
    """What the fits say they were computed from; several data where the run did not finish."""
    fits = [read_json(file) for file in files if Path(file).name == "fit.json" and Path(file).is_relative_to(results)]
    return MadeFrom(", ".join(sorted({fit["fingerprint"]["data"] for fit in fits})), settings)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        files, params = snakemake.input, snakemake.params
        results, accepted = Path(files.provenance).parents[1], Path(params.accepted)
        now = made_now(results, files.run, params.settings)
        if params.record:
            accept(results, files.run, files.contract, accepted, now, group=params.group, key=params.key)
        else:
            verify(results, files.run, files.contract, accepted, params.named, now)
