"""Read a sheet of a workbook: .xlsx or .ods."""

import datetime
import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from twolevel.data.reading import Choices, FileRead
from twolevel.errors import UserError

# What a formula that fails leaves in its cell.
FAILED = re.compile(r"#(N/A|DIV/0!|REF!|VALUE!|NAME\?|NUM!|NULL!)")
MISSING = ("", "NA", "NaN", "nan", "#N/A")


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
        formulas = _formulas(content, suffix, sheet.name)
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
    table, failed = _columns(header, rows[1:], left, f"{name}, sheet {sheet.name}")
    return FileRead(table, notes=tuple(_notes(sheet.name, formulas, failed, len(merged))))


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


def _columns(header: Sequence[str], rows: Sequence[Sequence[Any]], left: int, where: str) -> tuple[pd.DataFrame, int]:
    """The columns of a sheet, those without a name and a value left out; and how many cells have a failed formula."""
    columns, failed = {}, 0
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
        failed += sum(isinstance(cell, str) and FAILED.fullmatch(cell) is not None and cell != "#N/A" for cell in cells)
        columns[title] = _values(cells)
    return pd.DataFrame(columns, index=range(len(rows))), failed


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


def _formulas(content: bytes, suffix: str, sheet: str) -> Counter[str]:
    """How many cells of a sheet have a formula, and how many of these no value: calamine gives values only."""
    from xml.etree import ElementTree

    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        if suffix == ".ods":
            root = ElementTree.fromstring(packed.read("content.xml"))  # noqa: S314  (expat here expands no entity)
            cells = _ods_cells(root, sheet)
        else:
            part = _part_of_sheet(packed, sheet)
            cells = _xlsx_cells(ElementTree.fromstring(packed.read(part)))  # noqa: S314
        return Counter("with a value" if valued else "without" for valued in cells)


def _ods_cells(root: Any, sheet: str) -> Iterator[bool]:
    for table in root.iter("{urn:oasis:names:tc:opendocument:xmlns:table:1.0}table"):
        space = "{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}"
        if table.get(space % "table" + "name") != sheet:
            continue
        for cell in table.iter(space % "table" + "table-cell"):
            if cell.get(space % "table" + "formula"):
                yield cell.get(space % "office" + "value-type") is not None


def _xlsx_cells(root: Any) -> Iterator[bool]:
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    for cell in root.iter(f"{space}c"):
        if cell.find(f"{space}f") is not None:
            value = cell.find(f"{space}v")
            yield value is not None and value.text is not None


def _part_of_sheet(packed: zipfile.ZipFile, sheet: str) -> str:
    """The file within an .xlsx that holds the sheet."""
    from xml.etree import ElementTree

    main = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    link = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
    book = ElementTree.fromstring(packed.read("xl/workbook.xml"))  # noqa: S314
    wanted = next(of.get(link) for of in book.iter(f"{main}sheet") if of.get("name") == sheet)
    links = ElementTree.fromstring(packed.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    target = next(str(of.get("Target")) for of in links if of.get("Id") == wanted)
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _notes(sheet: str, formulas: Counter[str], failed: int, merged: int) -> Iterator[str]:
    if formulas["with a value"]:
        yield f"sheet {sheet}: {formulas['with a value']} cells have a formula; the values last computed are taken"
    if formulas["without"]:
        yield (
            f"sheet {sheet}: {formulas['without']} cells have a formula and no value, and count as missing; open the file in "
            "a spreadsheet and save it, so that they are computed"
        )
    if failed:
        yield f"sheet {sheet}: {failed} cells have a formula that failed, such as #DIV/0!; they stay as texts"
    if merged:
        yield f"sheet {sheet}: {merged} ranges of cells are merged; only the first cell of each has the value"


def _letter(column: int) -> str:
    """The letter of a column, counted from 0."""
    letters = ""
    while column >= 0:
        letters, column = chr(ord("A") + column % 26) + letters, column // 26 - 1
    return letters
