"""The report on paper: a PDF from the same page, the same bytes every time."""

import html
import re
import stat
from pathlib import Path

import print_report
import pytest
from pypdf import PdfReader
from report.test_report import LEDGER, pages
from report.test_report import results as small_results
from twolevel.errors import UserError

pytestmark = [pytest.mark.slow, pytest.mark.needs_chromium]

A4 = (210 / 25.4 * 72, 297 / 25.4 * 72)  # in points


@pytest.fixture(scope="module")
def pdf(results: Path) -> PdfReader:
    return PdfReader(results / "report.pdf")


def letters(text: str) -> str:
    """Text without what a line break or a ligature may change."""
    return re.sub(r"\s", "", html.unescape(text)).replace("ﬁ", "fi").replace("ﬀ", "ff").replace("ﬃ", "ffi")


def test_every_heading_of_the_page_is_in_the_pdf_and_its_outline(pdf: PdfReader, results: Path) -> None:
    page = (results / "report.html").read_text(encoding="utf-8")
    headings = re.findall(r"<h2 id=\"[^\"]*-heading\">(.*?)</h2>", page)
    assert len(headings) >= 10
    printed = letters("".join(sheet.extract_text() for sheet in pdf.pages))

    def titles(items: list) -> list[str]:
        return [title for it in items for title in (titles(it) if isinstance(it, list) else [letters(it.title)])]

    outline = titles(pdf.outline)
    for heading in headings:
        assert letters(heading) in printed
        assert letters(heading) in outline


def test_its_pages_are_a4_and_it_says_what_it_is(pdf: PdfReader) -> None:
    for sheet in pdf.pages:
        # Chromium rounds to pixels of 1/96 inch.
        assert (sheet.mediabox.width, sheet.mediabox.height) == pytest.approx(A4, abs=0.75)
    root = pdf.trailer["/Root"]
    assert root["/Lang"] == "en-GB"
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert pdf.metadata is not None
    assert {*pdf.metadata} == {"/Title"}
    assert pdf.metadata.title == "High School and Beyond: two-level hierarchical linear models"


def test_two_printings_are_the_same_bytes_wherever_the_page_lies(chromium: str, tmp_path: Path) -> None:
    printed = []
    for folder in ("one", "an other"):
        (tmp_path / folder).mkdir()
        page = tmp_path / folder / "report.html"
        page.write_text(pages(small_results(ledger=LEDGER))["report.html"], encoding="utf-8")
        print_report.main(chromium, str(page), str(tmp_path / f"{folder}.pdf"))
        printed.append((tmp_path / f"{folder}.pdf").read_bytes())
    assert printed[0] == printed[1]
    assert str(tmp_path).encode() not in printed[0]
    links = [
        of.get_object()["/A"] for sheet in PdfReader(tmp_path / "one.pdf").pages for of in sheet.get("/Annots", ())
    ]
    assert "appendix.html#reading" in [str(link.get("/URI", "")) for link in links]


def program(path: Path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_a_browser_that_fails_is_named(tmp_path: Path) -> None:
    page, output = tmp_path / "report.html", tmp_path / "report.pdf"
    broken = program(tmp_path / "broken", "echo no display >&2; exit 3")
    with pytest.raises(UserError, match=r"broken did not print .*report.html; it ended with 3 and said: no display"):
        print_report.main(broken, str(page), str(output))
    with pytest.raises(UserError, match="could not be started"):
        print_report.main(str(tmp_path / "absent"), str(page), str(output))
    slow = program(tmp_path / "slow", "exec sleep 60")
    with pytest.raises(UserError, match=r"had not printed .* after 0\.2 seconds"):
        print_report.print_page(slow, page, output, tmp_path, patience=0.2)
    assert not output.exists()


def test_tags_are_numbered_in_their_order_whatever_the_browser_counted_before() -> None:
    early, late = (b"1 0 obj /ID (node%08d) 2 0 obj /ID (node%08d)" % numbers for numbers in ((172, 9), (1730, 12)))
    assert print_report.reproducible_names(early) == print_report.reproducible_names(late)
    assert print_report.reproducible_names(early) == b"1 0 obj /ID (node00000002) 2 0 obj /ID (node00000001)"
