"""Why a job failed: what it left in its log, or, where it left no message, how it ended and what that means."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

# How a job ended, in the words of Snakemake or of Slurm, and what that means.
ENDS = {
    r"SIGKILL|exit status 137|OUT_OF_MEMORY": (
        "It was killed. Most often the memory was not enough: run fewer jobs at a time (a smaller --cores), or close "
        "other programs."
    ),
    r"TIMEOUT|DUE TO TIME LIMIT": "It took longer than it had asked the cluster for. Each retry asks for more.",
    r"NODE_FAIL|NODE FAILURE": "The node that it ran on was lost.",
    r"CANCELLED": "Somebody cancelled it.",
}


def failure(rule: str, logs: Sequence[str], end: str) -> Iterator[str]:
    """What a failed job left in the first of its logs; where it left no message, how it ended; where the logs are."""
    yield f"Error in rule {rule}:"
    said = _read(logs[0]) if logs else ""
    yield from (f"  {line}" for line in said.splitlines())
    if "error" not in said:
        yield f"  {meaning(end)}"
    yield from (f"  (log: {file})" for file in logs)


def group_failure(logs: Sequence[str]) -> Iterator[str]:
    """The same for jobs that a cluster ran as one: their log is Snakemake's, which names those that failed."""
    said = "\n".join(map(_read, logs))
    failed = re.findall(r"^Error in rule (\w+):$(?:\n +.*)*?\n +log: (.*) \(check log", said, re.MULTILINE)
    for rule, file in dict.fromkeys(failed):
        yield from failure(rule, [file], said)
    if not failed:
        yield "Error in jobs that were submitted as one:"
        yield f"  {meaning(said)}"
        yield from (f"  (log: {file})" for file in logs)


def meaning(end: str) -> str:
    """What it means that a job without a message of its own ended so."""
    found = next((meant for pattern, meant in ENDS.items() if re.search(pattern, end)), None)
    ended = re.search(r"(?:died with|returned non-zero) .*|SLURM status is: \S+", end)
    how = f" ({ended.group().strip('.')})" if ended else ""
    return f"The job left no message{how}. {found or 'Why it ended is not known.'}"


def _read(file: str) -> str:
    return Path(file).read_text(encoding="utf-8", errors="replace").strip() if Path(file).is_file() else ""
