"""What every script shares: the library on the path, a log, one clear message for a person's mistake, and stable files.

It is imported before the library, as the alphabet has it. A script then ends with::

    if __name__ == "__main__":
        with job(snakemake.log[0]):
            main(...)
"""

import errno
import json
import logging
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from twolevel.errors import UserError
from whole_files import whole, write_bytes

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

# Columns of results that hold names.
NAMES: tuple[str, ...] = (
    *("model", "comparison", "baseline", "group", "term", "term_1", "term_2", "parameter", "label", "method"),
    *("factor", "contrast", "at", "by", "category"),
)


# What the system says where a person can help.
MENDS = {
    errno.ENOSPC: "The disk is full: free some space",
    errno.EDQUOT: "Your quota is used up: delete files, or ask for more",
    errno.EROFS: "The disk is mounted read-only: make it writable",
    errno.EACCES: "Give yourself the right to write there (chmod u+rwX)",
    errno.EPERM: "Give yourself the right to write there (chmod u+rwX)",
}


@contextmanager
def job(log: str) -> Iterator[None]:
    """Send log records to `log` and warnings to the terminal too; end a person's mistake with its message alone.

    Errors go to the log only: the run shows the log of a failed job (workflow/terminal.py). Where the log cannot be
    written, its records go to the terminal.
    """
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    terminal = logging.StreamHandler()
    terminal.addFilter(lambda record: record.levelno == logging.WARNING)
    file = logging.FileHandler(log, mode="w", encoding="utf-8")
    file.handleError = terminal.emit  # type: ignore[method-assign]
    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=[terminal, file])
    logging.captureWarnings(True)
    try:
        yield
    except UserError as error:
        logging.error("error: %s", error)
        sys.exit(1)
    except OSError as error:
        if error.errno not in MENDS:
            raise
        logging.error("error: %s", _refused(error.filename or "a file", error))
        sys.exit(1)
    except Exception:
        logging.exception("unexpected error: this is a bug in the pipeline, please report it with this log")
        sys.exit(1)


def _refused(path: str | Path, error: OSError) -> str:
    """What the system would not do with a file, and how to mend it."""
    code = error.errno or 0
    why = os.strerror(code)  # Arrow says it at more length
    return f"{path} could not be written or read: {why}. {MENDS[code]}, then run snakemake again."


@contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """Read a result that another job wrote.

    Raises
    ------
    UserError
        The file is damaged, or none of ours.
    """
    try:
        yield
    except (ValueError, TypeError, LookupError, EOFError, RuntimeError, OSError, BadZipFile) as error:  # or Arrow's
        if isinstance(error, OSError) and error.errno:  # the system said no, before anything was read
            raise
        why = str(error).partition("\n")[0].rstrip(".")
        raise UserError(f"{path} cannot be read ({why}): it is damaged. Delete it and run snakemake again.") from error


def read_json(path: str | Path) -> Any:
    """Read a result."""
    with reading(path):
        return json.loads(Path(path).read_text(encoding="utf-8"))


def folder_of(path: str | Path) -> str:
    """Name of the folder that a result lies in: its model, or its comparison."""
    return Path(path).parent.name


def read_jsons(paths: Iterable[str | Path]) -> dict[str, Any]:
    """Read the results of several models or comparisons, by their names."""
    return {folder_of(path): read_json(path) for path in paths}


def read_table(path: str | Path, columns: list[str] | None = None, names: Collection[str] = NAMES) -> "pd.DataFrame":
    """Read a result as a table, or some columns of a Parquet file.

    In a CSV file a model may be called `NA`, `null` or `1`, as may all in columns of `names`, and only an empty field
    has no value.
    """
    import pandas as pd  # here, because some jobs start faster without it

    with reading(path):
        if Path(path).suffix == ".parquet":
            table = pd.read_parquet(path, columns=columns, page_checksum_verification=True)
            if columns not in (None, [*table]):  # names have no checksum
                raise ValueError(f"its columns are {', '.join(map(str, table))}")
            return table
        return pd.read_csv(path, keep_default_na=False, na_values=[""], dtype=dict.fromkeys(names, "str"))


@dataclass(frozen=True)
class Column:
    """A column of a Parquet file in the blocks that it was written in, read anew at each pass over it."""

    path: str
    name: str

    def __iter__(self) -> "Iterator[np.ndarray]":
        from pyarrow import parquet

        with reading(self.path), parquet.ParquetFile(self.path, page_checksum_verification=True) as file:
            rows = 0
            for block in range(file.num_row_groups):
                yield (values := file.read_row_group(block, columns=[self.name])[self.name].to_numpy())
                rows += len(values)
            if rows != file.metadata.num_rows:  # what a file says of its blocks has no checksum
                raise ValueError(f"its blocks have {rows} rows, and it should have {file.metadata.num_rows}")


class Columns(dict[str, Column]):
    """The columns of a Parquet file by their names, each as `Column`."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def __missing__(self, name: str) -> Column:
        return Column(self.path, name)


def write_text(path: str | Path, text: str) -> None:
    """Write a text."""
    write_bytes(path, text.encode())


def write_json(path: str | Path, content: Any) -> None:
    """Write a result with sorted keys, so that the same content is the same bytes; a NaN in it is a bug."""
    write_text(path, json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def write_table(path: str | Path, table: "pd.DataFrame") -> None:
    """Write a table at full precision, as CSV or, where the name ends so, as Parquet."""
    if Path(path).suffix == ".parquet":
        write_bytes(path, table.to_parquet(index=False, write_page_checksum=True))
    else:
        write_text(path, table.to_csv(index=False, lineterminator="\n"))


def write_blocks(path: str | Path, blocks: "Iterable[pd.DataFrame]") -> None:
    """Write a table block by block as Parquet, so that no more than a block is in memory."""
    import pyarrow
    from pyarrow import parquet

    # Hardly a number occurs twice, and to look for such takes most of the time.
    options = {"write_page_checksum": True, "use_dictionary": False}
    with whole(path) as beside, ExitStack() as stack:
        writer = None
        for block in blocks:
            table = pyarrow.Table.from_pandas(block, preserve_index=False)
            writer = writer or stack.enter_context(parquet.ParquetWriter(beside, table.schema, **options))
            writer.write_table(table)


def read_arrays(path: str | Path, names: Collection[str] = ()) -> "dict[str, np.ndarray]":
    """Read named arrays, or those of some names."""
    import numpy as np  # here, because jobs without arrays start faster without it

    with reading(path), Path(path).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in names or arrays}


def write_arrays(path: str | Path, arrays: "Mapping[str, np.ndarray]") -> None:
    """Write named arrays; the same arrays are the same bytes."""
    import numpy as np

    content = BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    write_bytes(path, content.getvalue())


def split_part(part: str) -> tuple[int, int]:
    """Number and count of Snakemake's scatter items: 2-of-4 is (2, 4)."""
    number, parts = part.split("-of-")
    return int(number), int(parts)
