"""Files that are written whole or not at all."""

import glob
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a whole file or nothing."""
    with whole(path) as beside:
        beside.write_bytes(content)


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """A file to write beside `path`, in whose place it is put at the end: a run that is killed leaves no half of it."""
    beside = Path(f"{path}.{os.getpid()}.part")
    for left in beside.parent.glob(f"{glob.escape(Path(path).name)}.*.part"):  # by a job that was killed
        left.unlink(missing_ok=True)
    try:
        yield beside
        beside.replace(path)
    except OSError as error:
        if error.filename in (None, str(beside)):  # and not another file, which is read meanwhile
            error.filename = str(path)
        raise
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
