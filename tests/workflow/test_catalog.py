"""What the Snakemake workflow catalog, snakedeploy and users of modules look for is there, and runs."""

import re
import shutil
from pathlib import Path

import pytest
import yaml
from conftest import ROOT, run_snakemake


def test_the_catalog_finds_the_pipeline_and_how_to_use_it() -> None:
    # https://github.com/snakemake/snakemake-workflow-catalog, "Adding workflows": what standardised usage needs.
    for file in ("README.md", "workflow/Snakefile", "config/README.md", ".snakemake-workflow-catalog.yml"):
        assert (ROOT / file).is_file(), file
    readme = (ROOT / "README.md").read_text(encoding="utf-8").lower()
    assert "snakemake" in readme
    assert "workflow" in readme
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text(encoding="utf-8"))["usage"]
    assert usage["software-stack-deployment"] == {"conda": True, "apptainer": False, "apptainer+conda": False}
    assert usage["report"] is True
    assert usage["mandatory-flags"]["flags"] == []


def module_lines() -> str:
    """The Snakefile that config/README.md has a person write, for this checkout."""
    text = (ROOT / "config/README.md").read_text(encoding="utf-8")
    lines = re.search(r"(?m)^    configfile: .*\n(?:(?:    .*)?\n)*?    use rule .*$", text)
    assert lines
    return re.sub(r"(?m)^    ", "", lines[0]).replace("/path/to/hsb-two-level", str(ROOT))


@pytest.mark.slow
def test_a_folder_as_snakedeploy_makes_it_runs_the_example(tmp_path: Path) -> None:
    # `snakedeploy deploy-workflow` copies config/ and writes these lines.
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / "workflow").mkdir()
    (tmp_path / "workflow/Snakefile").write_text(module_lines(), encoding="utf-8")
    plan = run_snakemake(tmp_path, "--cores", "2", "--dry-run")
    assert plan.returncode == 0, plan.stderr
    assert re.search(r"^fit_model +2$", plan.stdout + plan.stderr, re.MULTILINE)
    assert re.search(r"^render_report +1$", plan.stdout + plan.stderr, re.MULTILINE)
    table = "results/models/slope/fixed_effects.csv"
    done = run_snakemake(tmp_path, "--cores", "2", table)
    assert done.returncode == 0, done.stdout + done.stderr
    # The pupils were simulated with 1.5 points for an hour of homework.
    rows = (tmp_path / table).read_text(encoding="utf-8").splitlines()
    slope = dict(zip(rows[0].split(","), rows[2].split(","), strict=True))
    assert slope["term"] == "hours"
    assert abs(float(slope["estimate"]) - 1.5) < 3 * float(slope["std_error"])


@pytest.mark.slow
def test_a_study_runs_by_directory_with_the_snakefile_of_the_catalog() -> None:
    of_study = ("--snakefile", "workflow/Snakefile", "--directory", "studies/sleepstudy")
    plan = run_snakemake(ROOT, *of_study, "--dry-run", "--cores", "1", "--forceall")
    assert plan.returncode == 0, plan.stderr
    assert re.search(r"^fit_model +3$", plan.stdout + plan.stderr, re.MULTILINE)
