"""Which library files a script imports, directly or not, so that a rule can have them as inputs.

Snakemake reruns a job when its script changes, but does not look at what the script imports. With these files among
its inputs, a change of one figure's code redraws that figure alone, and a change of the fitting code refits the models.
"""

import ast
import re
from functools import cache
from pathlib import Path

WORKFLOW = Path(__file__).parent
# All other packages are installed, and no rule depends on them.
PACKAGES = ("twolevel", "published", "changes")
# Import statements as ruff formats them: parsing all files would take half a second at every start. What looks like
# one, in a text or after `as`, names no file of the library, or adds one input too many.
IMPORT = re.compile(r"^[ \t]*(?:from ([\w.]+) import (\([^)]*\)|[^\n]*)|import ([^\n]*))", re.MULTILINE)
WORD = re.compile(r"[\w.]+")


def library_files(script: str, also: tuple[str, ...] = (), study: Path | None = None) -> list[str]:
    """Files of the library that `workflow/scripts/<script>.py` imports, at any depth, and the modules named in `also`.

    Those may be of a study, the package in the folder `study`. Paths are relative to the project's root where they lie
    below it, sorted.
    """
    start = WORKFLOW / "scripts" / f"{script}.py"
    waiting = [start, *(path for name in also for path in _files(name, study))]
    seen: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += _imported(path, study)
    root = WORKFLOW.parent
    return sorted(str(path.relative_to(root) if path.is_relative_to(root) else path) for path in seen - {start})


@cache  # dozens of rules ask for the same few files, at every start of Snakemake
def _imported(path: Path, study: Path | None) -> tuple[Path, ...]:
    text = path.read_text(encoding="utf-8")
    names = parsed(text, path) if study is not None and path.is_relative_to(study) else matched(text)
    return tuple(file for name in names for file in _files(name, study))


def matched(text: str) -> list[str]:
    """The modules, and what may be modules, that a file of this project imports."""
    names: list[str] = []
    for module, some, whole in IMPORT.findall(text):
        names += [module, *(f"{module}.{name}" for name in WORD.findall(some))] if module else WORD.findall(whole)
    return names


def parsed(text: str, path: Path) -> list[str]:
    """The same of a study's file, which may be formatted in any way; an error in it names its path."""
    names: list[str] = []
    for node in ast.walk(ast.parse(text, str(path))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names


def _files(module: str, study: Path | None) -> list[Path]:
    """Files that importing a module of the library, the study or the scripts runs: its own and its packages'."""
    parts = module.split(".")
    if study is not None and parts[0] == study.name:
        folder = study.parent
    elif parts[0] in (*PACKAGES, "study_loader", "whole_files"):
        folder = WORKFLOW
    elif (WORKFLOW / "scripts" / f"{module}.py").is_file():
        folder = WORKFLOW / "scripts"
    else:
        return []
    packages = [folder.joinpath(*parts[:i], "__init__.py") for i in range(1, len(parts) + 1)]
    module_file = folder.joinpath(*parts).with_suffix(".py")
    return [path for path in [*packages, module_file] if path.is_file()]
