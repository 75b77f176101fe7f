"""The glossary: one link from the first use of each term, in prose alone, and an entry for each link."""

import re

import pytest
from report.test_report import page, pages, results
from twolevel.report.glossary import link_first_uses
from twolevel.report.page import APPENDIX, PAGE

GLOSSARY = (
    '<dl class="glossary"><dt id="term-reml" data-forms="REML criterion">REML</dt><dd>Restricted likelihood.</dd>'
    '<dt id="term-fixed" data-forms="fixed effects">Fixed effect</dt><dd>The same for all; by REML.</dd></dl>'
)


def linked(text):
    whole = f"<title>REML</title><main>{text}{GLOSSARY}</main><footer><p>REML</p></footer>"
    whole = link_first_uses(whole, whole)
    return whole.removeprefix("<title>REML</title><main>").partition(GLOSSARY)[0]


def test_the_first_use_is_linked_in_the_form_it_has():
    assert linked("<p>All by REML, and REML again.</p><p>Fixed effects</p>") == (
        '<p>All by <a class="term" href="#term-reml">REML</a>, and REML again.</p>'
        '<p><a class="term" href="#term-fixed">Fixed effects</a></p>'
    )


def test_the_longest_form_is_taken_and_words_are_whole():
    assert linked("<p>The REML criterion</p>") == '<p>The <a class="term" href="#term-reml">REML criterion</a></p>'
    for other in ("REMLs", "pre-REML", "REML-like", "xREML"):
        assert linked(f"<p>{other}</p>") == f"<p>{other}</p>"


@pytest.mark.parametrize(
    "text",
    [
        "<h3>REML</h3>",
        "<p><code>REML</code></p>",
        '<p><a href="#x">REML</a></p>',
        '<p title="REML">one</p>',
        "<li><table><tr><td><p>REML</p></td></tr></table></li>",
        "<details><summary>REML</summary></details>",
        "REML",
    ],
)
def test_what_is_no_prose_is_left_alone(text):
    assert linked(text) == text
    after = linked(f"{text}<p>REML</p>")
    assert after.endswith('<p><a class="term" href="#term-reml">REML</a></p>')


def test_without_a_glossary_nothing_is_linked():
    assert link_first_uses("<main><p>REML</p></main>", "") == "<main><p>REML</p></main>"


def test_each_page_links_each_term_once_and_every_link_has_its_entry():
    both = pages(results())
    anchors = set(re.findall(r'<dt id="(term-[\w-]+)"', both[APPENDIX]))
    for name, prefix in ((PAGE, APPENDIX), (APPENDIX, "")):
        links = re.findall(rf'<a class="term" href="{prefix}#(term-[\w-]+)"', both[name])
        assert len(links) == len({*links}) > 10
        assert {*links} <= anchors
        assert both[name].count('class="term"') == len(links)


def test_an_entry_is_one_or_two_short_sentences_without_a_study_s_words():
    entries = re.findall(r'<dt id="term-.*?<dd>(.*?)</dd>', page(results()))
    assert len(entries) > 30
    for text in entries:
        assert len(text.split()) <= 45, text
        assert text.endswith("."), text
        assert not re.search("pupil|class(es)? |student|school", text), text
