"""Measure how time and memory grow with students and with schools; write results/scale.csv and the figure.

    python benchmarks/scale.py

Random coefficients on generated data like HSB. Each size is a fresh process, of this project and of R; R is asked for
no larger size once its time is up.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from typing import Any

import numpy as np
import pandas as pd
from peers import HERE, one_thread

sys.path.insert(0, str(HERE.parent / "workflow"))
from twolevel.figures.style import BLUE, VERMILION, heading, new_figure, style

RESULTS = HERE / "results"
# (schools, students): HSB's size; more students in as many schools; more schools of 45 to 50 students.
SIZES = ((160, 7_200), (160, 72_000), (160, 1_000_000), (1_000, 45_000), (5_000, 225_000), (20_000, 1_000_000))
TOOLS = {"this project": (sys.executable, HERE / "ours_scale.py"), "lme4": ("Rscript", HERE / "r_scale.R")}
TIME_FOR_R = float(os.environ.get("TIME_FOR_R", "600"))  # seconds, all sizes together


def measure(command: tuple[Any, ...], seconds: float) -> tuple[dict[str, float], float] | None:
    """Run a command that prints JSON; return that and its peak memory in GB, or None if not done within `seconds`."""
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(list(map(str, command)), stdout=output, env=one_thread())
        until = time.monotonic() + seconds
        while True:
            # wait4 says what this one process used; subprocess does not.
            pid, status, used = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > until:
                process.kill()
                process.wait()
                return None
            time.sleep(0.05)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, process.args)
        output.seek(0)
        unit = 2**30 if sys.platform == "darwin" else 2**20  # macOS counts bytes, Linux kilobytes
        return json.load(output), used.ru_maxrss / unit


def measure_all() -> pd.DataFrame:
    """Return a row for each tool and size; sizes that R has no time for are missing."""
    rows = []
    for tool, command in TOOLS.items():
        left = TIME_FOR_R if tool == "lme4" else float("inf")
        if not shutil.which(command[0]):
            print(f"  {command[0]} is not installed", flush=True)
            continue
        for schools, students in sorted(SIZES, key=lambda size: size[0] * 50 + size[1]):
            start = time.monotonic()
            found = measure((*command, schools, students), left)
            left -= time.monotonic() - start
            if found is None:
                print(f"  {tool}: {schools} schools, {students} students: not within {TIME_FOR_R:.0f} s", flush=True)
                break
            seconds, peak = found
            rows.append({"tool": tool, "schools": schools, "students": students, **seconds, "peak_gb": peak})
            print(f"  {tool}: {schools} schools, {students} students: {seconds}, {peak:.2f} GB", flush=True)
    return pd.DataFrame(rows)


@style()
def draw(table: pd.DataFrame) -> None:
    """Draw the cost of one replicate against students, with schools fixed, and against schools."""
    figure = new_figure(width=9.6)
    left, right = figure.subplots(1, 2, sharey=True)
    key = {}
    for tool, colour, marker in (("this project", BLUE, "o"), ("lme4 (simulate and refit)", VERMILION, "s")):
        rows = table[table["tool"] == tool.partition(" (")[0]]
        fixed = rows[rows["schools"] == rows["schools"].min()].sort_values("students")
        growing = rows.sort_values("students").drop_duplicates("schools").sort_values("schools")
        (key[tool],) = left.plot(fixed["students"], fixed["replicate_seconds"], marker=marker, color=colour)
        right.plot(growing["schools"], growing["replicate_seconds"], marker=marker, color=colour)
    ours = table[table["tool"] == "this project"]
    first = ours.sort_values(["schools", "students"]).iloc[0]
    schools = np.array([ours["schools"].min(), ours["schools"].max()])
    at_first = first["replicate_seconds"]
    (key["flat in students, proportional to schools"],) = right.plot(
        schools, at_first * schools / schools[0], color="#595959", linestyle="--", linewidth=1, zorder=0
    )
    left.axhline(at_first, color="#595959", linestyle="--", linewidth=1, zorder=0)
    for axes, label in ((left, f"Students in {schools[0]} schools"), (right, "Schools of 45 to 50 students")):
        axes.set(xscale="log", yscale="log", xlabel=label)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    left.set_ylabel("Seconds for one replicate")
    heading(figure, "The cost of a replicate: schools count, students do not", key, across=3)
    for suffix in ("svg", "png"):
        figure.savefig(RESULTS / f"scale.{suffix}", dpi=150, metadata={"Date": None} if suffix == "svg" else None)


def main() -> None:
    """Measure, then write."""
    RESULTS.mkdir(exist_ok=True)
    table = measure_all()
    table.to_csv(RESULTS / "scale.csv", index=False, float_format="%.4g", lineterminator="\n")
    draw(table)


if __name__ == "__main__":
    main()
