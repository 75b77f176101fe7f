"""Read the raw table from the download, the snapshot or a file, and record where it came from."""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from _job import job, read_json, write_json, write_table
from twolevel.data.download import STANDS_IN
from twolevel.data.reading import Choices, FileRead
from twolevel.data.source import read_file, suffix_of
from twolevel.errors import UserError

KEYWORDS = {
    "auto": "the network, else the snapshot",
    "download": "the network, or an error",
    "snapshot": "the snapshot in data/",
}


@dataclass(frozen=True)
class Obtained:
    """A table, and what provenance.json says of how it came here."""

    file: FileRead
    sha256: str
    source: str
    how: str
    at: str
    expected_sha256: str | None = None


def main(data: Mapping[str, Any], downloaded: Path | None, raw: Path, provenance: Path) -> None:
    """Write the table as obtained to `raw` (Parquet) and its story to `provenance` (JSON).

    `data` is of the configuration's section of that name: `mode`, `group`, what the mode needs of `url`, `sha256` and
    `snapshot`, and how to read the file (`Choices`). `downloaded` is the copy of what the url serves, where the mode is
    auto or download and the run could download it; what is known of it stands beside it.
    """
    obtained = obtain(data, downloaded)
    table, unreadable = obtained.file.table, obtained.file.unreadable
    if data["group"] not in table:
        why = f" that can be used: it holds {unreadable[data['group']]}" if data["group"] in unreadable else ""
        raise UserError(
            f"{obtained.source} has no column {data['group']!r}{why}, which data.group names for the groups; "
            f"its columns are {', '.join(map(str, table.columns))}."
        )
    for note in obtained.file.notes:
        logging.warning("%s: %s.", obtained.source, note)
    if unreadable:
        logging.warning("%s: left out, since no model can use it: %s.", obtained.source, ", ".join(unreadable))
    story = {
        "mode": data["mode"],
        "source": obtained.source,
        "obtained": obtained.how,
        "obtained_at": obtained.at,
        "sha256": obtained.sha256,
        "expected_sha256": obtained.expected_sha256,
        "rows": len(table),
        "group": data["group"],
        "groups": table[data["group"]].nunique(),
        "columns": list(table.columns),
        "unreadable": dict(unreadable),
    }
    write_table(raw, table)
    write_json(provenance, story)


def obtain(data: Mapping[str, Any], downloaded: Path | None) -> Obtained:
    """Get the table as `data.mode` says."""
    mode = data["mode"]
    reading = Choices(**{of.name: data.get(of.name) for of in fields(Choices)})
    if mode in ("auto", "download") and downloaded:
        about = read_json(f"{downloaded}.json")
        return _read(downloaded, data["url"], "downloaded", about["obtained_at"], reading, data["sha256"])
    if mode in ("auto", "snapshot"):
        file = Path(data["snapshot"])
        if not file.is_file():
            raise UserError(
                f"data.snapshot: there is no file {data['snapshot']!r} in {Path.cwd()}; correct the path, or set "
                "another mode."
            )
        how = "snapshot" if mode == "snapshot" else STANDS_IN
        return _read(file, data["snapshot"], how, _now(), reading)
    if not Path(mode).is_file():
        choices = "".join(f"\n  {keyword}: {meaning}" for keyword, meaning in KEYWORDS.items())
        raise UserError(f"data.mode is {mode!r}, which is no file in {Path.cwd()} and none of{choices}")
    return _read(Path(mode), mode, "file", _now(), reading)


def _read(file: Path, source: str, how: str, at: str, choices: Choices, expected_sha256: str | None = None) -> Obtained:
    content = file.read_bytes()
    read = read_file(content, suffix_of(file.name), source, choices)
    return Obtained(read, hashlib.sha256(content).hexdigest(), source, how, at, expected_sha256)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            data=snakemake.params.data,
            downloaded=next(iter(map(Path, snakemake.input.get("downloaded", []))), None),
            raw=Path(snakemake.output.raw),
            provenance=Path(snakemake.output.provenance),
        )
