"""The accepted values as rows: read from a result or from the baseline, and written as the baseline."""

import csv
import json
from collections.abc import Iterator, Mapping
from io import StringIO
from typing import Any

from twolevel.errors import UserError

from changes.contract import AcceptedTable, without_places

# A row's key, then its values by column. Values stay the texts that they were written as.
Rows = dict[tuple[str, ...], dict[str, str]]


def rows_of_results(table: AcceptedTable, texts: Mapping[str, str]) -> Rows:
    """Rows of a table from the texts of the files that hold it, by their paths within the results.

    Raises
    ------
    UserError
        A column is missing, or the key does not tell two rows apart.
    """
    rows: Rows = {}
    for file, text in texts.items():
        wildcards = table.match(file)
        if wildcards is None:
            continue
        for key, row in _entries(table, text) if table.is_json else _lines(table, text, file):
            if (*wildcards, *key) in rows:
                twice = ", ".join(key)
                raise UserError(f"{file} has two rows {twice}: the contract of {table.name} needs another key.")
            rows[(*wildcards, *key)] = row
    return rows


def rows_of_baseline(table: AcceptedTable, text: str) -> Rows:
    """Rows of a table in the baseline; none where its key was another, an empty text in a new column."""
    reader = csv.DictReader(StringIO(text))
    if not {*table.key_columns} <= {*(reader.fieldnames or ())}:
        return {}
    return {
        tuple(line[column] for column in table.key_columns): {
            column: line.get(column, "") for column in table.value_columns
        }
        for line in reader
    }


def baseline_text(table: AcceptedTable, rows: Rows) -> str:
    """A table of the baseline, as CSV."""
    stream = StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*table.key_columns, *table.value_columns])
    writer.writerows([*key, *row.values()] for key, row in rows.items())
    return stream.getvalue()


def shortened(text: str) -> str:
    """A number with twelve significant digits, far more than any tolerance needs; other texts as they are."""
    try:
        return text if text.lstrip("-").isdigit() else f"{float(text):.12g}"
    except ValueError:
        return text


def _lines(table: AcceptedTable, text: str, file: str) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
    reader = csv.DictReader(StringIO(text))
    columns = reader.fieldnames or ()
    for column in (*table.key, *table.values):
        if column not in columns:
            raise UserError(f"{file} has no column {column}, which {table.name} accepts; it has {', '.join(columns)}.")
    for line in reader:
        yield tuple(line[column] for column in table.key), {column: line[column] for column in table.values}


def _entries(table: AcceptedTable, text: str) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
    for path, leaf in _leaves("", json.loads(text)):
        if without_places(path) in table.values:
            yield (path,), {"value": leaf if isinstance(leaf, str) else json.dumps(leaf)}


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The single values of a JSON text by their paths, as in `walls[0].derivative`; nothing of what is null."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _leaves(f"{path}.{name}" if path else name, item)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _leaves(f"{path}[{place}]", item)
    elif value is not None:
        yield path, value
