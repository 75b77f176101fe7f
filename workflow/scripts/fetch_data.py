"""Obtain the raw table, from the network, the snapshot or a file, and record where it came from."""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from _job import job, write_json, write_table
from twolevel.data.download import download
from twolevel.data.reading import Choices, FileRead
from twolevel.data.source import read_file, suffix_of
from twolevel.errors import UserError

Obtained = tuple[FileRead, dict[str, Any]]

KEYWORDS = {
    "auto": "the network, else the snapshot",
    "download": "the network, or an error",
    "snapshot": "the snapshot in data/",
}


def main(data: Mapping[str, Any], raw: Path, provenance: Path) -> None:
    """Write the table as obtained to `raw` (Parquet) and its story to `provenance` (JSON).

    `data` is of the configuration's section of that name: `mode`, `group`, what the mode needs of `url`, `sha256` and
    `snapshot`, and how to read the file (`Choices`).
    """
    file, about = obtain(data)
    table, unreadable, source = file.table, file.unreadable, about["source"]
    if data["group"] not in table:
        why = f" that can be used: it holds {unreadable[data['group']]}" if data["group"] in unreadable else ""
        raise UserError(
            f"{source} has no column {data['group']!r}{why}, which data.group names for the groups; "
            f"its columns are {', '.join(map(str, table.columns))}."
        )
    for note in file.notes:
        logging.warning("%s: %s.", source, note)
    if unreadable:
        logging.warning("%s: left out, since no model can use it: %s.", source, ", ".join(unreadable))
    story = {
        "mode": data["mode"],
        **about,
        "obtained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "rows": len(table),
        "groups": table[data["group"]].nunique(),
        "columns": list(table.columns),
        "unreadable": dict(unreadable),
    }
    write_table(raw, table)
    write_json(provenance, story)


def obtain(data: Mapping[str, Any]) -> Obtained:
    """Get the table as `data.mode` says; and what provenance.json says of how it came here."""
    mode = data["mode"]
    reading = Choices(**{of.name: data.get(of.name) for of in fields(Choices)})
    if mode in ("auto", "download"):
        try:
            return from_network(data["url"], data["sha256"], reading)
        except UserError as error:
            if mode == "download":
                raise
            reason = str(error).partition("\n")[0]  # the second line is how to mend it, and here that is done
        logging.warning("%s. The snapshot %s is used instead.", reason, data["snapshot"])
        return from_file(data["snapshot"], f"snapshot, because the download failed: {reason}", reading)
    if mode == "snapshot":
        return from_file(data["snapshot"], "snapshot", reading)
    if not Path(mode).is_file():
        choices = "".join(f"\n  {keyword}: {meaning}" for keyword, meaning in KEYWORDS.items())
        raise UserError(f"data.mode is {mode!r}, which is neither a file in {Path.cwd()} nor one of{choices}")
    return from_file(mode, "file", reading)


def from_network(url: str, sha256: str | None, choices: Choices) -> Obtained:
    content = download(url, sha256=sha256)
    return obtained(content, urlsplit(url).path, url, "downloaded", choices, sha256)


def from_file(name: str, how: str, choices: Choices) -> Obtained:
    if not Path(name).is_file():
        raise UserError(
            f"data.snapshot: there is no file {name!r} in {Path.cwd()}; correct the path, or set another mode."
        )
    return obtained(Path(name).read_bytes(), name, name, how, choices)


def obtained(
    content: bytes, path: str, source: str, how: str, choices: Choices, expected_sha256: str | None = None
) -> Obtained:
    about = {"sha256": hashlib.sha256(content).hexdigest(), "expected_sha256": expected_sha256}
    return read_file(content, suffix_of(path), source, choices), {"source": source, "obtained": how, **about}


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(data=snakemake.params.data, raw=Path(snakemake.output.raw), provenance=Path(snakemake.output.provenance))
