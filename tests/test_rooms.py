"""Imports run one way: each package of the library uses those before it, in the order in which data flow."""

import ast
import re
from pathlib import Path

import pytest

WORKFLOW = Path(__file__).resolve().parents[1] / "workflow"
# As the docstring of workflow/twolevel/__init__.py lists them.
ORDER = (
    "data",
    "model",
    "likelihood",
    "fitting",
    "inference",
    "bootstrap",
    "optimisers",
    "output",
    "figures",
    "report",
    "api",
)
LIBRARY = sorted((WORKFLOW / "twolevel").glob("*/*.py"))
# What stands beside the library, and the modules of it that each may use; nothing in the library uses either.
BESIDE = {"published": "twolevel", "changes": "twolevel.errors"}
NAMES = re.compile(r"hsb|\bschool|minority|vignette|mathach|cses", re.IGNORECASE)


def imported(source: str) -> set[str]:
    """Modules that a source text imports, wherever in it, and the names that it takes from them as `module.name`."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the whole module"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def against_the_order(package: str, source: str) -> list[str]:
    """The imports of a module in that package of the library that it should not have."""
    allowed = (*ORDER[: ORDER.index(package) + 1], "errors")
    beside = {name for name in imported(source) if name.split(".")[0] in (*BESIDE, "studies", "snakemake")}
    own = {name for name in imported(source) if name.split(".")[0] == "twolevel"}
    return sorted(beside | {name for name in own if name.split(".")[1] not in allowed})


def test_every_module_stands_in_a_package_of_the_order() -> None:
    assert {path.parent.name for path in LIBRARY} == set(ORDER)
    assert {path.name for path in (WORKFLOW / "twolevel").glob("*.py")} == {"__init__.py", "errors.py"}
    listed = (WORKFLOW / "twolevel/__init__.py").read_text(encoding="utf-8")
    places = [listed.index(f"\n    {package} ") for package in ORDER]
    assert places == sorted(places)


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_module_uses_only_what_stands_before_it(path: Path) -> None:
    assert against_the_order(path.parent.name, path.read_text(encoding="utf-8")) == []


def test_an_import_against_the_order_is_seen() -> None:
    inside = "def f():\n    from twolevel.fitting.fit import Fit\n"
    source = f"{inside}from twolevel.errors import UserError\nimport published.run\n"
    assert against_the_order("model", source) == ["published.run", "twolevel.fitting.fit.Fit"]
    assert against_the_order("report", source) == ["published.run"]


@pytest.mark.parametrize("package", BESIDE)
def test_what_stands_beside_the_library_uses_the_library_and_itself(package: str) -> None:
    files = list((WORKFLOW / package).rglob("*.py"))
    assert files
    for path in files:
        ours = {
            name
            for name in imported(path.read_text(encoding="utf-8"))
            if name.split(".")[0] in ("twolevel", "studies", *BESIDE)
        }
        assert all(name.startswith((f"{package}.", f"{BESIDE[package]}.")) for name in ours), path


def test_nothing_in_the_workflow_names_a_study() -> None:
    found = [
        f"{path.relative_to(WORKFLOW)}, line {number}: {line.strip()}"
        for path in sorted(WORKFLOW.rglob("*"))
        if path.is_file() and not {"__pycache__", "twolevel.egg-info"} & {*path.parts}
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if NAMES.search(line)
    ]
    assert found == []
    assert NAMES.search("# the schools' means")
