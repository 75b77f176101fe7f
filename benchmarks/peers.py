"""The tools that are measured, and the environment of the Python peers: benchmarks/.venv, apart from the project's."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
PINS = HERE / "requirements.txt"
VENV = HERE / ".venv"


@dataclass(frozen=True)
class Peer:
    """A Python package: its name on the index, its script here, and what it cannot do with the reason."""

    name: str
    script: str
    cannot: tuple[tuple[str, str], ...] = ()


PEERS = (
    Peer("lme-python", "peer_lme_python.py"),
    Peer("glmm", "peer_glmm.py"),
    Peer("mixedlm-rs", "peer_mixedlm_rs.py"),
    Peer("mixedlm", "peer_mixedlm.py"),
    Peer("gpboost", "peer_gpboost.py", (("intervals", "a random slope is independent of the intercept"),)),
    Peer("interlace-lme", "peer_interlace.py"),
    Peer("statsmodels", "peer_statsmodels.py"),
)


def one_thread() -> dict[str, str]:
    """Return the environment variables under which every library that the tools use runs in one thread."""
    limits = ("OMP", "OPENBLAS", "MKL", "NUMBA", "RAYON", "VECLIB", "BLIS", "NUMEXPR")
    return {**os.environ, **{f"{name}_NUM_THREADS": "1" for name in limits}, "POLARS_MAX_THREADS": "1"}


def install() -> dict[str, str]:
    """Install each peer where it is missing, at the pinned versions; return what went wrong, by peer."""
    python = VENV / "bin" / "python"
    uv = shutil.which("uv")
    if not python.is_file():
        subprocess.run([sys.executable, "-m", "venv", *(["--without-pip"] if uv else []), VENV], check=True)
    with_uv = [uv, "pip", "install", "--quiet", "--python", python]
    with_pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    failed = {}
    for peer in PEERS:
        command = [*(with_uv if uv else with_pip), "--constraint", PINS, peer.name]
        ended = subprocess.run(list(map(str, command)), capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if ended.returncode:
            failed[peer.name] = f"does not install: {last_line(ended.stderr)}"
    return failed


def last_line(text: str) -> str:
    """Return what a program said last."""
    return (text.strip().splitlines() or ["it said nothing"])[-1][:200]
