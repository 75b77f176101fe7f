"""What all tests share: which tools of the machine they can use, and one thread for the linear algebra.

A test marked `needs_r`, `needs_chromium` or `needs_slurm` is skipped where the tool is missing, with a reason that says
what to install. With REQUIRE_ALL_TOOLS=1 (as .ci/run sets it) it fails instead: nothing is left out unseen.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from slurm_cluster import missing_programs

# Before numpy is imported: as in the pipeline's jobs, and no contest between parallel tests.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# The prepared table, lme4's reference values, each model fitted once.
pytest_plugins = ("fitted",)

R_PACKAGES = ("lme4", "pbkrtest", "lmerTest", "emmeans", "numDeriv", "jsonlite")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def _first_on_path(names: tuple[str, ...]) -> str | None:
    return next((path for name in names if (path := shutil.which(name))), None)


@cache
def missing_r() -> str:
    """Say what R lacks for these tests; empty where it lacks nothing."""
    install = (
        "Debian: apt install r-base-core r-cran-lme4 r-cran-pbkrtest r-cran-lmertest r-cran-emmeans r-cran-jsonlite"
    )
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
    return "needs a browser: chromium is not on the PATH. Debian: apt install chromium"


TOOLS = {"needs_r": missing_r, "needs_chromium": missing_chromium, "needs_slurm": missing_programs}


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


def snakemake(project: Path, *options: str, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run snakemake in a copy of the project, from the snapshot unless an option says otherwise."""
    command = [sys.executable, "-m", "snakemake", "--config", 'data={"mode": "snapshot"}', *options]
    environment = {**os.environ, **({"HOME": str(home)} if home else {})}
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which the whole pipeline has run once on two cores, with an empty HOME.

    Shared by the processes of a parallel test run: the first to come runs it, the others wait. Its audit of optimisers
    tries one method; the configured one takes longer than all the rest, and `make verify` runs it in CI.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    project, home, done = shared / "finished run", shared / "empty home", shared / "finished"
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(project, ignore_errors=True)
            shutil.copytree(ROOT, project, ignore=NOT_COPIED)
            edit(project / "config.yaml", "methods: [bfgs, lbfgs, cg, powell, nm]", "methods: [bfgs]")
            home.mkdir(exist_ok=True)
            run = snakemake(project, "--cores", "2", "--", "all", "audit", home=home)
            assert run.returncode == 0, run.stderr
            (shared / "said").write_text(run.stdout + run.stderr, encoding="utf-8")
            done.touch()
    return project


@pytest.fixture(scope="session")
def results(finished_run: Path) -> Path:
    """The results of that run."""
    return finished_run / "results"
