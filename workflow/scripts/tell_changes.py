"""Tell how the run differs from the accepted one: a page, and a table with everything."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from _job import job, write_table, write_text
from _runs import accepted_run, finished_run, read_tables
from changes.comparison import Run, compare_runs
from changes.contract import AcceptedTable
from changes.listing import listing
from changes.page import render
from changes.words import paragraph


def main(
    before: Run, after: Run, tables: Sequence[AcceptedTable], template: str | Path, page: str | Path, table: str | Path
) -> str:
    """Write the page and the table of two runs; return what differs in one paragraph.

    Of the accepted tables those are compared that the later run has: the audit is a target of its own.
    """
    comparison = compare_runs(before, after, [of for of in tables if after.rows[of.name]])
    write_table(table, listing(comparison))
    write_text(page, render(comparison, Path(template).read_text(encoding="utf-8"), Path(table).name))
    return paragraph(comparison)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        files, params, output = snakemake.input, snakemake.params, snakemake.output
        accepted, results = Path(params.accepted), Path(files.provenance).parents[1]
        tables = read_tables(files.contract, accepted)
        before = accepted_run(accepted, tables)
        pictures = {name: png for name, png in before.thumbnails.items() if name not in params.apart}
        run = finished_run(results, files.run, tables, params.group, params.key)
        told = main(replace(before, thumbnails=pictures), run, tables, files.template, output.page, output.table)
        logging.info(told)
