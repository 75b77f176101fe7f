"""Locks that killed runs left go, and those of living runs stay, also of runs beside each other."""

import subprocess
import sys
from pathlib import Path

from locks import take_over

HELD = "import sys, pathlib; sys.path.insert(0, 'workflow'); from locks import take_over; "
HELD += "lock = take_over(pathlib.Path(sys.argv[1])); print('held', flush=True); input()"
ROOT = Path(__file__).resolve().parents[2]


def left_behind(folder: Path) -> Path:
    file = folder / "locks/0.output.lock"
    file.write_text("results/report.html")
    return file


def another_run(folder: Path) -> subprocess.Popen[str]:
    run = subprocess.Popen(
        [sys.executable, "-c", HELD, str(folder)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert run.stdout
    assert run.stdout.readline() == "held\n"
    return run


def test_a_lock_of_a_killed_run_is_taken_away(tmp_path: Path) -> None:
    run = another_run(tmp_path)
    lock = left_behind(tmp_path)
    run.kill()
    run.communicate()
    with take_over(tmp_path):
        assert not lock.exists()


def test_the_lock_of_the_second_of_two_runs_outlives_the_first(tmp_path: Path) -> None:
    first, second = another_run(tmp_path), another_run(tmp_path)
    lock = left_behind(tmp_path)
    first.communicate("\n")
    with take_over(tmp_path):
        assert lock.exists(), "the second run is still at work"
    second.communicate("\n")
    with take_over(tmp_path):
        assert not lock.exists()
