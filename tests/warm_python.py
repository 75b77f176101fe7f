"""Start Python many times for little more than the price of once: import what each start imports, then fork for each.

    python warm_python.py serve SOCKET            imports it, then answers there
    python -I -S warm_python.py SOCKET ARGUMENTS  does what `python ARGUMENTS` does, in a fork of that process

A run of Snakemake that is started so starts its jobs so too. Nothing of the project is imported here: each program has
the modules of its own copy. What a program itself forgets to import is not missed here: each script of the pipeline
runs without it too, in the finished run (conftest.py) or where a test says `plain`.
"""

# The second form starts at once, without pathlib.
# ruff: noqa: PTH109, PTH120, PTH123

import json
import os
import shlex
import socket
import sys
from collections.abc import Sequence

# What programs spend their first second on.
IMPORTED = (
    *("formulaic", "jsonschema", "matplotlib.figure", "numba", "pandas", "pyarrow.parquet", "scipy.interpolate"),
    *("scipy.optimize", "scipy.special", "scipy.stats", "snakemake.cli", "statsmodels.regression.mixed_linear_model"),
)


def call(address: str, arguments: Sequence[str], folder: str, outputs: tuple[int, int]) -> int:
    """Have a program run there, with files for its two outputs; its exit code, or 1 where it broke down."""
    request = {"arguments": arguments, "folder": folder, "environment": dict(os.environ)}
    with socket.socket(socket.AF_UNIX) as line, open(os.devnull) as nothing:
        line.connect(address)
        socket.send_fds(line, [b"!"], [nothing.fileno(), *outputs])
        line.sendall(json.dumps(request).encode() + b"\n")
        return int(line.makefile().readline() or 1)


def serve(address: str) -> None:
    """Answer calls until the process that started this one ends."""
    import runpy
    from importlib import import_module
    from io import BytesIO
    from socketserver import BaseRequestHandler, ForkingMixIn, UnixStreamServer

    of = {module: import_module(module) for module in (*IMPORTED, "snakemake.workflow")}
    # What these two do only when they are first used.
    of["numba"].njit(lambda number: number)(0.0)
    of["matplotlib.figure"].Figure().subplots().figure.savefig(BytesIO(), format="svg")

    class Program(BaseRequestHandler):
        """A program, in a process of its own."""

        def handle(self) -> None:
            _, descriptors, _, _ = socket.recv_fds(self.request, 1, 3)
            request = json.loads(self.request.makefile().readline())
            for standard, given in enumerate(descriptors):
                os.dup2(given, standard)
            os.chdir(request["folder"])
            os.environ.clear()
            os.environ.update(request["environment"])
            code = 0
            try:
                run(request["arguments"])
            except SystemExit as end:
                code = int(end.code or 0)
            finally:
                sys.stdout.flush()
            self.request.sendall(f"{code}\n".encode())

    def run(arguments: list[str]) -> None:
        if arguments[0] == "-m":
            sys.argv, sys.path[0] = arguments[1:], ""
            of["snakemake.workflow"].Workflow._rundir = os.getcwd()  # it asks when it is imported
            sys.executable = shlex.join([sys.executable, "-I", "-S", __file__, address])
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv, sys.path[0] = arguments, os.path.dirname(arguments[0])
            runpy.run_path(arguments[0], run_name="__main__")

    class Server(ForkingMixIn, UnixStreamServer):
        parent = os.getppid()

        def service_actions(self) -> None:
            super().service_actions()
            if os.getppid() != self.parent:
                sys.exit()

    with Server(address, Program) as server:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        sys.exit(call(sys.argv[1], sys.argv[2:], os.getcwd(), (1, 2)))
