"""The page: templates filled with the contents."""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import fields
from hashlib import sha256
from itertools import count

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup, escape

from twolevel.output import numbers
from twolevel.output.mathml import Math
from twolevel.output.words import clean, number, sentence
from twolevel.report.contents import Contents
from twolevel.report.files import file_name, shown_address, table_address
from twolevel.report.glossary import link_first_uses
from twolevel.report.optimum import gap
from twolevel.report.prose import held_equal, left_out, listed, model_sentences


def render_page(contents: Contents, templates: Mapping[str, str], start: str = "report.html.j2") -> str:
    """Fill the templates: one HTML page that needs no other file.

    Parameters
    ----------
    contents : what the page shows
    templates : text of each template, by the name under which others include it; the style sheet and the script too
    start : the one to begin with
    """
    environment = Environment(
        loader=DictLoader(templates),
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
    script = f"\n{templates['report.js']}"
    values = {field.name: getattr(contents, field.name) for field in fields(contents)}
    page = environment.get_template(start).render(
        **values,
        script=Markup(script),  # noqa: S704
        script_hash=b64encode(sha256(script.encode()).digest()).decode("ascii"),
        table_address=lambda file: table_address(contents.files[file]),
        decimals=numbers.decimals,
        next_table=count(1).__next__,
        next_figure=count(1).__next__,
        model_sentences=lambda model: model_sentences(model, contents.labels, contents.with_zero),
        held_equal=lambda model: held_equal(model, contents.labels, contents.with_zero),
        left_out=lambda model: left_out(model, contents.labels),
    )
    return link_first_uses(page)


def _math(formula: Math, display: bool = False) -> Markup:
    """A formula on the page; its names are escaped where it is made."""
    mathml = formula.mathml.replace("<math", '<math display="block"', 1) if display else formula.mathml
    return Markup(mathml)  # noqa: S704


def typographic(text: str) -> str:
    """Text with curly apostrophes, and per cent signs that stay with their number."""
    curly = re.sub(r"(?<=\w)'(?=\w)|(?<=s)'(?= )", "’", text)
    return re.sub(r"(?<=\d) %", f"{numbers.NBSP}%", curly)


def breakable(name: str) -> Markup:
    """A name that a narrow table may break behind its underscores."""
    return Markup("_<wbr>").join(escape(part) for part in clean(name).split("_"))
