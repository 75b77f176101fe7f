"""The library files that a rule depends on are those that its script imports, at any depth."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted(path.stem for path in (ROOT / "workflow/scripts").glob("[!_]*.py"))

sys.path.insert(0, str(ROOT / "workflow"))
from imports import library_files, matched, parsed  # noqa: E402

# What takes long to import, and nothing of the project: then a process of its own for each script.
LOADED = """
import importlib, json, os, sys
import matplotlib.pyplot, numba, pandas, scipy.optimize, scipy.special, statsmodels.regression.mixed_linear_model

sys.path[:0] = ["workflow/scripts"]
for script in sys.argv[1:]:
    if os.fork() == 0:
        importlib.import_module(script)
        ours = [m for m in sys.modules.values() if m.__name__.split(".")[0] in ("twolevel", "published", "changes")]
        print(json.dumps([script, [module.__file__ for module in ours]]), flush=True)
        os._exit(0)
    assert os.wait()[1] == 0, script
"""


@pytest.fixture(scope="module")
def loaded_by() -> dict[str, set[str]]:
    """An independent route: import each script in a process of its own, and look at what was loaded."""
    command = [sys.executable, "-c", LOADED, *SCRIPTS]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = map(json.loads, answer.stdout.splitlines())
    return {script: {str(Path(file).relative_to(ROOT)) for file in files} for script, files in lines}


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_library_module_that_is_loaded_is_declared(script: str, loaded_by: dict[str, set[str]]) -> None:
    loaded = loaded_by[script]
    assert "workflow/twolevel/errors.py" in loaded
    assert loaded <= set(library_files(script))


def test_a_figure_depends_on_its_own_module_alone() -> None:
    files = library_files("draw_figures", ("twolevel.figures.qq_level1",))
    assert "workflow/twolevel/figures/qq_level1.py" in files
    assert (ROOT / "workflow/twolevel/figures/qq_level2.py").is_file()
    assert not any("qq_level2" in file for file in files)
    assert not any(file.endswith(("likelihood/deviance.py", "fitting/search.py")) for file in files)


def test_fitting_does_not_depend_on_figures_or_report() -> None:
    files = library_files("fit_model")
    assert "workflow/twolevel/likelihood/deviance.py" in files
    assert not any("/figures/" in file or "/report/" in file for file in files)


def test_import_statements_are_matched_as_they_are_parsed() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in (ROOT / "workflow").rglob("*.py")}
    assert not [path for path, text in texts.items() if not {*parsed(text, path)} <= {*matched(text)}]


# As a person may write them in a study's files.
WRITTEN = [
    "from mine import a, \\\n    b",
    "from  mine  import\ta, b",
    "from mine import(a, b)",
    "import os; from mine import a, b",
    "if True: from mine import a, b",
    "from mine import (\n    a,  # tables (of one)\n    b,\n)",
    "import os, mine.a, \\\n    mine.b as c",
]


@pytest.mark.parametrize("written", WRITTEN)
def test_a_study_s_imports_are_found_however_they_are_written(written: str, tmp_path: Path) -> None:
    study = tmp_path / "mine"
    study.mkdir()
    for name in ("__init__", "a", "b"):
        (study / f"{name}.py").write_text("", encoding="utf-8")
    (study / "story.py").write_text(f"{written}\n", encoding="utf-8")
    files = library_files("write_ledger", ("mine.story",), study)
    assert {str(study / f"{name}.py") for name in ("a", "b", "story")} <= {*files}
