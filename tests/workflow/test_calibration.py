"""`snakemake calibration`: a target of its own, whose section the report keeps while it is about the present fits."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml
from conftest import edit, snakemake

pytestmark = pytest.mark.slow

HEADING = "How far the tests can be trusted"
# The study has no snapshot: its data are what its own configuration says.
RUN = ("--config", "data={}", "--cores")


def page(project: Path) -> str:
    return (project / "results/appendix.html").read_text(encoding="utf-8")


@pytest.fixture
def project(calibrated_run: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    copy = tmp_path / "project"
    shutil.copytree(calibrated_run, copy, symlinks=True)
    return copy


def test_the_tables_are_those_of_the_contract(calibrated_run: Path) -> None:
    config = yaml.safe_load((calibrated_run / "config.yaml").read_text(encoding="utf-8"))
    contract = yaml.safe_load((calibrated_run / "workflow/schemas/tables.yaml").read_text(encoding="utf-8"))
    tables = {}
    for name in ("type_1_error", "coverage"):
        tables[name] = pd.read_csv(calibrated_run / f"results/calibration/{name}.csv")
        assert list(tables[name].columns) == contract[f"calibration/{name}.csv"]
        assert (tables[name]["data_sets"] <= 6).all()
    assert set(tables["type_1_error"]["comparison"]) == set(config["comparisons"])
    assert set(tables["type_1_error"]["nominal"]) == {0.05, 0.01}
    assert set(tables["coverage"]["model"]) == set(config["calibration"]["models"])
    assert not list((calibrated_run / "results/calibration").rglob("*.npz"))


def test_the_report_has_the_section_once_it_has_run(trial_run: Path, calibrated_run: Path) -> None:
    assert HEADING not in page(trial_run)
    text = page(calibrated_run)
    assert f">{HEADING}</h2>" in text
    assert 'id="figure-calibration-type_1_error"' in text
    assert 'id="figure-calibration-coverage"' in text


def test_a_plain_run_does_nothing_and_keeps_the_section(project: Path) -> None:
    before = page(project)
    run = snakemake(project, *RUN, "2")
    assert run.returncode == 0, run.stderr
    assert "Nothing to be done" in run.stdout + run.stderr
    assert page(project) == before


def test_a_report_that_is_rendered_again_keeps_the_section(project: Path) -> None:
    edit(project / "config.yaml", "title: A trial in health centres", "title: Costs")
    run = snakemake(project, *RUN, "2")
    assert run.returncode == 0, run.stderr
    assert "Calibrate" not in run.stdout + run.stderr
    assert "<title>Costs" in (project / "results/report.html").read_text(encoding="utf-8")
    assert 'id="figure-calibration-coverage"' in page(project)


def test_a_calibration_of_other_fits_is_left_out(project: Path) -> None:
    file = project / "results/calibration/calibration.json"
    about = json.loads(file.read_text(encoding="utf-8"))
    about["models"]["slopes"]["data"] = "0" * 64
    file.write_text(json.dumps(about), encoding="utf-8")
    run = snakemake(project, *RUN, "2", "--force", "results/report.html")
    assert run.returncode == 0, run.stderr
    assert "was made with other data, other models" in page(project)
    assert 'id="figure-calibration-coverage"' not in page(project)


def test_parts_and_cores_change_no_byte(project: Path, calibrated_run: Path) -> None:
    shutil.rmtree(project / "results/calibration")
    edit(project / "config.yaml", "replicates: 99, parts: 2", "replicates: 99, parts: 1")
    run = snakemake(project, *RUN, "1", "--", "calibration")
    assert run.returncode == 0, run.stdout + run.stderr
    for file in sorted((calibrated_run / "results/calibration").iterdir()):
        if file.is_file():
            assert (project / "results/calibration" / file.name).read_bytes() == file.read_bytes(), file.name
    assert page(project) == page(calibrated_run)
