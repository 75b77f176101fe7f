"""What all tests share: which tools of the machine they can use, and one thread for the linear algebra.

A test marked `needs_r`, `needs_chromium` or `needs_slurm` is skipped where the tool is missing, with a reason that says
what to install. With REQUIRE_ALL_TOOLS=1 (as .ci/run sets it) it fails instead: nothing is left out unseen.
"""

import atexit
import fcntl
import gc
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

import pytest
import warm_python
import yaml
from slurm_cluster import missing_programs

# Before numpy is imported: as in the pipeline's jobs, and no contest between parallel tests.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# The prepared table, lme4's reference values, each model fitted once.
pytest_plugins = ("fitted",)

R_PACKAGES = ("lme4", "pbkrtest", "lmerTest", "emmeans", "numDeriv", "jsonlite")
R_OF_DEBIAN = "r-base-core r-cran-lme4 r-cran-pbkrtest r-cran-lmertest r-cran-emmeans r-cran-numderiv r-cran-jsonlite"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def _first_on_path(names: tuple[str, ...]) -> str | None:
    return next((path for name in names if (path := shutil.which(name))), None)


@cache
def missing_r() -> str:
    """Say what R lacks for these tests; empty where it lacks nothing."""
    packages = ", ".join(f"'{package}'" for package in R_PACKAGES)
    install = f"Debian: apt install {R_OF_DEBIAN}; elsewhere R, and in it install.packages(c({packages}))"
    rscript = _first_on_path(("Rscript",))
    if rscript is None:
        return f"needs R: Rscript is not on the PATH. {install}"
    ask = f"for (p in c{R_PACKAGES}) if (!nzchar(system.file(package = p))) cat(p, '')"
    answer = subprocess.run([rscript, "-e", ask], capture_output=True, text=True, check=True)
    return f"needs the R packages {answer.stdout.strip()}. {install}" if answer.stdout.strip() else ""


@cache
def missing_chromium() -> str:
    """Say that no browser is there; empty where one is."""
    if _first_on_path(BROWSERS):
        return ""
    return f"needs a browser on the PATH: one of {', '.join(BROWSERS)}. Debian: apt install chromium"


@cache
def missing_actionlint() -> str:
    """Say that the linter of GitHub's workflows is not there; empty where it is."""
    if actionlint():
        return ""
    return "needs actionlint: `make environment` installs it"


def actionlint() -> str | None:
    """The path of actionlint, beside this Python or on the PATH."""
    beside = Path(sys.prefix, "bin/actionlint")
    return str(beside) if beside.is_file() else shutil.which("actionlint")


TOOLS = {
    "needs_r": missing_r,
    "needs_chromium": missing_chromium,
    "needs_slurm": missing_programs,
    "needs_actionlint": missing_actionlint,
}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose tool is missing, or fail it where every tool is required."""
    for marker, missing in TOOLS.items():
        if item.get_closest_marker(marker) and (reason := missing()):
            if os.environ.get("REQUIRE_ALL_TOOLS") == "1":
                pytest.fail(reason, pytrace=False)
            pytest.skip(reason)


@pytest.fixture(scope="session")
def rscript() -> str:
    """The path of Rscript; mark the test `needs_r`."""
    path = _first_on_path(("Rscript",))
    assert path is not None, "mark the test needs_r"
    return path


def pytest_collection_finish() -> None:
    """Leave objects that stay to the end out of each search for garbage, and search less often: a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser; mark the test `needs_chromium`."""
    path = _first_on_path(BROWSERS)
    assert path is not None, "mark the test needs_chromium"
    return path


ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def config() -> dict[str, Any]:
    """The project's own configuration."""
    return yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))


def documented_tables(project: Path) -> dict[str, list[str]]:
    """The columns of each table in results/, as the schemas of the pipeline and of HSB state them for schools."""
    general = (project / "workflow/schemas/tables.yaml").read_text(encoding="utf-8")
    own = (project / "studies/hsb/tables.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(general.replace("<group>", "school") + own)


# What numba compiled is copied: compiling it anew would take each copy half a minute.
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", ".snakemake", "results", "logs", ".cache", ".*_cache", "*.pyc")


def take_over_compiled(here: Path, there: Path) -> None:
    """Put what numba compiled of a package beside a copy of it: numba goes by the age of the same sources."""
    for file in here.rglob("*.*"):
        copy = there / file.relative_to(here)
        if file.suffix == ".py":
            assert copy.read_bytes() == file.read_bytes()
            shutil.copystat(file, copy)
        elif file.suffix in (".nbi", ".nbc"):
            copy.parent.mkdir(exist_ok=True)
            shutil.copy2(file, copy)


def edit(file: Path, old: str, new: str) -> None:
    """Replace a text that stands in a file."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def digests(results: Path) -> dict[str, str]:
    """Every file's hash, but for measured times."""
    timed = "optimiser_audit_seconds.csv"
    files = sorted(path for path in results.rglob("*") if path.is_file() and path.name != timed)
    return {str(f.relative_to(results)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


@cache
def _warm_python() -> str:
    """The socket of what starts the runs of this process: see warm_python.py."""
    folder = TemporaryDirectory()
    address = str(Path(folder.name, "socket"))
    command = [sys.executable, str(ROOT / "tests/warm_python.py"), "serve", address]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    atexit.register(folder.cleanup)
    atexit.register(server.communicate)
    atexit.register(server.terminate)
    assert server.stdout
    assert server.stdout.readline() == "ready\n"
    return address


def run_snakemake(folder: Path, *arguments: str, plain: bool = False) -> subprocess.CompletedProcess[str]:
    """Do what `python -m snakemake` does in a folder; `plain` does just that, as each script has to work so too."""
    if plain:
        plainly = [sys.executable, "-m", "snakemake", *arguments]
        return subprocess.run(plainly, cwd=folder, capture_output=True, text=True, check=False)
    with TemporaryFile("w+", encoding="utf-8") as out, TemporaryFile("w+", encoding="utf-8") as err:
        command = ["-m", "snakemake", *arguments]
        code = warm_python.call(_warm_python(), command, str(folder), (out.fileno(), err.fileno()))
        for file in (out, err):
            file.seek(0)
        return subprocess.CompletedProcess(command, code, out.read(), err.read())


def snakemake(project: Path, *options: str, plain: bool = False) -> subprocess.CompletedProcess[str]:
    """Run snakemake in a copy of the project, from the snapshot unless an option says otherwise."""
    return run_snakemake(project, "--config", 'data={"mode": "snapshot"}', *options, plain=plain)


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder for the whole test run: the first of its processes to come makes it, the others wait."""
    shared = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder, done = shared / name, shared / f"{name} is made"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            done.touch()
    return folder


def run_everything(folder: Path) -> None:
    """Run the whole pipeline as a person does, in a copy of the project, and keep what it said beside that."""
    project, home = folder / "finished run", folder / "empty home"
    shutil.copytree(ROOT, project, ignore=NOT_COPIED)
    edit(project / "config.yaml", "methods: [bfgs, lbfgs, cg, powell, nm]", "methods: [bfgs]")
    home.mkdir()
    command = [sys.executable, "-m", "snakemake", "--config", 'data={"mode": "snapshot"}', "--cores", "2"]
    with (folder / "said").open("w") as said:
        run = subprocess.run(
            [*command, "--", "all", "audit"],
            cwd=project,
            env=os.environ | {"HOME": str(home)},
            stdout=said,
            stderr=said,
            check=False,
        )
    assert run.returncode == 0, (folder / "said").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which the whole pipeline has run once on two cores, with an empty HOME.

    Its audit of optimisers tries one method; the configured one takes longer than all the rest, and `make verify` runs
    it in CI.
    """
    return made_once(tmp_path_factory, "finished", run_everything) / "finished run"


@pytest.fixture(scope="session")
def results(finished_run: Path) -> Path:
    """The results of that run."""
    return finished_run / "results"
