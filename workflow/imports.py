"""Which library files a script imports, directly or not, so that a rule can have them as inputs.

Snakemake reruns a job when its script changes, but does not look at what the script imports. With these files among
its inputs, a change of one figure's code redraws that figure alone, and a change of the fitting code refits the models.
"""

import ast
from functools import cache
from pathlib import Path

WORKFLOW = Path(__file__).parent
# Other packages are installed ones, which no rule depends on.
PACKAGES = ("twolevel", "published", "changes")


def library_files(script: str, also: tuple[str, ...] = ()) -> list[str]:
    """Files of the library that `workflow/scripts/<script>.py` imports, at any depth, and the modules named in `also`.

    Paths are relative to the project's root, sorted.
    """
    start = WORKFLOW / "scripts" / f"{script}.py"
    waiting = [start, WORKFLOW / "scripts" / "_job.py", *(path for name in also for path in _files(name))]
    seen: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += _imported(path)
    return sorted(str(path.relative_to(WORKFLOW.parent)) for path in seen - {start})


@cache  # dozens of rules ask for the same few files, at every start of Snakemake
def _imported(path: Path) -> tuple[Path, ...]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(file for name in names for file in _files(name))


def _files(module: str) -> list[Path]:
    """Files that importing a module of the library runs: the module's own and its packages'."""
    parts = module.split(".")
    if parts[0] not in PACKAGES:
        return []
    packages = [WORKFLOW.joinpath(*parts[:i], "__init__.py") for i in range(1, len(parts) + 1)]
    module_file = WORKFLOW.joinpath(*parts).with_suffix(".py")
    return [path for path in [*packages, module_file] if path.is_file()]
