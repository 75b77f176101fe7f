"""Runs on a real SLURM of two nodes (tests/slurm_cluster.py), with the profile as it is shipped; faults of a cluster.

Each run ends with the bytes of a run on this machine alone. The runs with faults go on at the same time: what they wait
for is mostly the cluster's own clocks.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from conftest import ROOT, digests, edit
from slurm_cluster import Cluster, Unavailable

pytestmark = [pytest.mark.slow, pytest.mark.needs_slurm]

PROFILE = ROOT / "workflow/profiles/slurm/config.yaml"
PATIENCE = 600  # seconds; a run here takes a tenth of it where nothing else runs


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("slurm"))
    try:
        cluster.start()
    except Unavailable as reason:
        pytest.skip(str(reason))
    yield cluster
    cluster.stop()


def analysis(folder: Path, **settings: object) -> Path:
    """The second study's data with one model and few replicates."""
    config = yaml.safe_load((ROOT / "studies/sleepstudy/config.yaml").read_text(encoding="utf-8"))
    config["models"] = {"slope": {"formula": config["models"]["random_slope"]["formula"]}}
    del config["comparisons"]
    config["bootstrap"] = {"replicates": 100, "parts": 1}
    shutil.copytree(ROOT / "studies/sleepstudy/data", folder / "data")
    (folder / "config.yaml").write_text(yaml.safe_dump(config | settings), encoding="utf-8")
    return folder


INTERVALS = "results/models/slope/intervals.csv"


class Run:
    """A run of Snakemake in the folder of an analysis."""

    def __init__(self, folder: Path, *options: str, excluded: str = "") -> None:
        self.folder = folder
        profile = folder / "profile/config.yaml"
        profile.parent.mkdir()
        shutil.copy(PROFILE, profile)
        edit(profile, "slurm_partition: your_partition", "slurm_partition: short")
        if excluded:
            edit(profile, "slurm_partition:", f"slurm_extra: \"'--exclude={excluded}'\"\n  slurm_partition:")
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
        command += ["--workflow-profile", str(profile.parent), *options]
        self.process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment()
        )

    def script(self, name: str) -> int:
        """The process of a job's script, when there is one."""
        return wait_for(lambda: next(self._scripts(name), 0), f"{name} in {self.folder}")

    def _scripts(self, name: str) -> Iterator[int]:
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "cwd").readlink() == self.folder and re.search(
                    rf"python[\d.]*\0\S*\.{name}\.py\0$", (process / "cmdline").read_bytes().decode()
                ):
                    yield int(process.name)
            except OSError:  # it has ended meanwhile
                continue

    def job(self) -> str:
        """The number that SLURM has given to its job."""
        return next(job for job in slurm_jobs() if f"WorkDir={self.folder}\n" in slurm_job(job))

    def jobs(self) -> list[str]:
        return [about for about in map(slurm_job, slurm_jobs()) if f"WorkDir={self.folder}\n" in about]

    def said(self) -> str:
        """What it said, once it has ended well."""
        said = self.process.communicate(timeout=PATIENCE)[0]
        assert self.process.returncode == 0, said
        return said


def environment() -> dict[str, str]:
    """Without what SLURM says to a job that the tests may run in."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")}


def wait_for(found: Callable[[], int], what: str) -> int:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if answer := found():
            return answer
        time.sleep(0.1)
    raise TimeoutError(what)


def slurm_jobs() -> list[str]:
    command = ["squeue", "--noheader", "--states=all", "--sort=i", "--format=%A"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def slurm_job(job: str) -> str:
    return subprocess.run(["scontrol", "show", "job", job], capture_output=True, text=True, check=True).stdout


def minutes(job: str) -> int:
    """The time limit of a job of less than a day."""
    hours, of_hour, _ = re.search(r" TimeLimit=(\d+):(\d+):(\d+)", job).groups()
    return 60 * int(hours) + int(of_hour)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The hashes of the same analysis on this machine alone, report included, its bootstrap in seven parts."""
    folder = analysis(tmp_path_factory.mktemp("local") / "run", bootstrap={"replicates": 100, "parts": 7})
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--workflow-profile", str(ROOT / "workflow/profiles/local"), "--cores", "2"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return results_of(folder)


def results_of(folder: Path) -> dict[str, str]:
    """Every result's hash, but of when the data were fetched."""
    found = digests(folder / "results")
    return {name: found[name] for name in found if name != "data/provenance.json"}


def test_a_whole_run_has_the_bytes_of_a_local_one(cluster: Cluster, local: dict[str, str], tmp_path: Path) -> None:
    run = Run(analysis(tmp_path / "run", bootstrap={"replicates": 100, "parts": 2}))
    said = run.said()
    assert results_of(run.folder) == local
    # Short jobs are one job of the cluster, and a cluster without accounting is nothing to speak of.
    assert len(run.jobs()) == 1
    assert re.search(r"\d+ jobs are submitted as one\n", said)
    assert "account" not in said


def test_a_mistake_is_reported_in_seconds(cluster: Cluster, tmp_path: Path) -> None:
    folder = analysis(tmp_path / "run")
    table = folder / "data/sleepstudy.csv"
    lines = table.read_text(encoding="utf-8").splitlines()
    table.write_text("\n".join([lines[0], *(re.sub(r",\d+,", ",1,", line) for line in lines[1:])]) + "\n")
    run = Run(folder, "--retries", "0", INTERVALS)
    said = run.process.communicate(timeout=PATIENCE)[0]
    assert run.process.returncode != 0
    assert said.count("Error in rule fit_model:\n  error: formula 'Reaction ~ Days + (Days | Subject)'") == 1
    assert said.count("Error in ") == 1, "jobs that did not fail are not spoken of"
    assert said.splitlines()[-2].startswith("The run failed.")


def test_faults_of_a_cluster_change_no_byte(cluster: Cluster, local: dict[str, str], tmp_path: Path) -> None:
    runs = {"over_its_time": Run(analysis(tmp_path / "over_its_time"), INTERVALS, excluded="n2")}
    stopped = runs["over_its_time"].script("fit_model")
    os.kill(stopped, signal.SIGSTOP)
    late = runs["over_its_time"].job()
    asked = minutes(slurm_job(late))
    subprocess.run(["scontrol", "update", f"JobId={late}", "TimeLimit=1"], check=True)

    for name in ("fails_once", "cancelled"):
        runs[name] = Run(analysis(tmp_path / name), INTERVALS, excluded="n2")
    runs["node_lost"] = Run(analysis(tmp_path / "node_lost"), INTERVALS)
    os.kill(runs["fails_once"].script("fit_model"), signal.SIGKILL)
    runs["cancelled"].script("fit_model")
    subprocess.run(["scancel", runs["cancelled"].job()], check=True)
    runs["node_lost"].script("fit_model")
    cluster.kill("slurmd.n2")

    runs["controller_restarted"] = Run(analysis(tmp_path / "controller_restarted"), INTERVALS, excluded="n2")
    runs["controller_restarted"].script("fit_model")
    cluster.kill("slurmctld")
    cluster.start_controller()

    said = {name: run.said() for name, run in runs.items()}
    cluster.start_node("n2")
    for run in runs.values():
        found = results_of(run.folder)
        assert found == {name: local[name] for name in found}, run.folder.name
        assert f"{INTERVALS.removeprefix('results/')}" in found
    assert "The job left no message (died with <Signals.SIGKILL: 9>). It was killed." in said["fails_once"]
    assert "Somebody cancelled it." in said["cancelled"]
    assert "It took longer than it had asked the cluster for." in said["over_its_time"]
    assert "Error in" not in said["controller_restarted"] + said["node_lost"]
    assert minutes(runs["over_its_time"].jobs()[-1]) > asked, "a retry asks for more time"
    assert "Restarts=1" in runs["node_lost"].jobs()[0]
