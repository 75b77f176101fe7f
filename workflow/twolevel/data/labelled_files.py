"""Read the files of SPSS (.sav, .zsav), Stata (.dta) and SAS (.sas7bdat, .xpt), with labels and missing values."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from twolevel.data.reading import Choices, FileRead, labelled
from twolevel.errors import UserError

# Formats of SAS's own, whose values need no labels.
OF_SAS = {"", "$", "F", "E", "BEST", "COMMA", "DOLLAR", "PERCENT"}
OF_SAS |= {"DATE", "DATETIME", "TIME", "MMDDYY", "DDMMYY", "YYMMDD"}


def read(content: bytes, suffix: str, name: str, choices: Choices) -> FileRead:
    """Read a table: values that have labels become categories, values that the file calls missing become missing.

    A text of nothing is a missing value, as these programs have it. The labels of a .sas7bdat stand in another file (a
    catalogue), so that its numbers stay numbers.
    """
    import pyreadstat
    from pyreadstat import PyreadstatError, ReadstatError

    readers: dict[str, Any] = {
        ".sav": pyreadstat.read_sav,
        ".zsav": pyreadstat.read_sav,
        ".dta": pyreadstat.read_dta,
        ".sas7bdat": pyreadstat.read_sas7bdat,
        ".xpt": pyreadstat.read_xport,
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, f"table{suffix}")  # pyreadstat reads from a path only
        file.write_bytes(content)
        try:
            table, about = readers[suffix](str(file), encoding=choices.encoding)
        except (ReadstatError, PyreadstatError, ValueError, OverflowError) as error:
            mend = (
                "Its texts are not in the encoding that it names: say which, as in data.encoding: windows-1252."
                if "string" in str(error) or "encoding" in str(error)
                else "It may be damaged, or something else by that name."
            )
            raise UserError(f"{name} could not be read as a {suffix} file: {error}\n{mend}") from None
    columns, notes = {}, []
    for column in table:
        values = _plain(table[column])
        labels: dict[Any, str] = about.variable_value_labels.get(column, {})
        if labels:
            values, note = labelled(values, labels, column)
            notes += [note] if note else []
        columns[column] = values
    notes += _formats_elsewhere(about, suffix)
    said = {column: label for column, label in about.column_names_to_labels.items() if label}
    return FileRead(pd.DataFrame(columns, index=table.index), notes=tuple(notes), labels=said)


def _plain(values: pd.Series) -> pd.Series:
    """Dates as dates; texts as texts, those of nothing missing."""
    if values.dtype != "object" and not pd.api.types.is_string_dtype(values):
        return values
    kind = pd.api.types.infer_dtype(values, skipna=True)
    if kind in ("date", "datetime"):
        return pd.to_datetime(values)
    if kind == "time":
        return values.astype("str").where(values.notna())
    return values.replace("", None).astype("str")


def _formats_elsewhere(about: Any, suffix: str) -> Iterator[str]:
    """Formats of a SAS file that are not SAS's own: their labels are in a catalogue."""
    if suffix in (".sas7bdat", ".xpt"):
        for column, form in about.original_variable_types.items():
            if form and form.rstrip("0123456789.").upper() not in OF_SAS:
                yield f"column {column} has the format {form}, whose labels are in no file here: its values stay"
