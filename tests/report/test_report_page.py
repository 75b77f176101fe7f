"""The report in a real browser: it fetches nothing, fits every screen and paper, and can be used without a mouse."""

import csv
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright
from report.test_report import HOSTILE, LEDGER
from report.test_report import page as render
from report.test_report import results as small_results

pytestmark = [pytest.mark.slow, pytest.mark.needs_chromium]

WIDTHS = (360, 768, 1440)  # telephone, tablet, desk
PAPER = 672  # CSS pixels between the margins of A4: (210 - 2 * 16) mm at 96 to the inch

OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def report(results: Path) -> Path:
    return results / "report.html"


@pytest.fixture
def opened(browser: Browser, report: Path) -> Iterator[Page]:
    """The report in a browser without a network; what went wrong is in `page.problems` when the test ends."""
    context = browser.new_context(offline=True, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: problems.append(f"error: {error}"))
    page.on("requestfailed", lambda request: problems.append(f"failed: {request.url[:100]}"))
    page.on("request", lambda r: r.url.startswith(("data:", "file:")) or problems.append(f"asked for {r.url[:100]}"))
    page.goto(report.as_uri())
    yield page
    context.close()
    assert problems == []


@pytest.fixture
def plain(browser: Browser, report: Path) -> Iterator[Page]:
    """The report where no script runs."""
    context = browser.new_context(offline=True, java_script_enabled=False, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(report.as_uri())
    yield page
    context.close()


@pytest.fixture
def small(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """The report on any other data, with a small ledger."""
    path = tmp_path / "small.html"
    path.write_text(render(small_results(ledger=LEDGER)), encoding="utf-8")
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.goto(path.as_uri())
    yield page
    context.close()


def overflow(page: Page) -> list[str]:
    """Elements that reach beyond the page's width, those inside a scrolling box left out."""
    return page.evaluate(
        """() => {
            const width = document.documentElement.clientWidth;
            const wide = document.documentElement.scrollWidth > width ? ['the page'] : [];
            for (const element of document.querySelectorAll('main *, header *, nav *, footer *')) {
                if (element.parentElement.closest('.scroll, .formula')) continue;
                const box = element.getBoundingClientRect();
                const beyond = box.width && (box.right > width + 0.5 || box.left < -0.5);
                if (beyond) wide.push(element.outerHTML.slice(0, 80));
            }
            return wide;
        }"""
    )


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_reaches_beyond_the_screen(opened: Page, width: int, scheme: str) -> None:
    opened.emulate_media(color_scheme=scheme)
    opened.set_viewport_size({"width": width, "height": 900})
    assert overflow(opened) == []


def test_every_picture_is_there(opened: Page, config: dict[str, Any]) -> None:
    """Drawn when the reader comes near, it has its place before: nothing moves."""
    height = "() => document.documentElement.scrollHeight"
    before = opened.evaluate(height)
    for image in opened.locator("img").all():
        image.scroll_into_view_if_needed()
    opened.wait_for_function("() => [...document.images].every(image => image.complete)")
    # Sizes are given in whole pixels: less than one is lost for each picture.
    assert abs(opened.evaluate(height) - before) < opened.locator("img").count()
    widths = opened.evaluate("() => [...document.images].map(image => image.naturalWidth)")
    assert len(widths) == len(config["figures"]) >= 16
    assert all(width > 0 for width in widths)


@pytest.mark.parametrize("width", WIDTHS)
def test_what_is_folded_away_opens_without_a_mouse_and_fits(opened: Page, width: int) -> None:
    opened.set_viewport_size({"width": width, "height": 900})
    folds = opened.locator("details").count()
    assert folds >= 4
    for k in range(folds):
        summary = opened.locator("details").nth(k).locator("summary").first
        if summary.is_visible():
            summary.focus()
            opened.keyboard.press("Enter")
    assert opened.evaluate("() => [...document.querySelectorAll('main > section > details')].every(d => d.open)")
    assert overflow(opened) == []


def test_every_link_in_the_page_lands(opened: Page) -> None:
    opened.evaluate("() => document.querySelectorAll('details').forEach(details => { details.open = true; })")
    links = opened.locator("a[href^='#']:not(.skip)").all()
    assert len(links) >= 20
    for link in links:
        target = (link.get_attribute("href") or "").removeprefix("#")
        link.click()
        assert opened.url.partition("#")[2] == target
        top, bottom = opened.evaluate(
            "id => { const b = document.getElementById(id).getBoundingClientRect(); return [b.top, b.bottom]; }", target
        )
        assert top < 900
        assert bottom > 0


def test_the_skip_link_is_first_and_leads_to_the_content(opened: Page) -> None:
    opened.keyboard.press("Tab")
    assert opened.evaluate("() => document.activeElement.textContent") == "Skip to the content"
    assert opened.evaluate("() => document.activeElement.getBoundingClientRect().left") >= 0
    opened.keyboard.press("Enter")
    assert opened.evaluate("() => document.activeElement.id") == "main"


def test_without_script_a_wide_table_scrolls_with_the_keyboard(plain: Page) -> None:
    plain.set_viewport_size({"width": 360, "height": 900})
    wide = plain.locator(".scroll").filter(has_text="Every model").last
    assert wide.evaluate("box => box.scrollWidth > box.clientWidth")
    wide.focus()
    plain.keyboard.press("ArrowRight")
    plain.wait_for_timeout(500)
    assert wide.evaluate("box => box.scrollLeft") > 0


def test_on_a_narrow_screen_every_value_stands_under_its_name(opened: Page) -> None:
    opened.set_viewport_size({"width": 360, "height": 900})
    labelled = opened.evaluate(
        """() => [...document.querySelectorAll('table:not(.matrix, .ledger) td')]
            .filter(cell => cell.checkVisibility() && cell.textContent.trim())
            .map(cell => [cell.dataset.label, getComputedStyle(cell, '::before').content])"""
    )
    assert len(labelled) > 100
    assert all((label and content == "attr(data-label)") or content == f'"{label}"' for label, content in labelled)
    box = opened.locator("#comparison-cses_slope_variance td[data-label=p]:visible").first.bounding_box()
    assert box
    assert 0 <= box["x"] < box["x"] + box["width"] <= 360


def test_a_box_takes_the_focus_only_where_it_scrolls(opened: Page) -> None:
    boxes = opened.evaluate(
        """() => [...document.querySelectorAll('.scroll, .formula, pre')]
            .map(box => [box.scrollWidth > box.clientWidth, box.tabIndex >= 0])"""
    )
    assert all(scrolls == focusable for scrolls, focusable in boxes)


def test_equations_are_drawn_and_do_not_overlap(opened: Page) -> None:
    """A browser that knows no MathML would show them as one line of letters; squeezed cells would overlap."""
    opened.set_viewport_size({"width": 360, "height": 900})
    gaps = opened.evaluate(
        """() => [...document.querySelectorAll('mtable[displaystyle] mtr')].map(row => {
            const sides = [...row.children].map(cell => [...cell.querySelectorAll('*')]
                .map(part => part.getBoundingClientRect()).filter(box => box.width));
            return Math.min(...sides[1].map(box => box.left)) - Math.max(...sides[0].map(box => box.right));
        }).filter(Number.isFinite)"""
    )
    assert len(gaps) >= 5
    assert min(gaps) > -1
    assert opened.evaluate("() => [...document.querySelectorAll('annotation')].every(a => !a.checkVisibility())")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(opened: Page, scheme: str) -> None:
    """WCAG 2.1, success criterion 1.4.3: a contrast of at least 4.5 to 1 for text of this size."""
    opened.emulate_media(color_scheme=scheme)
    lowest = opened.evaluate(
        """() => {
            const channels = colour => colour.match(/[\\d.]+/g).map(Number);
            const light = ([r, g, b]) => [[r, 0.2126], [g, 0.7152], [b, 0.0722]].reduce((sum, [c, weight]) =>
                sum + weight * (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4), 0);
            const ground = element => {
                for (let e = element; e; e = e.parentElement) {
                    const colour = channels(getComputedStyle(e).backgroundColor);
                    if (colour[3] !== 0) return colour;
                }
            };
            const text = 'p, li, dt, dd, th, td, a, summary, figcaption, caption, h1, h2, h3, mi';
            const ratios = [...document.querySelectorAll(text)]
                .map(e => [light(channels(getComputedStyle(e).color)), light(ground(e))])
                .map(pair => (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05));
            return Math.min(...ratios);
        }"""
    )
    assert lowest >= 4.5


def test_nothing_is_clipped_on_paper(opened: Page) -> None:
    opened.emulate_media(media="print")
    opened.set_viewport_size({"width": PAPER, "height": 900})
    clipped = opened.evaluate(
        """() => {
            const width = document.documentElement.clientWidth;
            return [...document.querySelectorAll('.scroll, .formula, figure, pre')]
                .filter(box => box.getBoundingClientRect().left + box.scrollWidth > width + 0.5)
                .map(box => box.textContent.trim().slice(0, 60));
        }"""
    )
    assert clipped == []
    assert overflow(opened) == []


def test_it_can_be_read_without_script(plain: Page) -> None:
    assert plain.locator("main h2").count() >= 10
    assert plain.locator("#ledger-rows tr").count() == plain.locator("#ledger-rows tr:visible").count() == 244
    assert not plain.locator("#ledger-filters").is_visible()
    assert plain.locator("figure .file:visible").count() == 0
    for width in WIDTHS:
        plain.set_viewport_size({"width": width, "height": 900})
        assert overflow(plain) == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["x" * 300, "a_" * 150, "‮שלום <b>עולם", "word " * 60])
def test_a_hostile_name_does_not_widen_the_page(browser: Browser, tmp_path: Path, width: int, name: str) -> None:
    path = tmp_path / "report.html"
    path.write_text(render(small_results(kind=name)), encoding="utf-8")
    context = browser.new_context(offline=True, viewport={"width": width, "height": 900})
    page = context.new_page()
    page.goto(path.as_uri())
    assert overflow(page) == []
    context.close()


# The ledger


def test_the_ledger_s_filters_show_the_rows_that_fit(opened: Page, results: Path) -> None:
    ledger = pd.read_csv(results / "ledger.csv", dtype=str, keep_default_na=False)
    filters = opened.locator("#ledger-filters")
    count = opened.locator("#ledger-count")

    def shown() -> list[str]:
        return opened.evaluate(
            "() => [...document.querySelectorAll('#ledger-rows tr:not([hidden]) th')].map(h => h.innerText)"
        )

    assert count.inner_text() == f"{len(ledger)} of {len(ledger)} rows"
    for verdict, rows in ledger.groupby("verdict"):
        filters.locator("[name=verdict]").select_option(str(verdict))
        assert shown() == [*rows["id"]]
        assert count.inner_text() == f"{len(rows)} of {len(ledger)} rows"
    filters.get_by_role("button").click()
    assert shown() == [*ledger["id"]]
    filters.locator("[name=model]").select_option("mod3a")
    assert shown() == [*ledger.loc[ledger["model"] == "mod3a", "id"]]
    filters.locator("[name=verdict]").select_option("not_optimum")
    both = ledger[(ledger["model"] == "mod3a") & (ledger["verdict"] == "not_optimum")]
    assert shown() == [*both["id"]]
    filters.get_by_role("button").click()
    for section, inside in (("7", ledger["chapter"] == "7"), ("8.4.1", ledger["section"] == "8.4.1")):
        filters.locator("[name=section]").select_option(section)
        assert shown() == [*ledger.loc[inside, "id"]]


def test_the_ledger_s_search_finds_every_word_with_the_keyboard_alone(opened: Page, results: Path) -> None:
    ledger = pd.read_csv(results / "ledger.csv", dtype=str, keep_default_na=False)
    opened.locator("#ledger-filters input").focus()
    opened.keyboard.type("CSES  std.dev mod4")
    found = ledger[
        (ledger["model"] == "mod4") & (ledger["quantity"] == "std.dev") & ledger["term"].str.contains("cses")
    ]
    assert len(found) > 0
    assert opened.locator("#ledger-rows tr:visible th").all_inner_texts() == [*found["id"]]
    opened.locator("#ledger-filters button").click()
    # A word of the note that these rows have in common.
    opened.locator("#ledger-filters input").fill("face")
    assert opened.locator("#ledger-rows tr:visible th").all_inner_texts() == [
        *ledger.loc[ledger["reason"].str.contains("face"), "id"]
    ]
    opened.locator("#ledger-filters input").focus()
    opened.keyboard.type(" nothing has this")
    assert opened.locator("#ledger-count").inner_text() == f"0 of {len(ledger)} rows"
    assert opened.locator("#ledger-none").is_visible()
    opened.keyboard.press("Tab")
    opened.keyboard.press("Enter")
    assert opened.locator("#ledger-rows tr:visible").count() == len(ledger)
    assert not opened.locator("#ledger-none").is_visible()


def test_the_strip_opens_the_ledger_at_a_verdict(opened: Page, results: Path) -> None:
    verdicts = pd.read_csv(results / "ledger.csv")["verdict"].value_counts()
    for link in opened.locator(".strip a").all():
        number = int(link.locator(".count").inner_text())
        assert number == verdicts.get(link.get_attribute("data-verdict"), 0)
        link.click()
        assert opened.locator("#ledger-count").inner_text() == f"{number} of {verdicts.sum()} rows"
        assert opened.url.endswith("#ledger")
    opened.evaluate("() => { location.hash = 'ledger-ch7-001'; }")
    opened.wait_for_function("() => document.getElementById('ledger-ch7-001').checkVisibility()")


def test_on_paper_the_ledger_is_whole_and_what_is_folded_away_open(opened: Page) -> None:
    opened.locator("#ledger-filters input").fill("nothing has this")
    opened.emulate_media(media="print")
    assert opened.locator("#ledger-rows tr:visible").count() == 244
    assert not opened.locator("#ledger-filters").is_visible()
    assert opened.locator(".file:visible").count() == 0
    assert opened.evaluate("() => [...document.querySelectorAll('details table')].every(t => t.checkVisibility())")


# Files in the page


def test_every_table_and_figure_can_be_saved(opened: Page, results: Path) -> None:
    names = opened.eval_on_selector_all("a[download]", "links => links.map(link => link.download)")
    assert names.count("ledger.csv") == 1
    assert len([n for n in names if n.endswith(".csv")]) == opened.locator("table").count()
    assert len([n for n in names if n.endswith(".svg")]) == opened.locator("figure").count()
    for name, file in (("ledger.csv", "ledger.csv"), ("within_school_lines.svg", "figures/within_school_lines.svg")):
        with opened.expect_download() as download:
            opened.locator(f"a[download='{name}']").click()
        assert download.value.suggested_filename == name
        assert download.value.path().read_bytes() == (results / file).read_bytes()


def test_the_contents_show_where_the_reader_is(opened: Page) -> None:
    for section in ("intervals", "data"):
        opened.evaluate("id => document.getElementById(id).scrollIntoView()", section)
        current = f"a => document.querySelector('nav a[aria-current=location]')?.hash === '#{section}'"
        opened.wait_for_function(current)


def test_the_page_is_small(report: Path) -> None:
    assert report.stat().st_size < 6e6


# Everybody


# Colours differ by scheme, the layout by width; what is open holds all that is folded. A view takes axe half a minute.
VIEWS = [
    ("opened", 360, "light", "open"),
    ("opened", 1440, "dark", "open"),
    ("opened", 1440, "light", "folded"),
    ("small", 1440, "light", "open"),
]


@pytest.mark.parametrize(("which", "width", "scheme", "state"), VIEWS)
def test_axe_finds_no_violation(
    request: pytest.FixtureRequest, which: str, width: int, scheme: str, state: str
) -> None:
    """WCAG 2.1, levels A and AA, as far as axe-core can tell."""
    page: Page = request.getfixturevalue(which)
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    if state == "open":
        page.evaluate("() => document.querySelectorAll('details').forEach(details => { details.open = true; })")
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]}
    found = Axe().run(page, options=rules).response
    assert [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in found["violations"]] == []
    assert len(found["passes"]) > 10


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text_to_the_script_and_in_files(browser: Browser, tmp_path: Path, name: str) -> None:
    path = tmp_path / "report.html"
    ledger = LEDGER.assign(model=name, term=name, reason=name)
    path.write_text(render(small_results(kind=name, ledger=ledger)), encoding="utf-8")
    context = browser.new_context(offline=True, viewport={"width": 360, "height": 900})
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", lambda dialog: problems.append(dialog.message))
    page.goto(path.as_uri())
    page.locator("#ledger-filters [name=model]").select_option(index=1)
    assert page.locator("#ledger-count").inner_text() == "3 of 3 rows"
    assert overflow(page) == []
    address = page.locator("a[download='ledger.csv']").get_attribute("href")
    assert address
    rows = list(csv.reader(StringIO(unquote(address.partition(",")[2]), newline="")))
    assert [row[3] for row in rows[1:]] == [name] * 3
    assert problems == []
    context.close()
