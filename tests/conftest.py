"""What all tests share: which tools of the machine they can use, and one thread for the linear algebra.

A test marked `needs_r` or `needs_chromium` is skipped where the tool is missing, with a reason that says
what to install. With REQUIRE_ALL_TOOLS=1 (as .ci/run sets it) it fails instead: nothing is left out unseen.
"""

import os
import shutil
import subprocess
from functools import cache

import pytest

# Before numpy is imported: as in the pipeline's jobs, and no contest between parallel tests.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

R_PACKAGES = ("lme4", "pbkrtest")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def _first_on_path(names: tuple[str, ...]) -> str | None:
    return next((path for name in names if (path := shutil.which(name))), None)


@cache
def missing_r() -> str:
    """Say what R lacks for these tests; empty where it lacks nothing."""
    install = "Debian and Ubuntu: apt install r-base-core r-cran-lme4 r-cran-pbkrtest"
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


TOOLS = {"needs_r": missing_r, "needs_chromium": missing_chromium}


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
