"""Put the models' audits of optimisers together: their trials in one table, their times in another."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from _job import job, read_jsons, write_json, write_text
from twolevel.data.fingerprint import studied


def main(fits: Sequence[str], trials: Sequence[str], seconds: Sequence[str], output: Any) -> None:
    """Write the tables of all models, one below the other, in the configuration's order, and which fits they audit."""
    read = read_jsons(fits)
    write_text(output.trials, _stacked(trials))
    write_text(output.seconds, _stacked(seconds))
    write_json(output.about, studied({}, read, list(read)))


def _stacked(files: Sequence[str]) -> str:
    """Tables of the same columns under one head, as they are written: no number is read and printed again."""
    heads, rows = zip(*(Path(file).read_text(encoding="utf-8").split("\n", 1) for file in files), strict=True)
    return f"{heads[0]}\n{''.join(rows)}"


if __name__ == "__main__":
    with job(snakemake.log[0]):
        files = snakemake.input
        main(files.fits, files.trials, files.seconds, snakemake.output)
