"""How long it takes to compare the data of two runs, and in how much memory: simulated tables of up to 1,000,000 rows.

    .venv/bin/python benchmarks/comparing.py

Each case is a process of its own: both tables are remembered, compared, listed as changes.csv and rendered as a page.
The table has 50 rows in each group and seven columns, three of them continuous. One row in twenty is altered, or every
row, in one column or in two; with a key, and without.
"""

import csv
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))
from changes.comparison import Comparison, Run
from changes.data import compare_data
from changes.digest import digest_files, digest_of, read_digest
from changes.listing import listing
from changes.page import render

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / "benchmarks/results/comparing.csv"
CASES = ("nothing", "one row in twenty", "one column", "two columns", "one column, by a key")
ROWS = (7_185, 100_000, 1_000_000)


def main() -> None:
    """Measure every case and write the table."""
    rows = []
    for case in CASES:
        for count in ROWS:
            command = [sys.executable, __file__, case, str(count)]
            answer = subprocess.run(command, capture_output=True, text=True, check=True)
            seconds, gigabytes, differences = answer.stdout.split()
            rows.append({"altered": case, "rows": count, "differences": differences, "s": seconds, "GB": gigabytes})
            print(f"{case}, {count:,} rows: {seconds} s of CPU time, {gigabytes} GB, {differences} differences")
    with RESULT.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def measure(case: str, rows: int) -> str:
    """CPU seconds, gigabytes, and how many differences were found."""
    rng = np.random.default_rng(1)
    group = np.arange(rows) // 50
    table = pd.DataFrame(
        {
            "group": group,
            "sector": np.where(group % 2, "a", "b"),
            "sex": rng.choice(["f", "m"], rows),
            "size": group % 97,
            **{name: rng.normal(size=rows) for name in ("x", "z", "y")},
        }
    )
    key = ["id"] if case.endswith("key") else []
    table = table.assign(id=range(rows)) if key else table
    other = altered(table, case, rng)
    started = time.process_time()
    before = read_digest(*digest_files(digest_of(table, "group", key)))
    data = compare_data(before, digest_of(other, "group", key))
    runs = Run("then", {}, before), Run("now", {}, data.after, table=other)
    comparison = Comparison(*runs, data, 0, (), (), (), ())
    listed = listing(comparison)
    template = (ROOT / "workflow/changes/changes.html.j2").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        listed.to_csv(Path(folder, "changes.csv"), index=False)
        Path(folder, "changes.html").write_text(render(comparison, template, "changes.csv"), encoding="utf-8")
    seconds = time.process_time() - started
    gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return f"{seconds:.1f} {gigabytes:.2f} {len(listed)}"


def altered(table: pd.DataFrame, case: str, rng: np.random.Generator) -> pd.DataFrame:
    """The table of the later run."""
    other = table.copy()
    if case == "one row in twenty":
        other.loc[rng.choice(len(table), len(table) // 20, replace=False), "y"] += 1
    elif case != "nothing":
        other["y"] += 1
    if case == "two columns":
        other["x"] += 1
    return other


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(measure(sys.argv[1], int(sys.argv[2])))
    else:
        main()
