"""Read the one data frame of an .rds or .RData file.

The package rdata reads the file to R's own objects; what each column is, its class and attributes say. A number's
bytes are not enough: R stores a 64-bit integer of the package bit64 in the bytes of a double.
"""

import bz2
import gzip
import lzma
import warnings
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from twolevel.data.reading import Choices, FileRead, labelled
from twolevel.errors import UserError

if TYPE_CHECKING:
    from rdata.parser import RObject

# R's NA among 64-bit integers, the smallest of them.
NA_INTEGER64 = np.iinfo(np.int64).min
MARKS = {"latin-1": 4, "utf-8": 8}  # R's flags of a text's encoding
BYTES = 2
EPOCH = pd.Timestamp("1970-01-01")

Text = Callable[["RObject"], str | None]


class _Unmarked(Exception):
    """A text whose encoding nothing tells."""


def read(content: bytes, suffix: str, name: str, choices: Choices) -> FileRead:
    """Read an .rds (one object) or .RData (named objects, one of them a data frame)."""
    from rdata.parser import parse_data

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of tags and of names that no table has
            parsed = parse_data(_unpacked(content), extension=".rds" if suffix == ".rds" else None)
        frames = _frames(parsed.object)
    except (ValueError, NotImplementedError, EOFError, OSError, AssertionError, LookupError, TypeError,
            AttributeError, RecursionError, OverflowError, zlib.error, lzma.LZMAError) as error:  # fmt: skip
        told = str(error) or type(error).__name__
        raise UserError(
            f"{name} could not be read as an {'.rds' if suffix == '.rds' else '.RData'} file: {told}\n"
            "It may be damaged, or more than a data frame: in R, saveRDS(as.data.frame(x), file)."
        ) from None
    if len(frames) != 1:
        called = [title for title, _ in frames if title]
        found = f": it holds {', '.join(called)}" if called else ""
        raise UserError(
            f"{name} does not hold one data frame{found}\nIn R, save it with saveRDS(as.data.frame(x), file)."
        )
    text = _reader(choices.encoding, parsed.extra.encoding or "utf-8")
    return _table(frames[0][1], text, name)


def _unpacked(content: bytes) -> bytes:
    for begins, unpack in ((b"\x1f\x8b", gzip.decompress), (b"BZh", bz2.decompress), (b"\xfd7zXZ", lzma.decompress)):
        if content.startswith(begins):
            return unpack(content)
    return content


def _frames(top: "RObject") -> list[tuple[str, "RObject"]]:
    """The data frames of a file, by their names in an .RData."""
    objects = [("", top)] if top.info.type.name != "LIST" else [(_symbol(tag), value) for tag, value in _pairs(top)]
    return [(title, thing) for title, thing in objects if "data.frame" in _classes(thing)]


def _pairs(pairlist: "RObject | None") -> Iterator[tuple["RObject | None", Any]]:
    while pairlist is not None and pairlist.info.type.name == "LIST":
        value, rest = pairlist.value
        yield pairlist.tag, value
        pairlist = rest


def _symbol(tag: "RObject | None") -> str:
    if tag is None:
        return ""
    symbol = tag.referenced_object if tag.referenced_object is not None else tag
    return str(symbol.value.value.decode("utf-8", "replace"))


def _attributes(thing: "RObject") -> dict[str, "RObject"]:
    return {_symbol(tag): value for tag, value in _pairs(thing.attributes)}


def _classes(thing: "RObject") -> list[str]:
    named = _attributes(thing).get("class")
    return [item.value.decode() for item in named.value] if named is not None else []


def _reader(asked: str | None, native: str) -> Text:
    """Make the reader of a text: by its mark, else as asked for, else in the encoding of the R that wrote the file."""

    def text(item: "RObject") -> str | None:
        if item.value is None:
            return None
        content: bytes = item.value
        marked = next((encoding for encoding, flag in MARKS.items() if item.info.gp & flag), None)
        if content.isascii():
            return content.decode("ascii")
        try:
            if item.info.gp & BYTES:
                raise _Unmarked
            return content.decode(marked or asked or native)
        except (UnicodeDecodeError, LookupError, _Unmarked):
            raise _Unmarked(content.decode("ascii", "backslashreplace")) from None

    return text


def _table(frame: "RObject", text: Text, name: str) -> FileRead:
    """Make the table: each column that a model can use."""
    names = [text(item) or "" for item in _attributes(frame)["names"].value]
    columns: dict[str, Any] = {}
    unreadable, notes = {}, []
    for column, thing in zip(names, frame.value, strict=True):
        try:
            why, values, note = _column(thing, text, column)
        except _Unmarked as error:
            raise UserError(
                f"{name}: column {column} has texts that are not in UTF-8 and have no encoding mark, such as {error}\n"
                "Say what they are in, as in data.encoding: windows-1252 (or latin1); or mark them in R, and save:\n"
                f'  x${column} <- iconv(x${column}, "latin1", "UTF-8"); saveRDS(x, file)\n'
                f"(of a factor its levels: levels(x${column}) <- iconv(levels(x${column}), ...))."
            ) from None
        if column in columns or column in unreadable:
            raise UserError(f"{name} has more than one column named {column}\nRename or remove the others.")
        if why:
            unreadable[column] = why
        else:
            columns[column] = values
        if note:
            notes.append(note)
    return FileRead(pd.DataFrame(columns), unreadable, tuple(notes))


def _column(thing: "RObject", text: Text, column: str) -> tuple[str | None, Any, str | None]:
    """One column: why it cannot be used, or its values; and what to say of it."""
    kind, classes, attributes = thing.info.type.name, _classes(thing), _attributes(thing)
    if "dim" in attributes and len(attributes["dim"].value) > 1 and int(attributes["dim"].value[1]) != 1:
        return f"a matrix; in R, a column for each of its columns: x <- cbind(x, x${column})", None, None
    if kind not in ("INT", "REAL", "LGL", "STR"):
        shown = {"VEC": "a list", "CPLX": "complex numbers"}.get(kind, f"an object of type {kind}")
        mend = f"Re(x${column})" if kind == "CPLX" else f"sapply(x${column}, function(one) ...)"
        return f"{shown}; in R, make one value for each row of it: x${column} <- {mend}", None, None
    if kind == "STR":
        return None, pd.Series([text(item) for item in thing.value], dtype="str"), None
    if kind == "LGL":
        return None, _nullable(thing.value, "boolean"), None
    if "factor" in classes:
        levels = [text(item) or "" for item in attributes["levels"].value]
        codes = (np.ma.filled(thing.value, 0).astype(int) - 1).tolist()
        return (
            None,
            pd.Series(pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype(levels, "ordered" in classes))),
            None,
        )
    return None, *_numbers(thing, text, column)


def _numbers(thing: "RObject", text: Text, column: str) -> tuple[pd.Series, str | None]:
    """A column of numbers, as its class says: 64-bit integers, dates, values with labels, or plain ones."""
    kind, classes, attributes = thing.info.type.name, _classes(thing), _attributes(thing)
    if "integer64" in classes:
        whole = np.asarray(thing.value, dtype="f8").view("i8")
        return pd.Series(whole, dtype="Int64").mask(whole == NA_INTEGER64), None
    numbers = np.ma.filled(np.ma.asarray(thing.value, dtype=np.float64), np.nan)
    if "Date" in classes:
        return pd.Series(EPOCH + pd.to_timedelta(numbers, unit="D")), None
    if "POSIXct" in classes:
        return pd.Series(EPOCH + pd.to_timedelta(numbers, unit="s")), None
    if any(name.startswith("haven_labelled") for name in classes) and "labels" in attributes:
        return _haven(pd.Series(numbers), attributes, text, column)
    return pd.Series(numbers) if kind == "REAL" else _nullable(thing.value, "Int32"), None


def _nullable(values: Any, dtype: Any) -> pd.Series:
    """Whole numbers and truth values: plain where all are there."""
    missing = np.ma.getmaskarray(values)
    plain = pd.Series(np.ma.getdata(values))
    return plain if not missing.any() else plain.astype(dtype).mask(missing)


def _haven(
    values: pd.Series, attributes: dict[str, "RObject"], text: Text, column: str
) -> tuple[pd.Series, str | None]:
    """Labelled values of the package haven: its missing ones become missing, its labels levels."""
    of = attributes["labels"]
    if of.info.type.name not in ("INT", "REAL"):
        return values, None
    labels = zip((text(item) or "" for item in _attributes(of)["names"].value), np.ma.filled(of.value, 0), strict=True)
    if "na_values" in attributes:
        values = values.mask(values.isin(np.asarray(attributes["na_values"].value, dtype=float)))
    if "na_range" in attributes:
        low, high = np.asarray(attributes["na_range"].value, dtype=float)
        values = values.mask(values.between(low, high))
    return labelled(values, {float(value): label for label, value in labels if not np.isnan(value)}, column)
