"""Download a file, whole, within a time limit, and only where it is not the one that is already here."""

import re
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from twolevel.errors import UserError

if TYPE_CHECKING:
    from requests import Response

T = TypeVar("T")

OTHER_WAYS = (
    "Check the connection and data.url; or work without the network: data.mode: snapshot takes the copy in "
    "data/, and data.mode: PATH takes a file of your own."
)

# How a table was obtained where the snapshot takes the place of a download that failed (provenance.json).
STANDS_IN = "snapshot, because there was no network"

# What a server may say of the file that it serves, and the header of a request that gives it back (RFC 9110, 13.1).
VALIDATORS = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}


class NoNetwork(UserError):
    """The server could not be reached, or the connection did not last."""


class _Passing(Exception):
    """A failure that may be gone at the next attempt."""

    def __init__(self, reason: str, *, answered: bool = False) -> None:
        super().__init__(reason)
        self.answered = answered


@dataclass(frozen=True)
class Served:
    """What a server answered.

    Attributes
    ----------
    content : the file; None where it is the one that the request's validators are of
    validators : what the server says of the file, to be given back with the next request
    """

    content: bytes | None
    validators: Mapping[str, str] = field(default_factory=dict)


def download(
    url: str,
    validators: Mapping[str, str] | None = None,
    *,
    attempts: int = 3,
    pause_seconds: float = 0.5,
    stall_seconds: float = 5.0,
    deadline_seconds: float = 30.0,
) -> Served:
    """Return what `url` serves, whole, or say within a bounded time why not.

    Connections that fail, stall or break off and HTTP 408, 429 and 5xx are tried again. What cannot get
    better by itself is not: other HTTP errors, a malformed url, a web page for a file.

    Parameters
    ----------
    validators : what the server said of the file that is already here; that file is not served again
    attempts : how often to try in all
    pause_seconds : wait before the second attempt, doubled before each further one
    stall_seconds : the longest silence, while connecting or in mid-transfer, before an attempt has failed
    deadline_seconds : the longest time for everything together

    Raises
    ------
    NoNetwork
        No server could be reached, or none answered in full.
    UserError
        The server answered something else than the file. As of any error, the first line says what happened, the
        second how to mend it.
    """
    headers = {VALIDATORS[name]: value for name, value in (validators or {}).items()}
    served = _within(deadline_seconds, url, lambda: _persist(url, headers, attempts, pause_seconds, stall_seconds))
    if served.content is not None and is_web_page(served.content):
        raise UserError(
            f"{url} answered with an HTML page where a data file was expected\n"
            "Open it in a browser: the file may have moved, or the network may ask you to log in. " + OTHER_WAYS
        )
    return served


def _within(seconds: float, url: str, task: Callable[[], T]) -> T:
    """Run `task`, but wait no longer than `seconds` for it.

    A socket's timeout starts anew with every byte that trickles in, and name resolution has none: only a
    thread that can be left behind bounds the whole. It is a daemon: it ends with the process at the latest.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(task())
        except BaseException as error:  # noqa: BLE001  (handed to the caller, whatever it is)
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        return outcome.result(timeout=seconds)
    except TimeoutError:
        raise NoNetwork(f"{url} was not complete after {seconds:g} s\n{OTHER_WAYS}") from None


def _persist(url: str, headers: Mapping[str, str], attempts: int, pause_seconds: float, stall_seconds: float) -> Served:
    """Try until an attempt succeeds, fails for good, or was the last."""
    last = _Passing("")
    for attempt in range(attempts):
        if attempt:
            time.sleep(pause_seconds * 2 ** (attempt - 1))
        try:
            return _get(url, headers, stall_seconds)
        except _Passing as failure:
            last = failure
    times = f" ({attempts} attempts)" if attempts > 1 else ""
    message = f"{url} could not be downloaded: {last}{times}\n{OTHER_WAYS}"
    raise UserError(message) if last.answered else NoNetwork(message)


def _get(url: str, headers: Mapping[str, str], stall_seconds: float) -> Served:
    """Make one attempt: what a successful answer brings, else `_Passing` or `UserError`."""
    import requests  # 0.4 s to import, and only a download needs it
    from requests import exceptions

    try:
        response = requests.get(url, headers=headers, timeout=stall_seconds)
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
    return _answer(url, response)


def _answer(url: str, response: "Response") -> Served:
    """What an answer brings; `_Passing` or `UserError` where it brings no file."""
    said = {name: response.headers[name] for name in VALIDATORS if name in response.headers}
    if response.status_code == 304:
        return Served(None, said)
    if response.ok:
        return Served(response.content, said)
    answer = f"HTTP {response.status_code} {response.reason}"
    if response.status_code in (408, 429) or response.status_code >= 500:
        raise _Passing(answer, answered=True)
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
            return re.sub(r"\[Errno -?\d+\] ", "", " ".join(message.split()))
        error = inner


def is_web_page(content: bytes) -> bool:
    """Whether a page came where a data file was expected."""
    return content[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype html", b"<html"))
