"""What only one study needs: Python in a folder that the configuration names, loaded part by part (docs/studies.md)."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from twolevel.errors import UserError

CHECKOUT = Path(__file__).resolve().parents[1]


def find_study(path: str) -> Path:
    """The study's folder: below the working folder or, where it is not there, below this checkout.

    Raises
    ------
    UserError
        Neither has it, or it is no Python package.
    """
    roots = [*dict.fromkeys((Path.cwd(), CHECKOUT))]
    for root in roots:
        folder = (root / path).resolve()
        if (folder / "__init__.py").is_file():
            return folder
    raise UserError(
        f"report.narrative: there is no folder {path!r} with a file __init__.py in {' or '.join(map(str, roots))}; "
        "correct the path, or set narrative: null for a report that works with any data and models."
    )


def has_part(study: Path, part: str) -> bool:
    """Whether the study has a module or a package of that name."""
    return (study / f"{part}.py").is_file() or (study / part / "__init__.py").is_file()


def load_part(study: Path, part: str, name: str, default: Any = None) -> Any:
    """The object `name` of one part of the study, or the default where it has no such part.

    Only that part is imported, with what it imports. A study is a package of the folder that it lies in.

    Raises
    ------
    UserError
        Another package of that name is installed, or the part has no such name.
    """
    if not has_part(study, part):
        return default
    if str(study.parent) not in sys.path:
        sys.path.append(str(study.parent))
    module = import_module(f"{study.name}.{part}")
    if not Path(str(module.__file__)).resolve().is_relative_to(study):
        raise UserError(f"report.narrative: {study.name} is the name of an installed package too; rename the folder.")
    if not hasattr(module, name):
        raise UserError(f"{module.__file__} has no {name}; docs/studies.md says what it is.")
    return getattr(module, name)
