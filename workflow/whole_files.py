"""Files that are written whole or not at all."""

import glob
import os
from contextlib import suppress
from pathlib import Path


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a whole file or nothing: a job that outlives a killed run never leaves half of one behind."""
    beside = Path(f"{path}.{os.getpid()}.part")
    for left in beside.parent.glob(f"{glob.escape(Path(path).name)}.*.part"):  # by a job that was killed
        left.unlink(missing_ok=True)
    try:
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        error.filename = path
        raise
