"""A study's story on the page: what docs/studies.md shows works; what it puts into generic sections stands there."""

import re
from pathlib import Path

from report.test_report import Page, results, templates
from twolevel.report.contents import contents
from twolevel.report.page import render_pages
from twolevel.report.sections import GENERIC, Section
from twolevel.report.study import Material, Narrative

ROOT = Path(__file__).resolve().parents[2]


def told(tell, **own: str) -> str:
    """The page of the small results and its appendix, with templates of a study's own."""
    own = {f"study/{name}": text for name, text in own.items()}
    return "".join(render_pages(contents(results(), tell), templates() | own).values())


def test_the_smallest_narrative_of_the_documentation_opens_the_page() -> None:
    text = (ROOT / "docs/studies.md").read_text(encoding="utf-8")
    code = re.search(r"^    from twolevel.*?^$(?=\n[A-Z])", text, re.MULTILINE | re.DOTALL)[0]
    scope: dict = {}
    exec(re.sub(r"^    ", "", code, flags=re.MULTILINE).replace("slopes", "full").replace("week", "hours"), scope)
    html = told(scope["tell"])
    # The estimate of hours is the 2.0 that `results` puts in.
    assert "<p>A hours more goes with 2.0 points more.</p>" in html
    parsed = Page(html)
    assert [attrs["id"] for tag, attrs in parsed.elements if tag == "section" and attrs["id"] in ("data", "models")]


def test_inserts_sections_and_names_of_the_story_reach_the_page() -> None:
    def tell(material: Material) -> Narrative:
        return Narrative(
            summary=["One."],
            sections=(*GENERIC, Section("arms", "The two arms", "study/arms")),
            appendix=(Section("legs", "The two legs", "study/arms"),),
            story={"count": len(material.models)},
            inserts=dict.fromkeys(("data", "after_tests", "intervals", "sources"), "study/piece"),
            published_in="the article",
        )

    html = told(tell, arms="<p>Told of {{ story.count }} models.</p>\n", piece="<p>PIECE</p>\n")
    assert html.count("<p>Told of 2 models.</p>") == 2
    for section in ("data", "comparisons", "intervals", "sources"):
        inside = html[html.index(f'<section id="{section}"') :].split("\n<h2")[1]
        assert "PIECE" in inside, section
    assert html.count("<p>PIECE</p>") == 4
    assert "PIECE" not in told(lambda _: Narrative(["One."], GENERIC, None))
