"""Ask an address whether its file is another one than the copy that is kept here, before any job is planned.

An address is no input that Snakemake could compare with an earlier run. The copy is one: it is written only where its
bytes change, so that jobs run again exactly then.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from twolevel.data.download import NoNetwork, Served, download
from twolevel.errors import UserError
from whole_files import write_bytes

COPIES = Path(".snakemake/downloads")
# Where there is something to go on with if the address cannot be reached: it is asked before each run.
ATTEMPTS = 2


def copy_of(url: str) -> Path:
    """Where the copy of an address's file is kept; beside it, as JSON, what is known of it."""
    name = PurePosixPath(urlsplit(url).path).name or "file"
    return COPIES / hashlib.sha256(url.encode()).hexdigest()[:12] / name


def usable_copy(data: Mapping[str, Any]) -> Path | None:
    """The copy of `data.url`, where there is one and it is the file that `data.sha256` asks for."""
    copy = copy_of(data["url"])
    about = about_copy(copy)
    return copy if about and data["sha256"] in (None, about["sha256"]) else None


def about_copy(copy: Path) -> dict[str, Any] | None:
    """What is known of a copy: its `sha256`, when it was downloaded (`obtained_at`), the server's `validators`."""
    story = Path(f"{copy}.json")
    return json.loads(story.read_text(encoding="utf-8")) if copy.is_file() and story.is_file() else None


def ask(data: Mapping[str, Any], mend: Callable[[str], str]) -> str:
    """Let the copy of `data.url` be what the address serves now.

    Parameters
    ----------
    data : of the configuration's section of that name `mode` (auto or download), `url`, `sha256` and, for auto,
        `snapshot`
    mend : what a person can do about a file with that hash, which is not the one that `data.sha256` asks for

    Returns
    -------
    What to tell the person: that the address could not be asked; else nothing.

    Raises
    ------
    UserError
        The address serves another file than `data.sha256` asks for, or none; or there is no network and no copy, and
        the mode is not auto.
    """
    url, expected = data["url"], data["sha256"]
    copy = usable_copy(data)
    about = (about_copy(copy) if copy else None) or {}
    try:
        attempts = {"attempts": ATTEMPTS} if about or data["mode"] == "auto" else {}
        served = download(url, about.get("validators"), **attempts)
    except NoNetwork as error:
        reason = str(error).partition("\n")[0]
        if about:
            return f"There is no network ({reason}). The data are those downloaded at {about['obtained_at']}."
        if data["mode"] == "auto":
            return f"There is no network ({reason}). The data are the snapshot {data['snapshot']}."
        raise
    if served.content is None:
        return ""
    found = hashlib.sha256(served.content).hexdigest()
    if expected not in (None, found):
        raise UserError(
            f"{url} serves another file than data.sha256 asks for: {len(served.content)} bytes with SHA-256\n"
            f"  {found}, where data.sha256 is\n  {expected}.\n{mend(found)}"
        )
    _keep(copy_of(url), served, found, about)
    return ""


def _keep(copy: Path, served: Served, sha256: str, about: Mapping[str, Any]) -> None:
    same = about.get("sha256") == sha256
    now = about["obtained_at"] if same else datetime.now(UTC).isoformat(timespec="seconds")
    story = {"sha256": sha256, "obtained_at": now, "validators": dict(served.validators)}
    copy.parent.mkdir(parents=True, exist_ok=True)
    if not same:
        write_bytes(copy, served.content or b"")
    write_bytes(Path(f"{copy}.json"), json.dumps(story, indent=2, sort_keys=True).encode())
