"""Measure R, the Python peers and this project on two tasks; write results/speed.csv and results/targets.csv.

    python benchmarks/run.py          (make bench)

Each tool runs in its own process and in one thread, one after the other.
"""

import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from common import SNAPSHOT, Array, read_students
from judge import missed, wrong
from peers import HERE, PEERS, VENV, install, last_line, one_thread

sys.path.insert(0, str(HERE.parent / "tests" / "reference"))
from simulate import DATA_SETS, read_schools, simulated_response

RESULTS = HERE / "results"
SAMPLES = {"test": 1000, "intervals": 500}
SIMULATED_FROM = {"test": "random_intercept", "intervals": "random_coefficients"}
OURS, R = "this project", "lme4 + pbkrtest"
CHECKED_BY_R = 50
SLOWEST = 1200  # seconds until a tool is given up


@dataclass
class Measured:
    """What is written: a row for each tool and task."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, tool: str, output: dict[str, Any], responses: dict[str, Array]) -> None:
        """Judge what a tool printed, and keep it."""
        students = read_students()
        for result in output["results"]:
            task, refits = result["task"], result["refits"]
            misses = missed(task, refits, responses[task], students)
            why = wrong(result)
            if misses > 0.02 * len(refits):
                why = "; ".join(filter(None, [f"misses the optimum of {misses} data sets in {len(refits)}", why]))
            self.rows.append(
                {
                    "task": task,
                    "tool": tool,
                    "version": output["version"],
                    "how": result["how"],
                    "threads": result["threads"],
                    "samples": result["samples"],
                    "repeats": result["repeats"],
                    "seconds": result["seconds"] * SAMPLES[task] / result["samples"],
                    "checked": len(refits),
                    "missed": misses,
                    "wrong": why,
                }
            )

    def refused(self, tool: str, task: str, why: str) -> None:
        """Keep why there is no number."""
        self.rows.append({"task": task, "tool": tool, "wrong": why})

    def table(self) -> pd.DataFrame:
        """Every row, with how many times as fast as R it is, by task and from slow to fast."""
        table = pd.DataFrame(self.rows)
        r = table[table["tool"] == R].set_index("task")["seconds"]
        table["times_r"] = table["task"].map(r) / table["seconds"]
        counts = ["threads", "samples", "repeats", "checked", "missed"]
        table[counts] = table[counts].astype("Int64")
        return table.sort_values(["task", "times_r"], ascending=[False, True], na_position="first", kind="stable")


def run(command: list[Any], environment: dict[str, str]) -> tuple[dict[str, Any] | None, str]:
    """Run one tool; return what it printed, or why it printed nothing."""
    words = list(map(str, command))
    try:
        ended = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=SLOWEST)
    except subprocess.TimeoutExpired:
        return None, f"not done in {SLOWEST} s"
    if ended.returncode:
        return None, last_line(ended.stderr)
    print("\n".join(line for line in ended.stderr.splitlines() if line.startswith("  ")), flush=True)
    return json.loads(ended.stdout), ""


def write_responses(directory: Path) -> dict[str, Array]:
    """Write the data sets that every tool is checked with, for Python and for R: those of tests/reference."""
    schools, responses = read_schools(SNAPSHOT), {}
    for task, model in SIMULATED_FROM.items():
        ys = np.array([simulated_response(schools, model, number) for number in range(1, DATA_SETS + 1)])
        np.save(directory / f"{task}.npy", ys)
        ys.astype("<f8").tofile(directory / f"{task}.f64")
        responses[task] = ys
    return responses


def measure_r(measured: Measured, directory: Path, responses: dict[str, Array]) -> dict[str, float]:
    """Measure R; return the time of the whole process, by task."""
    cold = {}
    for task, samples in SAMPLES.items():
        command = ["Rscript", HERE / "r_lme4.R", SNAPSHOT, task, samples, directory, CHECKED_BY_R]
        output, why = run(command, one_thread()) if shutil.which("Rscript") else (None, "R is not installed")
        if output is None:
            measured.refused(R, task, why)
            continue
        measured.add(R, output, responses)
        cold[task] = output["results"][0]["process"]
        print(f"  R: {task}: {output['results'][0]['seconds']:.1f} s", flush=True)
    return cold


def measure_peers(measured: Measured, directory: Path, responses: dict[str, Array]) -> None:
    """Measure every peer."""
    print("Installing the peers ...", flush=True)
    failed = install()
    for peer in PEERS:
        output, why = None, failed.get(peer.name, "")
        if not why:
            output, why = run([VENV / "bin" / "python", HERE / peer.script, directory], one_thread())
        cannot = dict(peer.cannot)
        if output:
            measured.add(peer.name, output, responses)
        for task in SAMPLES:
            if output is None or task in cannot:
                measured.refused(peer.name, task, why or f"cannot: {cannot[task]}")


def measure_ours(measured: Measured, directory: Path, responses: dict[str, Array]) -> dict[str, float]:
    """Measure this project; return the time of a whole process that has to compile, by task."""
    output, why = run([sys.executable, HERE / "ours.py", directory], one_thread())
    if output is None:
        sys.exit(f"error: {why}")
    measured.add(OURS, output, responses)
    cold = {}
    for task in SAMPLES:
        with tempfile.TemporaryDirectory() as empty:
            start = time.perf_counter()
            subprocess.run(
                [sys.executable, HERE / "ours.py", task], env={**one_thread(), "NUMBA_CACHE_DIR": empty}, check=True
            )
            cold[task] = time.perf_counter() - start
        print(f"  {OURS}: {task} from a cold start: {cold[task]:.1f} s", flush=True)
    return cold


def targets(table: pd.DataFrame, ours_cold: dict[str, float], r_cold: dict[str, float]) -> pd.DataFrame:
    """Compare this project with R and with the fastest peer that is right, beside what is asked of it."""
    right = table[table["wrong"] == ""]
    rows: list[tuple[str, str, float, float]] = []
    for task in SAMPLES:
        of_task = right[right["task"] == task]
        ours = of_task[of_task["tool"] == OURS].set_index("threads")["seconds"]
        others = of_task[of_task["tool"] != OURS].set_index("tool")["seconds"]
        rows.append((task, f"times as fast as {R}", others.get(R, np.nan) / ours[1], 500))
        peers = others.drop(R, errors="ignore")
        rows.append(
            (task, f"times as fast as {peers.idxmin()}, the fastest peer that is right", peers.min() / ours[1], 5)
        )
        rows.append((task, "times as fast with two threads as with one", ours[1] / ours[2], 1.7))
        what = f"times as fast as R from a cold start ({ours_cold[task]:.1f} s, compilation included)"
        rows.append((task, what, r_cold.get(task, np.nan) / ours_cold[task], 3))
    return pd.DataFrame(rows, columns=["task", "what", "measured", "wanted"])


def machine() -> dict[str, str]:
    """Say what it was measured on."""
    file = Path("/proc/cpuinfo")
    models = (
        [line.partition(": ")[2] for line in file.read_text().splitlines() if "model name" in line]
        if file.exists()
        else []
    )
    packages = ("numpy", "numba", "scipy")
    return {
        "processor": f"{models[0] if models else platform.processor()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.machine()}",
        "python": ", ".join(
            [platform.python_version(), *(f"{name} {importlib.metadata.version(name)}" for name in packages)]
        ),
    }


def main() -> None:
    """Measure everything; the results are written last."""
    RESULTS.mkdir(exist_ok=True)
    measured = Measured()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        responses = write_responses(directory)
        print("This project ...", flush=True)
        ours_cold = measure_ours(measured, directory, responses)
        print("Python peers ...", flush=True)
        measure_peers(measured, directory, responses)
        print("R (a minute or two) ...", flush=True)
        r_cold = measure_r(measured, directory, responses)
    table = measured.table()
    wanted = targets(table, ours_cold, r_cold)
    table.to_csv(RESULTS / "speed.csv", index=False, float_format="%.4g", lineterminator="\n")
    wanted.to_csv(RESULTS / "targets.csv", index=False, float_format="%.4g", lineterminator="\n")
    (RESULTS / "machine.json").write_text(json.dumps(machine(), indent=2) + "\n", encoding="utf-8")
    print(table[["task", "tool", "how", "threads", "seconds", "times_r", "wrong"]].to_string(index=False))
    print(wanted.to_string(index=False))


if __name__ == "__main__":
    main()
