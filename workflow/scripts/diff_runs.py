"""Compare any two runs by their folders: `make diff OLD=... NEW=...`; the one script that no rule calls.

A folder is that of a run's results, or of an accepted run. What differs is written to diff.html and diff.csv in the
folder in which the command is typed.
"""

import argparse
import sys
from pathlib import Path

from _runs import any_run, read_tables
from tell_changes import main
from twolevel.errors import UserError

CHANGES = Path(__file__).resolve().parents[1] / "changes"


def diff(old: str, new: str, key: list[str]) -> str:
    """Write the comparison of two folders; return what differs in one paragraph."""
    if not (old and new):
        raise UserError("Say which two folders, as in: make diff OLD=results_before NEW=results")
    tables = read_tables(CHANGES / "tolerances.yaml")
    runs = [any_run(Path(folder), tables, key) for folder in (old, new)]
    return main(runs[0], runs[1], tables, CHANGES / "changes.html.j2", "diff.html", "diff.csv")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--key", default="", help="columns that together tell the rows of the data apart, with commas")
    chosen = parser.parse_args()
    try:
        said = diff(chosen.old, chosen.new, [column for column in chosen.key.split(",") if column])
    except UserError as error:
        sys.exit(f"error: {error}")
    sys.stdout.write(f"{said}\nThe comparison is at {Path('diff.html').resolve()}\n")
