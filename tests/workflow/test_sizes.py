"""What jobs are guessed to take before they run."""

import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from sizes import MOST_PARTS, asked_for, bootstrap_parts, bootstrap_seconds, calibration_seconds, data_bytes


@pytest.fixture
def hsb(config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The project's configuration, which a test may change, in the folder that its paths are relative to."""
    monkeypatch.chdir(ROOT)
    return deepcopy(config)


def test_a_short_bootstrap_is_one_part_and_a_long_one_is_split(hsb: dict[str, Any]) -> None:
    parts = {}
    for replicates in (10_000, 1_000_000, 100_000_000):
        hsb["bootstrap"] |= {"replicates": replicates, "parts": "auto"}
        parts[replicates] = bootstrap_parts(hsb)
    assert parts[10_000] == 1
    assert 2 < parts[1_000_000] < 40
    assert parts[100_000_000] == MOST_PARTS
    assert bootstrap_parts(hsb | {"bootstrap": {"replicates": 5, "parts": 7}}) == 7


def test_the_guess_for_hsb_is_right_to_within_a_factor_of_three(hsb: dict[str, Any]) -> None:
    # benchmarks/results/replicate.csv: a replicate of random_coefficients takes 21 microseconds.
    hsb["models"] = {"random_coefficients": hsb["models"]["random_coefficients"]}
    assert 21e-6 / 3 < bootstrap_seconds(hsb) / hsb["bootstrap"]["replicates"] < 21e-6 * 3
    hsb["calibration"] |= {"data_sets": 100, "replicates": 200, "parts": 4}
    one = bootstrap_seconds(hsb) / hsb["bootstrap"]["replicates"]
    assert calibration_seconds(hsb) == pytest.approx(one * 100 / 4 * 200, rel=1e-12)


def test_the_size_of_the_data_is_that_of_their_file_or_of_the_snapshot(hsb: dict[str, Any], tmp_path: Path) -> None:
    snapshot = (ROOT / "data/hsb_snapshot.csv").stat().st_size
    assert data_bytes(hsb) == snapshot  # the mode is auto
    (tmp_path / "own.csv").write_bytes(b"x" * 1000)
    hsb["data"]["mode"] = str(tmp_path / "own.csv")
    assert data_bytes(hsb) == 1000
    assert data_bytes({"data": {"mode": "download", "url": "https://example.org/x.csv"}}) > 0


def test_each_attempt_asks_for_more() -> None:
    needs = asked_for(400.5, 2)
    assert [needs["mem_mb"](None, attempt) for attempt in (1, 2, 3)] == [401, 801, 1202]
    assert [needs["runtime"](None, attempt) for attempt in (1, 2)] == [2, 4]


def test_each_job_between_the_data_and_the_report_has_a_group() -> None:
    # A cluster would wait for ever for a job without one that stands between two of the same group.
    own_targets = {"audit_optimisers", "gather_audit", "draw_audit", "audit", "verify", "accept", "source"}
    own_targets |= {"calibrate_tests", "calibrate_intervals", "gather_calibration", "draw_calibration", "calibration"}
    rules = {}
    for file in (ROOT / "workflow/rules").glob("*.smk"):
        text = file.read_text(encoding="utf-8")
        for rule in re.finditer(r"^( *)rule *(\w*):\n(.*?)(?=^\1\S|\Z)", text, re.MULTILINE | re.DOTALL):
            rules[rule[2] or "draw_figures"] = rule[3]
    without = {name for name, body in rules.items() if "group:" not in body}
    assert len(rules) > 20
    assert without == own_targets | {"fetch_data", "prepare_data"}
