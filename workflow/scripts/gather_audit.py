"""Put the models' audits of optimisers together: their trials in one table, their times in another."""

from collections.abc import Sequence
from pathlib import Path

from _job import job, write_text


def main(trials: Sequence[str], seconds: Sequence[str], all_trials: str, all_seconds: str) -> None:
    """Write the tables of all models, one below the other, in the order of the configuration."""
    write_text(all_trials, _stacked(trials))
    write_text(all_seconds, _stacked(seconds))


def _stacked(files: Sequence[str]) -> str:
    """Tables of the same columns under one head, as they are written: no number is read and printed again."""
    heads, rows = zip(*(Path(file).read_text(encoding="utf-8").split("\n", 1) for file in files), strict=True)
    return f"{heads[0]}\n{''.join(rows)}"


if __name__ == "__main__":
    with job(snakemake.log[0]):  # noqa: F821
        main(snakemake.input.trials, snakemake.input.seconds, *snakemake.output)  # noqa: F821
