"""What a person reads while the pipeline runs: a line for each stage, whatever fails, and five lines at the end.

Snakemake's own output names every job with its reason and its files. It stays in the log of the run;
`--printshellcmds` brings it back to the terminal, `--verbose` even more of it.
"""

import csv
import json
import logging
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

# The handler that Snakemake writes to the terminal with, and the messages of its that stay.
SNAKEMAKE_S_OWN = "DefaultStreamHandler"
KEPT = ("Nothing to be done", "Complete log")
# Of a failed job Snakemake says three times that it failed, and never why: `failure` does that.
REPEATED = ("CalledProcessError in file", "Exiting because a job execution failed", "At least one job did not complete")

SILENT = "The job ended without a message: something killed it, for want of memory or time perhaps."


class Stages(logging.Handler):
    """Says when all jobs of a rule are done, and which job failed.

    Attributes
    ----------
    stream : where to
    started : when the run began, in seconds
    planned : how many jobs each stage has
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self.stream = stream
        self.started = time.time()
        self.planned: Counter[str] = Counter()
        self._stages: dict[int, str] = {}
        self._done: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Take up one of Snakemake's events; what goes wrong here must not end the run."""
        try:
            self._take_up(record)
        except Exception:  # noqa: BLE001
            self.handleError(record)

    def _take_up(self, record: logging.LogRecord) -> None:
        event = str(getattr(record, "event", None) or "")
        if event == "run_info":
            self.planned = Counter()
            for rule, jobs in record.stats.items():  # type: ignore[attr-defined]
                if rule != "total":
                    self.planned[stage(rule)] += jobs
            self._say(f"{self.planned.total()} jobs to do.")
        elif event == "job_info":
            self._stages[record.jobid] = stage(record.rule_name)  # type: ignore[attr-defined]
        elif event == "job_finished":
            self._finished(self._stages.get(record.job_id, ""))  # type: ignore[attr-defined]
        elif event == "job_error":
            self._say("\n".join(failure(record)))

    def _finished(self, finished: str) -> None:
        self._done[finished] += 1
        jobs, done = self.planned[finished], self._done.total()
        progress = f"{clock(time.time() - self.started)} {100 * done // max(self.planned.total(), 1):4d} %"
        if self._done[finished] == jobs and finished != stage("all"):
            self._say(f"{progress}  {finished}{f' ({jobs} jobs)' if jobs > 1 else ''}")
        elif self.stream.isatty():
            self._say(progress, end="\r")

    def _say(self, text: str, end: str = "\n") -> None:
        clear = "\033[K" if self.stream.isatty() else ""
        self.stream.write(f"{clear}{text}{end}")
        self.stream.flush()


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


def failure(record: Any) -> Iterator[str]:
    """What a failed job left in its log, and where that is."""
    yield f"Error in rule {record.rule_name}:"
    for file in record.log:
        said = Path(file).read_text(encoding="utf-8", errors="replace").strip() if Path(file).is_file() else ""
        yield from (f"  {line}" for line in (said or SILENT).splitlines())
        yield f"  (log: {file})"


def stage(rule: str) -> str:
    """A rule's name as words: `fit_model` is Fit model."""
    words = rule.rstrip("0123456789").replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def clock(seconds: float) -> str:
    """Minutes and seconds."""
    return f"{int(seconds) // 60:2d}:{int(seconds) % 60:02d}"


def closing_lines(config: Mapping[str, Any], results: Path, seconds: float) -> list[str]:
    """What was made, where it is, the ledger's verdicts, doubts about fits, and how long it took."""
    counts = [
        f"{len(config[section])} {noun}{'' if len(config[section]) == 1 else 's'}"
        for section, noun in (("models", "model"), ("comparisons", "comparison"), ("figures", "figure"))
        if config[section]
    ]
    lines = [f"Made: {', '.join(counts)}.", f"Report: {' and '.join(_pages(results))}"]
    ledger = results / "ledger.csv"
    if config["ledger"] and ledger.is_file():
        with ledger.open(encoding="utf-8", newline="") as file:
            verdicts = Counter(row["verdict"] for row in csv.DictReader(file))
        lines.append(f"Ledger: {', '.join(f'{count} {verdict}' for verdict, count in verdicts.most_common())}.")
    doubted = [model for model in config["models"] if _doubts(results / f"models/{model}/fit.json")]
    lines.append(f"Do not trust: {', '.join(doubted)}; fit.json says why." if doubted else "No fit is in doubt.")
    return [*lines, f"Time: {clock(seconds).strip()} minutes."]


def _pages(results: Path) -> Sequence[str]:
    return [str(page) for page in (results / "report.html", results / "report.pdf") if page.is_file()]


def _doubts(fit: Path) -> bool:
    found = json.loads(fit.read_text(encoding="utf-8"))
    return bool(found["doubts"] or any(found.get(by, {}).get("doubts") for by in ("ml", "reml")))
