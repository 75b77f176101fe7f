"""What every script shares: the library on the path, a log, one clear message for a person's mistake, and stable files.

It is imported before the library, as the alphabet has it. A script then ends with::

    if __name__ == "__main__":
        with job(snakemake.log[0]):
            main(...)
"""

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from twolevel.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@contextmanager
def job(log: str) -> Iterator[None]:
    """Send log records to `log` and warnings to the terminal too; end a UserError with its message alone.

    Errors go to the log only: Snakemake shows the log of a failed job at its end (profiles/default).
    """
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    terminal = logging.StreamHandler()
    terminal.addFilter(lambda record: record.levelno == logging.WARNING)
    handlers: list[logging.Handler] = [terminal, logging.FileHandler(log, mode="w", encoding="utf-8")]
    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=handlers)
    logging.captureWarnings(True)
    try:
        yield
    except UserError as error:
        logging.error("error: %s", error)
        sys.exit(1)
    except Exception:
        logging.exception("unexpected error: this is a bug in the pipeline, please report it with this log")
        sys.exit(1)


def read_json(path: str | Path) -> Any:
    """Read a result."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_json(path: str | Path, content: Any) -> None:
    """Write a result with sorted keys, so that the same content is the same bytes; a NaN in it is a bug."""
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    Path(path).write_text(text + "\n", encoding="utf-8")


def write_table(path: str | Path, table: "pd.DataFrame") -> None:
    """Write a table as CSV at full precision."""
    table.to_csv(path, index=False, lineterminator="\n")


def read_arrays(path: str | Path) -> "dict[str, np.ndarray]":
    """Read named arrays."""
    import numpy as np  # here, because jobs without arrays start faster without it

    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def write_arrays(path: str | Path, arrays: "Mapping[str, np.ndarray]") -> None:
    """Write named arrays; the same arrays are the same bytes."""
    import numpy as np

    np.savez(path, allow_pickle=False, **arrays)
