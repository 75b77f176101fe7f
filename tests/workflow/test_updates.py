"""A file that changes at its address: what a run does, and what `source` and `changes` say of it."""

import csv
import hashlib
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import ROOT, edit, run_snakemake
from scipy.optimize import minimize_scalar

pytestmark = pytest.mark.slow

FAST = {"bootstrap": {"replicates": 40, "parts": 1, "seed": 1}, "optimiser": {"random_starts": 1, "seed": 1}}


class Server(ThreadingHTTPServer):
    """Serves one file with an ETag, as static sites do, and remembers how it answered."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = b""
        self.answers: list[int] = []


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        tag = f'"{hashlib.sha256(self.server.content).hexdigest()}"'
        same = self.headers.get("If-None-Match") == tag
        self.server.answers.append(304 if same else 200)
        self.send_response(self.server.answers[-1])
        self.send_header("ETag", tag)
        self.send_header("Content-Length", "0" if same else str(len(self.server.content)))
        self.end_headers()
        self.wfile.write(b"" if same else self.server.content)

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as running, pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "127.0.0.1")
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield running
        running.shutdown()


def run(study: Path, *options: str, plain: bool = False) -> subprocess.CompletedProcess[str]:
    """Run this checkout's pipeline in the folder of a study."""
    done = run_snakemake(study, "-s", str(ROOT / "Snakefile"), "--cores", "2", *options, plain=plain)
    assert "Traceback" not in done.stdout + done.stderr
    return done


def stages(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What was done, as the run says it."""
    line = r"^ *\d+:\d\d +\d+ %  ([\w ]+?)(?: \(\d+ jobs\))?(?:, about .*)?$"
    return re.findall(line, done.stdout + done.stderr, re.MULTILINE)


def changes(study: Path) -> list[dict[str, str]]:
    with (study / "results/changes.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def said(study: Path) -> str:
    return (study / "logs/tell_changes.log").read_text(encoding="utf-8").strip()


def state(study: Path) -> dict[str, tuple[int, bytes]]:
    files = (path for path in (study / "results").rglob("*") if path.is_file())
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


# ------------------------------------------------------------------------------------------- High School and Beyond


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """The students, with factors whose levels stand in an order, as in the file that R wrote."""
    read = pd.read_csv(ROOT / "data/hsb_snapshot.csv")
    levels = {"sector": ["Public", "Catholic"], "sex": ["Male", "Female"], "minority": ["No", "Yes"]}
    for column, of in levels.items():
        read[column] = pd.Categorical(read[column], of)
    return read.assign(himinty=read["himinty"].astype(str))


def served(table: pd.DataFrame) -> bytes:
    stream = BytesIO()
    table.to_parquet(stream, index=False)
    return stream.getvalue()


@pytest.fixture(scope="module")
def accepted(server: Server, table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of means by sector, fitted to the file at an address, accepted; with the page that says so."""
    study = tmp_path_factory.mktemp("schools") / "study"
    study.mkdir()
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    (study / "config.yaml").write_text(
        yaml.safe_dump(
            {
                "data": config["data"]
                | {"url": f"http://127.0.0.1:{server.server_port}/hsb.parquet", "sha256": None, "snapshot": "none.csv"},
                "derive": config["derive"],
                "models": {"by_sector": {"formula": "mathach ~ sector + (1 | school)"}},
                **FAST,
            },
            sort_keys=False,
        ),
        encoding="utf-8",
    )
    server.content = served(table)
    done = run(study, "--", "accept")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "There was none before." in (study / "logs/accept.log").read_text(encoding="utf-8")
    told = run(study, "--", "results/changes.html")
    assert told.returncode == 0, told.stdout + told.stderr
    assert stages(told) == ["Tell changes"]
    assert said(study) == "The data are the same: 7,185 rows in 160 groups. None of the 4 estimates moved."
    assert changes(study) == []
    return study


@pytest.fixture
def study(accepted: Path, server: Server, table: pd.DataFrame, tmp_path: Path) -> Path:
    """A copy that a test may change; the address serves what was accepted."""
    server.content = served(table)
    server.answers.clear()
    copy = tmp_path / "study"
    shutil.copytree(accepted, copy, symlinks=True)
    return copy


def test_a_file_that_did_not_change_is_not_downloaded_and_nothing_runs(study: Path, server: Server) -> None:
    before = state(study)
    done = run(study, "--", "results/changes.html")
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout + done.stderr
    assert server.answers == [304]
    assert state(study) == before
    # A dry run asks nobody.
    assert run(study, "--dry-run", "--", "results/changes.html").returncode == 0
    assert server.answers == [304]


def corrected(table: pd.DataFrame) -> pd.DataFrame:
    """One point more for the first 50 students: 47 are of school 1224, the others of school 1288."""
    changed = table.copy()
    changed.loc[changed.index[:50], "mathach"] += 1
    return changed


def test_a_file_with_another_hash_stops_the_run_until_the_hash_is_taken(
    study: Path, server: Server, table: pd.DataFrame
) -> None:
    old, new = (hashlib.sha256(served(of)).hexdigest() for of in (table, corrected(table)))
    edit(study / "config.yaml", "sha256: null", f"sha256: {old}")
    assert run(study, "--", "results/changes.html").returncode == 0
    before = state(study)
    server.content = served(corrected(table))
    done = run(study, "--", "results/changes.html")
    assert done.returncode == 1
    told = (done.stdout + done.stderr).split("error: ")[1]
    line = next(n for n, text in enumerate((study / "config.yaml").read_text().splitlines(), 1) if old in text)
    assert f"  {new}, where data.sha256 is\n  {old}." in told
    assert f"put its SHA-256 into line {line} of config.yaml." in told
    assert state(study) == before

    (command,) = re.findall(r"^  (snakemake .*)$", told, re.MULTILINE)
    options = re.sub(r"^snakemake --cores 1 ", "", command).replace("'", "").split(" ", 3)
    looked = run(study, "--config", "results=new_file", f'data={{"sha256": "{new}"}}', "--", "source")
    assert options[0] == "--config", command
    assert looked.returncode == 1
    assert "50 rows are altered: mathach in 50. They are in 2 groups, 47 of them in school 1224." in looked.stderr
    assert state(study) == before

    edit(study / "config.yaml", old, new)
    taken = run(study, "--", "results/changes.html")
    assert taken.returncode == 0, taken.stderr
    everything = ["Fetch data", "Prepare data", "Fit model", "Explain variance", "Tell changes"]
    assert {*everything} <= {*stages(taken)}
    check_corrected(study, table)
    verified = run(study, "--", "verify")
    assert verified.returncode == 1
    assert "The data are not those of the baseline" in verified.stderr


def check_corrected(study: Path, table: pd.DataFrame) -> None:
    """What `changes` says where 50 scores were corrected."""
    found = changes(study)
    rows = [row for row in found if row["part"] == "data"]
    assert {row["change"] for row in rows} == {"row altered"}
    assert [row["row"] for row in rows] == [f"row {place}" for place in range(1, 51)]
    assert [row["where"] for row in rows] == ["1224"] * 47 + ["1288"] * 3
    assert {row["column"] for row in rows} == {"mathach"}
    assert [float(row["after"]) for row in rows] == pytest.approx(table["mathach"][:50] + 1)
    held_to_least_squares(found, table, corrected(table))
    assert said(study).startswith(
        "50 rows are altered: mathach in 50. They are in 2 groups, 47 of them in school 1224."
    )
    page = (study / "results/changes.html").read_text(encoding="utf-8")
    # Means to six digits: 50 points more of 7,185 students.
    before = table["mathach"].mean()
    assert f"mean {before:.6g}" in page
    assert f"mean {before + 50 / 7185:.6g}" in page


def held_to_least_squares(found: list[dict[str, str]], before: pd.DataFrame, after: pd.DataFrame) -> None:
    """The fixed effects moved as generalised least squares says, in units of the first standard errors."""
    (old, errors), (new, _) = by_sector(before), by_sector(after)
    moves = [row for row in found if row["part"] == "estimate"]
    sizes = [abs(float(row["standard_errors"])) for row in moves]
    assert sizes == sorted(sizes, reverse=True)
    for place, term in enumerate(("(Intercept)", "sectorCatholic")):
        (row,) = (row for row in moves if row["row"] == term)
        # The search for the ratio stops at about 1e-8 of itself.
        assert float(row["before"]) == pytest.approx(old[place], rel=1e-7)
        assert float(row["after"]) == pytest.approx(new[place], rel=1e-7)
        assert float(row["standard_errors"]) == pytest.approx((new - old)[place] / errors[place], rel=1e-3)


def by_sector(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Fixed effects and standard errors of mathach ~ sector + (1 | school) by REML.

    With r the ratio of the variances, the inverse covariance of a school's n scores is 1 - r / (1 + n r) 11', in units
    of the residual variance; the criterion is minimised in r alone.
    """
    n = len(table)
    x = np.column_stack([np.ones(n), table["sector"] == "Catholic", table["mathach"]]).astype(float)
    total, parts = x.T @ x, [(len(part), x[part].sum(axis=0)) for part in table.groupby("school").indices.values()]

    def moments(ratio: float) -> np.ndarray:
        return total - sum(ratio / (1 + size * ratio) * np.outer(sums, sums) for size, sums in parts)

    def variance(of: np.ndarray) -> float:
        return float(of[2, 2] - of[2, :2] @ np.linalg.solve(of[:2, :2], of[:2, 2])) / (n - 2)

    def criterion(log_ratio: float) -> float:
        of = moments(np.exp(log_ratio))
        spread = sum(np.log1p(size * np.exp(log_ratio)) for size, _ in parts)
        return float((n - 2) * np.log(variance(of)) + spread + np.linalg.slogdet(of[:2, :2])[1])

    best = minimize_scalar(criterion, bounds=(-10, 3), method="bounded", options={"xatol": 1e-10})
    of = moments(np.exp(best.x))
    covariance = variance(of) * np.linalg.inv(of[:2, :2])
    return np.linalg.solve(of[:2, :2], of[:2, 2]), np.sqrt(np.diag(covariance))


def test_groups_that_come_and_go_are_named(study: Path, server: Server, table: pd.DataFrame) -> None:
    # Schools 1224, 1288 and 1296 have 47, 25 and 48 students: 120 come as schools 1, 2 and 3; school 1308 has 20.
    new = [table[table["school"] == old].assign(school=name) for name, old in ((1, 1224), (2, 1288), (3, 1296))]
    changed = pd.concat([table[table["school"] != 1308], *new], ignore_index=True)
    server.content = served(changed)
    done = run(study, "--", "results/changes.html")
    assert done.returncode == 0, done.stderr
    assert said(study).startswith(
        "Groups 1, 2 and 3 (school) are added. They have 120 rows. Group 1308 (school) is removed. It has 20 rows. "
    )
    found = changes(study)
    rows = [row for row in found if row["part"] == "data"]
    assert [(row["change"], row["where"], row["before"], row["after"]) for row in rows] == [
        ("group added", "1", "0", "47"),
        ("group added", "2", "0", "25"),
        ("group added", "3", "0", "48"),
        ("group removed", "1308", "20", "0"),
    ]
    held_to_least_squares(found, table, changed)


BROKEN: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str, str]] = {
    "a column renamed": (
        lambda table: table.rename(columns={"ses": "SES"}),
        r"column ses",
        "Column ses is now called SES.\n  column renamed: SES: ses before, SES now\n",
    ),
    "a level respelled": (
        lambda table: table.assign(sector=table["sector"].cat.rename_categories({"Catholic": "catholic"})),
        r"column sector: .*catholic",
        # 3,543 of the students are in Catholic schools.
        "Level Catholic of sector is now written catholic.\n  level respelled: sector: Catholic before, catholic now\n",
    ),
    "levels reordered": (
        lambda table: table.assign(sector=table["sector"].cat.reorder_categories(["Catholic", "Public"])),
        r"column sector: data.columns orders its levels Public, Catholic, the file Catholic, Public",
        "The levels of sector stand in the order Catholic and Public; they stood as Public and Catholic.\n"
        "  levels reordered: sector: Public, Catholic before, Catholic, Public now\n",
    ),
    "mean.ses is no longer the mean": (
        lambda table: table.assign(**{"mean.ses": table["mean.ses"] + 0.006}),
        r"mean\.ses",
        # School 2305 has the most students, 67.
        "7,185 rows are altered: mean.ses in 7,185. They are in 160 groups, 67 of them in school 2305.\n",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_data_that_the_models_cannot_take_stop_the_run_and_are_described(
    case: str, study: Path, server: Server, table: pd.DataFrame
) -> None:
    change, refused, described = BROKEN[case]
    server.content = served(change(table))
    fits = (study / "results/models/by_sector/fit.json").read_bytes()
    done = run(study, "--keep-going", "--", "source", "results/changes.html")
    told = done.stdout + done.stderr
    assert done.returncode == 1
    assert re.search(rf"Error in rule prepare_data:.*{refused}", told, re.DOTALL)
    assert described in told.replace("\n    ", "\n  ")
    assert "The target `source` says how the data differ from those of the accepted run." in told
    assert (study / "results/models/by_sector/fit.json").read_bytes() == fits


# --------------------------------------------------------------------------------------------------------- sleepstudy


@pytest.fixture(scope="module")
def sleep(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The random intercepts of sleepstudy, whose rows have a key; a fork that has accepted nothing."""
    study = tmp_path_factory.mktemp("sleep") / "study"
    study.mkdir()
    config = yaml.safe_load((ROOT / "studies/sleepstudy/config.yaml").read_text(encoding="utf-8"))
    address = {"mode": "download", "url": f"http://127.0.0.1:{server.server_port}/sleep.csv", "sha256": None}
    config = {
        "data": config["data"] | address | {"key": ["Subject", "Days"]},
        "models": {"intercepts": {"formula": "Reaction ~ Days + (1 | Subject)"}},
        **FAST,
    }
    (study / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    server.content = (ROOT / "studies/sleepstudy/data/sleepstudy.csv").read_bytes()
    for target in ("source", "verify"):
        done = run(study, "--", target, plain=True)
        assert done.returncode == 0, done.stderr
        assert re.search(r"no accepted run in accepted.*`make accept` records one", done.stderr), target
    assert not (study / "results/changes.html").exists()
    edit(study / "config.yaml", "models:", "accepted: acepted\nmodels:")
    misspelled = run(study, "--", "verify")
    assert misspelled.returncode == 1
    assert "there is no accepted run in acepted, which the configuration names under `accepted`" in misspelled.stderr
    edit(study / "config.yaml", "accepted: acepted\n", "")
    assert run(study, "--", "accept").returncode == 0
    return study


def test_another_study_is_compared_by_its_key(sleep: Path, server: Server) -> None:
    verified = run(sleep, "--", "verify")
    assert verified.returncode == 0, verified.stderr
    lines = (ROOT / "studies/sleepstudy/data/sleepstudy.csv").read_text(encoding="utf-8").splitlines()
    assert lines[1] == "249.56,0,308"
    # The first day of subject 308, ten milliseconds later; and in another order.
    server.content = "\n".join([lines[0], *reversed(lines[2:]), "259.56,0,308", ""]).encode()
    done = run(sleep, "--", "results/changes.html")
    assert done.returncode == 0, done.stderr
    data, *others = changes(sleep)
    assert (data["change"], data["where"], data["row"]) == ("row altered", "308", "Subject 308, Days 0")
    assert (data["column"], data["after"]) == ("Reaction", "259.56")
    # In balanced data the fixed effects are those of least squares. With 18 subjects on days 0 to 9, of mean 4.5 and
    # sum of squares 18 x 82.5 = 1485, a response on day 0 counts 1/180 + 4.5^2/1485 in the intercept, and -4.5/1485 in
    # the slope.
    estimates = (row for row in others if row["part"] == "estimate")
    moved = {row["row"]: float(row["after"]) - float(row["before"]) for row in estimates}
    assert moved["(Intercept)"] == pytest.approx(10 * (1 / 180 + 4.5**2 / 1485), rel=1e-5)
    assert moved["Days"] == pytest.approx(-10 * 4.5 / 1485, rel=1e-5)
    assert said(sleep).startswith("1 row is altered: Reaction in 1. It is in Subject 308. ")
    failed = run(sleep, "--", "verify")
    assert failed.returncode == 1
    assert "results/models/intercepts/fixed_effects.csv, Days: estimate was accepted as 10.4672859596" in failed.stderr


def test_without_a_network_the_last_line_and_the_top_of_the_report_say_so(sleep: Path, tmp_path: Path) -> None:
    study = tmp_path / "study"
    study.mkdir()
    shutil.copy(ROOT / "studies/sleepstudy/data/sleepstudy.csv", study / "snapshot.csv")
    config = yaml.safe_load((sleep / "config.yaml").read_text(encoding="utf-8"))
    # A port that nobody listens on.
    address = {"mode": "auto", "url": "http://127.0.0.1:1/sleep.csv", "snapshot": "snapshot.csv"}
    (study / "config.yaml").write_text(yaml.safe_dump(config | {"data": config["data"] | address}), encoding="utf-8")
    done = run(study)
    assert done.returncode == 0, done.stderr
    first, last = (
        "The data are the snapshot snapshot.csv.",
        "There was no network: the data are the snapshot snapshot.csv, not http://127.0.0.1:1/sleep.csv.",
    )
    lines = [line for line in done.stderr.splitlines() if not line.startswith("Complete log")]
    assert sum(line.startswith("There is no network (") and line.endswith(first) for line in lines) == 1
    assert lines[-1] == last
    banner = re.search(r"<header.*?</header>", (study / "results/report.html").read_text("utf-8"), re.DOTALL)
    assert banner
    assert "There was no network: this report is of the snapshot <code>snapshot.csv</code>" in banner[0]
    assert "Errno" not in done.stderr
