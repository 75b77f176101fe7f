"""One file from which a clean machine makes the same results."""

import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml
from conftest import NOT_COPIED, ROOT, digests, run_snakemake, take_over_compiled

pytestmark = pytest.mark.slow

STUDY = "studies/small"
TARGET = "results/models/slope/intervals.csv"


def run(project: Path) -> None:
    done = run_snakemake(project, "--cores", "1", "--directory", STUDY, "--", TARGET)
    assert done.returncode == 0, done.stderr


def archive(project: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "workflow/archive.py", "--folder", STUDY]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)


def test_an_unpacked_archive_makes_the_same_bytes(tmp_path: Path) -> None:
    project = tmp_path / "here"
    shutil.copytree(ROOT, project, ignore=NOT_COPIED)
    config = yaml.safe_load((ROOT / "studies/sleepstudy/config.yaml").read_text(encoding="utf-8"))
    small = {"data": config["data"], "models": {"slope": {"formula": config["models"]["random_slope"]["formula"]}}}
    shutil.copytree(ROOT / "studies/sleepstudy/data", project / STUDY / "data")
    (project / STUDY / "config.yaml").write_text(yaml.safe_dump(small | {"bootstrap": {"replicates": 100}}))

    none_yet = archive(project)
    assert none_yet.returncode == 1
    assert "results has no report; run the pipeline first: make report" in none_yet.stderr
    run(project)
    (project / STUDY / "results/report.html").write_text("a page", encoding="utf-8")
    packed = project / STUDY / "sleepstudy.tar.gz"
    assert archive(project).stdout == f"The archive is at {packed}\n"
    first = packed.read_bytes()
    archive(project)
    assert packed.read_bytes() == first, "the same files are the same bytes, and no archive holds an earlier one"

    with tarfile.open(packed) as tar:
        tar.extractall(tmp_path / "there", filter="data")
    there = tmp_path / "there/sleepstudy"
    described = json.loads((there / "ro-crate-metadata.json").read_text(encoding="utf-8"))["@graph"]
    files = {entity["@id"] for entity in described if entity["@type"] == "File"}
    assert {
        f"{STUDY}/{TARGET}",
        f"{STUDY}/config.yaml",
        "envs/requirements.lock",
        f"{STUDY}/data/sleepstudy.csv",
    } <= files
    on_disk = {str(path.relative_to(there)) for path in there.rglob("*") if path.is_file()}
    assert on_disk == files | {"ro-crate-metadata.json", "Snakefile"}
    root = next(entity for entity in described if entity["@id"] == "./")
    assert f"make report STUDY={STUDY}" in root["description"]

    take_over_compiled(project / "workflow/twolevel", there / "workflow/twolevel")
    before = digests(there / STUDY / "results")
    shutil.rmtree(there / STUDY / "results")
    run(there)
    after = digests(there / STUDY / "results")
    assert {name for name in after if after[name] != before[name]} <= {
        "data/provenance.json"
    }  # when the data were read
    assert set(before) - set(after) == {"report.html"}
