"""The set-up: what is locked, what conda gets, and how the environment's maker fails.

How it succeeds is shown by every `make test`, which runs in the environment that it made.
"""

import ast
import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import twolevel
import yaml

ROOT = Path(__file__).resolve().parents[2]
MAKER = ROOT / "envs" / "make_environment.py"


def locked() -> dict[str, str]:
    """Return the lock's entries as name: everything that stands behind it, hashes included."""
    text = (ROOT / "envs" / "requirements.lock").read_text()
    return {entry.partition("==")[0]: entry for entry in re.split(r"\n(?=\S)", text)}


def job_requirements() -> set[str]:
    """Return what requirements.in lists under "what its jobs import"."""
    text = (ROOT / "envs" / "requirements.in").read_text()
    section = text.partition("what its jobs import\n")[2].partition("\n\n")[0]
    return {line.partition("#")[0].strip() for line in section.splitlines()}


def test_every_package_in_the_lock_has_one_version_and_a_hash():
    text = (ROOT / "envs" / "requirements.lock").read_text()
    entries = re.findall(r"^\S+==\S+", text, re.MULTILINE)
    assert len(entries) == len(locked()) > 50
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in locked().values())


def test_the_lock_holds_no_address():
    """A clone installs from whatever index its user has set."""
    text = (ROOT / "envs" / "requirements.lock").read_text()
    assert not re.search(r"://|--(?!hash=)| @ ", text)  # no option but a hash: none that names an index or a folder


def test_conda_gets_the_versions_of_the_lock():
    environment = yaml.safe_load((ROOT / "envs" / "pipeline.yaml").read_text())
    pins = environment["dependencies"][-1]["pip"]
    versions = {name: re.match(r"\S+==(\S+)", entry).group(1) for name, entry in locked().items()}
    wanted = [f"{name}=={versions[name]}" for name in sorted(job_requirements())]
    assert pins == wanted, "put these lines into envs/pipeline.yaml:\n" + "\n".join(f"- {pin}" for pin in wanted)


def test_what_the_jobs_import_is_named_in_the_requirements():
    """What is there only because another package needs it may be gone with the next lock."""
    folders = (ROOT / "workflow", ROOT / "workflow/scripts", ROOT / "studies")
    local = {path.stem for folder in folders for path in folder.iterdir()}
    imported = set()
    for path in [*(ROOT / "workflow").rglob("*.py"), *(ROOT / "studies").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                imported.add(node.module.partition(".")[0])
    third_party = imported - local - set(sys.stdlib_module_names) - {"_typeshed"}  # of the type checker alone
    provider = importlib.metadata.packages_distributions()
    distributions = {provider[module][0].lower().replace("_", "-") for module in third_party}
    # Snakemake's own process reads the configuration, and `make archive` describes results; jobs do neither.
    assert distributions <= job_requirements() | {"snakemake", "pyyaml", "rocrate"}


def test_the_version_is_the_same_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert project["version"] == citation["version"] == twolevel.__version__


def fake(folder: Path, name: str, script: str) -> Path:
    """Put a program called `name` into `folder`."""
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


def make_environment(venv: Path, path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the maker with nothing else than `path` on the PATH."""
    command = [sys.executable, MAKER, "--venv", venv, *arguments]
    env = os.environ | {"PATH": str(path)}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def bin_folder(tmp_path: Path) -> Path:
    """A folder for programs that stand in for real ones."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def test_an_old_python_is_refused_with_what_to_do(tmp_path: Path, bin_folder: Path):
    old = fake(bin_folder, "python3", "echo 3.9")
    done = make_environment(tmp_path / "venv", bin_folder, "--python", str(old))
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: Python 3.11, 3.12 or 3.13 is needed, but {old} is Python 3.9.")
    assert "make PYTHON=" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_a_python_without_ensurepip_names_the_package(tmp_path: Path, bin_folder: Path):
    """As Debian's python3 is without python3-venv."""
    bare = fake(bin_folder, "python3", 'case "$2" in *ensurepip*) exit 1 ;; *) echo 3.12 ;; esac')
    done = make_environment(tmp_path / "venv", bin_folder, "--python", str(bare))
    assert done.returncode == 1
    assert "apt install python3.12-venv" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_an_install_that_fails_is_told_and_not_taken_for_complete(tmp_path: Path, bin_folder: Path):
    """The installer is a stand-in for uv that fails as without a network; the second run starts again."""
    fake(bin_folder, "uv", "echo no network >&2; exit 2")
    for _ in range(2):
        done = make_environment(tmp_path / "venv", bin_folder)
        assert done.returncode == 1
        assert "no network\nerror: `" in done.stderr
        assert "without a network" in done.stderr
        assert "Traceback" not in done.stderr
        assert not (tmp_path / "venv" / "complete").exists()


def test_an_environment_that_does_not_load_is_not_complete(tmp_path: Path, bin_folder: Path):
    """The installer says that it did its work, but did nothing."""
    fake(bin_folder, "uv", "exit 0")
    done = make_environment(tmp_path / "venv", bin_folder)
    assert done.returncode == 1
    assert "ModuleNotFoundError" in done.stderr
    assert not (tmp_path / "venv" / "complete").exists()
