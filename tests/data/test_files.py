"""The same table comes out of every kind of file, labels and missing values too; what cannot be right is refused."""

import datetime
import gzip
import io
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from twolevel.data.columns import check_columns
from twolevel.data.kinds import Column
from twolevel.data.reading import Choices, FileRead
from twolevel.data.source import READERS, read_file, suffix_of
from twolevel.errors import UserError

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
CASES = REFERENCE / "cases"
COLUMNS: dict[str, Column] = {
    "ward": {"type": "identifier"},
    "arm": {"type": "factor", "levels": ["No", "Yes"]},
    "score": {"type": "number"},
    "note": {"type": "identifier"},
}
# What each file below holds.
RIGHT = pd.DataFrame(
    {
        "ward": ["07", "07", "8", "8"],
        "arm": pd.Categorical(["No", "Yes", "Yes", None], categories=["No", "Yes"], ordered=True),
        "score": [1.5, -2.0, np.nan, 4.25],
        "note": ["é", "two words", "c", "d"],
    }
)

# The package rdata does not write pandas' texts.
FOR_R = RIGHT.astype({"ward": object, "note": object})


def checked(read: FileRead) -> pd.DataFrame:
    """The table as models get it: through the raw table that fetch_data writes."""
    again = pd.read_parquet(io.BytesIO(read.table.to_parquet(index=False)))
    return check_columns(again, COLUMNS, "ward", missing="leave_out", unreadable=read.unreadable)


def text(separator: str, decimal: str = ".") -> str:
    rows = [["ward", "arm", "score", "note"], ["07", "No", "1.5", "é"], ["07", "Yes", "-2", '"two words"']]
    rows += [["8", "Yes", "NA", "c"], ["8", "NA", "4.25", "d"]]
    return "".join(separator.join(cell.replace(".", decimal) for cell in row) + "\n" for row in rows)


def plain() -> pd.DataFrame:
    return RIGHT.assign(arm=RIGHT["arm"].astype("str").where(RIGHT["arm"].notna(), None))


def by(write: Callable[[Path], object], suffix: str, folder: Path) -> bytes:
    write(folder / f"x{suffix}")
    return (folder / f"x{suffix}").read_bytes()


def labelled_file(suffix: str, folder: Path) -> bytes:
    """As SPSS and Stata keep it: numbers with labels; in SPSS -9 is called missing."""
    import pyreadstat

    coded = RIGHT.assign(arm=[0.0, 1.0, 1.0, np.nan])
    labels = {"arm": {0: "No", 1: "Yes"}}
    if suffix == ".sav":
        coded["score"] = coded["score"].fillna(-9.0)
        missing = {"score": [-9]}
        return by(
            lambda file: pyreadstat.write_sav(coded, file, variable_value_labels=labels, missing_ranges=missing),
            suffix,
            folder,
        )
    return by(lambda file: pyreadstat.write_dta(coded, file, variable_value_labels=labels), suffix, folder)


def xlsx(rows: list[list[object]], *, merged: str = "", sheets: tuple[str, ...] = ("wards",)) -> bytes:
    """A workbook as small as the format allows; a cell that begins with = is a formula, with a value after a bar."""
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    link = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

    def cell(value: object) -> str:
        if value is None:
            return "<c/>"
        if isinstance(value, bool):
            return f'<c t="b"><v>{int(value)}</v></c>'
        if isinstance(value, str) and value.startswith("="):
            formula, _, found = value[1:].partition("|")
            kind = ' t="e"' if found.startswith("#") else ""
            return f"<c{kind}><f>{formula}</f>{f'<v>{found}</v>' if found else ''}</c>"
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
        return f"<c><v>{value}</v></c>"

    lines = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    cells = f'<mergeCells count="1"><mergeCell ref="{merged}"/></mergeCells>' if merged else ""
    names = "".join(f'<sheet name="{name}" sheetId="{i}" r:id="r{i}"/>' for i, name in enumerate(sheets, 1))
    parts = {
        "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{link}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "xl/workbook.xml": f'<workbook {main} xmlns:r="{link}"><sheets>{names}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        + "".join(
            f'<Relationship Id="r{i}" Type="{link}/worksheet" Target="worksheets/sheet{i}.xml"/>'
            for i in range(1, len(sheets) + 1)
        )
        + "</Relationships>",
    }
    for i in range(1, len(sheets) + 1):
        parts[f"xl/worksheets/sheet{i}.xml"] = f"<worksheet {main}><sheetData>{lines}</sheetData>{cells}</worksheet>"
    return packed(parts)


def ods(rows: list[list[object]]) -> bytes:
    space = "urn:oasis:names:tc:opendocument:xmlns"
    office = f'xmlns:office="{space}:office:1.0" xmlns:table="{space}:table:1.0" xmlns:text="{space}:text:1.0"'

    def cell(value: object) -> str:
        if value is None:
            return "<table:table-cell/>"
        if isinstance(value, str) and not value.startswith("="):
            return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'
        formula, number = (
            ('table:formula="of:=1+1"', value.partition("|")[2]) if isinstance(value, str) else ("", value)
        )
        return f'<table:table-cell {formula} office:value-type="float" office:value="{number}"/>'

    lines = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    body = f'<office:body><office:spreadsheet><table:table table:name="wards">{lines}</table:table>'
    body += "</office:spreadsheet></office:body>"
    return packed(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": f'<manifest:manifest xmlns:manifest="{space}:manifest:1.0"/>',
            "content.xml": f"<office:document-content {office}>{body}</office:document-content>",
        }
    )


def packed(parts: dict[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return content.getvalue()


ROWS: list[list[object]] = [
    ["ward", "arm", "score", "note"],
    ["07", "No", 1.5, "é"],
    ["07", "Yes", -2, "two words"],
    ["8", "Yes", None, "c"],
    ["8", None, "=9/2-0.25|4.25", "d"],
]


def content(suffix: str, folder: Path) -> bytes:
    """The table in a file of that kind."""
    import pyreadstat
    import rdata

    if suffix in (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz"):
        separator = {".csv": ";", ".tsv": "\t", ".txt": "   "}[suffix.removesuffix(".gz")]
        written = text(separator, "," if separator == ";" else ".").encode()
        return gzip.compress(written) if suffix.endswith(".gz") else written
    writers: dict[str, Callable[[Path], object]] = {
        ".parquet": RIGHT.to_parquet,
        ".feather": RIGHT.to_feather,
        ".xpt": lambda file: pyreadstat.write_xport(plain().fillna({"arm": ""}), file),
        ".rds": lambda file: rdata.write_rds(file, FOR_R),
        ".rdata": lambda file: rdata.write_rda(file, {"wards": FOR_R, "one": np.array([1.0])}),
        ".rda": lambda file: rdata.write_rda(file, {"wards": FOR_R}),
        ".zsav": lambda file: pyreadstat.write_sav(plain().fillna({"arm": ""}), file, row_compress=True),
    }
    if suffix in (".sav", ".dta"):
        return labelled_file(suffix, folder)
    if suffix == ".sas7bdat":  # no Python package writes one; its R command: reference/wards_sas7bdat.R
        return (REFERENCE / "files/wards.sas7bdat").read_bytes()
    if suffix in (".xlsx", ".ods"):
        return xlsx(ROWS) if suffix == ".xlsx" else ods(ROWS)
    return by(writers[suffix], suffix, folder)


@pytest.mark.parametrize("suffix", sorted(READERS))
def test_the_same_table_comes_out_of_every_kind_of_file(suffix: str, tmp_path: Path) -> None:
    read = read_file(content(suffix, tmp_path), suffix, f"wards{suffix}")
    pd.testing.assert_frame_equal(checked(read), RIGHT, check_exact=True)
    assert read.unreadable == {}


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("a.b.csv", ".csv"), ("x.CSV.gz", ".csv.gz"), ("x.RData", ".rdata"), ("v1.2/x.xlsx", ".xlsx"), ("x", "")],
)
def test_what_a_name_ends_in_says_how_it_is_read(name: str, suffix: str) -> None:
    assert suffix_of(name) == suffix


@pytest.mark.parametrize("suffix", sorted(READERS))
@pytest.mark.parametrize("wrong", [b"", b"\xff\x00\x01 nothing known", b"PK\x03\x04"])
def test_content_that_is_not_what_its_name_says_is_refused(suffix: str, wrong: bytes) -> None:
    with pytest.raises(UserError, match=rf"^mine{suffix} "):
        read_file(wrong, suffix, f"mine{suffix}")


# Text files


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found(separator: str) -> None:
    pd.testing.assert_frame_equal(checked(read_file(text(separator).encode(), ".csv", "x.csv")), RIGHT)


def test_two_separators_that_fit_alike_are_asked_for() -> None:
    twice = b"a;b,c;d\n1;2,3;4\n5;6,7;8\n"
    with pytest.raises(
        UserError, match=r'with a comma and also with a semicolon between values\n.*data\.separator: "," or ";"'
    ):
        read_file(twice, ".csv", "x.csv")
    assert list(read_file(twice, ".csv", "x.csv", Choices(separator=";")).table) == ["a", "b,c", "d"]


def test_a_file_of_one_column_has_no_separator() -> None:
    with pytest.raises(UserError, match="its first line has no separator in it: 'score'"):
        read_file(b"score\n1\n2\n", ".csv", "x.csv")


@pytest.mark.parametrize(
    ("content", "values"),
    [
        ("g;x\na;1,5\nb;-2\n", ["1.5", "-2"]),
        ("g;x\na;1.5\nb;-2\n", ["1.5", "-2"]),
        ("g;x\na;0,125\nb;1,250\n", ["0.125", "1.250"]),  # 0,125 is no number with a mark of thousands
        ("g,x\na,1.125\nb,2.250\n", ["1.125", "2.250"]),  # where commas separate, they are no decimal marks
    ],
)
def test_the_decimal_mark_is_found(content: str, values: list[str]) -> None:
    assert read_file(content.encode(), ".csv", "x.csv").table["x"].tolist() == values


@pytest.mark.parametrize("mark", [",", "."])
def test_a_mark_that_may_be_of_thousands_is_asked_for(mark: str) -> None:
    doubtful = f"g;x\na;1{mark}125\nb;12{mark}250\n".encode()
    with pytest.raises(
        UserError, match=rf"1\{mark}125, which may be thousands: the decimal mark is not certain\nSay which"
    ):
        read_file(doubtful, ".csv", "x.csv")
    assert read_file(doubtful, ".csv", "x.csv", Choices(decimal=mark)).table["x"].tolist() == ["1.125", "12.250"]


def test_two_decimal_marks_in_one_file_are_asked_for() -> None:
    with pytest.raises(UserError, match=r"numbers such as 1,5 and 2\.5: the decimal mark is not certain"):
        read_file(b"x;y\n1,5;2.5\n", ".csv", "x.csv")


def test_another_encoding_is_asked_for_with_the_place() -> None:
    latin = text(",").encode("windows-1252")
    with pytest.raises(
        UserError, match=r"line 2 is not in UTF-8 \(byte 0xe9\).*é' in windows-1252.*\n.*data\.encoding"
    ):
        read_file(latin, ".csv", "x.csv")
    pd.testing.assert_frame_equal(checked(read_file(latin, ".csv", "x.csv", Choices(encoding="windows-1252"))), RIGHT)
    with pytest.raises(UserError, match=r"data\.encoding: found 'klingon'"):
        read_file(latin, ".csv", "x.csv", Choices(encoding="klingon"))


def test_a_file_in_two_encodings_is_refused_and_no_encoding_offered() -> None:
    mixed = "g,x\nécole,1\n".encode() + "lycée,2\n".encode("windows-1252")
    with pytest.raises(UserError, match=r"line 3 is not in UTF-8.*\nOther lines are in UTF-8, as 'école,1'") as refused:
        read_file(mixed, ".csv", "x.csv")
    assert "data.encoding" not in str(refused.value)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_bytes_of_zero_tell_the_encoding(encoding: str) -> None:
    assert list(read_file("g,größe\n1,2\n".encode(encoding), ".csv", "x.csv", Choices(encoding=encoding)).table) == [
        "g",
        "größe",
    ]
    for chosen, used in ((None, "UTF-8"), ("windows-1252", "WINDOWS-1252")):
        says = f"line 1 has a byte of zero, which no text in {used} has; it looks like data.encoding: {encoding}"
        with pytest.raises(UserError, match=says):
            read_file("g,x\n1,2\n".encode(encoding), ".csv", "x.csv", Choices(encoding=chosen))


def test_bytes_of_zero_are_in_no_text() -> None:
    with pytest.raises(
        UserError, match=r"line 1 has a byte of zero, which no text in UTF-8 has: is it another kind of file\?"
    ):
        read_file(b"PK\3\4\0\0\0\0, \0", ".csv", "x.csv")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
def test_a_byte_order_mark_says_what_a_text_is_in(encoding: str) -> None:
    pd.testing.assert_frame_equal(checked(read_file(text(",").encode(encoding), ".csv", "x.csv")), RIGHT)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("a,b\n1,2,\n3,4,\n", "its header has 2 names and each line ends with a separator; remove it from each line"),
        ('"a","b"\n"1",2,3\n"2",4,5\n', r"each line 3 values: R's write\.table wrote the names of the rows"),
        ('"a","b"\n"1",2,\n"2",4,5\n', r"each line 3 values: R's write\.table wrote the names of the rows"),
        ("sep=;\na;b\n1;2\n", "its first line, 'sep=;', is for Excel alone; remove it"),
        ("\nsep=\t\na\tb\n1\t2\n", r"its first line, 'sep=\\t', is for Excel alone; remove it"),
        ("sep=;\na;b;c\n1;2;3\n", "its first line, 'sep=;', is for Excel alone; remove it"),
    ],
)
def test_what_a_program_adds_to_a_table_is_named(content: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        read_file(content.encode(), ".csv", "x.csv")


def test_a_separator_that_is_none_is_refused() -> None:
    with pytest.raises(UserError, match=r"data\.separator: found '::'; expected one of"):
        read_file(b"a::b\n1::2\n", ".csv", "x.csv", Choices(separator="::"))


# Labels


def sav(values: list[float], labels: dict[float, str], folder: Path) -> FileRead:
    import pyreadstat

    table = pd.DataFrame({"x": values})
    made = by(lambda file: pyreadstat.write_sav(table, file, variable_value_labels={"x": labels}), ".sav", folder)
    return read_file(made, ".sav", "x.sav")


def test_labels_stand_in_the_order_of_their_values(tmp_path: Path) -> None:
    read = sav([3.0, 1.0, 2.0], {3: "high", 1: "low", 2: "mid"}, tmp_path)
    assert read.table["x"].cat.categories.tolist() == ["low", "mid", "high"]
    assert read.table["x"].tolist() == ["high", "low", "mid"]


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ({1: "never", 7: "always"}, r"column x keeps its numbers, since some have no label \(3\)"),
        ({1: "same", 3: "same", 7: "other"}, "column x keeps its numbers, since two of them have the same label"),
    ],
)
def test_numbers_stay_where_labels_would_lose_some_and_it_is_said(
    labels: dict[float, str], says: str, tmp_path: Path
) -> None:
    read = sav([1.0, 3.0, 7.0], labels, tmp_path)
    assert read.table["x"].tolist() == [1, 3, 7]
    (note,) = read.notes
    assert re.fullmatch(says, note)


# Sheets


def test_formulas_give_their_last_values_and_it_is_said() -> None:
    read = read_file(xlsx([["a", "b"], [1, "=A2*2|2"], [2, "=A3*2"], [3, "=1/0|#DIV/0!"]]), ".xlsx", "x.xlsx")
    assert read.table["b"].iloc[0] == 2
    assert read.table["b"].iloc[1:].isna().all()
    told = " ".join(read.notes)
    assert "cells with a formula: 1; the values last computed are taken" in told
    assert "cells with a formula and no value, which count as missing: 1" in told
    assert "cells with an error such as #DIV/0!, which count as missing: 1" in told


def test_a_merged_header_is_refused() -> None:
    with pytest.raises(UserError, match="cells of the header are merged, from column A on"):
        read_file(xlsx([["a", None], [1, 2]], merged="A1:B1"), ".xlsx", "x.xlsx")


def test_several_sheets_are_asked_for() -> None:
    book = xlsx(ROWS, sheets=("one", "two"))
    with pytest.raises(UserError, match=r"has several sheets: one, two\nSay which .* data.sheet: one"):
        read_file(book, ".xlsx", "x.xlsx")
    pd.testing.assert_frame_equal(checked(read_file(book, ".xlsx", "x.xlsx", Choices(sheet="two"))), RIGHT)
    with pytest.raises(UserError, match=r"no sheet 'three', which data\.sheet names\nIt has one, two"):
        read_file(book, ".xlsx", "x.xlsx", Choices(sheet="three"))


def test_a_column_without_a_name_is_refused() -> None:
    with pytest.raises(UserError, match="column B has values and no name"):
        read_file(xlsx([["a", None, "c"], [1, 2, 3]]), ".xlsx", "x.xlsx")


def test_truth_values_in_a_sheet_are_numbers_or_levels() -> None:
    table = read_file(xlsx([["g", "old"], ["a", True], ["b", False]]), ".xlsx", "x.xlsx").table
    as_number: dict[str, Column] = {"g": {"type": "identifier"}, "old": {"type": "number"}}
    as_factor: dict[str, Column] = {"g": {"type": "identifier"}, "old": {"type": "factor", "levels": ["FALSE", "TRUE"]}}
    assert check_columns(table, as_number, "g")["old"].tolist() == [1, 0]
    assert check_columns(table, as_factor, "g")["old"].tolist() == ["TRUE", "FALSE"]


# R


def test_64_bit_integers_of_r_are_numbers() -> None:
    # i64.csv has the values, the ids less 1,000,000 (written by R from the same table).
    table = read_file((CASES / "i64.rds").read_bytes(), ".rds", "i64.rds").table
    right = pd.read_csv(CASES / "i64.csv")
    assert (table["id"] - 1_000_000).tolist() == right["id"].tolist()
    assert table["score"].tolist() == right["score"].tolist()


def test_a_list_column_is_in_the_way_only_where_it_is_declared() -> None:
    read = read_file((CASES / "listcol.rds").read_bytes(), ".rds", "listcol.rds")
    assert list(read.table) == ["g", "x", "y", "f"]
    columns: dict[str, Column] = {"g": {"type": "identifier"}, "x": {"type": "number"}}
    assert len(check_columns(read.table, columns, "g", unreadable=read.unreadable)) == 120
    with pytest.raises(UserError, match=r"column l holds a list; in R, .*: x\$l <- sapply"):
        check_columns(read.table, columns | {"l": {"type": "number"}}, "g", unreadable=read.unreadable)


def test_texts_of_r_without_a_mark_are_refused_or_read_as_said() -> None:
    content = (CASES / "latin1_unmarked.rds").read_bytes()
    with pytest.raises(
        UserError, match=r'(?s)column g .*Z\\xfcrich.*data.encoding.*x\$g <- iconv\(x\$g, "latin1", "UTF-8"\)'
    ):
        read_file(content, ".rds", "x.rds")
    assert read_file(content, ".rds", "x.rds", Choices(encoding="latin1")).table["g"][0] == "Zürich"


@pytest.fixture(scope="module")
def of_r(tmp_path_factory: pytest.TempPathFactory) -> FileRead:
    """One column of each kind that R has."""
    if not shutil.which("Rscript"):
        pytest.skip("needs Rscript (Debian: apt install r-base)")
    file = tmp_path_factory.mktemp("r") / "x.rds"
    lines = """
        x <- data.frame(g = c("a", "b", NA), whole = c(1L, NA, 3L), truth = c(TRUE, NA, FALSE))
        x$ordered <- factor(c("lo", NA, "hi"), levels = c("lo", "mid", "hi"), ordered = TRUE)
        x$day <- as.Date(c("2020-02-29", NA, "1969-12-31"))
        x$time <- as.POSIXct(c("2020-02-29 12:30:00", NA, "1999-01-01 00:00:00"), tz = "UTC")
        x$complex <- complex(real = 1:3, imaginary = 1); x$list <- I(list(1, 2:3, "a"))
        x$compact <- 1:3; x$matrix <- matrix(1:6, 3)
        x$agree <- structure(c(1, 2, -9), labels = c(no = 1, yes = 2, refused = -9), na_values = -9,
                             class = c("haven_labelled_spss", "haven_labelled", "vctrs_vctr", "double"))
        x$ends <- structure(c(1, 5, 7), labels = c(never = 1, always = 7), class = c("haven_labelled", "double"))
        latin <- "Z\\xfcrich"; Encoding(latin) <- "latin1"; x$place <- latin
        saveRDS(x, commandArgs(TRUE)[1])
    """
    subprocess.run(["Rscript", "-e", lines, str(file)], check=True, capture_output=True)
    return read_file(file.read_bytes(), ".rds", "x.rds")


@pytest.mark.needs_r
def test_every_kind_of_column_of_r(of_r: FileRead) -> None:
    table = of_r.table.astype(object).where(of_r.table.notna(), None)
    right = {
        "g": ["a", "b", None],
        "whole": [1, None, 3],
        "truth": [True, None, False],
        "ordered": ["lo", None, "hi"],
        "day": [pd.Timestamp("2020-02-29"), None, pd.Timestamp("1969-12-31")],
        "time": [pd.Timestamp("2020-02-29 12:30"), None, pd.Timestamp("1999-01-01")],
        "compact": [1, 2, 3],
        "agree": ["no", "yes", None],
        "ends": [1, 5, 7],
        "place": ["Zürich"] * 3,
    }
    assert {name: table[name].tolist() for name in table} == right
    assert of_r.table["ordered"].cat.categories.tolist() == ["lo", "mid", "hi"]
    assert of_r.table["ordered"].cat.ordered
    assert of_r.notes == ("column ends keeps its numbers, since some have no label (5)",)


@pytest.mark.needs_r
def test_columns_that_no_model_can_use_are_left_out_with_the_mend(of_r: FileRead) -> None:
    assert {name: why.partition(";")[0] for name, why in of_r.unreadable.items()} == {
        "complex": "complex numbers",
        "list": "a list",
        "matrix": "a matrix",
    }
    assert "Re(x$complex)" in of_r.unreadable["complex"]


@pytest.mark.needs_r
@pytest.mark.parametrize(
    "how", ["compress = 'xz'", "compress = 'bzip2'", "compress = FALSE", "ascii = TRUE", "version = 2"]
)
def test_every_form_of_an_rds(how: str, tmp_path: Path) -> None:
    if not shutil.which("Rscript"):
        pytest.skip("needs Rscript (Debian: apt install r-base)")
    file = tmp_path / "x.rds"
    line = f"saveRDS(data.frame(g = c('é', NA), x = c(0.1, NA)), '{file}', {how})"
    subprocess.run(["Rscript", "-e", line], check=True, capture_output=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
    table = read_file(file.read_bytes(), ".rds", "x.rds").table
    assert table["g"][0] == "é"
    assert table["x"][0] == 0.1
    assert table.isna().to_numpy().tolist() == [[False, False], [True, True]]


# What a declaration cannot make of a column

TWO: dict[str, Column] = {"g": {"type": "identifier"}, "x": {"type": "number"}}


def test_dates_are_no_numbers() -> None:
    table = pd.DataFrame({"g": ["a", "b"], "x": pd.to_datetime([datetime.date(2020, 1, 31)] * 2)})
    with pytest.raises(UserError, match=r"column x holds dates, and is declared a number.*as\.numeric\(x\$x - min"):
        check_columns(table, TWO, "g")
    assert check_columns(table, TWO | {"x": {"type": "identifier"}}, "g")["x"].tolist() == ["2020-01-31"] * 2


def test_levels_with_words_are_no_numbers() -> None:
    table = pd.DataFrame({"g": ["a", "b"], "x": pd.Categorical(["boy", "girl"])})
    with pytest.raises(UserError, match=r"value labels \(boy, girl\).*recode: x, to: {boy: 1"):
        check_columns(table, TWO, "g")


def test_ids_beyond_2_to_the_53_are_exact_or_refused() -> None:
    large = [2**53 + 1, 2**53]
    exact = pd.DataFrame({"g": pd.Series(large, dtype="int64"), "x": [1.0, 2.0]})
    assert check_columns(exact, TWO, "g")["g"].tolist() == ["9007199254740993", "9007199254740992"]
    with pytest.raises(UserError, match=r"column g names groups or rows by numbers beyond 2\^53"):
        check_columns(exact.astype({"g": "float64"}), TWO, "g")
    missing = pd.DataFrame({"g": pd.Series([*large, None], dtype="Int64")})
    for suffix, write in ((".parquet", missing.to_parquet), (".feather", missing.to_feather)):
        buffer = io.BytesIO()
        write(buffer)
        again = read_file(buffer.getvalue(), suffix, "x").table["g"]
        assert again[:2].tolist() == large
        assert pd.isna(again[2])


def test_nested_columns_of_parquet_are_left_out(tmp_path: Path) -> None:
    read = read_file(by(pd.DataFrame({"g": ["a"], "l": [[1, 2]]}).to_parquet, ".parquet", tmp_path), ".parquet", "x")
    assert list(read.table) == ["g"]
    assert "list" in read.unreadable["l"]


def test_text_files_have_the_values_that_their_quotes_and_lines_say() -> None:
    content = '\r\n"g","a ""b""\nc",x\r\n"1,5","two\nlines","NA"\r\n\r\n007," é ",\r\n'
    table = read_file(content.encode(), ".csv", "x.csv").table
    assert list(table) == ["g", 'a "b"\nc', "x"]
    assert table["g"].tolist() == ["1,5", "007"]
    assert table['a "b"\nc'].tolist() == ["two\nlines", " é "]
    assert table["x"].isna().all()


def test_a_short_line_far_down_is_refused() -> None:
    content = "g,x\n" + "a,1\n" * 100_000 + "b\n"
    with pytest.raises(UserError, match="line 100002 has 1 value, and the header 2 names"):
        read_file(content.encode(), ".csv", "x.csv")
