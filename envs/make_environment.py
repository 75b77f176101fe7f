"""Make the environment `.venv` from envs/requirements.lock, unless it is already what the lock says.

`make` calls it. It installs with uv where that is on the PATH, and with pip where it is not. It needs the
standard library alone, and no more than Python 3.6, so that an old Python ends in a message.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

SUPPORTED = ("3.11", "3.12", "3.13")
# Imported once before the environment counts as complete, to show that everything loads.
FIRST_IMPORT = """
import formulaic, jinja2, jsonschema, latex2mathml.converter, matplotlib.pyplot, nlopt, numba
import pandas, pyarrow.parquet, pyreadstat, python_calamine, rdata.parser, requests
import scipy.optimize, scipy.stats, snakemake.cli, snakemake.script, statsmodels.regression.mixed_linear_model
"""
HOW_TO_GET_PYTHON = """\
Debian and Ubuntu: apt install python3-venv, or one with a version such as python3.13-venv;
macOS: brew install python@3.13; with uv: uv python install 3.13.
Where it is not found by itself, say which: make PYTHON=/path/to/python3.13"""
HOW_TO_GET_PACKAGES = """\
The installer's own message is above. The packages, about 370 MB, come from your package index the first time:
without a network that cannot work; behind a proxy set HTTPS_PROXY; an index of your own belongs in the
configuration of pip or uv. Then run the same command again."""


class SetUpError(Exception):
    """A set-up that cannot go on, with what to do about it."""


def version_of(python):
    """Return "3.11" and the like for an interpreter, or None where it does not run."""
    command = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        answer = subprocess.check_output(command, stderr=subprocess.DEVNULL, universal_newlines=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer.strip()


def find_python(candidates):
    """Return the path of the first candidate that the lock supports."""
    seen = []
    for name in candidates:
        path = shutil.which(name)
        version = version_of(path) if path else None
        if version in SUPPORTED:
            return path
        if version:
            seen.append(f"{name} is Python {version}")
    found = "; ".join(seen) or "none was found"
    raise SetUpError(f"Python 3.11, 3.12 or 3.13 is needed, but {found}.\n{HOW_TO_GET_PYTHON}")


def run(command, advice):
    """Run a command; where it fails, name it and give the advice."""
    words = [str(word) for word in command]
    code = subprocess.call(words, stdin=subprocess.DEVNULL)
    if code != 0:
        raise SetUpError(f"`{' '.join(words[:4])} ...` ended with exit code {code}\n{advice}")


def build(python, venv, lock):
    """Make the environment afresh at `venv`, with exactly what the lock names, each file's hash checked."""
    uv = shutil.which("uv")
    if not uv and subprocess.call([python, "-c", "import ensurepip"], stderr=subprocess.DEVNULL) != 0:
        advice = f"Debian and Ubuntu: apt install python{version_of(python)}-venv"
        raise SetUpError(f"{python} lacks ensurepip, which environments are made with.\n{advice}")
    how, time = ("uv", "a minute") if uv else ("pip", "some minutes")
    print(f"Making the environment .venv with {how}; this happens once and takes {time} ...", flush=True)
    run([python, "-m", "venv", "--clear", venv] + (["--without-pip"] if uv else []), "")
    made = venv / "bin" / "python"
    if uv:
        install = [uv, "pip", "sync", "--quiet", "--require-hashes", "--python", made, lock]
    else:
        # --no-deps: the lock is complete. --no-compile: it is done below, on all cores.
        install = [made, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
        install += ["--no-compile", "--no-deps", "--require-hashes", "-r", lock]
    run(install, HOW_TO_GET_PACKAGES)
    run([made, "-c", FIRST_IMPORT], "A package was installed but does not load: its message is above.")
    # Each job of the pipeline is a short process, and Snakemake lets none of them write bytecode: without this they
    # take twice as long. A file that does not compile is some package's template, which nothing imports.
    subprocess.call([str(made), "-m", "compileall", "-q", "-j", "0", "-x", r"[\\/]tests?[\\/]", str(venv / "lib")])
    run([made, Path(__file__).with_name("compile_library.py")], "The library could not be compiled; see above.")


def main():
    """Bring the environment up to date."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", help="the interpreter to use; default: this one, or one on the PATH")
    parser.add_argument("--venv", type=Path, default=Path(__file__).resolve().parents[1] / ".venv")
    args = parser.parse_args()

    venv, lock = args.venv.absolute(), Path(__file__).resolve().with_name("requirements.lock")
    # Another lock, or another place (the environment's scripts hold their path), calls for a new one.
    made_from = f"{hashlib.sha256(lock.read_bytes()).hexdigest()}\n{venv}\n"
    stamp = venv / "complete"
    if stamp.is_file() and stamp.read_text() == made_from:
        version = version_of(str(venv / "bin" / "python"))
        if version in SUPPORTED and (not args.python or version == version_of(args.python)):
            return
    candidates = [args.python] if args.python else [sys.executable, *(f"python{v}" for v in SUPPORTED)]
    build(find_python(candidates), venv, lock)
    stamp.write_text(made_from)  # last: a set-up that was interrupted has no stamp


if __name__ == "__main__":
    try:
        main()
    except SetUpError as problem:
        sys.exit(f"error: {problem}")
    except KeyboardInterrupt:
        sys.exit("error: interrupted; the next run starts the set-up again")
