"""How long the page on High School and Beyond is, and what no reader should meet on it."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from pypdf import PdfReader
from report.test_report_page import appendix, browser, opened
from twolevel.report.page import APPENDIX, PAGE

# Fixtures; pytest finds them by these names.
__all__ = ["appendix", "browser", "opened"]

pytestmark = [pytest.mark.slow, pytest.mark.needs_chromium]

TELEPHONE = {"width": 360, "height": 740}

# What stands in sentences, headings and captions: not the cells of tables, code, formulas or references.
PROSE = """() => {
    const main = document.querySelector('main').cloneNode(true);
    main.querySelectorAll('thead, tbody, math, pre, code.block, .file, .references').forEach(part => part.remove());
    return main.textContent;
}"""


def test_the_page_takes_an_hour(opened: Page) -> None:
    words = len(opened.evaluate(PROSE).split())
    assert 2000 < words <= 6000
    shown = opened.locator("main table").count() + opened.locator("main figure").count()
    assert 15 < shown <= 25


def test_the_page_is_less_than_eighty_screens_of_a_telephone(opened: Page) -> None:
    opened.set_viewport_size(TELEPHONE)
    screens = opened.evaluate("() => document.documentElement.scrollHeight") / TELEPHONE["height"]
    assert 20 < screens < 80


def test_the_page_is_small(results: Path) -> None:
    assert (results / PAGE).stat().st_size < 2e6


def test_the_page_is_printed_on_less_than_thirty_sheets_none_of_them_nearly_empty(results: Path) -> None:
    sheets = [sheet.extract_text() for sheet in PdfReader(results / "report.pdf").pages]
    assert len(sheets) < 30
    page = (results / PAGE).read_text(encoding="utf-8")
    headings = {re.sub(r"\s", "", re.sub(r"<[^>]+>", "", of)) for of in re.findall(r"<h[23][^>]*>(.*?)</h[23]>", page)}
    for sheet in sheets[:-1]:
        lines = [line for line in sheet.splitlines() if line.strip() and not re.fullmatch(r"\s*\d+ / \d+\s*", line)]
        assert len(sheet.split()) > 40
        assert re.sub(r"\s", "", lines[-1]) not in headings  # no heading alone at the foot


def test_captions_are_short_and_alt_texts_say_something_else(opened: Page, appendix: Page) -> None:
    for page in (opened, appendix):
        captions = page.locator("figcaption, caption").all_text_contents()
        assert max(len(caption.split()) for caption in captions) <= 62  # sixty, and "Table 1."
        for figure in page.locator("figure").all():
            alt, caption = figure.locator("img").get_attribute("alt") or "", figure.locator("figcaption").inner_text()
            assert 20 < len(alt) < 250
            assert not {*sentences(alt)} & {*sentences(caption)}


def sentences(text: str) -> list[str]:
    return [sentence.strip() for sentence in re.split(r"(?<=[.;:])\s", text) if len(sentence.split()) > 3]


def test_no_key_of_the_configuration_is_in_the_prose(opened: Page, appendix: Page, config: dict[str, Any]) -> None:
    """Models, comparisons and figures have titles; a key has underscores."""
    keys = {key for section in ("models", "comparisons", "figures") for key in config[section] if "_" in key}
    assert len(keys) > 20
    for page in (opened, appendix):
        text = page.evaluate(PROSE.replace("code.block", "code"))
        assert {key for key in keys if re.search(rf"\b{re.escape(key)}\b", text)} == set()


def test_every_number_of_the_page_s_tables_and_figures_is_referred_to(opened: Page) -> None:
    text = opened.evaluate(
        "() => [...document.querySelectorAll('main p a, main li a')].map(link => link.textContent).join('|')"
    )
    for kind, count in (("Table", opened.locator("table").count()), ("Figure", opened.locator("figure").count())):
        assert [k for k in range(1, count + 1) if f"{kind} {k}|" not in f"{text}|"] == [], kind


def test_every_source_is_cited(results: Path) -> None:
    both = "".join((results / name).read_text(encoding="utf-8") for name in (PAGE, APPENDIX))
    sources = re.findall(r'<li id="(ref-[^"]+)">(.*?)</li>', both)
    assert len(sources) >= 9
    for name, text in sources:
        assert "https://" in text or name == "ref-textbook"
        assert re.search(rf'href="(report\.html)?#{name}"', both), name
