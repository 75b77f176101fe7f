"""Draw figures, whatever their kinds: the picture of each, and the words that belong to it."""

import importlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pyarrow
from _job import Columns, job, read_json, reading, write_json
from pyarrow import csv, parquet
from twolevel.errors import UserError
from twolevel.figures.drawing import render
from twolevel.figures.fonts import legible
from twolevel.figures.requirements import check_model_of_figure
from twolevel.figures.tables import complete
from twolevel.output.words import read_labels
from whole_files import write_bytes

# Tables of replicates.
IN_BLOCKS = ("bootstrap", "reference_distribution")
# A term, a group or a model may be called `NA`, `null` or `1`; only an empty field has no value.
NAMES = ("group", "term", "model", "comparison", "parameter", "label")
AS_WRITTEN = csv.ConvertOptions(null_values=[""], column_types=dict.fromkeys(NAMES, pyarrow.string()))


def main(
    settings: Mapping[str, Mapping[str, Any]],
    reads: Mapping[str, Sequence[str]],
    names: Mapping[str, Any],
    files: Any,
    output: Any,
) -> None:
    """Draw the figures in `settings`, each from the tables of `files` that it `reads`; `output` lists their files."""
    for figure, svg, png, words in zip(settings, output.svg, output.png, output.words, strict=True):
        draw(figure, settings[figure], names, {name: files[name] for name in reads[figure]}, svg, png, words)


def draw(
    figure: str,
    settings: Mapping[str, Any],
    names: Mapping[str, Any],
    tables: Mapping[str, str],
    svg: str,
    png: str,
    words: str,
) -> None:
    """Draw `figure` and write its picture and its words.

    Parameters
    ----------
    figure, settings : the figure's name in the configuration, and its entry: the kind, and what that kind asks for.
    names : what the configuration calls groups, observations, columns and levels.
    tables : path of each table that the kind's `draw` takes, by the name of its argument.
    svg, png, words : paths to write; `words` gets the title, alt text and caption as JSON.
    """
    kind = importlib.import_module(f"twolevel.figures.{settings['kind']}")
    options = {key: value for key, value in settings.items() if key not in ("kind", "comparison")}
    labels = read_labels(names)
    given = {name: Columns(path) if name in IN_BLOCKS else _read(path) for name, path in tables.items()}
    lacking = 0
    if "observations" in given:
        # Those that the model was fitted to, and that have what the figure shows.
        shown = [settings[key] for key in ("x", "y", "category", "at") if key in settings]
        modelled = given["fit"]["columns"] if "fit" in given else []
        given["observations"], lacking = complete(given["observations"], [labels.group, *shown, *modelled])
    try:
        if "fit" in given:
            check_model_of_figure(settings, given["fit"], given.get("observations", {}))
        drawing = legible(kind.draw(labels=labels, **given, **options))
    except UserError as error:
        raise UserError(f"figures.{figure}: {error}") from None
    if lacking:
        note = f" {lacking} {labels.observation_noun.plural} with a missing value are not drawn."
        drawing = replace(drawing, caption=drawing.caption + note)

    svg_bytes, png_bytes = render(drawing, "svg"), render(drawing, "png")
    write_bytes(svg, svg_bytes)
    write_bytes(png, png_bytes)
    write_json(words, {"title": drawing.title, "alt": drawing.alt, "caption": drawing.caption})


@cache  # the figures of a model read the same tables, and change nothing in them
def _read(path: str) -> Any:
    """Columns of a table as arrays, or what a JSON file holds; pyarrow starts in a third of pandas' time."""
    if path.endswith(".json"):
        return read_json(path)
    if path.endswith(".parquet"):
        return _Columns(path)
    with reading(path):
        table = csv.read_csv(path, convert_options=AS_WRITTEN)
    return {name: _values(table[name]) for name in table.column_names}


class _Columns(Mapping[str, Any]):
    """A Parquet file of which a column is read when it is asked for: data may have many that no figure shows."""

    def __init__(self, path: str) -> None:
        self.path = path
        with reading(path):
            self.names = parquet.read_schema(path).names

    def __getitem__(self, name: str) -> Any:
        if name not in self.names:
            raise KeyError(name)
        with reading(self.path):
            return _values(parquet.read_table(self.path, columns=[name], page_checksum_verification=True)[name])

    def __contains__(self, name: object) -> bool:
        return name in self.names  # Mapping's own would read the column

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def _values(column: pyarrow.ChunkedArray) -> Any:
    """A column as an array; a level that is missing is None, where pyarrow by itself takes the last level."""
    is_factor = pyarrow.types.is_dictionary(column.type)
    return (column.cast(column.type.value_type) if is_factor else column).to_numpy()


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(files=snakemake.input, output=snakemake.output, **snakemake.params)
