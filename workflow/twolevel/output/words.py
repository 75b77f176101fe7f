"""Words and numbers for titles, axes, alt texts and captions, from the names that the configuration gives."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MINUS = "\N{MINUS SIGN}"

SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")

# Tests by their names in tables, in a word or two.
TESTS = {
    "LRT": "chi-square",
    "mixture": "50:50 mixture",
    "PBtest": "bootstrap",
    "Gamma": "gamma approximation",
    "Bartlett": "Bartlett’s correction",
    "F": "F approximation",
}

# Methods of intervals have the names that they have in tables, apart from a proper name.
METHODS = {
    "wald": "Wald",
    "satterthwaite": "t with Satterthwaite’s df",
    "kenward_roger": "t with Kenward and Roger’s df",
}


# Searches for an optimum by their names in `optimiser_audit.csv`, and what they start from.
SEARCHES = {
    "plain": "MixedLM, plain .fit()",
    **{method: f"MixedLM, {method}" for method in ("bfgs", "lbfgs", "cg", "powell", "nm")},
    "bounded": "NLopt BOBYQA, lme4’s bounds",
    "unbounded": "Newton, no bounds",
}
STARTS = {"identity": "the identity", "tenth": "a tenth of the identity", "optimum": "the optimum"}

# A criterion this far above the optimum was reached elsewhere; rounding and tolerances stay well below.
ELSEWHERE = 0.01


@dataclass(frozen=True)
class Noun:
    """What one unit is called, and several."""

    singular: str
    plural: str

    def count(self, n: int) -> str:
        """`n` with the noun: 1 clinic, 7,185 patients."""
        return f"{n:,} {self.singular if n == 1 else self.plural}"


@dataclass(frozen=True)
class Labels:
    """What the configuration calls things.

    Attributes
    ----------
    group : the column that names the level-2 unit.
    group_noun, observation_noun : what a level-2 unit and a level-1 row are called.
    columns : label of each column; a column without one goes by its name.
    levels : the order of the levels of each factor.
    sources : of a column that is another's values in ranges or recoded, that other one.
    titles : title of each model that has one.
    """

    group: str
    group_noun: Noun
    observation_noun: Noun
    columns: Mapping[str, str] = field(default_factory=dict)
    levels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)

    def model(self, name: str) -> str:
        """A model by its title, else its name as words, in quotation marks."""
        return f"“{clean(self.titles.get(name, as_title(name)))}”"

    def label(self, column: str) -> str:
        """Label of a column, cleaned."""
        return clean(self.columns.get(column, column))

    def axis(self, column: str, width: int = 50) -> str:
        """Axis label: the label, and the column's name where that is something else."""
        label, name = self.label(column), clean(column)
        return wrap(label if label == name else f"{label} ({name})", width)


def configured_names(config: Mapping[str, Any]) -> dict[str, Any]:
    """What the configuration calls things, as plain data for `read_labels`.

    Titles of models are among them where its section `models` is given.
    """
    data, columns = config["data"], {**config["data"]["columns"], **config["derive"]}
    return {
        "group": data["group"],
        "group_noun": data["group_noun"],
        "observation_noun": data["observation_noun"],
        "columns": {name: column["label"] for name, column in columns.items() if "label" in column},
        "levels": {name: levels for name, column in columns.items() if (levels := _levels(column))},
        "sources": {
            name: column[kind]
            for name, column in config["derive"].items()
            for kind in ("cut", "recode")
            if kind in column
        },
        "titles": {name: of["title"] for name, of in config.get("models", {}).items() if "title" in of},
    }


def _levels(column: Mapping[str, Any]) -> list[str]:
    """The levels of a declared or derived column, of one that is no factor none."""
    new = dict.fromkeys(level for level in column.get("to", {}).values() if isinstance(level, str))
    return [*(column.get("levels") or column.get("labels") or new)]


def read_labels(names: Mapping[str, Any]) -> Labels:
    """Labels from what `configured_names` gives."""
    nouns = {key: Noun(**names[key]) for key in ("group_noun", "observation_noun")}
    return Labels(**{**names, **nouns})


def clean(text: str) -> str:
    """Printable text on one line: control characters would break an SVG, line breaks a caption."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def shorten(text: str, width: int) -> str:
    """At most `width` characters, the last an ellipsis where something was cut."""
    text = clean(text)
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"


def wrap(text: str, width: int, lines: int = 2) -> str:
    """Text broken into at most `lines` lines of `width` characters; what does not fit ends in an ellipsis."""
    return "\n".join(textwrap.wrap(clean(text), width, max_lines=lines, placeholder=" …"))


def sentence(text: str) -> str:
    """Text with a capital first letter and nothing else changed."""
    return text[:1].upper() + text[1:]


def as_title(name: str) -> str:
    """A name of the configuration as a heading: `random_slope` is "Random slope"."""
    return sentence(name.replace("_", " "))


def number(value: float, digits: int = 4) -> str:
    """Value to `digits` significant digits, with a true minus sign and commas between thousands."""
    if value == 0:
        return "0"
    if abs(value) < 1e-4:
        return power_of_ten(value, digits - 1)
    # Of the rounded value: 0.000999 to two digits is 0.0010.
    rounded = float(f"{value:.{digits - 1}e}")
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
    return f"{value:,.{decimals}f}".replace("-", MINUS)


def power_of_ten(value: float, decimals: int) -> str:
    """Value as a number from 1 to 10, with so many decimals, times a power of ten: 1.79 × 10⁻⁵."""
    digits, _, power = f"{value:.{decimals}e}".partition("e")
    return f"{digits} × 10{str(int(power)).translate(SUPERSCRIPTS)}".replace("-", MINUS).replace(
        " ", "\N{NO-BREAK SPACE}"
    )


def theta_symbol(element: str) -> str:
    """An element of theta as `face.theta_name` names it, as a symbol: θ₂₂."""
    return element.replace("theta_", "θ").translate(SUBSCRIPTS)


def chance(p: float) -> str:
    """A p value in a sentence, to two significant digits: 0.0076, below 0.0001."""
    return "below 0.0001" if p < 1e-4 else number(p, 2)


def equation(outcome: str, intercept: float, slope: float, predictor: str) -> str:
    """A line as text: score = 12.75 + 2.191 week."""
    sign = MINUS if slope < 0 else "+"
    return f"{shorten(outcome, 20)} = {number(intercept)} {sign} {number(abs(slope))} {shorten(predictor, 20)}"


def percent(part: int, whole: int) -> str:
    """Share as a percentage with one decimal."""
    return f"{100 * part / whole:.1f} %"


def without_line(n: int, labels: Labels, x: str) -> str:
    """Sentence on the groups that have no line of their own; empty where all have one."""
    if n == 0:
        return ""
    groups, have = labels.group_noun.count(n), "has" if n == 1 else "have"
    return f" {groups} {have} fewer than two distinct values of {labels.label(x)}, and so no line."
