"""Read a table from the bytes of a file, by what its name ends in; each kind of file has its reader in a module."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import pandas as pd

from twolevel.data import arrow_files, labelled_files, r_files, sheets, text_files
from twolevel.data.download import is_web_page
from twolevel.data.reading import Choices, FileRead, check_encoding
from twolevel.errors import UserError, listed

# What a name ends in, and what reads it; the packages that this needs are imported when such a file is read.
READERS = {
    ".rds": r_files.read,
    ".rdata": r_files.read,
    ".rda": r_files.read,
    ".csv": text_files.read,
    ".tsv": text_files.read,
    ".txt": text_files.read,
    ".csv.gz": text_files.read,
    ".tsv.gz": text_files.read,
    ".txt.gz": text_files.read,
    ".parquet": arrow_files.read,
    ".feather": arrow_files.read,
    ".sav": labelled_files.read,
    ".zsav": labelled_files.read,
    ".dta": labelled_files.read,
    ".sas7bdat": labelled_files.read,
    ".xpt": labelled_files.read,
    ".xlsx": sheets.read,
    ".ods": sheets.read,
}

# The readers that each choice is for.
_CHOICES = {
    "separator": (text_files.read,),
    "decimal": (text_files.read,),
    "encoding": (text_files.read, labelled_files.read, r_files.read),
    "sheet": (sheets.read,),
}

AS_FOUND = Choices()


def without_use(data: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """Choices in the configuration's section `data` that are not for files of the kind named there.

    Returns
    -------
    of each its name, what the files that it is for end in, and the files that are named, by their keys
    """
    named = {"auto": ("url", "snapshot"), "download": ("url",), "snapshot": ("snapshot",)}
    files = {key: data[key] for key in named.get(data["mode"], ("mode",))}
    suffixes = {key: suffix_of(urlsplit(file).path if key == "url" else file) for key, file in files.items()}
    if not all(suffix in READERS for suffix in suffixes.values()):
        return  # reading the file says so
    for choice, readers in _CHOICES.items():
        if choice in data and not any(READERS[suffix] in readers for suffix in suffixes.values()):
            yield choice, listed((suffix for suffix, reader in READERS.items() if reader in readers), "or"), files


def suffix_of(name: str) -> str:
    """Return what decides how a file of that name is read, in small letters: .csv, .csv.gz."""
    suffixes = PurePosixPath(name.lower()).suffixes
    return "".join(suffixes[-2:] if suffixes[-1:] == [".gz"] else suffixes[-1:])


def read_file(content: bytes, suffix: str, name: str, choices: Choices = AS_FOUND) -> FileRead:
    """Read a table from the bytes of a file.

    R's factors, labelled values of SPSS, Stata, SAS and R's haven, and categories of Parquet and Feather become
    categoricals with the levels in the file's order. Every column of a text file is text, so that an identifier such
    as 007 stays what it is.

    Parameters
    ----------
    content : the file's bytes
    suffix : what the file's name ends in (`suffix_of`)
    name : what to call the file in an error

    Raises
    ------
    UserError
        The suffix is not known, or the content is not what the suffix says, or not one table, or could be read in two
        ways and nothing says in which.
    """
    suffix = suffix.lower()
    if suffix not in READERS:
        raise UserError(f"{name} ends in {suffix or 'nothing'!r}\nA data file ends in {listed(READERS, 'or')}.")
    if is_web_page(content):
        raise UserError(f"{name} is an HTML page, not a {suffix} file\nGet the file itself, not the page about it.")
    if choices.encoding is not None:
        check_encoding(choices.encoding)
    read = READERS[suffix](content, suffix, name, choices)
    table = read.table.reset_index(drop=True)
    repeated = [str(column) for column, count in Counter(table.columns).items() if count > 1]
    if repeated:
        raise UserError(f"{name} has more than one column named {', '.join(repeated)}\nRename or remove the others.")
    return replace(read, table=table)


def read_table(content: bytes, suffix: str, name: str, choices: Choices = AS_FOUND) -> pd.DataFrame:
    """Read a table whose columns are all of use (`read_file`)."""
    return read_file(content, suffix, name, choices).table


def read_texts(content: bytes, name: str) -> pd.DataFrame:
    """Read a .csv file of texts, in UTF-8 with commas; an empty cell is an empty text."""
    return read_table(content, ".csv", name, Choices(separator=",", decimal=".", encoding="utf-8")).fillna("")
