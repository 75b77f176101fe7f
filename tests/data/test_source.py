"""Downloads from a real server that misbehaves in each way a server can; files that are not what they say."""

import contextlib
import hashlib
import json
import re
import socket
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import fetch_data
import jsonschema
import pandas as pd
import pytest
import updates
from twolevel.data.download import NoNetwork, download
from twolevel.data.source import read_table, read_texts
from twolevel.errors import UserError

CONTENT = b"school,x\n007,1.5\n8,\n8,2\n"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
VALIDATORS = {"ETag": '"version 1"', "Last-Modified": "Wed, 21 Oct 2026 07:28:00 GMT"}
PAGE = b"\n<!DOCTYPE html>\n<html><body>Log in to the network</body></html>"
SCHEMA = Path(__file__).parents[2] / "workflow/schemas/provenance.schema.json"

# Patient enough for any machine; and for a server that says nothing, so that the test is over soon.
PATIENT = {"attempts": 3, "pause_seconds": 0.01, "stall_seconds": 5.0, "deadline_seconds": 30.0}
SOON = PATIENT | {"stall_seconds": 0.15}


def limits(url: str) -> dict[str, float]:
    """Limits for what the server below does at an address."""
    return SOON if "silent" in url or "stalled" in url else PATIENT


class Server(ThreadingHTTPServer):
    """Answers by path, counts requests, and holds up what should stall until `released`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: Counter[str] = Counter()
        self.released = threading.Event()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{path}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        path = self.path.strip("/")
        self.server.requests[path] += 1
        getattr(self, path.partition(".")[0])()

    def answer(self, status: int, content: bytes = b"", length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        self.wfile.write(content)

    def remembered(self) -> None:
        name = self.path.rpartition("/")[2]
        asked = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}[name]
        same = self.headers.get(asked) == VALIDATORS[name]
        self.send_response(304 if same else 200)
        self.send_header(name, VALIDATORS[name])
        self.send_header("Content-Length", str(0 if same else len(CONTENT)))
        self.end_headers()
        self.wfile.write(b"" if same else CONTENT)

    def good(self) -> None:
        self.answer(200, CONTENT)

    def missing(self) -> None:
        self.answer(404, PAGE)

    def broken(self) -> None:
        self.answer(500)

    def recovers(self) -> None:
        if self.server.requests["recovers.csv"] < 3:
            self.answer(500)
        else:
            self.answer(200, CONTENT)

    def silent(self) -> None:
        self.server.released.wait(30)

    def stalled(self) -> None:
        self.answer(200, CONTENT[:10], length=len(CONTENT))
        self.server.released.wait(30)

    def trickling(self) -> None:
        self.answer(200, length=10_000)
        while not self.server.released.wait(0.05):
            self.wfile.write(b"x")

    def truncated(self) -> None:
        self.answer(200, CONTENT[:10], length=len(CONTENT))

    def page(self) -> None:
        self.answer(200, PAGE)

    def garbage(self) -> None:
        self.answer(200, b"\xff\xfe\x00 no table")

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server() as running:
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield running
        running.released.set()
        running.shutdown()


# Path, requests made, what the message says: the server answers something else than the file; or not in full.
ANSWERED = [
    pytest.param("missing.csv", 1, "HTTP 404 Not Found", id="404"),
    pytest.param("broken.csv", 3, r"HTTP 500 .*\(3 attempts\)", id="500"),
    pytest.param("page.csv", 1, "HTML page where a data file was expected", id="HTML page"),
]
UNANSWERED = [
    pytest.param("silent.csv", 3, r"timed out.*\(3 attempts\)", id="no answer"),
    pytest.param("stalled.csv", 3, r"timed out.*\(3 attempts\)", id="stalled"),
    pytest.param("truncated.csv", 3, r"broke off.*10 bytes read, 14 more expected", id="truncated"),
]


def test_a_good_download_is_returned_as_served(server: Server) -> None:
    assert download(server.url("good.csv"), **PATIENT).content == CONTENT


def test_an_error_that_passes_is_waited_out(server: Server) -> None:
    assert download(server.url("recovers.csv"), **PATIENT).content == CONTENT
    assert server.requests["recovers.csv"] == 3


@pytest.mark.parametrize("name", ["ETag", "Last-Modified"])
def test_a_file_that_is_here_is_not_served_again(server: Server, name: str) -> None:
    url = server.url(f"remembered.csv/{name}")
    first = download(url, **PATIENT)
    assert first.content == CONTENT
    assert first.validators == {name: VALIDATORS[name]}
    assert download(url, first.validators, **PATIENT).content is None
    assert download(url, {name: "another"}, **PATIENT).content == CONTENT


@pytest.mark.parametrize(("path", "requests", "message"), [*ANSWERED, *UNANSWERED])
def test_a_failed_download_says_what_happened(server: Server, path: str, requests: int, message: str) -> None:
    with pytest.raises(UserError, match=message) as raised:
        download(server.url(path), **limits(path))
    assert isinstance(raised.value, NoNetwork) == (path in ("silent.csv", "stalled.csv", "truncated.csv"))
    happened, mend = str(raised.value).split("\n")
    assert server.url(path) in happened
    assert "data.mode: snapshot" in mend
    assert "object at 0x" not in happened
    assert "HTTPConnection" not in happened
    assert server.requests[path] == requests


def test_a_server_that_trickles_ends_at_the_deadline(server: Server) -> None:
    # Each byte restarts the socket's timeout: without a deadline this would go on for 10,000 of them.
    with pytest.raises(UserError, match=r"not complete after 0\.5 s"):
        download(server.url("trickling.csv"), **PATIENT | {"deadline_seconds": 0.5})


def test_a_slow_name_server_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: released.wait(30) and [])
    with pytest.raises(UserError, match=r"not complete after 0\.5 s"):
        download("http://slow.invalid/x.csv", **PATIENT | {"deadline_seconds": 0.5})
    released.set()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://127.0.0.1:1/x.csv", "connection: Connection refused"),
        ("http://nosuch.invalid/x.csv", "nosuch.invalid"),  # a name that never resolves: RFC 6761
        ("nosuch/x.csv", "No scheme supplied"),
        ("ftp://127.0.0.1/x.csv", "No connection adapters"),
    ],
)
def test_a_server_out_of_reach_says_so(url: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with pytest.raises(UserError, match=message):
        download(url, **PATIENT)


@pytest.mark.skipif(sys.platform != "linux", reason="how a full queue answers differs between systems")
def test_a_server_that_takes_no_connection_says_so() -> None:
    with socket.socket() as full, contextlib.ExitStack() as waiting:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):  # more than the queue holds: Linux then leaves further ones without an answer
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}/x.csv"
        with pytest.raises(UserError, match=rf"^{url} .*: no connection within {SOON['stall_seconds']:g} s \(3 "):
            download(url, **SOON)


def test_a_server_that_does_not_speak_http_is_quoted_in_one_line() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def greet() -> None:
            client, _ = listening.accept()
            with client:
                client.recv(1000)
                client.sendall(b"220 ready\r\n\r\n")

        threading.Thread(target=greet, daemon=True).start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/x.csv"
        with pytest.raises(UserError, match=r": 220 ready\n"):
            download(url, **PATIENT | {"attempts": 1})


# fetch_data: how each of these ends, as data.mode says


@pytest.fixture
def fetch(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Ask as a run does before its plan, then run fetch_data.main, in a folder with a snapshot of two schools."""
    monkeypatch.setattr(updates, "download", lambda url, *known, **_: download(url, *known, **limits(url)))
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    Path("results").mkdir()
    Path("data/snapshot.csv").write_text("school,x\n1,1\n2,2\n")

    def run(**choices: object) -> SimpleNamespace:
        data = {"group": "school", "snapshot": "data/snapshot.csv", "sha256": None}
        data |= {"url": server.url("good.csv")} | choices
        said, copy = "", None
        if data["mode"] in ("auto", "download"):
            said = updates.ask(data, lambda sha256: f"Put {sha256[:4]} into line 9.")
            copy = updates.usable_copy(data)
        fetch_data.main(data, copy, Path("results/raw.parquet"), Path("results/provenance.json"))
        story = json.loads(Path("results/provenance.json").read_text())
        jsonschema.validate(story, json.loads(SCHEMA.read_text()))
        return SimpleNamespace(said=said, copy=copy, **story)

    return run


@pytest.mark.parametrize("mode", ["download", "auto"])
@pytest.mark.parametrize(("path", "requests", "message"), ANSWERED)
def test_an_answer_that_is_not_the_file_is_an_error_in_every_mode(
    server: Server, fetch, mode: str, path: str, requests: int, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        fetch(mode=mode, url=server.url(path))
    assert server.requests[path] == requests
    assert list(Path("results").iterdir()) == []


@pytest.mark.parametrize("mode", ["download", "auto"])
def test_another_file_than_was_asked_for_is_an_error_in_every_mode(server: Server, fetch, mode: str) -> None:
    with pytest.raises(UserError) as raised:
        fetch(mode=mode, sha256="0" * 64)
    said = f"{server.url('good.csv')} serves another file than data.sha256 asks for: {len(CONTENT)} bytes with SHA-256"
    assert str(raised.value).splitlines() == [
        said,
        f"  {SHA256}, where data.sha256 is",
        f"  {'0' * 64}.",
        f"Put {SHA256[:4]} into line 9.",
    ]
    assert list(Path("results").iterdir()) == []
    assert not updates.COPIES.exists()


@pytest.mark.parametrize("mode", ["download", "auto"])
def test_a_file_that_cannot_be_read_is_an_error_in_every_mode(server: Server, fetch, mode: str) -> None:
    with pytest.raises(UserError, match=r"could not be read as a .csv"):
        fetch(mode=mode, url=server.url("garbage.csv"))
    assert list(Path("results").iterdir()) == []


@pytest.mark.parametrize(("path", "requests", "message"), UNANSWERED)
def test_without_a_network_mode_auto_takes_the_snapshot_and_says_so(
    server: Server, fetch, path: str, requests: int, message: str
) -> None:
    story = fetch(mode="auto", url=server.url(path))
    assert server.requests[path] == requests
    assert story.obtained == "snapshot, because there was no network"
    assert story.source == "data/snapshot.csv"
    assert story.sha256 == hashlib.sha256(Path("data/snapshot.csv").read_bytes()).hexdigest()
    assert pd.read_parquet("results/raw.parquet")["school"].tolist() == ["1", "2"]
    assert re.match(rf"There is no network \(http://127.0.0.1:\d+/{path} .*{message}", story.said)
    assert story.said.endswith("The data are the snapshot data/snapshot.csv.")


@pytest.mark.parametrize(("path", "requests", "message"), UNANSWERED)
def test_without_a_network_mode_download_is_an_error(
    server: Server, fetch, path: str, requests: int, message: str
) -> None:
    with pytest.raises(NoNetwork, match=message):
        fetch(mode="download", url=server.url(path))
    assert server.requests[path] == requests
    assert list(Path("results").iterdir()) == []


@pytest.mark.parametrize("mode", ["auto", "download"])
@pytest.mark.parametrize("path", ["good.csv", "recovers.csv"])
def test_a_download_that_succeeds_is_recorded(server: Server, fetch, mode: str, path: str) -> None:
    story = fetch(mode=mode, url=server.url(path), sha256=SHA256)
    assert (story.obtained, story.source, story.said) == ("downloaded", server.url(path), "")
    assert story.sha256 == story.expected_sha256 == SHA256
    assert (story.rows, story.group, story.groups, story.columns) == (3, "school", 2, ["school", "x"])


def test_the_copy_of_an_earlier_run_stands_in_where_there_is_no_network(server: Server, fetch) -> None:
    url = server.url("remembered.csv/ETag")
    copy = updates.copy_of(url)
    data = {"mode": "auto", "url": url, "sha256": None, "snapshot": "data/snapshot.csv"}
    assert updates.ask(data, str) == ""
    written = copy.stat().st_mtime_ns
    assert updates.ask(data, str) == ""
    assert copy.stat().st_mtime_ns == written  # not served again, not written again
    server.shutdown()
    server.server_close()
    said = updates.ask(data, str)
    assert said.startswith(f"There is no network ({url} could not be downloaded: ")
    assert said.endswith(f"The data are those downloaded at {updates.about_copy(copy)['obtained_at']}.")
    assert updates.usable_copy(data) == copy
    # Another hash is asked for: the copy is not that file.
    assert updates.usable_copy(data | {"sha256": "0" * 64}) is None
    assert updates.ask(data | {"sha256": "0" * 64}, str).endswith("The data are the snapshot data/snapshot.csv.")


def test_mode_snapshot_asks_no_server(server: Server, fetch) -> None:
    assert fetch(mode="snapshot").obtained == "snapshot"
    assert not server.requests


def test_mode_path_reads_that_file(fetch) -> None:
    Path("mine.csv").write_bytes(CONTENT)
    story = fetch(mode="mine.csv")
    assert (story.obtained, story.source, story.rows) == ("file", "mine.csv", 3)


def test_a_missing_snapshot_is_named(fetch) -> None:
    with pytest.raises(UserError, match=r"data.snapshot: there is no file 'gone.csv'"):
        fetch(mode="snapshot", snapshot="gone.csv")


def test_a_mode_that_is_nothing_lists_the_choices(fetch) -> None:
    with pytest.raises(UserError, match=r"(?s)'mine.csv'.*auto.*download.*snapshot"):
        fetch(mode="mine.csv")
    assert list(Path("results").iterdir()) == []


def test_a_table_without_the_group_column_is_refused(fetch) -> None:
    with pytest.raises(UserError, match=r"no column 'class', which data.group names .* are school, x"):
        fetch(mode="snapshot", group="class")
    assert list(Path("results").iterdir()) == []


def test_a_file_type_that_the_url_does_not_name_is_refused(server: Server, fetch) -> None:
    with pytest.raises(UserError, match=r"ends in 'nothing'\n.*\.rds, .*\.xlsx or \.ods"):
        fetch(mode="download", url=server.url("good"))


# read_table


def test_csv_is_text_with_missing_values() -> None:
    table = read_table(b"\xef\xbb\xbf" + CONTENT, ".CSV", "x.csv")
    assert table["school"].tolist() == ["007", "8", "8"]
    assert table["x"].isna().tolist() == [False, True, False]
    assert read_table(b"a,b\nNA,None\nNaN,null\n", ".csv", "x.csv").isna().to_numpy().tolist() == [
        [True, False],
        [True, False],
    ]


FACTOR = pd.Categorical(["Public", "Catholic", None], categories=["Unused", "Public", "Catholic"])


def test_parquet_keeps_levels_and_their_order() -> None:
    table = pd.DataFrame({"sector": FACTOR, "size": [1.5, None, 3.0]})
    again = read_table(table.to_parquet(), ".parquet", "x.parquet")
    pd.testing.assert_frame_equal(again, table)
    assert not again["sector"].cat.ordered


@pytest.mark.parametrize("suffix", [".rds", ".parquet", ".csv"])
@pytest.mark.parametrize("content", [b"", b"\xff\x00\x01 nothing known", PAGE, CONTENT[:3] + b"\xff"])
def test_content_that_is_not_what_its_name_says_is_refused(suffix: str, content: bytes) -> None:
    with pytest.raises(UserError, match=rf"^mine{suffix} "):
        read_table(content, suffix, f"mine{suffix}")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,b\n1,2\n3,4,5\n", "line 3 has 3 values, and the header 2 names"),
        (
            b"a,b\nrow1,1,2\nrow2,3,4\n",
            "its header has 2 names and each line 3 values: R's write.table",
        ),  # R's write.table, with row names
        (b"a,b,a\n1,2,3\n", "more than one column named a"),
    ],
)
def test_a_malformed_csv_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_table(content, ".csv", "x.csv")


def test_an_rds_without_a_data_frame_is_refused(tmp_path: Path) -> None:
    # R: saveRDS(list(1, 2), file) ; gzip'd serialisation written out here so that the test needs no R
    import gzip

    unnamed_list = b"X\n" + bytes.fromhex(
        "00000003 00040202 00030500 00000005 5554462d38"  # version 3, written by R 4.2.2, encoding UTF-8
        "00000013 00000002"  # a list of two
        "0000000e 00000001 3ff0000000000000"  # 1
        "0000000e 00000001 4000000000000000"  # 2
    )
    with pytest.raises(UserError, match="does not hold one data frame"):
        read_table(gzip.compress(unnamed_list), ".rds", "x.rds")


@pytest.mark.parametrize("content", [b"", "id,source_says\na,\xe9\n".encode("latin-1")], ids=["empty", "not UTF-8"])
def test_a_file_of_texts_that_is_no_table_is_named(content: bytes) -> None:
    with pytest.raises(UserError, match=r"claims\.csv could not be read as a \.csv file"):
        read_texts(content, "data/claims.csv")


def test_a_file_s_texts_stay_as_they_are() -> None:
    content = "id,printed\n1,0.30\n2,\n".encode("utf-8-sig")  # as a spreadsheet writes UTF-8
    assert read_texts(content, "claims.csv").to_dict("list") == {"id": ["1", "2"], "printed": ["0.30", ""]}
