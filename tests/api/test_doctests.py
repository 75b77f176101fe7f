"""The examples in the docstrings of the public names run, and print what they say."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize("module", ["fitting", "result", "comparing"])
def test_examples(module, sleepstudy, sleep) -> None:
    names = {"sleepstudy": sleepstudy, "model": sleep}
    found = importlib.import_module(f"twolevel.api.{module}")
    options = doctest.NORMALIZE_WHITESPACE
    ran = doctest.testmod(found, extraglobs=names, optionflags=options, raise_on_error=False)
    assert ran.attempted >= 3
    assert ran.failed == 0
