"""The pipeline as a person runs it: what is redone, what stays the same, and what they are told."""

import csv
import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
import yaml
from conftest import documented_tables, edit, snakemake
from jsonschema import Draft202012Validator

pytestmark = pytest.mark.slow


@pytest.fixture
def project(finished_run: Path, tmp_path: Path) -> Path:
    """A copy of the finished run that a test may change."""
    copy = tmp_path / "project"
    shutil.copytree(finished_run, copy, symlinks=True)
    return copy


def planned(project: Path, *options: str) -> dict[str, int]:
    """The jobs that a dry run announces, by rule, those that draw figures as one.

    The target `all` and the PDF, which needs a browser, are left out.
    """
    return jobs_of(snakemake(project, "--cores", "2", "--dry-run", *options))


def jobs_of(run: subprocess.CompletedProcess[str]) -> dict[str, int]:
    assert run.returncode == 0, run.stderr
    if "Nothing to be done" in run.stdout + run.stderr:
        return {}
    table = re.search(r"^total +\d+", run.stdout, re.MULTILINE)
    assert table, run.stdout
    counts = re.findall(r"^(\w+) +(\d+)$", run.stdout[: table.start()], re.MULTILINE)
    jobs: Counter[str] = Counter()
    for rule, n in counts:
        jobs[re.sub(r"_\d+$", "", rule)] += int(n)
    return {rule: n for rule, n in jobs.items() if rule not in ("all", "print_report")}


def test_a_run_says_what_a_person_reads(finished_run: Path) -> None:
    lines = (finished_run.parent / "said").read_text(encoding="utf-8").splitlines()
    assert len(lines) < 60
    assert not [line for line in lines if line.startswith(("Reason:", "    input:", "rule ", "Job "))]
    stage = r" *\d+:\d\d +\d+ %  Fit model \(10 jobs\), about \d+:\d\d left"
    assert [line for line in lines if re.fullmatch(stage, line)]
    end = lines.index("Made: 10 models, 3 comparisons, 31 figures.")
    assert re.fullmatch(r"Ledger: 167 match, 30 not_optimum, .*\.", lines[end + 1])
    assert lines[end + 2] == "No fit is in doubt."
    assert re.fullmatch(r"Time: \d+:\d\d minutes\.", lines[end + 3])
    assert lines[end + 4].startswith(f"Report: {finished_run}/results/report.html")


def test_a_second_run_does_nothing(project: Path) -> None:
    assert planned(project) == {}


def test_a_figure_s_code_or_options_redraw_the_figures_of_its_model_alone(project: Path) -> None:
    with (project / "workflow/twolevel/figures/fitted_lines.py").open("a") as module:
        module.write("\n# changed\n")
    run = snakemake(project, "--cores", "2", "--dry-run")
    assert jobs_of(run) == {"draw_figures": 1, "tell_changes": 1, "render_report": 1}
    assert (
        "Draw fitted_lines, intervals_intercepts_and_slopes, checks_intercepts_and_slopes\n" in run.stdout + run.stderr
    )
    edit(project / "config.yaml", "sample: 40, seed: 2002", "sample: 40, seed: 2003")
    assert planned(project) == {"draw_figures": 2, "tell_changes": 1, "render_report": 1}


def test_a_formula_refits_what_depends_on_it(project: Path) -> None:
    edit(project / "config.yaml", "mathach ~ sector + (1 | school)", "mathach ~ sector + sex + (1 | school)")
    once = dict.fromkeys(
        ("set_side_by_side", "explain_variance", "write_ledger", "check_errata", "tell_changes", "render_report"), 1
    )
    of_audit = {"audit_optimisers": 1, "gather_audit": 1, "draw_audit": 1, "audit": 1}
    of_model = {"fit_model": 1, "draw_figures": 1}
    assert planned(project, "--", "all", "audit") == of_model | once | of_audit
    # Two comparisons have that model. Each has a figure of its reference distribution, each model one of its checks.
    edit(
        project / "config.yaml", "mathach ~ cses + minority + (1 | school)", "mathach ~ minority + cses + (1 | school)"
    )
    expected = {"fit_model": 2, "compare_models": 2, "draw_figures": 4}
    assert planned(project) == expected | once


def test_fitting_code_refits_every_model(project: Path, config: dict) -> None:
    with (project / "workflow/twolevel/likelihood/deviance.py").open("a") as module:
        module.write("\n# changed\n")
    jobs = planned(project)
    assert jobs["fit_model"] == len(config["models"])
    assert not {"fetch_data", "prepare_data"} & set(jobs)


def test_a_label_touches_neither_data_nor_models(project: Path) -> None:
    edit(project / "config.yaml", "label: mathematics achievement", "label: achievement in mathematics")
    assert not {"fetch_data", "prepare_data", "fit_model", "compare_models"} & set(planned(project))


def test_a_title_is_for_the_report_alone(project: Path) -> None:
    edit(project / "config.yaml", "title: High School and Beyond", "title: HSB")
    assert planned(project) == {"render_report": 1}


def test_without_the_audit_no_model_is_fitted_again(project: Path) -> None:
    edit(project / "config.yaml", "  optimiser_audit: {kind: optimiser_audit}\n", "")
    edit(project / "config.yaml", "optimiser_audit:\n  methods: [bfgs]\n", "")
    # Against the accepted run, the audit's figure is now one that the configuration no longer asks for.
    assert planned(project) == {"tell_changes": 1, "render_report": 1}


@pytest.mark.parametrize("key", ["ledger.published", "ledger.verdicts", "ledger.errata"])
def test_a_file_that_is_not_there_is_named_where_an_earlier_run_read_another(
    key: str, project: Path, config: dict
) -> None:
    # Snakemake itself says of results whose input is missing that there is nothing to be done.
    section, name = key.split(".")
    edit(project / "config.yaml", f"  {name}: {config[section][name]}", f"  {name}: data/gone.csv")
    run = snakemake(project, "--cores", "1", "--dry-run")
    assert run.returncode != 0
    assert f"{key}: there is no file 'data/gone.csv' here; correct the path" in run.stdout + run.stderr


def test_every_model_is_audited_by_every_method(results: Path, config: dict) -> None:
    import pandas as pd

    audit = pd.read_csv(results / "optimiser_audit.csv")
    # The plain call and bfgs, the finished run's one method, from three starts; two searches of the profiled criterion
    # from one.
    searches = 3 * (1 + 1) + 2
    assert audit.groupby("model", sort=False).size().to_dict() == dict.fromkeys(config["models"], searches)
    seconds = pd.read_csv(results / "optimiser_audit_seconds.csv")
    keys = ["model", "program", "method", "start"]
    assert seconds[keys].equals(audit[keys])
    assert (seconds["seconds"] > 0).all()


def test_what_the_mode_does_not_use_fetches_nothing(project: Path) -> None:
    edit(project / "config.yaml", "url: https://rickhass", "url: https://elsewhere.rickhass")  # the mode is snapshot
    assert planned(project) == {}


def test_no_name_of_the_data_leaves_the_preparation_out(project: Path) -> None:
    edit(project / "config.yaml", "name: hsb ", "name: raw ")
    jobs = planned(project)
    assert jobs["prepare_data"] == 1
    assert "fetch_data" not in jobs


def test_a_job_that_fails_says_why_once_and_that_the_report_is_of_an_earlier_run(project: Path) -> None:
    edit(project / "config.yaml", "levels: [Public, Catholic]", "levels: [Public, Private]")
    run = snakemake(project, "--cores", "1")
    said = run.stdout + run.stderr
    assert run.returncode != 0
    assert "The run failed; results/report.html is of an earlier run.\n" in run.stderr
    assert said.count("no row has the level Private") == 1
    assert "Traceback" not in said
    assert not (project / "results/data/hsb.parquet").exists(), "a result of the old configuration was left in place"
    (project / "results/report.html").unlink()
    assert "The run failed.\n" in snakemake(project, "--cores", "1").stderr


def test_updated_data_rerun_everything_that_depends_on_them(project: Path) -> None:
    lines = (project / "data/hsb_snapshot.csv").read_text(encoding="utf-8").splitlines()
    header = lines[0].split(",")
    keep = [i for i, name in enumerate(header) if name not in ("mean.ses", "cses")]
    updated = [",".join(line.split(",")[i] for i in keep) for line in lines[:-40]]
    (project / "mine.csv").write_text("\n".join(updated) + "\n", encoding="utf-8")
    edit(project / "config.yaml", "mode: auto", "mode: mine.csv")
    target = "results/models/one_way_anova/fit.json"
    run = snakemake(project, "--cores", "2", target, "--config", 'data={"mode": "mine.csv"}')
    assert run.returncode == 0, run.stderr
    fit = json.loads((project / "results/models/one_way_anova/fit.json").read_text(encoding="utf-8"))
    assert fit["n_obs"] == 7185 - 40
    provenance = json.loads((project / "results/data/provenance.json").read_text(encoding="utf-8"))
    assert provenance["source"] == "mine.csv"


def test_the_audit_s_figure_is_not_missed_where_results_are_compared(results: Path, finished_run: Path) -> None:
    accepted = {file.stem for file in (finished_run / "studies/hsb/accepted/figures").glob("*.png")}
    assert "optimiser_audit" in accepted
    with (results / "changes.csv").open(encoding="utf-8", newline="") as file:
        told = {line["where"] for line in csv.DictReader(file) if line["part"] == "figure"}
    assert "optimiser_audit" not in told


def test_results_hold_what_the_contract_says(results: Path, finished_run: Path) -> None:
    schemas = finished_run / "workflow/schemas"
    for pattern, schema in {
        "models/*/fit.json": "fit.schema.yaml",
        "models/*/constrained.json": "constrained.schema.yaml",
        "witnesses.json": "witnesses.schema.yaml",
        "comparisons/*/comparison.json": "comparison.schema.yaml",
        "data/provenance.json": "provenance.schema.json",
    }.items():
        validator = Draft202012Validator(yaml.safe_load((schemas / schema).read_text(encoding="utf-8")))
        files = sorted(results.glob(pattern))
        assert files
        for file in files:
            errors = [error.message for error in validator.iter_errors(json.loads(file.read_text(encoding="utf-8")))]
            assert not errors, file


def test_tables_have_the_columns_of_the_contract(results: Path, finished_run: Path) -> None:
    import pandas as pd

    for pattern, columns in documented_tables(finished_run).items():
        if pattern.startswith("calibration/"):  # a target of its own: test_calibration.py
            continue
        files = sorted(results.glob(pattern))
        assert files, pattern
        for file in files:
            table = pd.read_parquet(file) if file.suffix == ".parquet" else pd.read_csv(file)
            # `...` stands for columns that depend on the model.
            stated = columns[: columns.index("...")] if "..." in columns else columns
            assert list(table.columns)[: len(stated)] == stated, file
            assert len(table.columns) == len(stated) or "..." in columns, file


MISTAKES = {
    "an unknown key": ("  mode: auto", "  mood: auto", "data: unknown key mood (did you mean 'mode'?)"),
    "a key twice": (
        "  random_intercept_minority:",
        "  random_intercept:",
        "the key 'random_intercept' is already in line",
    ),
    "no YAML": (
        "title: High School and Beyond",
        "title: High School: and Beyond",
        "config.yaml, line 7, column 21: this is not YAML: mapping values are not allowed here. Quote a value",
    ),
    "a study that is not there": (
        "narrative: studies/hsb",
        "narrative: studies/hbs",
        "report.narrative: there is no folder 'studies/hbs' with a file __init__.py",
    ),
    "evidence of no study": (
        "narrative: studies/hsb",
        "narrative: null",
        "ledger.errata: what computes the evidence is a part of the study that report.narrative names",
    ),
    "a model that the study's tables need": (
        "  means_by_mean_ses:",
        "  means_by_meanses:",
        "model: means_by_mean_ses}",
        "model: means_by_meanses}",
        "studies/hsb: models: the textbook's tables need means_by_mean_ses",
    ),
    "a missing column": (
        "mathach ~ sector + (1 | school)",
        "mathach ~ sektor + (1 | school)",
        "no column sektor in the data",
    ),
    "models that are not nested": (
        "null_model: random_intercept\n    alternative_model: random_intercept_minority",
        "null_model: means_by_sector\n    alternative_model: random_intercept_minority",
        "comparisons.minority_effect: the models are not nested",
    ),
    "REML with different fixed effects": (
        "random_intercept_minority\n    estimator: ML",
        "random_intercept_minority\n    estimator: REML",
        "a REML comparison needs the same fixed effects",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_ends_in_one_message(mistake: str, project: Path) -> None:
    *edits, says = MISTAKES[mistake]
    for old, new in zip(edits[::2], edits[1::2], strict=True):
        edit(project / "config.yaml", old, new)
    run = snakemake(project, "--cores", "1")
    said = run.stdout + run.stderr
    assert run.returncode != 0
    assert says in said
    assert "Traceback" not in said
    assert said.count(says) == 1
