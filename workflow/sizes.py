"""What jobs take, guessed before they run: how often a bootstrap is split, what memory and time a rule asks for.

Before a run the size of the data is known only as that of their file. So these are guesses, right to within a factor of
a few, and made with room to spare: a job that is killed for want of memory or time asks for more at its next attempt.
"""

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

# Bytes of a data file for each group: 50 observations of 45 bytes.
BYTES_PER_GROUP = 2200
# A table that is only downloaded, which nobody has seen yet.
UNSEEN_BYTES = 500_000

# Seconds of one replicate for each group and for each pair of variables, on one core of 2024.
SECONDS_PER_GROUP = 2.5e-8
# Seconds to start a fit and to run it, for each byte of data.
START_SECONDS, SECONDS_PER_BYTE = 2.0, 1e-7
# A run of so many seconds is worth no more than one job on a cluster.
WHOLE_RUN_SECONDS = 600
# A part is so long that starting its job, a second, does not matter.
PART_SECONDS = 20
MOST_PARTS = 100


def data_bytes(config: Mapping[str, Any]) -> int:
    """Size of the file that the data are read from, or of the snapshot of what is downloaded."""
    files = (Path(str(config["data"].get(key, ""))) for key in ("mode", "snapshot"))
    return next((file.stat().st_size for file in files if file.is_file()), UNSEEN_BYTES)


def bootstrap_seconds(config: Mapping[str, Any]) -> float:
    """Of the longest bootstrap: its cost goes with replicates, groups, and the square of the number of effects."""
    groups = max(1.0, data_bytes(config) / BYTES_PER_GROUP)
    names = max(len(set(re.findall(r"[^\W\d][\w.]*", of["formula"]))) for of in config["models"].values())
    return float(config["bootstrap"]["replicates"] * groups * names**2 * SECONDS_PER_GROUP)


def fit_seconds(config: Mapping[str, Any]) -> float:
    """Of the fit of one model by both estimators."""
    return START_SECONDS + SECONDS_PER_BYTE * data_bytes(config)


def run_seconds(config: Mapping[str, Any]) -> float:
    """Of all fits and bootstraps, one after the other; figures and the report take no longer with more data."""
    bootstraps = len(config["models"]) + 2 * len(config["comparisons"])
    return len(config["models"]) * fit_seconds(config) + bootstraps * bootstrap_seconds(config)


def bootstrap_parts(config: Mapping[str, Any]) -> int:
    """Jobs that each bootstrap is split into: as configured, or as many as it is long."""
    parts = config["bootstrap"]["parts"]
    if parts != "auto":
        return int(parts)
    return min(MOST_PARTS, math.ceil(bootstrap_seconds(config) / PART_SECONDS))


def calibration_seconds(config: Mapping[str, Any]) -> float:
    """Of the longest part of the calibration: every one of its data sets is bootstrapped in its turn."""
    of = config["calibration"]
    one = bootstrap_seconds(config) / config["bootstrap"]["replicates"]
    return float(of["data_sets"] / of["parts"] * of["replicates"] * one)


def asked_for(mem_mb: float, minutes: float) -> dict[str, Callable[[Any, int], int]]:
    """A rule's memory and time, as Snakemake takes them: so much at the first attempt, as much again at each other."""
    return {
        "mem_mb": lambda wildcards, attempt: math.ceil(mem_mb * attempt),  # noqa: ARG005
        "runtime": lambda wildcards, attempt: math.ceil(minutes * attempt),  # noqa: ARG005
    }
