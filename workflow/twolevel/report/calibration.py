"""How far the tests can be trusted, as the report tells it: a rate is right if its interval contains the level."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pandas as pd

from twolevel.data.fingerprint import is_current
from twolevel.errors import listed
from twolevel.output.numbers import percent
from twolevel.output.words import METHODS, TESTS, clean, sentence
from twolevel.report.files import picture_address, picture_size

RIGHT, SELDOM, OFTEN = "about as often as it should be", "too seldom", "too often"


@dataclass(frozen=True)
class CalibrationResults:
    """What `snakemake calibration` left behind, read.

    Attributes
    ----------
    about : `calibration.json`
    type_1_error, coverage : the two tables
    pictures, words : the SVG of each figure, and its title, alt text and caption
    """

    about: Mapping[str, Any]
    type_1_error: pd.DataFrame
    coverage: pd.DataFrame
    pictures: Mapping[str, bytes]
    words: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Picture:
    """A figure of the section: its picture as a data address and its size in pixels, its words."""

    name: str
    address: str
    size: tuple[int, int] | None
    alt: str
    caption: str


@dataclass(frozen=True)
class Calibration:
    """What the section shows.

    Attributes
    ----------
    current : whether it is about the fits of this page; if not, nothing else of it is shown
    about : how it was made
    tests : by comparison, and in it by test, the rates at each nominal level
    intervals : by model, and in it by parameter, the coverage of each method that has an interval
    nominal : the levels of the tests
    methods : of the intervals
    test_sentences, interval_sentences : what the rates say
    pictures : by name
    """

    current: bool
    about: Mapping[str, Any]
    tests: Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]]
    intervals: Mapping[str, Mapping[str, Mapping[str, Mapping[str, Any]]]]
    nominal: Sequence[float]
    methods: Sequence[str]
    test_sentences: list[str]
    interval_sentences: list[str]
    pictures: Mapping[str, Picture]


def read_calibration(
    results: CalibrationResults, comparisons: Mapping[str, Mapping[str, Any]], fits: Mapping[str, Mapping[str, Any]]
) -> Calibration:
    """Judge the rates, and whether they are about these comparisons (`comparison.json`) and fits (`fit.json`)."""
    tested = [
        {**row, "label": TESTS[row["test"]], **_judged(row, row["nominal"])}
        for row in results.type_1_error.to_dict("records")
    ]
    covered = [
        {**row, "method": METHODS.get(row["method"], row["method"]), **_judged(row, row["level"])}
        for row in results.coverage.to_dict("records")
    ]
    return Calibration(
        current=is_current(results.about, comparisons, fits),
        about=results.about,
        tests={name: _by("label", rows) for name, rows in _by("comparison", tested).items()},
        intervals={
            model: {label: {row["method"]: row for row in of} for label, of in _by("label", rows).items()}
            for model, rows in _by("model", covered).items()
        },
        nominal=list(dict.fromkeys(row["nominal"] for row in tested)),
        methods=list(dict.fromkeys(row["method"] for row in covered)),
        test_sentences=[_tests(name, rows) for name, rows in _by("comparison", tested).items()],
        interval_sentences=[_intervals(name, rows) for name, rows in _by("model", covered).items()],
        pictures={name: _picture(name, results) for name in results.words},
    )


def _judged(row: Mapping[Any, Any], nominal: float) -> dict[str, Any]:
    """What to say of a rate, by whether its interval contains the nominal level."""
    word = SELDOM if row["upper"] < nominal else OFTEN if row["lower"] > nominal else RIGHT
    return {"verdict": word, "off": word != RIGHT}


def _by(key: str, rows: Sequence[dict[Any, Any]]) -> dict[str, list[dict[Any, Any]]]:
    """Rows by what they have under a key, in order of first appearance."""
    return {str(name): [row for row in rows if row[key] == name] for name in dict.fromkeys(row[key] for row in rows)}


def _tests(comparison: str, rows: Sequence[dict[Any, Any]]) -> str:
    """One sentence on the tests of a comparison; those of which the same is said together."""
    said: dict[str, list[str]] = {}
    for label, at in _by("label", rows).items():
        words = listed(
            f"{word} at {listed([_level(row['nominal']) for row in of])}"
            for word, of in groupby(at, key=lambda row: row["verdict"])
        )
        said.setdefault(words, []).append(label)
    clauses = [f"{words} by {listed(labels)}" for words, labels in said.items()]
    return f"{sentence(clean(comparison).replace('_', ' '))}: the null model is rejected {'; '.join(clauses)}."


def _intervals(model: str, rows: Sequence[dict[Any, Any]]) -> str:
    """One sentence on the intervals of a model; methods without exceptions together."""
    right, clauses = [], []
    for method, of in _by("method", rows).items():
        off = [f"{clean(row['label'])} ({row['verdict']}, {percent(row['coverage'])})" for row in of if row["off"]]
        if not off:
            right.append(method)
        elif len(off) < len(of):
            clauses.append(f"by {method} with the exception of {listed(off)}")
        else:
            clauses.append(f"by {method} for no parameter: {listed(off)}")
    if right:
        clauses.insert(0, f"by {listed(right)} without exception")
    level = _level(rows[0]["level"])
    return f"{clean(model)}: {level} intervals cover the true value about as often as they should {'; '.join(clauses)}."


def _level(level: float) -> str:
    return f"{100 * level:g} %"


def _picture(name: str, results: CalibrationResults) -> Picture:
    words = results.words[name]
    svg = results.pictures[name]
    return Picture(name, picture_address(svg), picture_size(svg), words["alt"], words["caption"])
