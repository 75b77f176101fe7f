"""Obtain a table: download a file within a time limit, and read .rds, .csv or .parquet content."""

import csv
import hashlib
import io
import tempfile
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pandas as pd

from twolevel.errors import UserError

# What stands for a missing value in a .csv; R writes NA.
MISSING = ["", "NA", "NaN", "nan"]

OTHER_WAYS = (
    "Check the connection and data.url; or work without the network: data.mode: snapshot takes the copy in "
    "data/, and data.mode: PATH takes a file of your own."
)


class _Passing(Exception):
    """A failure that may be gone at the next attempt."""


def download(
    url: str,
    *,
    sha256: str | None = None,
    attempts: int = 3,
    pause_seconds: float = 0.5,
    stall_seconds: float = 5.0,
    deadline_seconds: float = 30.0,
) -> bytes:
    """Return what `url` serves, whole and verified, or say within a bounded time why not.

    Connections that fail, stall or break off and HTTP 408, 429 and 5xx are tried again. What cannot get
    better by itself is not: other HTTP errors, a malformed url, a web page for a file, a wrong checksum.

    Parameters
    ----------
    sha256 : what the content must hash to; None takes any content
    attempts : how often to try in all
    pause_seconds : wait before the second attempt, doubled before each further one
    stall_seconds : the longest silence, while connecting or in mid-transfer, before an attempt has failed
    deadline_seconds : the longest time for everything together

    Raises
    ------
    UserError
        Its first line says what happened, its second how to mend it.
    """
    content = _within(deadline_seconds, url, lambda: _persist(url, attempts, pause_seconds, stall_seconds))
    if _is_web_page(content):
        raise UserError(
            f"{url} answered with an HTML page where a data file was expected\n"
            "Open it in a browser: the file may have moved, or the network may ask you to log in. " + OTHER_WAYS
        )
    found = hashlib.sha256(content).hexdigest()
    if sha256 is not None and found != sha256:
        raise UserError(
            f"{url} served {len(content)} bytes with sha256 {found} where data.sha256 expects {sha256}\n"
            "The file changed at its source or on its way. Where you trust the new one, put its hash into "
            "data.sha256; otherwise data.mode: snapshot takes the copy in data/."
        )
    return content


def _within(seconds: float, url: str, task: Callable[[], bytes]) -> bytes:
    """Run `task`, but wait no longer than `seconds` for it.

    A socket's timeout starts anew with every byte that trickles in, and name resolution has none: only a
    thread that can be left behind bounds the whole. It is a daemon: it ends with the process at the latest.
    """
    outcome: Future[bytes] = Future()

    def run() -> None:
        try:
            outcome.set_result(task())
        except BaseException as error:  # noqa: BLE001  (handed to the caller, whatever it is)
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        return outcome.result(timeout=seconds)
    except TimeoutError:
        raise UserError(f"{url} was not complete after {seconds:g} s\n{OTHER_WAYS}") from None


def _persist(url: str, attempts: int, pause_seconds: float, stall_seconds: float) -> bytes:
    """Try until an attempt succeeds, fails for good, or was the last."""
    reason = ""
    for attempt in range(attempts):
        if attempt:
            time.sleep(pause_seconds * 2 ** (attempt - 1))
        try:
            return _get(url, stall_seconds)
        except _Passing as failure:
            reason = str(failure)
    raise UserError(f"{url} could not be downloaded: {reason} ({attempts} attempts)\n{OTHER_WAYS}")


def _get(url: str, stall_seconds: float) -> bytes:
    """Make one attempt: the body of a successful answer, else `_Passing` or `UserError`."""
    import requests  # 0.4 s to import, and only a download needs it
    from requests import exceptions

    try:
        response = requests.get(url, timeout=stall_seconds)
    except exceptions.SSLError as error:
        raise UserError(f"{url} gave no secure connection: {_innermost(error)}\n{OTHER_WAYS}") from None
    except exceptions.ConnectTimeout:
        raise _Passing(f"no connection within {stall_seconds:g} s") from None
    except exceptions.ChunkedEncodingError as error:
        raise _Passing(f"the body broke off, {_innermost(error)}") from None
    except (exceptions.ConnectionError, exceptions.Timeout) as error:
        raise _Passing(_innermost(error)) from None
    except exceptions.RequestException as error:
        raise UserError(f"{url} could not be requested: {error}\n{OTHER_WAYS}") from None
    if response.ok:
        return response.content
    answer = f"HTTP {response.status_code} {response.reason}"
    if response.status_code in (408, 429) or response.status_code >= 500:
        raise _Passing(answer)
    raise UserError(f"{url} could not be downloaded: {answer}\n{OTHER_WAYS}")


def _innermost(error: BaseException) -> str:
    """Say in one line what lies at the bottom of a `requests` error, below the wrapping of each layer."""
    while True:
        inner = getattr(error, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((arg for arg in reversed(error.args) if isinstance(arg, BaseException)), None)
        if inner is None:
            # urllib3 begins its messages with the connection or the pool that they are about.
            message = str(error).partition("): ")[2] or str(error)
            return " ".join(message.split())
        error = inner


def _is_web_page(content: bytes) -> bool:
    return content[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype html", b"<html"))


def read_texts(content: bytes, name: str) -> pd.DataFrame:
    """Read a .csv file of texts; an empty cell is an empty text."""
    return read_table(content, ".csv", name).fillna("")


def read_table(content: bytes, suffix: str, name: str) -> pd.DataFrame:
    """Read a table from the bytes of a file.

    An .rds keeps R's factors as unordered categoricals with their levels in R's order. Every column of a .csv
    (UTF-8, comma) is text, so that an identifier such as 007 stays what it is; an empty cell, NA or NaN is
    missing.

    Parameters
    ----------
    content : the file's bytes
    suffix : what the file's name ends in: .rds, .csv or .parquet
    name : what to call the file in an error

    Raises
    ------
    UserError
        The suffix is none of the three, or the content is not what the suffix says, or not one table.
    """
    readers = {".rds": _read_rds, ".csv": _read_csv, ".parquet": _read_parquet}
    if suffix.lower() not in readers:
        raise UserError(f"{name} ends in {suffix or 'nothing'!r}\nA data file ends in .rds, .csv or .parquet.")
    if _is_web_page(content):
        raise UserError(f"{name} is an HTML page, not a {suffix} file\nGet the file itself, not the page about it.")
    table = readers[suffix.lower()](content, name).reset_index(drop=True)
    repeated = [str(column) for column, count in Counter(table.columns).items() if count > 1]
    if repeated:
        raise UserError(f"{name} has more than one column named {', '.join(repeated)}\nRename or remove the others.")
    return table


def _read_rds(content: bytes, name: str) -> pd.DataFrame:
    import pyreadr

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # pyreadr warns of objects that it skips; finding no table says so below.
        warnings.simplefilter("ignore", UserWarning)
        file = Path(folder, "table.rds")  # pyreadr reads from a path only
        file.write_bytes(content)
        try:
            objects = pyreadr.read_r(str(file))
        except (pyreadr.custom_errors.PyreadrError, pyreadr.custom_errors.LibrdataError) as error:
            raise UserError(
                f"{name} could not be read as an .rds file: {error}\n"
                "It may be damaged, or more than a data frame: in R, saveRDS(as.data.frame(x), file)."
            ) from None
    tables: list[pd.DataFrame] = [table for table in objects.values() if len(table.columns)]
    if len(tables) != 1:
        raise UserError(f"{name} does not hold one data frame\nIn R, save it with saveRDS(as.data.frame(x), file).")
    return tables[0]


def _read_csv(content: bytes, name: str) -> pd.DataFrame:
    try:
        text = content.decode("utf-8-sig")
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # it warns where it drops a column without a name
            table = pd.read_csv(
                io.StringIO(text), dtype="str", keep_default_na=False, na_values=MISSING, index_col=False
            )
    except (
        UnicodeDecodeError,
        pd.errors.EmptyDataError,
        pd.errors.ParserError,
        pd.errors.ParserWarning,
    ) as error:
        raise UserError(
            f"{name} could not be read as a .csv file: {str(error).strip()}\n"
            "It should be UTF-8 text: a header line, commas between values, a full stop as decimal mark."
        ) from None
    # pandas would rename the second of two columns of the same name.
    table.columns = pd.Index(next(filter(None, csv.reader(io.StringIO(text)))))
    return table


def _read_parquet(content: bytes, name: str) -> pd.DataFrame:
    import pyarrow

    try:
        return pd.read_parquet(io.BytesIO(content))
    except (pyarrow.ArrowException, OSError) as error:
        raise UserError(
            f"{name} could not be read as a .parquet file: {error}\nIt may be damaged, or something else by that name."
        ) from None
