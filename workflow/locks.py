"""Remove the lock that a killed run of Snakemake leaves behind, if no other run is alive.

Snakemake's lock is a list of files. It says that a run began, not that it is still alive. So every run also holds a
lock of the operating system, which ends with the process, however that ends. The lock is shared by runs that go on at
the same time.
"""

import fcntl
import shutil
from pathlib import Path
from typing import IO


def take_over(folder: Path) -> IO[str]:
    """Share the lock of the runs in Snakemake's `folder`; if no other run is alive, remove what killed ones left.

    Snakemake itself decides about runs at the same time: it allows those with different files, such as two analyses
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
