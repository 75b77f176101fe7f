"""What ties the page and its appendix together: numbers of tables and figures, links, and the words to search."""

import json
import re
from collections.abc import Mapping
from html import unescape

# A reference to a table or a figure, until its number is known; a link in a page to something that has an id.
SEE = '<a href="#{}"></a>'
_SEE = re.compile(r'<a href="#([^"]+)"></a>')
_LINK = re.compile(r'(<a [^>]*?href=")#([^"]+)"')
_ID = re.compile(r' id="([^"]+)"')
_TAG = re.compile(r"<(/?)(\w+)([^>]*)>([^<]*)")  # and the text behind it; no attribute of ours holds a `>`
_WORD = re.compile(r"[\w.−-]{2,}")
_HEADING = re.compile(r"<h([2-4])>(.*?)</h\1>", re.DOTALL)

# Where the words to search stand; every page has all of them.
INDEX = "[[index]]"

# What no reader searches.
_UNREAD = {"style", "script", "math", "nav", "footer"}


class Numbering:
    """Counts the tables and the figures of one page, and keeps what each is called by its id."""

    def __init__(self, prefix: str, called: dict[str, str]) -> None:
        self.prefix, self.called = prefix, called
        self.counts = {"Table": 0, "Figure": 0}

    def __call__(self, kind: str, name: str) -> str:
        """Number the next table or figure: its number, with the page's letter."""
        self.counts[kind] += 1
        number = f"{self.prefix}{self.counts[kind]}"
        self.called[name or f"{kind.lower()}-{number}"] = f"{kind} {number}"
        return number


def linked(pages: Mapping[str, str], called: Mapping[str, str]) -> dict[str, str]:
    """Give every heading an id, every reference its number, every link its page, and each page the search index.

    Parameters
    ----------
    pages : each page by the name of its file; a link in them is `#` and an id of any of the pages
    called : what each table and figure is called, by its id

    Raises
    ------
    LookupError
        A link leads nowhere.
    """
    pages = {name: _with_ids(html) for name, html in pages.items()}
    ids = {name: set(_ID.findall(html)) for name, html in pages.items()}
    found = {}
    for name, html in pages.items():

        def whole(match: re.Match[str], here: str = name) -> str:
            target = match[2]
            where = next((page for page in [here, *pages] if target in ids[page]), None)
            if where is None:
                raise LookupError(f"{here} has a link to #{target}, and no page has that")
            return f'{match[1]}{"" if where == here else where}#{target}"'

        numbered = _SEE.sub(lambda match: f'<a href="#{match[1]}">{called[match[1]]}</a>', html)
        found[name] = _LINK.sub(whole, numbered)
    index = json.dumps([entry for name, html in found.items() for entry in _entries(name, html)], ensure_ascii=False)
    return {name: index.replace("<", r"\u003c").join(_around_index(html)) for name, html in found.items()}


def _around_index(html: str) -> tuple[str, str]:
    """What stands before the words to search, and after them: they are the last thing but the script."""
    before, _, after = html.rpartition(INDEX)
    return before, after


def _with_ids(html: str) -> str:
    """The page with an id at every heading that has none, made from its words."""
    taken = set(_ID.findall(html))

    def heading(match: re.Match[str]) -> str:
        words = re.findall(r"[a-z0-9]+", re.sub(r"<[^>]+>|&[^;]+;", "", match[2]).lower())
        stem = name = "-".join(words)[:60] or "heading"
        number = 1
        while name in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name)
        return f'<h{match[1]} id="{name}">{match[2]}</h{match[1]}>'

    return _HEADING.sub(heading, html)


def _entries(page: str, html: str) -> list[list[str]]:
    """What the search goes through: address, heading, and the different words under it."""
    return [
        [f"{page}#{name}", " ".join(title.split()), " ".join(dict.fromkeys(_WORD.findall(text.lower())))]
        for name, title, text in _sections(html.partition("<main")[2].partition("</main>")[0])
    ]


def _sections(html: str) -> list[list[str]]:
    """The id of each heading, its words behind those of its section, and the text under it."""
    found: list[list[str]] = []
    section, to, unread = "", 2, 0  # where the next text goes: into a heading, or under it
    for closing, tag, attributes, text in _TAG.findall(html):
        unread += (-1 if closing else 1) * (tag in _UNREAD)
        if tag in ("h2", "h3", "h4"):
            to = 2 if closing else 1
            if not closing and not unread:
                section = "" if tag == "h2" else section
                found.append([_ID.findall(attributes)[0], section, ""])
            elif closing and tag == "h2" and found:
                section = f"{found[-1][1]}: "
        if closing and found and tag in ("td", "th", "li", "p", "dd", "dt"):
            found[-1][2] += " "
        if found and not unread:
            found[-1][to] += unescape(text)
    return found
