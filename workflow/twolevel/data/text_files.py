"""Read a text file of a table: .csv, .tsv, .txt, packed or not, as text.

What separates the values, the decimal mark and the encoding are found where the file leaves one answer, and asked for
where it leaves two: a table that is read in a wrong way looks like a table.
"""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterable, Sequence

import pandas as pd

from twolevel.data.reading import Choices, FileRead
from twolevel.errors import UserError, counted

# What stands for a missing value; R writes NA.
MISSING = ["", "NA", "NaN", "nan"]
SEPARATORS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar", " ": "blanks"}
ENOUGH = 200_000
NUMBER = r"[+-]?(\d+{0}?\d*|{0}\d+)([eE][+-]?\d+)?"
# One to three digits, then threes: 1,234 is a little more than one, or more than a thousand.
THOUSANDS = r"[+-]?[1-9]\d{{0,2}}({0}\d{{3}})+"

MARKS = {"utf-32": (b"\xff\xfe\0\0", b"\0\0\xfe\xff"), "utf-16": (b"\xff\xfe", b"\xfe\xff")}
# Where, in four bytes, these have a zero if the text has the letters of western languages.
ZEROS = {
    frozenset({1, 3}): "utf-16-le",
    frozenset({0, 2}): "utf-16-be",
    frozenset({1, 2, 3}): "utf-32-le",
    frozenset({0, 1, 2}): "utf-32-be",
}

Rows = list[list[str]]


def read(content: bytes, suffix: str, name: str, choices: Choices) -> FileRead:
    """Read a table of texts; an empty cell, NA or NaN is missing; a decimal comma becomes a full stop."""
    if choices.separator is not None and choices.separator not in SEPARATORS:
        known = ", ".join(f"{_shown(of)} ({word})" for of, word in SEPARATORS.items())
        raise UserError(f"data.separator: found {choices.separator!r}; expected one of {known}.")
    if choices.decimal not in (None, ".", ","):
        raise UserError(f'data.decimal: found {choices.decimal!r}; expected "." or ",".')
    text = _text(content, suffix, name, choices.encoding)
    if not text.strip():
        raise _refusal(name, suffix, "there is nothing in it")
    separator = choices.separator or _separator(text, suffix, name)
    header = _rows(_beginning(text), separator)[0]
    if header[0].startswith("sep="):
        raise _refusal(
            name, suffix, f"its first line, {text.lstrip().splitlines()[0]!r}, is for Excel alone; remove it"
        )
    table = _with_full_stops(_cells(text, header, separator, suffix, name), choices.decimal, separator, name)
    table.columns = pd.Index(header)
    return FileRead(table)


def _cells(text: str, header: Sequence[str], separator: str, suffix: str, name: str) -> pd.DataFrame:
    """The values below the header as texts, by columns 0, 1, ...; a line with more or fewer of them is refused."""
    import pyarrow
    from pyarrow import csv as arrow

    if separator == " ":
        return _by_line(text, separator, suffix, name)
    columns = [str(i) for i in range(len(header))]
    strings = arrow.ConvertOptions(
        column_types=dict.fromkeys(columns, pyarrow.string()), null_values=MISSING, strings_can_be_null=True
    )
    try:
        cells = arrow.read_csv(
            pyarrow.BufferReader(text.lstrip("\r\n").encode()),
            arrow.ReadOptions(column_names=columns, skip_rows_after_names=1, block_size=1 << 24),
            arrow.ParseOptions(delimiter=separator, newlines_in_values=True),
            strings,
        )
    except pyarrow.ArrowInvalid:  # it says which row, not which line
        return _by_line(text, separator, suffix, name)
    table: pd.DataFrame = cells.to_pandas()
    return table.set_axis(range(len(header)), axis=1)


def _by_line(text: str, separator: str, suffix: str, name: str) -> pd.DataFrame:
    header, *body = _rows(text, separator)
    for number, row in enumerate(body, 2):
        if len(row) != len(header):
            raise _refusal(name, suffix, _uneven(header, body, number))
    cells = pd.DataFrame(body, columns=range(len(header)), dtype="str")
    return cells.mask(cells.isin(MISSING))


def _refusal(name: str, suffix: str, found: str) -> UserError:
    return UserError(
        f"{name} could not be read as a {suffix} file: {found}\n"
        "It should have a header line with a name for each column, and in every line as many values, with one "
        "separator between them."
    )


def _uneven(header: Sequence[str], body: Rows, number: int) -> str:
    """What is wrong with line `number`, the first with more or fewer values than the header has names."""
    row = body[number - 2]
    if {len(row) for row in body} == {len(header) + 1}:
        if not any(row[-1] for row in body):
            return f"its header has {len(header)} names and each line ends with a separator; remove it from each line"
        return (
            f"its header has {len(header)} names and each line {len(row)} values: R's write.table wrote the names of "
            "the rows; leave them out with row.names = FALSE"
        )
    return f"line {number} has {counted(len(row), 'value')}, and the header {len(header)} names"


def _text(content: bytes, suffix: str, name: str, encoding: str | None) -> str:
    if suffix.endswith(".gz"):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise UserError(
                f"{name} could not be unpacked: {error}\nIt may be damaged, or not packed by gzip."
            ) from None
    if encoding is None:
        # A byte order mark says which it is.
        encoding = next((of for of, marks in MARKS.items() if content.startswith(marks)), "utf-8")
    try:
        text = content.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{name} could not be read as a {suffix} file: {_strange(content, error)}\n" + _mend(content, error)
        ) from None
    if "\0" in text:
        raise _refusal(name, suffix, _with_zeros(text, content, encoding))
    return text


def _with_zeros(text: str, content: bytes, encoding: str) -> str:
    """What is wrong with a text that has bytes of zero, by where most texts have them in other encodings."""
    line = text.count("\n", 0, text.index("\0")) + 1
    likely = ZEROS.get(frozenset(place % 4 for place, byte in enumerate(content[:1000]) if not byte))
    rest = f"; it looks like data.encoding: {likely}" if likely else ": is it another kind of file?"
    return f"line {line} has a byte of zero, which no text in {encoding.upper()} has{rest}"


def _mend(content: bytes, error: UnicodeDecodeError) -> str:
    """What to do; one encoding for a file in two would be wrong in silence for the rest of it."""
    other = next((line for line in content.split(b"\n") if not line.isascii() and _is_utf_8(line)), None)
    if other is None or error.encoding != "utf-8":
        return "Say what it is in, as in data.encoding: windows-1252; or save it as UTF-8."
    return (
        f"Other lines are in UTF-8, as {other.decode().strip()[:60]!r}: the file is in two encodings, and no choice of "
        "one reads it. Save all of it as UTF-8."
    )


def _is_utf_8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _strange(content: bytes, error: UnicodeDecodeError) -> str:
    """Say where a text is not in its encoding, and what stands there in the two that are likely."""
    line = content.count(b"\n", 0, error.start) + 1
    near = content[max(0, error.start - 10) : error.start + 10].split(b"\n")
    around = next((part for part in near if content[error.start : error.start + 1] in part), b"")
    read = ", ".join(
        f"{around.decode(encoding, 'replace').strip()!r} in {encoding}" for encoding in ("windows-1252", "mac_roman")
    )
    return f"line {line} is not in {error.encoding.upper()} (byte 0x{content[error.start]:02x}); it would be {read}"


def _beginning(text: str) -> str:
    """Some whole lines that tell how a text is written; a longer text has the same form or is refused later."""
    return text if len(text) < ENOUGH else text[: text.rfind("\n", 0, ENOUGH) + 1]


def _rows(text: str, separator: str) -> Rows:
    if separator == " ":
        return [row for line in text.splitlines() if (row := _by_blanks(line))]
    return [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if row]


def _by_blanks(line: str) -> list[str]:
    """The values of a line between runs of blanks; those in quotes may have blanks within."""
    return next(csv.reader([re.sub(r"[ \t]+", " ", line.strip())], delimiter=" "), []) if line.strip() else []


def _separator(text: str, suffix: str, name: str) -> str:
    """Find what makes a table of the text: as many values in every line as in the header, and more than one."""
    candidates = [*SEPARATORS] if suffix.startswith(".txt") else [*SEPARATORS][:4]
    text = _beginning(text)
    first = next((line for line in text.splitlines() if line.strip()), "")
    possible = {of: rows for of in candidates if of in first and (rows := _rows(text, of)) and len(rows[0]) > 1}
    fitting = [of for of, rows in possible.items() if len({len(row) for row in rows}) == 1]
    if len(fitting) == 1 or len(possible) == 1:
        return (fitting or [*possible])[0]
    if not possible:
        raise _refusal(name, suffix, f"its first line has no separator in it: {first[:60]!r}")
    if not fitting:
        return "\t" if suffix.startswith(".tsv") else ","
    if set(fitting) == {"\t", " "}:
        return "\t"  # the same values, unless one is empty or has a blank in it
    seen = " and also with ".join(SEPARATORS[of] for of in fitting)
    raise UserError(
        f"{name} can be read as a table with {seen} between values\nSay which is meant, as in data.separator: "
        + " or ".join(map(_shown, fitting))
        + "."
    )


def _shown(separator: str) -> str:
    """A separator as it is written in a configuration."""
    return f'"{separator}"'.replace("\t", "\\t")


def _with_full_stops(cells: pd.DataFrame, decimal: str | None, separator: str, name: str) -> pd.DataFrame:
    """Write numbers with a full stop, whichever mark they have."""
    if decimal is None:
        decimal = "." if separator == "," else _decimal(cells, name)
    if decimal == ".":
        return cells
    numeric = [column for column in cells if _all_are(cells[column], NUMBER.format(","))]
    return cells.replace({column: {",": "."} for column in numeric}, regex=True)


def _all_are(values: pd.Series, pattern: str) -> bool:
    present = values.dropna()
    # The first few tell most columns of words.
    return bool(len(present)) and all(
        part.str.strip().str.fullmatch(pattern).all() for part in (present[:100], present)
    )


def _decimal(cells: pd.DataFrame, name: str) -> str:
    """Find the decimal mark in the columns of numbers: one that some number has where it can be nothing else."""
    said, open_to_both = {}, {}
    for mark in (",", "."):
        numeric = [cells[c].dropna().str.strip() for c in cells if _all_are(cells[c], NUMBER.format(re.escape(mark)))]
        marked = [values[values.str.contains(mark, regex=False)] for values in numeric]
        certain = [values[~values.str.fullmatch(THOUSANDS.format(re.escape(mark)))] for values in marked]
        said[mark] = _first(certain)
        open_to_both[mark] = _first(marked)
    if all(said.values()):
        raise _asked(name, f"{said[',']} and {said['.']}")
    for mark in (",", "."):
        if said[mark]:
            return mark
    if doubtful := [value for value in open_to_both.values() if value]:
        raise _asked(name, f"{' and '.join(doubtful)}, which may be thousands")
    return "."


def _first(columns: Iterable[pd.Series]) -> str:
    return next((str(values.iloc[0]) for values in columns if len(values)), "")


def _asked(name: str, found: str) -> UserError:
    return UserError(
        f"{name} has numbers such as {found}: the decimal mark is not certain\n"
        'Say which, as in data.decimal: "," (or "."), and save the numbers without marks between thousands.'
    )
