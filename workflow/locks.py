"""A run that was killed leaves Snakemake's lock behind; the next run finds out that nobody holds it, and takes it away.

Snakemake's lock is a list of files, which says that a run began, not that it is still there. Here every run also holds
a lock of the operating system, which ends with the process, however it ends.
"""

import fcntl
import shutil
from pathlib import Path
from typing import IO


def take_over(folder: Path) -> IO[str] | None:
    """Hold the lock of a run in `folder`, Snakemake's own, and remove what a killed run left there.

    Returns
    -------
    The lock, held for as long as the process keeps it; None where another run is at work, which Snakemake then reports.
    """
    folder.mkdir(exist_ok=True)
    held = (folder / "run.lock").open("w")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        held.close()
        return None
    shutil.rmtree(folder / "locks", ignore_errors=True)
    (folder / "locks").mkdir()
    return held
