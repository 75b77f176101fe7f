"""Bootstraps in other parts, on other cores, or killed in the middle and started again, end with the same bytes."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import snakemake

pytestmark = pytest.mark.slow

OF_MODEL = [
    "results/models/random_coefficients/bootstrap.parquet",
    "results/models/random_coefficients/intervals.csv",
]
OF_COMPARISON = [
    "results/comparisons/cses_slope_variance/tests.csv",
    "results/comparisons/cses_slope_variance/reference_distribution.parquet",
]
PARTS = 4


def project(finished_run: Path, folder: Path, targets: list[str]) -> Path:
    """A copy of the finished run, in which bootstraps have to be done again, in more parts."""
    shutil.copytree(finished_run, folder, symlinks=True)
    config = folder / "config.yaml"
    text, times = re.subn(r"(\nbootstrap:\n.*\n  parts:) \S+\n", rf"\1 {PARTS}\n", config.read_text(encoding="utf-8"))
    assert times == 1
    config.write_text(text, encoding="utf-8")
    for target in targets:
        (folder / target).unlink()
    return folder


def tables(folder: Path, targets: list[str]) -> list[bytes]:
    return [(folder / target).read_bytes() for target in targets]


def parts(folder: Path) -> list[Path]:
    return list((folder / "results").glob("*/*/replicates/*-of-*.npz"))


def start_and_kill(folder: Path, targets: list[str], *, whole_group: bool) -> int:
    """Start the plain command in a process group of its own; kill it when some parts are there, and count them."""
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--config",
        'data={"mode": "snapshot"}',
        "--cores",
        "2",
        "--",
        *targets,
    ]
    with (folder / "said").open("w") as said:
        run = subprocess.Popen(command, cwd=folder, stdout=said, stderr=said, start_new_session=True)
    while len(parts(folder)) < 2:
        assert run.poll() is None, (folder / "said").read_text()
        time.sleep(0.05)
    (os.killpg if whole_group else os.kill)(run.pid, signal.SIGKILL)
    run.wait()
    return len(parts(folder))


def test_more_parts_on_more_cores_are_the_same_files(finished_run: Path, tmp_path: Path) -> None:
    targets = OF_MODEL + OF_COMPARISON
    folder = project(finished_run, tmp_path / "project", targets)
    run = snakemake(folder, "--cores", "4", "--", *targets)
    assert run.returncode == 0, run.stderr
    assert len(list((folder / "logs/simulate_replicates").glob(f"*/*/*-of-{PARTS}.log"))) == 2 * PARTS
    assert tables(folder, targets) == tables(finished_run, targets)


@pytest.mark.parametrize(
    ("targets", "whole_group"), [(OF_MODEL, True), (OF_COMPARISON, False)], ids=["with its jobs", "alone"]
)
def test_a_killed_run_goes_on(targets: list[str], whole_group: bool, finished_run: Path, tmp_path: Path) -> None:
    # Killed alone, its jobs live on for a moment, and write while the next run is at work.
    folder = project(finished_run, tmp_path / "project", targets)
    done = start_and_kill(folder, targets, whole_group=whole_group)
    assert 2 <= done < PARTS, "killed too late to tell"
    assert not any((folder / target).exists() for target in targets)
    again = snakemake(folder, "--cores", "2", "--", *targets, plain=True)
    assert again.returncode == 0, again.stderr
    assert tables(folder, targets) == tables(finished_run, targets)
    # Nothing is left over: no part, no half-written file.
    assert not parts(folder)
    assert not list((folder / "results").rglob("*.part"))
