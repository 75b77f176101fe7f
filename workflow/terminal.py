"""What a person reads while the pipeline runs: a line for each stage, whatever fails, and five lines at the end.

Snakemake's own output names every job with its reason and its files. It stays in the log of the run;
`--printshellcmds` brings it back to the terminal, `--verbose` even more of it.
"""

import csv
import json
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from failures import failure, group_failure
from twolevel.data.download import STANDS_IN
from twolevel.errors import counted

# The handler that Snakemake writes to the terminal with, and the messages of its that stay.
SNAKEMAKE_S_OWN = "DefaultStreamHandler"
NOTHING = "Nothing to be done"
KEPT = (NOTHING, "Complete log")
# What is said otherwise or means nothing. Of a failed job Snakemake says three times that it failed, and never why:
# `failure` does that. And a cluster without accounting, whose jobs need no account, has none to guess.
REPEATED = (
    "CalledProcessError in file",
    "Exiting because a job execution failed",
    "At least one job did not complete",
    "No SLURM account given, trying to guess",
    "No account was given, not able to get a SLURM account",
    "Unable to guess SLURM account",
)


class Stages(logging.Handler):
    """Says when all jobs of a rule are done, about how long the others take, and which job failed.

    Attributes
    ----------
    stream : where to
    started : when the run began, in seconds
    planned : how many jobs each stage has
    idle : what is said where there is nothing to do
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self.stream = stream
        self.started = time.time()
        self.planned: Counter[str] = Counter()
        self.idle: Callable[[], str] = str
        self._jobs: dict[int, tuple[str, float]] = {}
        self._seconds: dict[str, list[float]] = defaultdict(list)
        self._end = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Take up one of Snakemake's events; what goes wrong here must not end the run."""
        try:
            self._take_up(record)
        except Exception:  # noqa: BLE001
            self.handleError(record)

    def _take_up(self, record: Any) -> None:
        event, said = str(getattr(record, "event", None) or ""), str(record.msg)
        if event == "run_info":
            self._plan(record.stats)
        elif event == "group_info":
            self._say(f"{clock(record.created - self.started)}         {len(record.jobs)} jobs are submitted as one")
        elif event == "job_info":
            self._jobs[record.jobid] = (stage(record.rule_name), record.created)
        elif event == "job_finished":
            name, began = self._jobs.get(record.job_id, ("", record.created))
            self._finished(name, began, record.created)
        elif event in ("job_error", "group_error"):
            self._say_failure(event, record)
        elif "CalledProcessError in file" in said:
            self._end = said
        elif said.startswith(NOTHING) and (idle := self.idle()):
            self._say(idle)

    def _plan(self, stats: Mapping[str, int]) -> None:
        self.planned = Counter()
        for rule, jobs in stats.items():
            if rule != "total":
                self.planned[stage(rule)] += jobs
        self._say(f"{self.planned.total()} jobs to do.")

    def _say_failure(self, event: str, record: Any) -> None:
        """After the error of a group come those of all its jobs, also of those that did not fail."""
        if event == "group_error":
            self._say("\n".join(group_failure(record.aux_logs)))
        elif not record.indent:
            self._say("\n".join(failure(record.rule_name, record.log, record.rule_msg or self._end)))

    def _finished(self, finished: str, began: float, now: float) -> None:
        self._seconds[finished].append(now - began)
        jobs, done = self.planned[finished], sum(map(len, self._seconds.values()))
        progress = f"{clock(now - self.started)} {100 * done // max(self.planned.total(), 1):4d} %"
        seconds = left(self.planned, self._seconds, now - self.started)
        rest = f", about {clock(seconds).strip()} left" if seconds >= 1 else ""
        if len(self._seconds[finished]) == jobs and finished != stage("all"):
            self._say(f"{progress}  {finished}{f' ({jobs} jobs)' if jobs > 1 else ''}{rest}")
        elif self.stream.isatty():
            self._say(f"{progress}{rest}", end="\r")

    def _say(self, text: str, end: str = "\n") -> None:
        clear = "\033[K" if self.stream.isatty() else ""
        self.stream.write(f"{clear}{text}{end}")
        self.stream.flush()


def left(planned: Mapping[str, int], seconds: Mapping[str, Sequence[float]], passed: float) -> float:
    """Seconds that the rest of a run takes, by what its jobs took so far; 0 where none tells.

    A stage's jobs take what those before them took; where there are none yet, what a job took on average. As many run
    at a time as did until now.

    Parameters
    ----------
    planned : jobs of each stage
    seconds : of each finished job, by its stage
    passed : since the run began
    """
    finished = [job for of in seconds.values() for job in of]
    spent = sum(finished)
    if not spent:
        return 0.0
    average = spent / len(finished)
    to_do = 0.0
    for name, jobs in planned.items():
        if name != stage("all"):
            done = seconds.get(name, ())
            to_do += (jobs - len(done)) * (sum(done) / len(done) if done else average)
    return to_do * passed / spent


def take_over(logger: logging.Logger) -> Stages | None:
    """Let `Stages` speak where Snakemake's own handler does, which keeps warnings and errors."""
    own = next((handler for handler in logger.handlers if handler.name == SNAKEMAKE_S_OWN), None)
    if not isinstance(own, logging.StreamHandler):
        return None
    stages = Stages(own.stream)
    own.addFilter(is_kept)
    logger.addHandler(stages)
    return stages


def is_kept(record: logging.LogRecord) -> bool:
    """Whether Snakemake itself says this."""
    if str(getattr(record, "event", None) or "") not in ("", "error"):
        return False
    said = str(record.msg)
    if any(text in said for text in REPEATED):
        return False
    return record.levelno >= logging.WARNING or said.startswith(KEPT)


def stage(rule: str) -> str:
    """A rule's name as words: `fit_model` is Fit model."""
    words = rule.rstrip("0123456789").replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def clock(seconds: float) -> str:
    """Minutes and seconds."""
    return f"{int(seconds) // 60:2d}:{int(seconds) % 60:02d}"


def closing_lines(config: Mapping[str, Any], results: Path, seconds: float) -> list[str]:
    """What was made, where it is, the ledger's verdicts, doubts about fits, notes on models, and how long it took."""
    counts = [
        counted(len(config[section]), noun)
        for section, noun in (("models", "model"), ("comparisons", "comparison"), ("figures", "figure"))
        if config[section]
    ]
    lines = [f"Made: {', '.join(counts)}."]
    ledger = results / "ledger.csv"
    if config["ledger"] and ledger.is_file():
        with ledger.open(encoding="utf-8", newline="") as file:
            verdicts = Counter(row["verdict"] for row in csv.DictReader(file))
        lines.append(f"Ledger: {', '.join(f'{count} {verdict}' for verdict, count in verdicts.most_common())}.")
    fits = {model: _read(results / f"models/{model}/fit.json") for model in config["models"]}
    doubted = [model for model, fit in fits.items() if _doubts(fit)]
    lines.append(f"Do not trust: {', '.join(doubted)}; fit.json says why." if doubted else "No fit is in doubt.")
    notes = dict.fromkeys(note for fit in fits.values() for note in fit.get("notes", ()))
    lines += [f"Note: {note}" for note in notes]
    lines += [f"Time: {clock(seconds).strip()} minutes.", report_line(results)]
    changes = results / "changes.html"
    if changes.is_file():
        lines.append(f"Changes since the accepted run: {changes.absolute()}")
    if _stands_in(results / "data/provenance.json"):
        data = config["data"]
        lines.append(f"There was no network: the data are the snapshot {data['snapshot']}, not {data['url']}.")
    return lines


def report_line(results: Path) -> str:
    """Where the report is."""
    pages = [page.absolute() for page in (results / "report.html", results / "report.pdf") if page.is_file()]
    return f"Report: {' and '.join(map(str, pages))}"


def _stands_in(provenance: Path) -> bool:
    """Whether the data are the snapshot because the file could not be downloaded."""
    return provenance.is_file() and _read(provenance)["obtained"] == STANDS_IN


def _doubts(fit: Mapping[str, Any]) -> bool:
    return bool(fit["doubts"] or any(fit.get(by, {}).get("doubts") for by in ("ml", "reml")))


def _read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found
