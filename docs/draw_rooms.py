"""Draw docs/images/rooms.svg: the packages of the library in their order, and which of them each one imports.

    .venv/bin/python docs/draw_rooms.py

The order and the words come from the docstring of `workflow/twolevel/__init__.py`, the dots from the imports in the
code. `tests/test_docs.py` compares the file with what this makes.
"""

import ast
import re
import textwrap
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "workflow/twolevel"
PICTURE = ROOT / "docs/images/rooms.svg"

# What stands beside the library and uses it.
BESIDE = {
    "published": (ROOT / "workflow/published", "a publication's numbers and claims, held against a run"),
    "changes": (ROOT / "workflow/changes", "a run held against the one that was accepted; uses only errors"),
    "studies": (ROOT / "studies", "what one set of data needs: its story, tables and evidence"),
    "scripts": (ROOT / "workflow/scripts", "one for each rule: files in, a call of the library, files out"),
}

# In pixels of the picture, which is as wide as a page.
NAME, WORDS, MATRIX, TOP, ROW, CELL, WIDTH = 44, 136, 452, 104, 38, 25, 740
BLUE, GREY, INK = "#1f4e79", "#e9ecef", "#1a1a1a"  # dark, light and black: told apart without colour


def rooms() -> dict[str, str]:
    """The packages of the library in their order, each with what it holds in a few words."""
    text = ast.get_docstring(ast.parse((LIBRARY / "__init__.py").read_text(encoding="utf-8"))) or ""
    listed = dict(re.findall(r"^ {4}(\w+) +(\S.*)$", text, re.MULTILINE))
    return {name: words for name, words in listed.items() if (LIBRARY / name).is_dir()}


def used(folder: Path) -> set[str]:
    """Packages of the library that the modules in a folder import, at any depth."""
    names: set[str] = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("twolevel."):
                names.add(node.module.split(".")[1])
    return names


def picture() -> str:
    """The SVG: a row for each package, with a dot below each package that it imports."""
    inside = rooms()
    columns = {name: MATRIX + CELL * (i + 0.5) for i, name in enumerate(inside)}
    rows = [_row(name, words, LIBRARY / name, TOP + ROW * i, columns) for i, (name, words) in enumerate(inside.items())]
    bottom = TOP + ROW * len(inside)
    below = bottom + 44
    rows += [
        _row(name, words, folder, below + ROW * i, columns) for i, (name, (folder, words)) in enumerate(BESIDE.items())
    ]
    height = below + ROW * len(BESIDE) + 12
    heads = [
        f'<text transform="translate({x + 4:g} {TOP - 8}) rotate(-60)">{escape(name)}</text>'
        for name, x in columns.items()
    ]
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-labelledby="title description" font-family="Helvetica, Arial, sans-serif" font-size="13" fill="{INK}">',
        '<title id="title">The packages of the library and what each imports</title>',
        f'<desc id="description">{escape(description())}</desc>',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="{NAME}" y="{TOP - 14}" font-weight="bold">workflow/twolevel/</text>',
        *heads,
        f'<path d="M22 {TOP + 4}V{bottom - 12}m-5 -9l5 9l5 -9" fill="none" stroke="{INK}" stroke-width="1.5"/>',
        f'<text transform="translate(15 {(TOP + bottom) / 2 + 36:g}) rotate(-90)" font-size="12">data flow</text>',
        f'<text x="{NAME}" y="{below - 12}" font-weight="bold">beside it</text>',
        *rows,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def description() -> str:
    """The same in words, for those who do not see the picture."""
    inside = [f"{name} imports {_listed(used(LIBRARY / name) - {name}, 'no other')}" for name in rooms()]
    beside = [f"{name} imports {_listed(used(folder), 'none of them')}" for name, (folder, _) in BESIDE.items()]
    return (
        f"The packages in the order of the data's flow: {'; '.join(inside)}. Beside the library: {'; '.join(beside)}."
    )


def _listed(names: set[str], none: str) -> str:
    return ", ".join(name for name in rooms() if name in names) or none


def _row(name: str, words: str, folder: Path, y: int, columns: dict[str, float]) -> str:
    """One package: its name, what it holds, a dot for each package that it uses and a grey square for itself."""
    uses, middle = used(folder) - {name}, y + ROW / 2
    parts = [f'<rect x="{NAME - 8}" y="{y + 2}" width="{WIDTH - NAME}" height="{ROW - 4}" rx="4" fill="{GREY}"/>']
    parts.append(f'<text x="{NAME}" y="{middle + 4:g}" font-weight="bold" fill="{BLUE}">{escape(name)}</text>')
    lines = textwrap.wrap(words, 50)
    for i, line in enumerate(lines):
        at = middle + 4 + 14 * (i - (len(lines) - 1) / 2)
        parts.append(f'<text x="{WORDS}" y="{at:g}" font-size="12">{escape(line)}</text>')
    for package, x in columns.items():
        if package == name:
            parts.append(f'<rect x="{x - 7:g}" y="{middle - 7:g}" width="14" height="14" fill="white" stroke="{INK}"/>')
        elif package in uses:
            parts.append(f'<circle cx="{x:g}" cy="{middle:g}" r="6" fill="{BLUE}"/>')
    return f"<g>{''.join(parts)}</g>"


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
