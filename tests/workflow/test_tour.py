"""docs/tour.md: its commands run, in order, and the report says what it quotes."""

import html
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT, snakemake
from new_study import write_study
from twolevel.data.reading import Choices

TOUR = (ROOT / "docs/tour.md").read_text(encoding="utf-8")
COMMANDS = [shlex.split(line) for line in re.findall(r"^    (make .*)$", TOUR, re.MULTILINE)]
EDITS = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", TOUR, re.MULTILINE | re.DOTALL)]


def merged(config: Any, edit: Any) -> Any:
    """The configuration with an edit's lines in place of those that are there, or added."""
    if not isinstance(edit, dict):
        return edit
    return config | {key: merged(config.get(key, {}), value) for key, value in edit.items()}


def test_the_tour_is_a_new_study_and_two_runs_of_it() -> None:
    assert [command[1] for command in COMMANDS] == ["new", "report", "report"]
    assert [command[2] for command in COMMANDS[1:]] == ["STUDY=studies/pupils"] * 2
    assert len(EDITS) == 2


@pytest.mark.slow
def test_the_commands_run_and_the_report_says_what_the_tour_quotes(tmp_path: Path) -> None:
    given = dict(word.split("=", 1) for word in COMMANDS[0][2:])
    shutil.copytree(ROOT / "studies/exam/data", tmp_path / "studies/exam/data")
    file = write_study(
        tmp_path / given["DATA"], given["GROUP"], given["RESPONSE"], given["NAME"], tmp_path / "studies", Choices()
    )
    assert str(file.relative_to(tmp_path).parent) == COMMANDS[1][2].partition("=")[2]
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    # Both edits at once, and a short bootstrap: another run would say nothing else.
    for edit in EDITS:
        config = merged(config, edit)
    file.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    run = snakemake(ROOT, "--cores", "2", "--directory", str(file.parent), "--config", "bootstrap={'replicates': 99}")
    assert run.returncode == 0, run.stderr[-3000:]
    page = (file.parent / "results/report.html").read_text(encoding="utf-8")
    words = " ".join(html.unescape(re.sub(r"<[^>]+>", "", page)).split())
    quotes = re.findall(r"^> (.*)$", TOUR, re.MULTILINE)
    assert len(quotes) == 3
    for quote in quotes:
        assert quote.lower() in words.lower()
