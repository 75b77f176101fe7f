"""What the benchmark of every Python tool shares: the data, the tasks, and the clock.

The script of a tool says how it does each task and calls `main`, which prints the results as JSON for run.py. This
module needs NumPy alone, since the peers have an environment of their own.
"""

import argparse
import csv
import importlib.metadata
import json
import os
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

SNAPSHOT = Path(__file__).resolve().parents[1] / "data" / "hsb_snapshot.csv"

# Parameters of `mathach ~ cses + (cses | school)` in the order and by the names of lme4's confint.
PARAMETERS = (".sig01", ".sig02", ".sig03", ".sigma", "(Intercept)", "cses")

Array = np.ndarray[Any, Any]
Refit = Callable[[Array], Any]


@dataclass(frozen=True)
class Students:
    """One element per student; schools are numbered from 0 in the order of the file."""

    mathach: Array
    cses: Array
    minority: Array  # 0 or 1
    school: Array

    @property
    def null_design(self) -> Array:
        """Columns 1 and cses."""
        return np.column_stack([np.ones(len(self.cses)), self.cses])

    @property
    def full_design(self) -> Array:
        """Columns 1, cses and minority."""
        return np.column_stack([self.null_design, self.minority])


@dataclass(frozen=True)
class Task:
    """Something that is timed.

    Attributes
    ----------
    name : "test": likelihood ratio statistics under the null. "intervals": replicates of PARAMETERS
    how : which of the tool's functions do it
    run : of (n, seed), does it for n samples; returns n statistics, or n rows of PARAMETERS
    refit : does it for one given response; to see whether the tool's optimum is the optimum
    samples, repeats : how many samples a run has, and how many runs are timed
    checked : how many given responses `refit` is tried on
    threads : how many threads `run` uses
    """

    name: str
    how: str
    run: Callable[[int, int], Any]
    refit: Refit
    samples: int
    repeats: int = 5
    checked: int = 200
    threads: int = 1


def read_students() -> Students:
    """Read the project's snapshot."""
    with SNAPSHOT.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    number = {school: i for i, school in enumerate(dict.fromkeys(row["school"] for row in rows))}
    return Students(
        mathach=np.array([float(row["mathach"]) for row in rows]),
        cses=np.array([float(row["cses"]) for row in rows]),
        minority=np.array([float(row["minority"] == "Yes") for row in rows]),
        school=np.array([number[row["school"]] for row in rows]),
    )


def loop(refit: Refit, students: Students, fixed: Any, covariance: Any, sigma: float) -> Any:
    """Bootstrap for a tool without its own: simulate from a fit of (1, cses), and refit, n times.

    `covariance` is that of the school effects: of the intercept, or of the intercept and the slope.
    """
    covariance = np.atleast_2d(covariance)
    z = students.null_design[:, : len(covariance)]
    mean, factor = students.null_design @ fixed, np.linalg.cholesky(covariance)

    def run(samples: int, seed: int) -> list[Any]:
        random = np.random.default_rng(seed)
        results = []
        for _ in range(samples):
            effects = random.standard_normal((students.school[-1] + 1, len(factor))) @ factor.T
            noise = sigma * random.standard_normal(len(mean))
            results.append(refit(mean + (z * effects[students.school]).sum(axis=1) + noise))
        return results

    return run


def parameters(covariance: Any, sigma: float, fixed: Sequence[float]) -> list[float]:
    """Bring a fit of random coefficients to PARAMETERS; a correlation with a variance of zero counts as zero."""
    (a, b), (_, c) = covariance
    first, second = max(a, 0.0) ** 0.5, max(c, 0.0) ** 0.5
    return [first, b / (first * second) if first * second > 0 else 0.0, second, sigma, *fixed]


def main(name: str, *tasks: Task, version: str = "") -> None:
    """Warm up, time and check each task; print what came of it as JSON, progress on standard error.

    `name` is the tool's on the package index; one that is not from there says its version.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("responses", type=Path, help="<task>.npy here has the responses to check with, one a row")
    directory = parser.parse_args().responses
    warnings.simplefilter("ignore")  # peers warn of every singular replicate
    # Compiled code prints too, and standard output is for the result alone.
    output, standard_error = os.dup(1), 2
    os.dup2(standard_error, 1)
    results = [_measure(name, task, np.load(directory / f"{task.name}.npy")) for task in tasks]
    version = version or importlib.metadata.version(name)
    with os.fdopen(output, "w") as file:
        json.dump({"version": version, "results": results}, file)


def _measure(name: str, task: Task, responses: Array) -> dict[str, Any]:
    seconds = []
    task.run(2, 0)
    for seed in range(1, task.repeats + 1):
        start = time.perf_counter()
        values = task.run(task.samples, seed)
        seconds.append(time.perf_counter() - start)
    median = float(np.median(seconds))
    print(f"  {name}: {task.name} by {task.how}: {median:.3f} s for {task.samples}", file=sys.stderr, flush=True)
    return {
        "task": task.name,
        "how": task.how,
        "threads": task.threads,
        "samples": task.samples,
        "repeats": task.repeats,
        "seconds": median,
        "values": np.asarray(values).tolist(),
        "refits": [task.refit(y) for y in responses[: task.checked]],
    }
