"""What a run says: a line for each stage, the message of a job that failed, and the lines at its end."""

import io
import json
import logging
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from failures import failure, group_failure
from terminal import Stages, closing_lines, is_kept, left, stage, take_over


def record(msg: str | None = None, level: int = logging.INFO, **extra: Any) -> logging.LogRecord:
    """A record as Snakemake makes it: an event with its details, or a message."""
    made = logging.LogRecord("snakemake", level, "", 0, msg, None, None)
    vars(made).update(extra)
    return made


def at(second: float, **extra: Any) -> logging.LogRecord:
    """An event so many seconds after the start of a run that began at 0."""
    made = record(**extra)
    made.created = second
    return made


def test_a_stage_is_said_once_when_all_its_jobs_are_done() -> None:
    stream = io.StringIO()
    stages = Stages(stream)
    stages.started = 0.0
    stages.emit(record(event="run_info", stats={"fit": 2, "draw_figures_1": 1, "draw_figures_2": 1, "total": 4}))
    assert stages.planned == Counter({"Fit": 2, "Draw figures": 2})
    for jobid, rule in enumerate(["fit", "draw_figures_2", "fit", "draw_figures_1"]):
        stages.emit(at(10 * jobid, event="job_info", jobid=jobid, rule_name=rule))
    said = []
    for jobid in range(4):
        stages.emit(at(10 * jobid + 10, event="job_finished", job_id=jobid))
        said.append(stream.getvalue().count("\n"))
    assert said == [1, 1, 2, 3]
    assert stream.getvalue().splitlines() == [
        "4 jobs to do.",
        " 0:30   75 %  Fit (2 jobs), about 0:10 left",
        " 0:40  100 %  Draw figures (2 jobs)",
    ]


def test_the_time_left_is_what_the_same_stages_took_by_as_many_jobs_at_a_time() -> None:
    # Two jobs ran at a time: 40 s of jobs in 20 s. There are 3 more fits of 10 s, and a figure of unknown length.
    planned = {"Fit": 6, "Draw": 2, "All": 1}
    assert left(planned, {"Fit": [10.0, 10.0, 10.0], "Draw": [10.0]}, 20.0) == pytest.approx((3 * 10 + 10) / 2)
    assert left(planned, {"Fit": [6.0, 6.0, 6.0], "Draw": [22.0]}, 20.0) == pytest.approx((3 * 6 + 22) / 2)
    # A stage that has not begun takes the average of all jobs until then.
    assert left({"Fit": 2, "Draw": 1}, {"Fit": [4.0, 8.0]}, 12.0) == pytest.approx(6.0)
    assert left(planned, {}, 20.0) == 0.0


def test_what_is_said_where_there_is_nothing_to_do() -> None:
    stream = io.StringIO()
    stages = Stages(stream)
    stages.emit(record("Nothing to be done (all requested files are present and up to date)."))
    assert stream.getvalue() == ""
    stages.idle = lambda: "Report: results/report.html"
    stages.emit(record("Nothing to be done (all requested files are present and up to date)."))
    assert stream.getvalue() == "Report: results/report.html\n"


def test_a_failure_is_what_the_log_says_and_its_name(tmp_path: Path) -> None:
    log = tmp_path / "fit.log"
    log.write_text("error: one message\nin two lines\n", encoding="utf-8")
    assert list(failure("fit_model", [str(log)], "")) == [
        "Error in rule fit_model:",
        "  error: one message",
        "  in two lines",
        f"  (log: {log})",
    ]


ENDED = {
    "Command 'x' died with <Signals.SIGKILL: 9>.": "(died with <Signals.SIGKILL: 9>). It was killed.",
    "Command 'x' returned non-zero exit status 137.": "(returned non-zero exit status 137). It was killed.",
    "SLURM-job '7' failed, SLURM status is: 'TIMEOUT'. Reason": "(SLURM status is: 'TIMEOUT'). It took longer than",
    "SLURM-job '7' failed, SLURM status is: 'CANCELLED'. Reason": "(SLURM status is: 'CANCELLED'). Somebody",
    "Command 'x' returned non-zero exit status 2.": "(returned non-zero exit status 2). Why it ended is not known.",
    "": "The job left no message. Why it ended is not known.",
}


@pytest.mark.parametrize("end", ENDED)
def test_a_job_without_a_message_says_how_it_ended(end: str, tmp_path: Path) -> None:
    log = tmp_path / "fit.log"
    log.write_text("REML: criterion 1.5\n", encoding="utf-8")
    stream = io.StringIO()
    stages = Stages(stream)
    if "SLURM" not in end:  # Snakemake says it beforehand
        stages.emit(record(f"RuleException:\nCalledProcessError in file x:\n{end}", logging.ERROR, event="error"))
    about = {"rule_name": "fit_model", "log": [str(log)], "indent": False}
    stages.emit(record(event="job_error", rule_msg=end if "SLURM" in end else None, **about))
    said = stream.getvalue().splitlines()
    assert said[:2] == ["Error in rule fit_model:", "  REML: criterion 1.5"]
    assert ENDED[end] in said[2]
    assert said[3:] == [f"  (log: {log})"]


def test_of_jobs_that_a_cluster_ran_as_one_those_that_failed_are_named(tmp_path: Path) -> None:
    log, cluster = tmp_path / "fit.log", tmp_path / "7.log"
    log.write_text("error: one message\n", encoding="utf-8")
    failed = f"Error in rule fit_model:\n    message: None\n    log: {log} (check log file(s) for error details)\n"
    listed = (
        f"    Error in rule draw:\n        jobid: 2\n        log: {tmp_path} (check log file(s) for error details)\n"
    )
    cluster.write_text(failed + listed + failed, encoding="utf-8")
    stream = io.StringIO()
    stages = Stages(stream)
    stages.emit(record(event="group_error", aux_logs=[str(cluster)]))
    stages.emit(record(event="job_error", rule_name="draw", log=[], rule_msg=None, indent=True))
    assert stream.getvalue() == f"Error in rule fit_model:\n  error: one message\n  (log: {log})\n"
    cluster.write_text(
        "slurmstepd: error: *** JOB 1 ON n1 CANCELLED AT 2026-11-26 DUE TO TIME LIMIT ***", encoding="utf-8"
    )
    assert "It took longer than it had asked the cluster for." in "".join(group_failure([str(cluster)]))


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
        fit = {"doubts": [], "ml": {"doubts": doubts}, "notes": ["y has two values."]}
        (tmp_path / f"models/{model}/fit.json").write_text(json.dumps(fit), encoding="utf-8")
    (tmp_path / "ledger.csv").write_text('id,verdict\n1,match\n2,match\n3,"mismatch"\n', encoding="utf-8")
    (tmp_path / "report.html").touch()
    config = {"models": {"good": {}, "bad": {}}, "comparisons": {}, "figures": {"one": {}}, "ledger": {}}
    first = ["Made: 2 models, 1 figure."]
    notes = ["Do not trust: bad; fit.json says why.", "Note: y has two values."]
    last = [*notes, "Time: 1:05 minutes.", f"Report: {tmp_path}/report.html"]
    assert closing_lines(config | {"ledger": None}, tmp_path, 65) == first + last
    with_ledger = closing_lines(config | {"ledger": {"published": "x"}}, tmp_path, 65)
    assert with_ledger == [*first, "Ledger: 2 match, 1 mismatch.", *last]


def test_the_last_line_says_that_the_snapshot_stood_in(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    story = tmp_path / "data/provenance.json"
    data = {"snapshot": "data/snapshot.csv", "url": "https://example.org/data.csv"}
    config = {"models": {}, "comparisons": {}, "figures": {}, "ledger": None, "data": data}
    story.write_text(json.dumps({"obtained": "downloaded"}), encoding="utf-8")
    assert "no network" not in closing_lines(config, tmp_path, 65)[-1]
    story.write_text(json.dumps({"obtained": "snapshot, because there was no network"}), encoding="utf-8")
    *_, last = closing_lines(config, tmp_path, 65)
    assert last == (
        "There was no network: the data are the snapshot data/snapshot.csv, not https://example.org/data.csv."
    )


def test_a_stage_bears_its_rule_s_name() -> None:
    assert [stage(rule) for rule in ("fit_model", "draw_figures_12")] == ["Fit model", "Draw figures"]
