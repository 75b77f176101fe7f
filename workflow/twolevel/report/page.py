"""The page and its appendix: templates filled with the contents."""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from hashlib import sha256
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup, escape

from twolevel.errors import listed
from twolevel.output import numbers
from twolevel.output.mathml import Math
from twolevel.output.words import clean, number, sentence
from twolevel.report.contents import Contents
from twolevel.report.files import file_name, shown_address, table_address
from twolevel.report.glossary import link_first_uses
from twolevel.report.links import SEE, Numbering, linked
from twolevel.report.optimum import gap
from twolevel.report.prose import held_equal, left_out, model_sentences
from twolevel.report.spread import spread

# The two files, which link to each other by these names.
PAGE, APPENDIX = "report.html", "appendix.html"


def render_pages(contents: Contents, templates: Mapping[str, str]) -> dict[str, str]:
    """Fill the templates: the page and its appendix, each one HTML file that needs no other.

    Parameters
    ----------
    contents : what they show
    templates : text of each template, by the name under which others include it; the style sheet and the script too

    Raises
    ------
    LookupError
        A link leads to nothing on either.
    """
    environment = _environment(tuple(templates.items()))
    values = _values(contents, templates)
    numbered: dict[str, str] = {}
    pages = {
        name: environment.get_template(name + ".j2").render(**values, number_of=Numbering(prefix, numbered))
        for name, prefix in ((PAGE, ""), (APPENDIX, "A"))
    }
    return linked({name: link_first_uses(html, pages[APPENDIX]) for name, html in pages.items()}, numbered)


@cache
def _environment(templates: tuple[tuple[str, str], ...]) -> Environment:
    """The templates, compiled once for all pages that a process makes."""
    environment = Environment(
        loader=DictLoader(dict(templates)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "clean": clean,
        "fixed": numbers.fixed,
        "digits": numbers.digits,
        "share": numbers.share,
        "signed": numbers.signed,
        "p_value": numbers.p_value,
        "fine_p": numbers.fine_p,
        "fine_p_phrase": numbers.fine_p_phrase,
        "percent": numbers.percent,
        "number": number,
        "listed": listed,
        "sentence": sentence,
        "math": _math,
        "gap": gap,
        "typographic": typographic,
        "breakable": breakable,
        "file_name": file_name,
        "shown_address": shown_address,
    }
    return environment


def _values(contents: Contents, templates: Mapping[str, str]) -> dict[str, Any]:
    """What the templates find under names of their own."""
    script = f"\n{templates['report.js']}"
    return {field.name: getattr(contents, field.name) for field in fields(contents)} | {
        "script": Markup(script),  # noqa: S704
        "script_hash": b64encode(sha256(script.encode()).digest()).decode("ascii"),
        "table_address": lambda file: table_address(contents.files[file]),
        "decimals": numbers.decimals,
        "spread": spread,
        "see": lambda target: Markup(SEE).format(target),  # noqa: S704
        "model_sentences": lambda model: model_sentences(model, contents.labels, contents.with_zero),
        "held_equal": lambda model: held_equal(model, contents.labels, contents.with_zero),
        "left_out": lambda model: left_out(model, contents.labels),
    }


def _math(formula: Math, display: bool = False) -> Markup:
    """A formula on the page; its names are escaped where it is made."""
    mathml = formula.mathml.replace("<math", '<math display="block"', 1) if display else formula.mathml
    return Markup(mathml)  # noqa: S704


def typographic(text: str) -> str:
    """Text with curly apostrophes, and per cent signs that stay with their number."""
    curly = re.sub(r"(?<=\w)'(?=\w)|(?<=s)'(?= )", "’", text)
    return re.sub(r"(?<=\d) %", f"{numbers.NBSP}%", curly)


def breakable(name: str) -> Markup:
    """A name that a narrow table may break behind its underscores and colons."""
    return Markup("<wbr>").join(escape(part) for part in re.split("(?<=[_:])", clean(name)))
