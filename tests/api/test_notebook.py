"""Every line of docs/notebook.md runs, and prints what stands there."""

import doctest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_tour_prints_what_it_says(monkeypatch) -> None:
    monkeypatch.chdir(ROOT)
    options = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    ran = doctest.testfile(str(ROOT / "docs/notebook.md"), module_relative=False, optionflags=options)
    assert ran.attempted >= 25
    assert ran.failed == 0
