"""Start Python many times for little more than the price of once: import what each start imports, then fork for each.

    python warm_python.py serve SOCKET            imports it, then answers there
    python -I -S warm_python.py SOCKET ARGUMENTS  does what `python ARGUMENTS` does, in a fork of that process

A run of Snakemake that is started so starts its jobs so too. Nothing of the project is imported here: each program has
the modules of its own copy.
"""

import json
import os
import shlex
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path


def call(address: str, arguments: Sequence[str], folder: str, outputs: tuple[int, int]) -> int:
    """Have a program run there, with files for its two outputs; its exit code, 1 where it was killed."""
    request = {"arguments": arguments, "folder": folder, "environment": dict(os.environ)}
    with socket.socket(socket.AF_UNIX) as line, Path(os.devnull).open() as nothing:
        line.connect(address)
        socket.send_fds(line, [b"!"], [nothing.fileno(), *outputs])
        line.sendall(json.dumps(request).encode() + b"\n")
        return int(line.makefile().readline() or 1)


def serve(address: str) -> None:
    import runpy
    import traceback
    from socketserver import BaseRequestHandler, ForkingMixIn, UnixStreamServer

    # What programs spend their first second on.
    import formulaic  # noqa: F401
    import jsonschema  # noqa: F401
    import matplotlib.figure
    import matplotlib.font_manager  # noqa: F401
    import numba  # noqa: F401
    import pandas  # noqa: F401
    import pyarrow.parquet  # noqa: F401
    import scipy.interpolate
    import scipy.optimize
    import scipy.special
    import scipy.stats  # noqa: F401
    import snakemake.cli
    import snakemake.workflow
    import statsmodels.regression.mixed_linear_model  # noqa: F401
    import yaml  # noqa: F401

    class Program(BaseRequestHandler):
        """A program, in a process of its own."""

        def handle(self) -> None:
            _, descriptors, _, _ = socket.recv_fds(self.request, 1, 3)
            request = json.loads(self.request.makefile().readline())
            for ours, theirs in enumerate(descriptors):
                os.dup2(theirs, ours)
            os.chdir(request["folder"])
            os.environ.clear()
            os.environ.update(request["environment"])
            self.request.sendall(f"{code_of(lambda: run(request['arguments']))}\n".encode())

    def run(arguments: list[str]) -> None:
        if arguments[0] == "-m":
            sys.argv, sys.path[0] = arguments[1:], ""
            snakemake.workflow.Workflow._rundir = str(Path.cwd())  # which it asks for when it is imported
            sys.executable = shlex.join([sys.executable, "-I", "-S", __file__, address])
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv, sys.path[0] = arguments, str(Path(arguments[0]).parent)
            runpy.run_path(arguments[0], run_name="__main__")

    def code_of(program: Callable[[], None]) -> int:
        try:
            program()
        except SystemExit as end:
            return end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:  # noqa: BLE001  (said on its standard error, as Python does)
            traceback.print_exc()
            return 1
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
        return 0

    class Server(ForkingMixIn, UnixStreamServer):
        """Ends with the process that started it."""

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
        sys.exit(call(sys.argv[1], sys.argv[2:], str(Path.cwd()), (1, 2)))
