"""A link from the first use of each term to its entry in the glossary."""

import re
from collections.abc import Iterator

# An entry: what it is called, and the other forms in which texts use it.
_ENTRY = re.compile(r'<dt id="(term-[^"]+)"(?: data-forms="([^"]*)")?>([^<]+)</dt>')
_TAG = re.compile(r"(<[^>]*>)")

# The texts in which a term is linked, and what in them, or around them, is left alone.
_PROSE = {"p", "li", "dd"}
_LEFT_ALONE = {"a", "code", "pre", "math", "summary", "table", "h2", "h3", "h4", "figure"}


def link_first_uses(html: str, glossary: str) -> str:
    """Link the first use of each term in the prose of a page to the glossary.

    Parameters
    ----------
    html : the page, in which no attribute holds a `>` as it is
    glossary : a page that has a `<dl class="glossary">`, which may be the same
    """
    before, main, rest = html.partition("<main")
    text, end, after = rest.partition("</main>")
    entries = {
        form.lower(): anchor
        for anchor, forms, name in _ENTRY.findall(glossary)
        for form in (name, *filter(None, forms.split("|")))
    }
    if not entries:
        return html
    left = {*entries.values()}
    longest_first = sorted(entries, key=len, reverse=True)
    pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w-])", re.IGNORECASE)

    def link(match: re.Match[str]) -> str:
        anchor = entries[match[0].lower()]
        if anchor not in left:
            return match[0]
        left.remove(anchor)
        return f'<a class="term" href="#{anchor}">{match[0]}</a>'

    linked = (pattern.sub(link, piece) if is_prose else piece for piece, is_prose in _pieces(text))
    return f"{before}{main}{''.join(linked)}{end}{after}"


def _pieces(html: str) -> Iterator[tuple[str, bool]]:
    """The tags and the texts of a page, and whether each is prose; the glossary itself is not."""
    in_prose = left_alone = 0  # how deep
    in_glossary = False
    for piece in _TAG.split(html):
        if not piece.startswith("<"):
            yield piece, bool(in_prose and not left_alone and not in_glossary)
            continue
        if piece.startswith('<dl class="glossary'):
            in_glossary = True
        elif piece == "</dl>":
            in_glossary = False
        if name := re.match(r"</?(\w+)", piece):
            step = -1 if piece.startswith("</") else 1
            in_prose += step * (name[1] in _PROSE)
            left_alone += step * (name[1] in _LEFT_ALONE)
        yield piece, False
