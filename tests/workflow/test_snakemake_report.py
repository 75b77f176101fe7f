"""Snakemake's own report: every table and figure of a run is in it, with a place and a caption, without a network."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import snakemake

pytestmark = pytest.mark.slow

CATEGORIES = {"Data", "Models", "Comparisons", "Figures", "Checks"}


def records(page: str, name: str) -> Any:
    """What the page's script declares under a name."""
    start = re.search(rf'var {name} = (?=\{{")', page)
    assert start
    return json.JSONDecoder().raw_decode(page, start.end())[0]


def plain(caption: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", caption).split())


@pytest.fixture(scope="module")
def page(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    project = tmp_path_factory.mktemp("reported") / "project"
    shutil.copytree(finished_run, project, symlinks=True)
    written = snakemake(project, "--report", "results/snakemake-report.html", "--", "all", "audit")
    assert written.returncode == 0, written.stdout + written.stderr
    assert "warning" not in (written.stdout + written.stderr).lower()
    return (project / "results/snakemake-report.html").read_text(encoding="utf-8")


def test_every_table_and_figure_is_in_it(page: str, results: Path) -> None:
    there = {path.relative_to(results.parent).as_posix() for path in results.rglob("*") if path.is_file()}
    expected = {file for file in there if file.endswith((".csv", ".svg")) and "/calibration/" not in file}
    expected -= {file for file in expected if re.match(r"results/models/.*/optimiser_audit", file)}  # gathered in one
    expected -= {file for file in expected if file.startswith("results/data/text/")}  # the data, however many rows
    expected |= {file for file in there if file.endswith("summary.txt")} | {"results/data/provenance.json"}
    assert set(records(page, "results")) == expected


def test_every_result_has_a_place_and_labels(page: str, config: dict[str, Any]) -> None:
    places = records(page, "categories")
    assert set(places) == CATEGORIES
    assert set(places["Models"]) == {*config["models"], "all models", "the textbook's"}
    assert set(places["Comparisons"]) == set(config["comparisons"])
    shown = {figure.get("model", figure.get("comparison", "the data")) for figure in config["figures"].values()}
    assert set(places["Figures"]) == shown
    assert places["Models"]["random_coefficients"]
    for file, record in records(page, "results").items():
        assert record["labels"], file
        assert all("{" not in label for label in record["labels"].values()), file


def test_every_caption_is_rendered(page: str) -> None:
    for file, record in records(page, "results").items():
        caption = plain(record["caption"])
        assert len(caption) > 40, file
        assert caption.endswith("."), file
        assert not caption.startswith("The numbers"), f"{file}: figure.rst has no words for its kind"
        # Jinja's marks, docutils' complaints, reStructuredText that was not understood, values that are not there.
        for sign in ("{{", "{%", "}}", "System Message", "problematic", "``", "\\", "></tt>", "None", "Undefined"):
            assert sign not in record["caption"], (file, sign)


def test_captions_say_what_the_parameters_are(page: str, config: dict[str, Any]) -> None:
    results = records(page, "results")
    formula = config["models"]["random_coefficients"]["formula"]
    assert formula in plain(results["results/models/random_coefficients/fixed_effects.csv"]["caption"])
    intervals = plain(results["results/models/random_coefficients/intervals.csv"]["caption"])
    bootstrap = config["bootstrap"]
    assert f"at level {config['intervals']['level']}" in intervals
    assert f"{bootstrap['replicates']} replicates (seed {bootstrap['seed']})" in intervals
    tests = plain(results["results/comparisons/minority_effect/tests.csv"]["caption"])
    assert f"from {bootstrap['replicates']} data sets simulated from the null model (seed {bootstrap['seed']})" in tests
    test = plain(results["results/comparisons/minority_effect/table.csv"]["caption"])
    assert test.startswith("Likelihood ratio test of random_intercept against random_intercept_minority by ML")
    assert config["ledger"]["published"] in plain(results["results/ledger.csv"]["caption"])


def test_nothing_is_loaded_and_no_path_of_this_machine_is_in_it(page: str, finished_run: Path) -> None:
    assert not re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(?!data:)[^"]+"', page)
    assert str(finished_run) not in page
    assert str(Path.home()) not in page or str(Path.home()) == "/"


def test_the_workflow_is_described(page: str, config: dict[str, Any]) -> None:
    assert f"Two-level models of {config['data']['title']}: {len(config['models'])} models" in page
