"""A run that was killed leaves Snakemake's lock behind; the next run finds out that nobody holds it, and takes it away.

Snakemake's lock is a list of files, which says that a run began, not that it is still there. Here every run also holds
a lock of the operating system, which ends with the process, however it ends.
"""

import fcntl
import shutil
from pathlib import Path
from typing import IO


def take_over(folder: Path) -> IO[str]:
    """Share the lock of the runs in `folder`, Snakemake's own; where no other run lives, remove what killed ones left.

    Runs at the same time are Snakemake's concern: it lets those go on whose files are different, such as two analyses
    with results folders of their own.

    Returns
    -------
    The lock, held for as long as the process keeps it.
    """
    folder.mkdir(exist_ok=True)
    held = (folder / "run.lock").open("w")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pass
    else:
        shutil.rmtree(folder / "locks", ignore_errors=True)
        (folder / "locks").mkdir()
    fcntl.flock(held, fcntl.LOCK_SH)
    return held
