"""What a run says: a line for each stage, the message of a job that failed, and the lines at its end."""

import io
import json
import logging
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from terminal import SILENT, Stages, closing_lines, failure, is_kept, stage, take_over


def record(msg: str | None = None, level: int = logging.INFO, **extra: Any) -> logging.LogRecord:
    """A record as Snakemake makes it: an event with its details, or a message."""
    made = logging.LogRecord("snakemake", level, "", 0, msg, None, None)
    vars(made).update(extra)
    return made


def test_a_stage_is_said_once_when_all_its_jobs_are_done() -> None:
    stream = io.StringIO()
    stages = Stages(stream)
    stages.emit(record(event="run_info", stats={"fit": 2, "draw_figures_1": 1, "draw_figures_2": 1, "total": 4}))
    assert stages.planned == Counter({"Fit": 2, "Draw figures": 2})
    for jobid, rule in enumerate(["fit", "draw_figures_2", "fit", "draw_figures_1"]):
        stages.emit(record(event="job_info", jobid=jobid, rule_name=rule))
    said = []
    for jobid in range(4):
        stages.emit(record(event="job_finished", job_id=jobid))
        said.append(stream.getvalue().count("\n"))
    assert said == [1, 1, 2, 3]
    assert stream.getvalue().splitlines()[0] == "4 jobs to do."
    assert [line[6:] for line in stream.getvalue().splitlines()[1:]] == [
        "  75 %  Fit (2 jobs)",
        " 100 %  Draw figures (2 jobs)",
    ]


def test_a_failure_is_what_the_log_says_and_its_name(tmp_path: Path) -> None:
    log, empty = tmp_path / "fit.log", tmp_path / "killed.log"
    log.write_text("error: one message\nin two lines\n", encoding="utf-8")
    of = SimpleNamespace(rule_name="fit_model", log=[str(log)])
    assert list(failure(of)) == [
        "Error in rule fit_model:",
        "  error: one message",
        "  in two lines",
        f"  (log: {log})",
    ]
    killed = SimpleNamespace(rule_name="fit_model", log=[str(empty)])
    assert list(failure(killed)) == ["Error in rule fit_model:", f"  {SILENT}", f"  (log: {empty})"]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (record("Building DAG of jobs..."), False),
        (record("Nothing to be done (all requested files are present and up to date)."), True),
        (record("Incomplete files are run again", logging.WARNING), True),
        (record(event="job_info"), False),
        (record("WorkflowError:\nconfig.yaml is not as it should be", logging.ERROR, event="error"), True),
        (record("RuleException:\nCalledProcessError in file x", logging.ERROR, event="error"), False),
    ],
)
def test_warnings_and_errors_stay(said: logging.LogRecord, kept: bool) -> None:
    assert is_kept(said) == kept


def test_snakemake_s_own_handler_goes_on_with_what_is_kept() -> None:
    logger, stream = logging.Logger("snakemake"), io.StringIO()
    assert take_over(logger) is None  # there is no such handler: nothing changes
    assert not logger.handlers
    own = logging.StreamHandler(stream)
    own.name = "DefaultStreamHandler"
    logger.addHandler(own)
    assert take_over(logger) is not None
    logger.info("Select jobs to execute...")
    logger.warning("mind this")
    assert stream.getvalue() == "mind this\n"


def test_the_end_says_what_was_made_and_what_is_in_doubt(tmp_path: Path) -> None:
    for model, doubts in (("good", []), ("bad", ["its gradient is not zero"])):
        (tmp_path / "models" / model).mkdir(parents=True)
        fit = {"doubts": [], "ml": {"doubts": doubts}}
        (tmp_path / f"models/{model}/fit.json").write_text(json.dumps(fit), encoding="utf-8")
    (tmp_path / "ledger.csv").write_text('id,verdict\n1,match\n2,match\n3,"mismatch"\n', encoding="utf-8")
    (tmp_path / "report.html").touch()
    config = {"models": {"good": {}, "bad": {}}, "comparisons": {}, "figures": {"one": {}}, "ledger": {}}
    first = ["Made: 2 models, 1 figure.", f"Report: {tmp_path}/report.html"]
    last = ["Do not trust: bad; fit.json says why.", "Time: 1:05 minutes."]
    assert closing_lines(config | {"ledger": None}, tmp_path, 65) == first + last
    with_ledger = closing_lines(config | {"ledger": {"published": "x"}}, tmp_path, 65)
    assert with_ledger == [*first, "Ledger: 2 match, 1 mismatch.", *last]


def test_a_stage_bears_its_rule_s_name() -> None:
    assert [stage(rule) for rule in ("fit_model", "draw_figures_12")] == ["Fit model", "Draw figures"]
