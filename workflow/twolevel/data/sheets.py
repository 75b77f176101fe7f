"""Read a sheet of a workbook: .xlsx or .ods."""

import datetime
import io
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from twolevel.data.reading import Choices, FileRead
from twolevel.errors import UserError

MISSING = ("", "NA", "NaN", "nan")
# The namespaces of the two formats.
EXCEL = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
OPEN = "{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}"
CALC = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"


def read(content: bytes, suffix: str, name: str, choices: Choices) -> FileRead:
    """Read the one sheet that has a table, or that data.sheet names; formulas by the values last computed.

    The header is the first row that is not empty; each column needs a name in it.
    """
    import python_calamine

    try:
        book = python_calamine.load_workbook(io.BytesIO(content))
        sheet = _sheet(book, name, choices.sheet)
        rows = sheet.to_python()
        merged = sheet.merged_cell_ranges or []
        computed = _computed(content, suffix, sheet.name)
    except python_calamine.PasswordError:
        raise UserError(f"{name} has a password\nSave it without one.") from None
    except (python_calamine.CalamineError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise UserError(
            f"{name} could not be read as a {suffix} file: {error}\nIt may be damaged, or something else by that name."
        ) from None
    left, top = (sheet.start or (0, 0))[1], (sheet.start or (0, 0))[0]
    header = [_name(cell) for cell in rows[0]]
    wide = [pair for pair in merged if pair[0][0] <= top <= pair[1][0] and pair[1][1] > pair[0][1]]
    if wide or (merged and any(first[0] <= top < last[0] for first, last in merged)):
        (_, column), _ = (wide or merged)[0]
        raise UserError(
            f"{name}, sheet {sheet.name}: cells of the header are merged, from column {_letter(column)} on\n"
            "Give each column a name of its own in one row, and take the merging away."
        )
    table = _table(header, rows[1:], left, f"{name}, sheet {sheet.name}")
    return FileRead(table, notes=tuple(_notes(sheet.name, computed, len(merged))))


def _sheet(book: Any, name: str, asked: str | None) -> Any:
    if asked is not None:
        if asked not in book.sheet_names:
            raise UserError(
                f"{name} has no sheet {asked!r}, which data.sheet names\nIt has {', '.join(book.sheet_names)}."
            )
        sheets = [book.get_sheet_by_name(asked)]
    else:
        sheets = [book.get_sheet_by_name(title) for title in book.sheet_names]
    sheets = [sheet for sheet in sheets if sheet.height]
    if not sheets:
        raise UserError(
            f"{name} has nothing in its sheets\nPut the table into one: a header, then a row for each observation."
        )
    if len(sheets) > 1:
        titles = ", ".join(sheet.name for sheet in sheets)
        raise UserError(
            f"{name} has several sheets: {titles}\nSay which has the table, as in data.sheet: {sheets[0].name}."
        )
    return sheets[0]


def _name(cell: Any) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()


def _table(header: Sequence[str], rows: Sequence[Sequence[Any]], left: int, where: str) -> pd.DataFrame:
    """The columns and rows of a sheet, those without any value left out."""
    columns = {}
    rows = [row for row in rows if any(cell != "" for cell in row)]
    for i, title in enumerate(header):
        cells = [row[i] for row in rows]
        if not title:
            if any(cell != "" for cell in cells):
                raise UserError(
                    f"{where}: column {_letter(left + i)} has values and no name\nGive it one in the header's row."
                )
            continue
        if title in columns:
            raise UserError(f"{where}: more than one column is named {title}\nRename or remove the others.")
        columns[title] = _values(cells)
    return pd.DataFrame(columns, index=range(len(rows)))


def _values(cells: Sequence[Any]) -> pd.Series:
    """A column of numbers, truth values or dates, or, where kinds are mixed, of texts."""
    present = [None if isinstance(cell, str) and cell.strip() in MISSING else cell for cell in cells]
    kinds = {type(cell) for cell in present if cell is not None}
    if kinds <= {int, float}:
        return pd.Series(present, dtype="float64")
    if kinds == {bool}:
        return pd.Series(present, dtype="bool" if None not in present else "boolean")
    if kinds <= {datetime.date, datetime.datetime}:
        return pd.to_datetime(pd.Series(present))
    return pd.Series([None if cell is None else _text(cell) for cell in present], dtype="str")


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _computed(content: bytes, suffix: str, sheet: str) -> Counter[str]:
    """How many cells of a sheet have a formula with or without a value, or an error: calamine gives values only."""
    from xml.etree import ElementTree

    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        if suffix == ".ods":
            return Counter(_ods_cells(ElementTree.fromstring(packed.read("content.xml")), sheet))  # noqa: S314
        return Counter(_xlsx_cells(ElementTree.fromstring(packed.read(_part_of_sheet(packed, sheet)))))  # noqa: S314


def _ods_cells(root: Any, sheet: str) -> Iterator[str]:
    tables = (table for table in root.iter(OPEN % "table" + "table") if table.get(OPEN % "table" + "name") == sheet)
    for table in tables:
        for cell in table.iter(OPEN % "table" + "table-cell"):
            if cell.get(CALC + "value-type") == "error":
                yield "error"
            elif cell.get(OPEN % "table" + "formula"):
                yield "value" if cell.get(OPEN % "office" + "value-type") else "no value"


def _xlsx_cells(root: Any) -> Iterator[str]:
    for cell in root.iter(f"{EXCEL}c"):
        if cell.get("t") == "e":
            yield "error"
        elif cell.find(f"{EXCEL}f") is not None:
            yield "value" if cell.findtext(f"{EXCEL}v") else "no value"


def _part_of_sheet(packed: zipfile.ZipFile, sheet: str) -> str:
    """The file within an .xlsx that holds the sheet."""
    from xml.etree import ElementTree

    link = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
    book = ElementTree.fromstring(packed.read("xl/workbook.xml"))  # noqa: S314
    wanted = next(of.get(link) for of in book.iter(f"{EXCEL}sheet") if of.get("name") == sheet)
    links = ElementTree.fromstring(packed.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    target = next(str(of.get("Target")) for of in links if of.get("Id") == wanted)
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _notes(sheet: str, computed: Counter[str], merged: int) -> Iterator[str]:
    if computed["value"]:
        yield f"sheet {sheet}: cells with a formula: {computed['value']}; the values last computed are taken"
    if computed["no value"]:
        yield (
            f"sheet {sheet}: cells with a formula and no value, which count as missing: {computed['no value']}; open "
            "the file in a spreadsheet and save it, so that they are computed"
        )
    if computed["error"]:
        yield f"sheet {sheet}: cells with an error such as #DIV/0!, which count as missing: {computed['error']}"
    if merged:
        yield f"sheet {sheet}: merged ranges of cells: {merged}; only the first cell of each has the value"


def _letter(column: int) -> str:
    """The letter of a column, counted from 0."""
    letters = ""
    while column >= 0:
        letters, column = chr(ord("A") + column % 26) + letters, column // 26 - 1
    return letters
