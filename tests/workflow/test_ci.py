"""CI: the workflow of GitHub Actions is in order, and each of its commands does here what it is to do there."""

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT, actionlint

WORKFLOW = ROOT / ".github/workflows/ci.yml"
GITLAB = ROOT / ".gitlab-ci.yml"


@pytest.fixture(scope="module")
def jobs() -> dict[str, Any]:
    return yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder like a checkout, and stand-ins for commands that reach out, which write down how they were called."""
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    (tmp_path / "bin").mkdir()
    for name in ("make", "gh", "apt-get", "sudo", "dpkg-query", "id"):
        stand_in(tmp_path, name)
    return tmp_path


def stand_in(machine: Path, name: str, says: str = "", status: int = 0, then: str = "") -> None:
    """Let a command say something and end with a status."""
    file = machine / "bin" / name
    called = f'echo {name} "$@" >> "{machine}/called"'
    file.write_text(f"#!/bin/bash\n{called}\n{then}\ncat <<'END'\n{says}\nEND\nexit {status}\n", encoding="utf-8")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def do(machine: Path, command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a step's command as GitHub's runner does."""
    keep = {"PATH": f"{machine}/bin:{os.environ['PATH']}", "HOME": str(machine)}
    return subprocess.run(
        ["bash", "-e", "-c", command], cwd=machine, env=keep | variables, capture_output=True, text=True, check=False
    )


def called(machine: Path, name: str) -> list[str]:
    file = machine / "called"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return [line.removeprefix(f"{name} ") for line in lines if line.startswith(f"{name} ")]


def step(jobs: dict[str, Any], job: str, name: str) -> dict[str, Any]:
    (found,) = (of for of in jobs[job]["steps"] if of.get("name") == name)
    return found


@pytest.mark.needs_actionlint
def test_actionlint_finds_nothing() -> None:
    tool = actionlint()
    assert tool is not None
    found = subprocess.run([tool, str(WORKFLOW)], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "")


@pytest.mark.needs_actionlint
def test_actionlint_would_find_something(tmp_path: Path) -> None:
    tool = actionlint()
    assert tool is not None
    wrong = tmp_path / "ci.yml"
    wrong.write_text(WORKFLOW.read_text(encoding="utf-8").replace("vars.PAGES", "var.PAGES"), encoding="utf-8")
    found = subprocess.run([tool, str(wrong)], capture_output=True, text=True, check=False)
    assert found.returncode == 1
    assert 'undefined variable "var"' in found.stdout


def test_every_command_of_the_workflow_is_tried_here(jobs: dict[str, Any]) -> None:
    commands = [(job, of["name"]) for job, content in jobs.items() for of in content["steps"] if "run" in of]
    tried = re.findall(r'step\(jobs, "(\w+)", "([^"]+)"\)', Path(__file__).read_text(encoding="utf-8"))
    assert sorted(set(tried)) == sorted(commands)


def test_the_workflow_names_no_study() -> None:
    for file in (WORKFLOW, GITLAB):
        assert not re.search(r"hsb|school|sleepstudy", file.read_text(encoding="utf-8"), re.IGNORECASE)


def test_the_versions_of_python_are_those_that_the_project_supports(jobs: dict[str, Any]) -> None:
    stated = re.search(r'requires-python = ">=3.(\d+),<3.(\d+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert stated
    first, beyond = map(int, stated.groups())
    assert jobs["test"]["strategy"]["matrix"]["python"] == [f"3.{minor}" for minor in range(first, beyond)]


def test_the_tests_are_those_of_the_one_script(jobs: dict[str, Any], machine: Path) -> None:
    of = step(jobs, "test", "Check and test")
    stand_in(machine, "dpkg-query", "installed")
    stand_in(machine, "sudo", then='shift; exec "$@"')
    done = do(machine, of["run"])
    assert done.returncode == 0, done.stderr
    assert called(machine, "make") == ["check", "test"]
    assert called(machine, "apt-get") == []
    assert of["env"]["PYTHON"] == "python${{ matrix.python }}"
    stand_in(machine, "make", status=2)
    assert do(machine, of["run"]).returncode == 2
    assert called(machine, "make")[2:] == ["check"]


def test_without_arguments_the_script_does_everything(machine: Path) -> None:
    stand_in(machine, "dpkg-query", "installed")
    assert do(machine, ".ci/run").returncode == 0
    assert called(machine, "make") == ["check", "test", "verify"]


@pytest.mark.parametrize(("user", "root"), [("0", "apt-get"), ("1001", "sudo")])
def test_what_is_missing_is_installed_by_root_or_by_sudo(machine: Path, user: str, root: str) -> None:
    stand_in(machine, "id", user)
    stand_in(machine, "google-chrome")
    assert do(machine, ".ci/run check").returncode == 0
    prefix = "--preserve-env=DEBIAN_FRONTEND apt-get " if root == "sudo" else ""
    update, install = called(machine, root)
    assert update == f"{prefix}update --quiet --quiet"
    assert install.startswith(f"{prefix}install --yes ")
    assert "r-cran-lme4" in install
    # Ubuntu's chromium is a snap: where there is a Chrome, it is not asked for.
    assert "chromium" not in install


def test_the_report_fails_where_the_verification_fails(jobs: dict[str, Any], machine: Path) -> None:
    of = step(jobs, "report", "Make the report, and hold it to the accepted run")
    stand_in(machine, "dpkg-query", "installed")
    assert do(machine, of["run"], STUDY="studies/mine").returncode == 0
    assert called(machine, "make") == ["verify"]
    stand_in(machine, "make", status=2)
    assert do(machine, of["run"]).returncode == 2


@pytest.mark.parametrize("study", ["", "studies/mine"])
def test_report_changes_and_results_are_gathered(study: str, jobs: dict[str, Any], machine: Path) -> None:
    folder = machine / study
    (folder / "results").mkdir(parents=True)
    (folder / "logs").mkdir()
    for name in ("report.html", "report.pdf", "changes.html", "changes.csv"):
        (folder / "results" / name).write_text(name, encoding="utf-8")
    (folder / "logs/tell_changes.log").write_text("1 row is altered.\n", encoding="utf-8")
    (folder / "logs/verify.log").write_text("Verified.\n", encoding="utf-8")
    told = do(machine, step(jobs, "report", "Say what changed")["run"], STUDY=study, GITHUB_STEP_SUMMARY="summary.md")
    assert told.returncode == 0
    assert (machine / "summary.md").read_text(encoding="utf-8") == "1 row is altered.\nVerified.\n"
    gather = step(jobs, "report", "Gather the pages")["run"]
    assert do(machine, gather, STUDY=study).returncode == 0
    assert {file.name for file in (machine / "site").iterdir()} == {
        "index.html",
        "report.pdf",
        "changes.html",
        "changes.csv",
    }
    # A study without an accepted run, on a machine without a browser; but a run without a report is a failure.
    for name in ("report.pdf", "changes.html", "changes.csv"):
        (folder / "results" / name).unlink()
    assert do(machine, gather, STUDY=study).returncode == 0
    (folder / "results/report.html").unlink()
    assert do(machine, gather, STUDY=study).returncode != 0


def test_an_issue_is_opened_once_where_the_data_changed(jobs: dict[str, Any], machine: Path) -> None:
    assert do(machine, step(jobs, "source", "Set up")["run"]).returncode == 0
    ask = step(jobs, "source", "Ask for the data")
    stand_in(machine, "make", "the data are as they were")
    assert do(machine, ask["run"]).returncode == 0
    stand_in(machine, "make", "error: 50 rows are altered", status=2)
    assert do(machine, ask["run"]).returncode == 2
    assert (ask["id"], ask["continue-on-error"]) == ("source", True)
    issue = step(jobs, "source", "Open an issue, unless one is open")
    assert issue["if"] == "steps.source.outcome == 'failure'"
    title = issue["env"]["TITLE"]
    stand_in(machine, "gh", "0")
    assert do(machine, issue["run"], TITLE=title).returncode == 0
    listed, created = called(machine, "gh")
    assert listed.startswith(f'issue list --state open --search in:title "{title}"')
    assert created == f"issue create --title {title} --body-file issue.md"
    assert "error: 50 rows are altered" in (machine / "issue.md").read_text(encoding="utf-8")
    stand_in(machine, "gh", "1")
    assert do(machine, issue["run"], TITLE=title).returncode == 0
    assert len(called(machine, "gh")) == 3


def test_gitlab_runs_the_same_script() -> None:
    (job,) = yaml.safe_load(GITLAB.read_text(encoding="utf-8")).values()
    assert job["script"] == ["bash .ci/run"]
    assert job["artifacts"]["when"] == "always"
