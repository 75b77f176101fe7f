"""Start Snakemake many times for little more than the price of once: import what each run imports, then fork for each.

A line of the input is a request in JSON: the folder to work in, the arguments, and the files for the two outputs. It is
answered by a line with the exit code. Nothing of the project is imported here: each run has its own copy's modules.
"""

import json
import os
import sys

# What a start spends a second on.
import formulaic  # noqa: F401
import jsonschema  # noqa: F401
import pandas  # noqa: F401
import scipy.interpolate
import scipy.special  # noqa: F401
import snakemake.cli
import yaml  # noqa: F401

sys.path[0] = ""  # as `python -m snakemake` has it: the working folder


def run(folder: str, arguments: list[str], outputs: tuple[str, str]) -> None:
    """Become a run of snakemake, in a process of its own; ends in SystemExit, as the command does."""
    os.chdir(folder)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for stream, file in enumerate(outputs, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
    sys.argv = ["snakemake", *arguments]
    snakemake.cli.main()


for line in sys.stdin:
    child = os.fork()
    if child == 0:
        run(**json.loads(line))
    sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
    sys.stdout.flush()
