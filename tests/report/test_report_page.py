"""The report in a real browser: it fetches nothing, fits every screen and paper, and can be used without a mouse."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from unit.test_report import page as render
from unit.test_report import results as small_results

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
    widths = opened.evaluate("() => [...document.images].map(image => image.complete ? image.naturalWidth : 0)")
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
    links = opened.locator("nav a").all()
    assert len(links) >= 10
    for link in links:
        link.click()
        target = opened.url.partition("#")[2]
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


def test_a_wide_table_scrolls_with_the_keyboard(opened: Page) -> None:
    opened.set_viewport_size({"width": 360, "height": 900})
    wide = opened.locator(".scroll").filter(has_text="Every model").last
    assert wide.evaluate("box => box.scrollWidth > box.clientWidth")
    wide.focus()
    opened.keyboard.press("ArrowRight")
    opened.wait_for_function("box => box.scrollLeft > 0", arg=wide.element_handle())


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


def test_it_opens_without_script(browser: Browser, report: Path) -> None:
    context = browser.new_context(offline=True, java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    assert page.locator("main h2").count() >= 10
    context.close()


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
