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
from report.test_report import HOSTILE, LEDGER, pages
from report.test_report import results as small_results
from twolevel.report.ledger import VERDICTS
from twolevel.report.page import APPENDIX, PAGE

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


def opened_file(browser: Browser, file: Path) -> Iterator[Page]:
    """A file in a browser without a network; what goes wrong there fails the test."""
    context = browser.new_context(offline=True, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: problems.append(f"error: {error}"))
    page.on("requestfailed", lambda request: problems.append(f"failed: {request.url[:100]}"))
    page.on("request", lambda r: r.url.startswith(("data:", "file:")) or problems.append(f"asked for {r.url[:100]}"))
    page.goto(file.as_uri())
    yield page
    context.close()
    assert problems == []


@pytest.fixture
def opened(browser: Browser, results: Path) -> Iterator[Page]:
    """The page."""
    yield from opened_file(browser, results / PAGE)


@pytest.fixture
def appendix(browser: Browser, results: Path) -> Iterator[Page]:
    """The appendix."""
    yield from opened_file(browser, results / APPENDIX)


@pytest.fixture(params=[PAGE, APPENDIX])
def either(request: pytest.FixtureRequest, browser: Browser, results: Path) -> Iterator[Page]:
    """Each of them in turn."""
    yield from opened_file(browser, results / request.param)


@pytest.fixture
def plain(browser: Browser) -> Iterator[Page]:
    """A browser in which no script runs."""
    context = browser.new_context(offline=True, java_script_enabled=False, viewport={"width": 1440, "height": 900})
    yield context.new_page()
    context.close()


@pytest.fixture
def small(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """The page on any other data."""
    written = write(tmp_path, pages(small_results(ledger=LEDGER)))
    yield from opened_file(browser, written[PAGE])


def write(folder: Path, htmls: dict[str, str]) -> dict[str, Path]:
    """Write the two files side by side."""
    for name, html in htmls.items():
        (folder / name).write_text(html, encoding="utf-8")
    return {name: folder / name for name in htmls}


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
def test_nothing_reaches_beyond_the_screen(either: Page, width: int, scheme: str) -> None:
    either.emulate_media(color_scheme=scheme)
    either.set_viewport_size({"width": width, "height": 900})
    assert overflow(either) == []


def drawn(page: Page) -> int:
    """How many pictures a page has, after each was drawn; nothing moves by that."""
    height = "() => document.documentElement.scrollHeight"
    before = page.evaluate(height)
    for image in page.locator("img").all():
        image.scroll_into_view_if_needed()
    page.wait_for_function("() => [...document.images].every(image => image.complete)")
    widths = page.evaluate("() => [...document.images].map(image => image.naturalWidth)")
    assert all(width > 0 for width in widths)
    # Sizes are given in whole pixels: less than one is lost for each picture.
    assert abs(page.evaluate(height) - before) < max(1, len(widths))
    return len(widths)


def test_every_picture_is_there(opened: Page, appendix: Page, config: dict[str, Any]) -> None:
    assert drawn(opened) + drawn(appendix) == len(config["figures"]) >= 16


@pytest.mark.parametrize("width", WIDTHS)
def test_what_is_folded_away_opens_without_a_mouse_and_fits(appendix: Page, width: int) -> None:
    appendix.set_viewport_size({"width": width, "height": 900})
    folds = appendix.locator("details").count()
    assert folds >= 4
    for k in range(folds):
        summary = appendix.locator("details").nth(k).locator("summary").first
        if summary.is_visible():
            summary.focus()
            appendix.keyboard.press("Enter")
    assert appendix.evaluate("() => [...document.querySelectorAll('main > section > details')].every(d => d.open)")
    assert overflow(appendix) == []


def test_every_link_of_a_page_lands_on_it_or_on_the_other(either: Page, results: Path) -> None:
    ids = {name: (results / name).read_text(encoding="utf-8") for name in (PAGE, APPENDIX)}
    links = either.evaluate("() => [...document.querySelectorAll('a[href]:not(.skip, [download])')].map(a => a.href)")
    inside = [link for link in links if link.startswith("file:")]
    assert len(inside) > 30
    assert {Path(link.partition("#")[0]).name for link in inside} == {PAGE, APPENDIX}
    for link in inside:
        file, _, name = link.partition("#")
        assert f' id="{name}"' in ids[Path(file).name]


def test_the_contents_can_be_reached_from_every_heading(either: Page) -> None:
    for width in WIDTHS:
        either.set_viewport_size({"width": width, "height": 900})
        for heading in either.locator("main :is(h2, h3)").all()[::9]:
            heading.scroll_into_view_if_needed()
            assert either.evaluate(
                """() => ['.up', 'nav.contents'].some(place => {
                    const link = document.querySelector(place), box = link.getBoundingClientRect();
                    return link.checkVisibility() && box.bottom > 0 && box.top < innerHeight;
                })"""
            )


def test_one_search_finds_sections_of_both_pages(opened: Page) -> None:
    opened.locator(".search input").fill("satterthwaite")
    assert any("(appendix)" in text for text in opened.locator(".search li").all_inner_texts())
    opened.locator(".search input").fill("What goes with STEEP")
    opened.locator(".search li a", has_text="outcomes: What goes with steep slopes?").click()
    assert opened.url.endswith("#what-goes-with-steep-slopes")
    opened.locator(".search input").fill("nothing has this")
    assert opened.locator(".search [role=status]").inner_text() == "0 sections"
    assert opened.locator(".search li").count() == 0


def test_the_skip_link_is_first_and_leads_to_the_content(opened: Page) -> None:
    opened.keyboard.press("Tab")
    assert opened.evaluate("() => document.activeElement.textContent") == "Skip to the content"
    assert opened.evaluate("() => document.activeElement.getBoundingClientRect().left") >= 0
    opened.keyboard.press("Enter")
    assert opened.evaluate("() => document.activeElement.id") == "main"


def test_without_script_a_wide_table_scrolls_with_the_keyboard(plain: Page, results: Path) -> None:
    plain.goto((results / APPENDIX).as_uri())
    plain.set_viewport_size({"width": 360, "height": 900})
    wide = plain.locator(".scroll").filter(has_text="Every model’s optimum").last
    assert wide.evaluate("box => box.scrollWidth > box.clientWidth")
    wide.focus()
    plain.keyboard.press("ArrowRight")
    plain.wait_for_timeout(500)
    assert wide.evaluate("box => box.scrollLeft") > 0


def test_on_a_telephone_small_tables_stay_tables_and_equations_fit(opened: Page) -> None:
    opened.set_viewport_size({"width": 360, "height": 740})
    wide = opened.evaluate(
        """() => [...document.querySelectorAll('.formula, .scroll:has(.estimates)')]
            .filter(box => box.scrollWidth > box.clientWidth)
            .map(box => box.getAttribute('aria-label') ?? box.textContent.slice(0, 60))"""
    )
    assert wide == []
    displays = "() => [...document.querySelectorAll('td')].map(cell => getComputedStyle(cell).display)"
    assert {*opened.evaluate(displays)} == {"table-cell"}


def test_a_box_takes_the_focus_only_where_it_scrolls(either: Page) -> None:
    boxes = either.evaluate(
        """() => [...document.querySelectorAll('.scroll, .formula, pre')]
            .map(box => [box.scrollWidth > box.clientWidth, box.tabIndex >= 0])"""
    )
    assert all(scrolls == focusable for scrolls, focusable in boxes)


def test_equations_are_drawn_and_do_not_overlap(opened: Page) -> None:
    """A browser that knows no MathML would show them as one line of letters; squeezed lines would overlap."""
    opened.set_viewport_size({"width": 360, "height": 900})
    gaps = opened.evaluate(
        """() => [...document.querySelectorAll('mtable[displaystyle] mtr + mtr')].map(row =>
            row.getBoundingClientRect().top - row.previousElementSibling.getBoundingClientRect().bottom)"""
    )
    assert len(gaps) >= 5
    assert min(gaps) > -1
    assert opened.evaluate("() => [...document.querySelectorAll('annotation')].every(a => !a.checkVisibility())")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(either: Page, scheme: str) -> None:
    """WCAG 2.1, success criterion 1.4.3: a contrast of at least 4.5 to 1 for text of this size."""
    either.emulate_media(color_scheme=scheme)
    lowest = either.evaluate(
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


def test_nothing_is_clipped_on_paper(either: Page) -> None:
    either.emulate_media(media="print")
    either.set_viewport_size({"width": PAPER, "height": 900})
    clipped = either.evaluate(
        """() => {
            const width = document.documentElement.clientWidth;
            return [...document.querySelectorAll('.scroll, .formula, figure, pre')]
                .filter(box => box.getBoundingClientRect().left + box.scrollWidth > width + 0.5)
                .map(box => box.textContent.trim().slice(0, 60));
        }"""
    )
    assert clipped == []
    assert overflow(either) == []


def test_it_can_be_read_without_script(plain: Page, results: Path) -> None:
    plain.goto((results / PAGE).as_uri())
    assert plain.locator("main h2").count() >= 10
    assert not plain.locator(".search").is_visible()
    assert plain.locator("figure .file:visible").count() == 0
    for width in WIDTHS:
        plain.set_viewport_size({"width": width, "height": 900})
        assert overflow(plain) == []
    plain.goto((results / APPENDIX).as_uri())
    assert plain.locator("#ledger-rows tr").count() == plain.locator("#ledger-rows tr:visible").count() == 244
    assert not plain.locator("#ledger-filters").is_visible()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["x" * 300, "a_" * 150, "‮שלום <b>עולם", "word " * 60])
def test_a_hostile_name_does_not_widen_the_page(browser: Browser, tmp_path: Path, width: int, name: str) -> None:
    context = browser.new_context(offline=True, viewport={"width": width, "height": 900})
    page = context.new_page()
    for path in write(tmp_path, pages(small_results(kind=name))).values():
        page.goto(path.as_uri())
        assert overflow(page) == []
    context.close()


# The ledger


def in_order(ledger: pd.DataFrame) -> pd.DataFrame:
    """The rows as the page has them: by verdict, counts and settings last."""
    worst_first = [name for name in reversed(VERDICTS) if name != "given"] + ["given"]
    return ledger.sort_values("verdict", key=lambda of: of.map(worst_first.index), kind="stable")


def test_the_ledger_s_filters_show_the_rows_that_fit(appendix: Page, results: Path) -> None:
    ledger = in_order(pd.read_csv(results / "ledger.csv", dtype=str, keep_default_na=False))
    filters = appendix.locator("#ledger-filters")
    count = appendix.locator("#ledger-count")

    def shown() -> list[str]:
        return appendix.evaluate(
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


def test_the_ledger_s_search_finds_every_word_with_the_keyboard_alone(appendix: Page, results: Path) -> None:
    ledger = in_order(pd.read_csv(results / "ledger.csv", dtype=str, keep_default_na=False))
    appendix.locator("#ledger-filters input").focus()
    appendix.keyboard.type("CSES  std.dev mod4")
    found = ledger[
        (ledger["model"] == "mod4") & (ledger["quantity"] == "std.dev") & ledger["term"].str.contains("cses")
    ]
    assert len(found) > 0
    assert appendix.locator("#ledger-rows tr:visible th").all_inner_texts() == [*found["id"]]
    appendix.locator("#ledger-filters button").click()
    # A word of the note that these rows have in common.
    appendix.locator("#ledger-filters input").fill("face")
    assert appendix.locator("#ledger-rows tr:visible th").all_inner_texts() == [
        *ledger.loc[ledger["reason"].str.contains("face"), "id"]
    ]
    appendix.locator("#ledger-filters input").focus()
    appendix.keyboard.type(" nothing has this")
    assert appendix.locator("#ledger-count").inner_text() == f"0 of {len(ledger)} rows"
    assert appendix.locator("#ledger-none").is_visible()
    appendix.keyboard.press("Tab")
    appendix.keyboard.press("Enter")
    assert appendix.locator("#ledger-rows tr:visible").count() == len(ledger)
    assert not appendix.locator("#ledger-none").is_visible()


def test_the_strip_of_the_page_leads_to_each_verdict_in_the_appendix(opened: Page, results: Path) -> None:
    verdicts = pd.read_csv(results / "ledger.csv")["verdict"].value_counts()
    links = opened.locator(".strip a").all()
    assert len(links) >= 8
    for link in links:
        verdict = (link.get_attribute("href") or "").partition("#verdict-")[2]
        assert int(link.locator(".count").inner_text()) == verdicts.get(verdict, 0)
    links[0].click()
    assert f"{APPENDIX}#verdict-" in opened.url


def test_what_does_not_match_stands_first_and_a_link_shows_a_hidden_row(appendix: Page, results: Path) -> None:
    ledger = pd.read_csv(results / "ledger.csv", dtype=str, keep_default_na=False)
    verdicts = dict(zip(ledger["id"], ledger["verdict"], strict=True))
    shown = [verdicts[name] for name in appendix.locator("#ledger-rows tr th").all_inner_texts()]
    assert len(shown) == len(ledger)
    first = {"mismatch", "not_comparable", "source_misprint", "not_optimum"}
    assert {*shown[: sum(verdict in first for verdict in verdicts.values())]} <= first
    appendix.locator("#ledger-filters input").fill("nothing has this")
    appendix.evaluate("() => { location.hash = 'ledger-ch7-001'; }")
    appendix.wait_for_function("() => document.getElementById('ledger-ch7-001').checkVisibility()")


def test_on_paper_the_ledger_is_whole_and_what_is_folded_away_open(appendix: Page) -> None:
    appendix.locator("#ledger-filters input").fill("nothing has this")
    appendix.emulate_media(media="print")
    assert appendix.locator("#ledger-rows tr:visible").count() == 244
    assert not appendix.locator("#ledger-filters").is_visible()
    assert appendix.locator(".file:visible").count() == 0
    assert appendix.evaluate("() => [...document.querySelectorAll('details table')].every(t => t.checkVisibility())")


# Files in the page


def test_every_table_and_figure_can_be_saved(appendix: Page, opened: Page, results: Path) -> None:
    names = appendix.eval_on_selector_all("a[download]", "links => links.map(link => link.download)")
    assert names.count("ledger.csv") == 1
    assert len([n for n in names if n.endswith(".csv")]) == appendix.locator("table").count()
    assert len([n for n in names if n.endswith(".svg")]) == appendix.locator("figure").count()
    for page, name, file in (
        (appendix, "ledger.csv", "ledger.csv"),
        (opened, "within_school_lines.svg", "figures/within_school_lines.svg"),
    ):
        with page.expect_download() as download:
            page.locator(f"a[download='{name}']").click()
        assert download.value.suggested_filename == name
        assert download.value.path().read_bytes() == (results / file).read_bytes()


def test_the_contents_show_where_the_reader_is(opened: Page) -> None:
    for section in ("minority", "data"):
        opened.evaluate("id => document.getElementById(id).scrollIntoView()", section)
        current = f"a => document.querySelector('nav a[aria-current=location]')?.hash === '#{section}'"
        opened.wait_for_function(current)


# Everybody


# Colours differ by scheme, the layout by width; what is open holds all that is folded. A view takes axe half a minute.
VIEWS = [
    ("opened", 360, "light", "open"),
    ("appendix", 360, "dark", "open"),
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
    ledger = LEDGER.assign(model=name, term=name, reason=name)
    path = write(tmp_path, pages(small_results(kind=name, ledger=ledger)))[APPENDIX]
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
