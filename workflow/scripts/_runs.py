"""What the comparisons of runs share: the contract, a run's results and an accepted run, read from their folders."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from _job import read_json, read_table
from changes.comparison import Run
from changes.contract import AcceptedTable, read_contract
from changes.digest import Digest, digest_of, read_digest
from changes.pictures import thumbnail
from changes.rows import Rows, rows_of_baseline, rows_of_results
from twolevel.errors import UserError

RAW = "data/raw/table.parquet"
# What an accepted run's folder holds beside its tables.
ABOUT, HISTORY, DATA, ABOUT_DATA, FIGURES = "made_from.json", "history.csv", "data.parquet", "data.json", "figures"


def read_tables(contract: str | Path, accepted: Path | None = None) -> tuple[AcceptedTable, ...]:
    """The tables of the contract, and those that an accepted run's folder adds in a file of the same name."""
    content = yaml.safe_load(Path(contract).read_text(encoding="utf-8"))
    own = accepted / Path(contract).name if accepted else None
    if own and own.is_file():
        added = yaml.safe_load(own.read_text(encoding="utf-8"))
        content = {part: content[part] | added.get(part, {}) for part in ("tolerances", "tables")}
    return read_contract(content, str(own if own and own.is_file() else contract))


def texts_of(results: Path, files: Iterable[str | Path], tables: Sequence[AcceptedTable]) -> dict[str, str]:
    """The accepted ones of these files, by their paths within the results."""
    paths = sorted(Path(file).relative_to(results).as_posix() for file in files if Path(file).is_relative_to(results))
    accepted = [path for path in paths if any(table.match(path) is not None for table in tables)]
    return {path: Path(results, path).read_text(encoding="utf-8") for path in accepted}


def accepted_rows(folder: Path, table: AcceptedTable) -> Rows:
    """An accepted table; nothing where the run had none."""
    file = folder / f"{table.name}.csv"
    return rows_of_baseline(table, file.read_text(encoding="utf-8")) if file.is_file() else {}


def accepted_digest(folder: Path) -> Digest | None:
    """What an accepted run remembers of its data."""
    if not (folder / DATA).is_file():
        return None
    return read_digest((folder / DATA).read_bytes(), read_json(folder / ABOUT_DATA))


def accepted_run(folder: Path, tables: Sequence[AcceptedTable]) -> Run:
    """An accepted run."""
    return Run(
        accepted_name(read_json(folder / ABOUT)),
        {table.name: accepted_rows(folder, table) for table in tables},
        accepted_digest(folder),
        {file.stem: file.read_bytes() for file in sorted((folder / FIGURES).glob("*.png"))},
    )


def accepted_name(about: Mapping[str, Any]) -> str:
    """What an accepted run is called."""
    return f"the run accepted on {about['accepted_on']}"


def finished_run(
    results: Path, files: Iterable[str | Path], tables: Sequence[AcceptedTable], group: str, key: Sequence[str]
) -> Run:
    """A run by its results."""
    paths = [*map(Path, files)]
    texts = texts_of(results, paths, tables)
    table = read_table(results / RAW)
    figures = [file for file in paths if file.suffix == ".png" and file.parent == results / FIGURES]
    return Run(
        f"the run in {results}",
        {of.name: rows_of_results(of, texts) for of in tables},
        digest_of(table, group, key),
        {file.stem: thumbnail(file.read_bytes()) for file in sorted(figures)},
        table,
    )


def any_run(folder: Path, tables: Sequence[AcceptedTable], key: Sequence[str]) -> Run:
    """A run by its folder, be it of results or of an accepted run.

    Raises
    ------
    UserError
        The folder is neither.
    """
    if (folder / ABOUT).is_file():
        return accepted_run(folder, tables)
    story = folder / "data/provenance.json"
    if not story.is_file() or not (folder / RAW).is_file():
        raise UserError(
            f"{folder} is neither a folder of results (it has no {story.relative_to(folder)}) nor an accepted run "
            f"(it has no {ABOUT}). Name the folder that a run wrote, such as results."
        )
    files = [file for file in folder.rglob("*") if file.is_file()]
    return finished_run(folder, files, tables, read_json(story)["group"], key)
