"""The documents name what exists: links, paths, names in the code, functions, the picture of the packages."""

import importlib
import re
from inspect import Parameter, signature
from pathlib import Path

import draw_rooms
import pytest
import test_rooms
import yaml
from twolevel.model.functions import FUNCTIONS

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "workflow/twolevel"
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
# Endings of files that somebody wrote; results have others too, which are looked for in the code that writes them.
WRITTEN = (".py", ".R", ".smk", ".md", ".yaml", ".rst", ".j2", ".toml", ".in", ".lock", ".cff")
RESULTS = (".csv", ".json", ".parquet", ".npz", ".txt", ".html", ".pdf", ".svg", ".png")
WORKFLOW = "\n".join(
    path.read_text(encoding="utf-8")
    for folder in ("workflow/rules", "workflow/scripts", "studies/hsb")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".smk", ".py") or path.name == "tables.yaml"
) + (ROOT / "Makefile").read_text(encoding="utf-8")


def backticked(text: str) -> set[str]:
    """What stands in backticks, code blocks aside."""
    return set(re.findall(r"`([^`\n]+)`", re.sub(r"(?m)^ {4}.*$", "", text)))


def is_path(word: str) -> bool:
    return re.fullmatch(r"[\w.<>*/-]+", word) is not None and ("/" in word or word.endswith((*WRITTEN, *RESULTS)))


def written_there(word: str, document: Path) -> bool:
    """Whether a path or pattern leads to a file: from the root, the workflow, the library or the document's folder."""
    folders = (ROOT, ROOT / "workflow", LIBRARY, document.parent)
    pattern = re.sub(r"<\w+>", "*", word.rstrip("/"))
    return any(any(folder.glob(pattern)) for folder in folders)


# Results whose names follow from the configuration, as HSB's makes them, and what the rules call them.
CONFIGURED = {
    "hsb.parquet": "{config['data']['name']}.parquet",
    "hsb.csv": "{config['data']['name']}.csv",
    "schools.csv": "{GROUPS}.csv",
    "school_effects.csv": "{GROUP}_effects.csv",
}


def made_by_a_rule(word: str) -> bool:
    """Whether a rule, script or study names a result: its file's name, whose varying part is in angle brackets."""
    name = word.rstrip("/").rsplit("/", 1)[-1]
    name = CONFIGURED.get(name, name)
    if "<" in name:
        pattern = re.sub(r"<\w+>", r"\\{\\w+\\}", name.replace(".", r"\."))
        return re.search(pattern, WORKFLOW) is not None
    return f"/{name}" in WORKFLOW or f'"{name}' in WORKFLOW


# What a document names without meaning a file of this project.
NO_PATHS = {
    "README.md": {".csv", ".parquet", ".rds", "results/", "logs/"},
    "CONTRIBUTING.md": {"results/", "logs/"},
    "data.md": {".csv", ".txt"},
    "formulas.md": {"a/b"},
    "method.md": {"results/"},
    "results.md": {".json", ".png", "results/"},
    "studies.md": {"results/", "study/<file>", "templates/*.html.j2", "__init__.py"},
    "architecture.md": {"results/", "__init__.py"},
    "tour.md": {"studies/pupils"},
    "updating.md": {".snakemake/downloads/"},
}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_paths_lead_to_files_or_are_made_by_rules(document: Path) -> None:
    words = backticked(document.read_text(encoding="utf-8")) - NO_PATHS.get(document.name, set())
    lost = [word for word in sorted(words) if is_path(word) and not written_there(word, document)]
    assert [word for word in lost if not made_by_a_rule(word)] == []


def test_commands_to_type_name_tests_that_exist() -> None:
    typed = "\n".join(re.findall(r"(?m)^ {4}.*$", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")))
    named = re.findall(r"tests/[\w/]+\.py", typed)
    assert named
    assert [path for path in named if not (ROOT / path).is_file()] == []


def test_a_path_that_leads_nowhere_is_seen() -> None:
    for word in ("likelihood/simplex.py", "simplex.md", "models/<model>/simplex.csv", "workflow/simplex/"):
        assert is_path(word)
        assert not written_there(word, ROOT / "README.md")
        assert not made_by_a_rule(word)
    assert made_by_a_rule("models/<model>/fit.json")
    assert made_by_a_rule("figures/<name>.svg")


def anchors(document: Path) -> set[str]:
    """The anchors that GitHub gives a document's headings."""
    headings = re.findall(r"(?m)^#+ (.+)$", document.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        if not link.startswith("https://"):
            path, _, anchor = link.partition("#")
            target = (document.parent / path).resolve() if path else document
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_names_in_the_code_exist(document: Path) -> None:
    for name in backticked(document.read_text(encoding="utf-8")):
        if re.fullmatch(r"(twolevel|published)(\.\w+)+", name):
            module, _, attribute = name.rpartition(".")
            assert hasattr(importlib.import_module(module), attribute), name


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_make_has_the_targets_that_documents_name(document: Path) -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
    named = set(re.findall(r"(?m)(?:^ {4}|`)make ([a-z][a-z-]*)", document.read_text(encoding="utf-8")))
    assert named <= targets


def test_every_package_of_the_library_stands_in_readmes_table() -> None:
    table = (ROOT / "README.md").read_text(encoding="utf-8").split("## Where a number is computed")[1].split("\n## ")[0]
    rooms = re.findall(r"(?m)^\| \*\*`(\w+)/`\*\*", table)
    assert tuple(rooms) == test_rooms.ORDER


def documented_functions() -> dict[str, list[str] | None]:
    """Functions in the table of docs/formulas.md, with the names of their arguments where it gives them."""
    section = (ROOT / "docs/formulas.md").read_text(encoding="utf-8").split("## What a formula may call")[1]
    found: dict[str, list[str] | None] = {}
    for first in re.findall(r"(?m)^\| (`.*?) \|", section.split("\n## ")[0]):
        for call in re.findall(r"`([^`]+)`", first):
            name, _, arguments = call.removesuffix(")").partition("(")
            found[name] = arguments.split(", ") if arguments else None
    return found


def test_the_documented_functions_are_those_that_a_formula_may_call() -> None:
    documented = documented_functions()
    assert set(documented) == set(FUNCTIONS)
    for name, arguments in documented.items():
        _, *others = signature(FUNCTIONS[name]).parameters.values() or [None]
        variadic = any(of.kind is Parameter.VAR_POSITIONAL for of in signature(FUNCTIONS[name]).parameters.values())
        # The first argument, the column, has a name that says what it is; a function without any stands for one.
        if not variadic:
            written = [of.name.replace("_", ".") for of in others if of.kind is not Parameter.KEYWORD_ONLY]
            assert (arguments or ["x"])[1:] == written, name


def test_the_picture_of_the_packages_is_drawn_from_the_code() -> None:
    assert tuple(draw_rooms.rooms()) == test_rooms.ORDER
    committed = draw_rooms.PICTURE.read_text(encoding="utf-8")
    assert committed == draw_rooms.picture(), "the imports have changed: run .venv/bin/python docs/draw_rooms.py"


def test_the_hooks_run_the_tools_of_make_check() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert [repo["repo"] for repo in hooks] == ["local"]
    tools = {hook["entry"].split(" --")[0].removeprefix(".venv/bin/") for hook in hooks[0]["hooks"]}
    check = (ROOT / "Makefile").read_text(encoding="utf-8").split("\ncheck:")[1].split("\n\n")[0]
    assert tools == set(re.findall(r"\$\(BIN\)/((?:ruff|snakefmt|mypy)(?: check| format)?)", check))


@pytest.mark.parametrize("path", sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml")), ids=lambda path: path.stem)
def test_issue_forms_are_complete(path: Path) -> None:
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert set(form) == {"name", "description", "body"}
    assert all({"type", "id", "attributes", "validations"} == set(field) for field in form["body"])
    assert len({field["id"] for field in form["body"]}) == len(form["body"])
    assert any(field["validations"]["required"] for field in form["body"])
