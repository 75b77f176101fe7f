"""How long whole runs of the pipeline take, stage by stage, and what memory their jobs need.

HSB from an empty results folder to the PDF, without the audit; the same again, when nothing is to be done; the second
study with its default bootstraps; the plan of 50 models. On two cores, compiled before. Snakemake measures each job
(`logs/benchmarks`); what is left of the processor time is Snakemake's own.
"""

import csv
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / "benchmarks/results/run.csv"
# Beside `results`, whose files stay as they are.
OWN = ROOT / "results of the benchmark"
CORES = 2
MODELS = 50

Row = dict[str, str | int | float]


def main() -> None:
    """Measure every run and write the table."""
    subprocess.run([sys.executable, str(ROOT / "envs/compile_library.py")], check=True)
    shutil.rmtree(OWN, ignore_errors=True)
    own = ["--config", 'data={"mode": "snapshot"}', f"results={OWN.name}"]
    rows = [*measured("HSB", ROOT, own, OWN / "logs"), *measured("HSB again", ROOT, own)]
    shutil.rmtree(OWN)
    with tempfile.TemporaryDirectory() as folder:
        sleep, plan = Path(folder, "sleepstudy"), Path(folder, "plan")
        shutil.copytree(ROOT / "studies/sleepstudy", sleep)
        rows += measured("sleepstudy", ROOT, ["--directory", str(sleep)], sleep / "logs")
        write_many_models(plan)
        rows += measured(f"plan of {MODELS} models", ROOT, ["--directory", str(plan), "--dry-run"])
    with RESULT.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(
            file, ["run", "stage", "jobs", "seconds", "cpu_seconds", "memory_mb"], lineterminator="\n"
        )
        table.writeheader()
        table.writerows(rows)


def measured(run: str, folder: Path, options: list[str], logs: Path | None = None) -> Iterator[Row]:
    """Run Snakemake: a row for each stage whose jobs are in `logs`, one for Snakemake itself, one for all of it."""
    before, start = os.times(), time.perf_counter()
    subprocess.run([sys.executable, "-m", "snakemake", "--cores", str(CORES), *options], cwd=folder, check=True)
    seconds, after = time.perf_counter() - start, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    rows = list(stages(run, logs)) if logs else []
    yield from rows
    jobs = sum(float(row["cpu_seconds"]) for row in rows)
    if rows:
        yield {"run": run, "stage": "Snakemake itself", "cpu_seconds": round(cpu - jobs, 2)}
    yield {"run": run, "stage": "all", "seconds": round(seconds, 2), "cpu_seconds": round(cpu, 2)}


def stages(run: str, logs: Path) -> Iterator[Row]:
    """Jobs of each rule: how many, their time and their processor time together, the most memory that one took."""
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    for file in sorted((logs / "benchmarks").rglob("*.tsv")):
        with file.open(encoding="utf-8", newline="") as table:
            found[file.relative_to(logs / "benchmarks").parts[0].removesuffix(".tsv")] += csv.DictReader(
                table, delimiter="\t"
            )
    for rule, jobs in found.items():
        yield {
            "run": run,
            "stage": rule,
            "jobs": len(jobs),
            "seconds": round(sum(float(job["s"]) for job in jobs), 2),
            "cpu_seconds": round(sum(float(job["cpu_time"]) for job in jobs), 2),
            # Snakemake has no figure for a job that is over before it looks.
            "memory_mb": max(round(float(job["max_rss"])) if re.match(r"\d", job["max_rss"]) else 0 for job in jobs),
        }


def write_many_models(folder: Path) -> None:
    """HSB's data with its formulas over and over, and nothing else."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    formulas = [model["formula"] for model in config["models"].values()]
    snapshot = str(ROOT / config["data"]["snapshot"])
    many = {
        "data": config["data"] | {"mode": snapshot, "snapshot": snapshot},
        "derive": config["derive"],
        "models": {f"model_{i}": {"formula": formulas[i % len(formulas)]} for i in range(MODELS)},
    }
    folder.mkdir()
    (folder / "config.yaml").write_text(yaml.safe_dump(many, sort_keys=False), encoding="utf-8")


if __name__ == "__main__":
    main()
