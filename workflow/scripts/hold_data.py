"""Fail where the data are not those of the accepted run, and say how they differ, before any model is fitted."""

import logging
from collections.abc import Sequence
from pathlib import Path

from _job import job, read_json, read_table
from _runs import ABOUT, accepted_digest, accepted_name
from changes.comparison import Comparison, Run
from changes.data import compare_data
from changes.digest import digest_of
from changes.listing import listing
from changes.words import data_sentences
from twolevel.errors import UserError

# How many single differences a message has; `changes.csv` has all.
MOST_LINES = 20


def main(raw: str, provenance: str, accepted: Path, group: str, key: Sequence[str]) -> None:
    """Compare the table as it was obtained with what the accepted run remembers.

    Raises
    ------
    UserError
        They differ.
    """
    before = accepted_digest(accepted)
    if before is None:
        logging.warning(
            "There is no accepted run in %s that the data could be compared with; `make accept` records one.", accepted
        )
        return
    table, story = read_table(raw), read_json(provenance)
    data = compare_data(before, digest_of(table, group, key))
    sentences = " ".join(data_sentences(data))
    name = accepted_name(read_json(accepted / ABOUT))
    if not data:
        logging.info("%s is as in %s. %s", story["source"], name, sentences)
        return
    comparison = Comparison(Run(name, {}, before), Run("now", {}, data.after, table=table), data, 0, (), (), (), ())
    lines = [_line(*row[1:-1]) for row in listing(comparison).fillna("").itertuples(index=False, name=None)]
    more = [f"  and {len(lines) - MOST_LINES:,} more"] if len(lines) > MOST_LINES else []
    listed = "\n".join([f"  {line}" for line in lines[:MOST_LINES]] + more)
    raise UserError(
        f"the data are not those of {name}.\n{sentences}\n{listed}\n"
        f"They are from {story['source']}, with SHA-256 {story['sha256']}."
    )


def _line(change: str, where: str, row: str, column: str, before: object, after: object) -> str:
    place = ", ".join(str(part) for part in dict.fromkeys((where, row, column)) if part != "")
    values = [f"{value} {when}" for value, when in ((before, "before"), (after, "now")) if value != ""]
    return f"{change}: {place}" + (f": {', '.join(values)}" if values else "")


if __name__ == "__main__":
    with job(snakemake.log[0]):
        files, params = snakemake.input, snakemake.params
        main(files.raw, files.provenance, Path(params.accepted), params.group, params.key)
