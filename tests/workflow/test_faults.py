"""A full or read-only disk, damaged results: one message with the file and the mend, and nothing left over."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from _job import (
    Column,
    Columns,
    read_arrays,
    read_json,
    read_table,
    write_arrays,
    write_blocks,
    write_json,
    write_table,
)
from conftest import ROOT
from twolevel.errors import UserError
from whole_files import write_bytes

WRITING = """
import sys
sys.path.insert(0, {scripts!r})
from _job import job
from whole_files import write_bytes
with job(sys.argv[1]):
    write_bytes(sys.argv[2], b"x" * int(sys.argv[3]))
"""


def write_in_a_job(log: Path, file: Path, size: int) -> subprocess.CompletedProcess[str]:
    code = WRITING.format(scripts=str(ROOT / "workflow/scripts"))
    command = [sys.executable, "-c", code, str(log), str(file), str(size)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs root and the right to mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_named_and_nothing_is_left_over(disk: Path, tmp_path: Path) -> None:
    log, file = tmp_path / "job.log", disk / "fit.json"
    run = write_in_a_job(log, file, 100_000)
    assert run.returncode == 1
    said = f"{file} could not be written or read: No space left on device. The disk is full: free some space"
    assert log.read_text(encoding="utf-8") == f"error: {said}, then run snakemake again.\n"
    assert list(disk.iterdir()) == []
    assert write_in_a_job(log, file, 1000).returncode == 0
    assert file.stat().st_size == 1000


def test_a_disk_that_fills_up_while_a_table_is_written_block_by_block(disk: Path) -> None:
    blocks = (pd.DataFrame({"a": np.random.default_rng(i).standard_normal(5_000)}) for i in range(9))
    with pytest.raises(OSError, match="No space left on device") as refused:
        write_blocks(disk / "bootstrap.parquet", blocks)
    assert (refused.value.errno, refused.value.filename) == (errno.ENOSPC, str(disk / "bootstrap.parquet"))
    assert list(disk.iterdir()) == []


def test_a_file_that_cannot_be_read_while_another_is_written_is_the_one_that_is_named(tmp_path: Path) -> None:
    def blocks() -> Iterator[pd.DataFrame]:
        yield pd.DataFrame({"a": [1.0]})
        (tmp_path / "2-of-2.npz").read_bytes()

    with pytest.raises(FileNotFoundError) as refused:
        write_blocks(tmp_path / "bootstrap.parquet", blocks())
    assert refused.value.filename == str(tmp_path / "2-of-2.npz")
    assert list(tmp_path.iterdir()) == []


def test_where_the_log_is_on_the_full_disk_the_message_is_on_the_terminal(disk: Path) -> None:
    (disk / "fill").write_bytes(b"x" * 60_000)
    log = disk / "job.log"
    log.touch()
    run = write_in_a_job(log, disk / "fit.json", 100_000)
    assert run.returncode == 1
    assert "The disk is full: free some space" in log.read_text(encoding="utf-8") + run.stderr
    assert "Traceback" not in run.stderr


def test_a_disk_that_has_become_read_only_is_named(disk: Path, tmp_path: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    log = tmp_path / "job.log"
    assert write_in_a_job(log, disk / "fit.json", 10).returncode == 1
    assert "fit.json could not be written or read: Read-only file system. The disk is" in log.read_text(
        encoding="utf-8"
    )


def test_a_result_that_could_not_be_written_is_still_the_old_one(disk: Path, tmp_path: Path) -> None:
    file = disk / "fit.json"
    file.write_bytes(b"old")
    write_in_a_job(tmp_path / "job.log", file, 100_000)
    assert file.read_bytes() == b"old"


def test_what_a_killed_job_left_is_removed_with_the_next_write(tmp_path: Path) -> None:
    left, other = tmp_path / "fit.json.123.part", tmp_path / "refit.json.123.part"
    left.touch()
    other.touch()
    write_bytes(tmp_path / "fit.json", b"whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fit.json", other.name]


KINDS = {
    "fit.json": (lambda file: write_json(file, {"criterion": 1.5}), read_json),
    "residuals.parquet": (lambda file: write_table(file, pd.DataFrame({"fitted": np.arange(50.0)})), read_table),
    "bootstrap.parquet": (
        lambda file: write_blocks(file, [pd.DataFrame({"Days": np.arange(50.0)})] * 2),
        lambda file: [*Columns(file)["Days"]],
    ),
    "experiment.npz": (lambda file: write_arrays(file, {"root": np.arange(50.0)}), read_arrays),
}


@pytest.mark.parametrize("damage", ["cut", "empty", "overwritten", "zeros"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_result_is_named_with_the_mend(kind: str, damage: str, tmp_path: Path) -> None:
    write, read = KINDS[kind]
    file = tmp_path / kind
    write(file)
    whole = file.read_bytes()
    damaged = {"cut": whole[: len(whole) // 2], "empty": b"", "overwritten": b"\xff\xfe", "zeros": b"\0" * len(whole)}
    file.write_bytes(damaged[damage])
    with pytest.raises(
        UserError, match=r"cannot be read \(.*\): it is damaged\. Delete it and run snakemake again\.$"
    ) as raised:
        read(file)
    assert str(raised.value).startswith(str(file))
    write(file)
    read(file)


def test_a_column_whose_name_was_damaged_is_missed(tmp_path: Path) -> None:
    file = tmp_path / "bootstrap.parquet"
    write_blocks(file, [pd.DataFrame({"Dbys": [1.0]})])
    with pytest.raises(UserError, match=r"bootstrap\.parquet cannot be read \(.*Days.*\): it is damaged\. Delete it"):
        list(Columns(file)["Days"])


@pytest.mark.parametrize("blocks", [False, True])
def test_a_changed_byte_of_a_table_of_numbers_is_refused_or_changes_nothing(blocks: bool, tmp_path: Path) -> None:
    file, rng = tmp_path / "bootstrap.parquet", np.random.default_rng(1)
    table = pd.DataFrame({"a": rng.standard_normal(40), "b": rng.integers(0, 3, 40), "c": rng.random(40) < 0.5})
    if blocks:
        write_blocks(file, [table[:25], table[25:]])
    else:
        write_table(file, table)
    whole, refused = file.read_bytes(), 0
    for place in range(0, len(whole), 5):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 0x15]) + whole[place + 1 :])
        try:
            again = (
                pd.DataFrame({name: np.concatenate([*Column(file, name)]) for name in table})
                if blocks
                else read_table(file, ["a", "b", "c"])
            )
        except UserError:
            refused += 1
        else:
            pd.testing.assert_frame_equal(again, table)
    assert refused > 100


@pytest.mark.slow
def test_a_run_needs_no_home_and_no_room_in_tmpdir(disk: Path, tmp_path: Path) -> None:
    # As `make` does, where HOME cannot be written: the caches have a place of their own.
    (disk / "fill").write_bytes(b"x" * 65_536)
    environment = {**os.environ, "HOME": "/proc/none", "XDG_CACHE_HOME": str(tmp_path / "cache"), "TMPDIR": str(disk)}
    target = "results/models/random_slope/fit.json"
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "1"]
    command += [
        "--directory",
        str(tmp_path / "run"),
        "--config",
        f"data={{'mode': '{ROOT}/studies/sleepstudy/data/sleepstudy.csv'}}",
    ]
    (tmp_path / "run").mkdir()
    (tmp_path / "run/config.yaml").write_text((ROOT / "studies/sleepstudy/config.yaml").read_text())
    run = subprocess.run(
        [*command, "--", target], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "run" / target).is_file()
