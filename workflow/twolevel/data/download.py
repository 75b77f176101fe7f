"""Download a file, whole and verified, within a time limit."""

import hashlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from twolevel.errors import UserError

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
    if is_web_page(content):
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


def is_web_page(content: bytes) -> bool:
    """Whether a page came where a data file was expected."""
    return content[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype html", b"<html"))
