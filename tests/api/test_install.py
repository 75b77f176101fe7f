"""`pip install .` gives the package with what it needs and no more: in a new environment it does ten lines' work."""

import ensurepip
import json
import subprocess
import sys
import tomllib
import venv
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy
import numpy as np
import pytest
from conftest import take_over_compiled
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# What a package is imported as, where that is not its name.
MODULES = {"pillow": "PIL", "pyyaml": "yaml"}

# The pip that Python brings for new environments, run from its wheel: to install it there takes five times as long.
(BUNDLED,) = (Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl")
PIP = [sys.executable, str(BUNDLED / "pip")]

# The first lines hide what only the extras bring. The last but one is not used by what stands before it.
TEN_LINES = """
import sys
sys.modules.update(dict.fromkeys({hidden!r}))
import twolevel
assert not {{"numpy", "pandas", "numba"}} & {{*sys.modules}}
import json, pandas as pd
hsb = pd.read_csv({data!r})
hsb["cses"] = hsb["ses"] - hsb.groupby("school")["ses"].transform("mean")
model3 = twolevel.fit("mathach ~ cses + (cses | school)", hsb)
null = twolevel.fit("mathach ~ cses + (1 | school)", hsb)
intervals = model3.confint("profile")[["lower", "upper"]]
test = twolevel.compare(null, model3, bootstrap=10_000).iloc[1]
page, text, rows = model3._repr_html_(), model3.summary(), model3.predict(hsb.head(3))
print(json.dumps([twolevel.__file__, model3.criterion, intervals.to_numpy().tolist(), test["p_bootstrap"]]))
"""


def built(folder: Path) -> Path:
    """Build the wheel from a copy of what it is made of: without a network where setuptools is new enough here."""
    (folder / "source").mkdir()
    for name in ("pyproject.toml", "LICENSE", "docs/notebook.md", *package_files()):
        target = folder / "source" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    needed = Requirement(PROJECT["build-system"]["requires"][0])
    if has(needed):
        build = f"from setuptools import build_meta; build_meta.build_wheel({str(folder)!r})"
        command = [sys.executable, "-c", build]
    else:
        command = [*PIP, "wheel", "--no-deps", "--wheel-dir", str(folder), "."]
    subprocess.run(command, cwd=folder / "source", check=True, capture_output=True)
    (wheel,) = folder.glob("twolevel-*.whl")
    return wheel


def package_files() -> list[str]:
    files = (ROOT / "workflow/twolevel").rglob("*")
    return [str(file.relative_to(ROOT)) for file in files if file.suffix in (".py", ".pyi", ".typed")]


def has(needed: Requirement) -> bool:
    try:
        return needed.specifier.contains(version(needed.name))
    except PackageNotFoundError:
        return False


@pytest.mark.slow
def test_ten_lines_in_a_new_environment(tmp_path, lme4) -> None:
    venv.create(tmp_path / "venv")
    python = tmp_path / "venv/bin/python"
    install = [*PIP, "--python", str(python), "install", "--no-deps", "--no-index", str(built(tmp_path))]
    subprocess.run(install, check=True, capture_output=True)
    # numpy and the like are those of this environment.
    (site,) = (tmp_path / "venv/lib").glob("python*/site-packages")
    take_over_compiled(ROOT / "workflow/twolevel", site / "twolevel")
    (site / "here.pth").write_text(str(Path(numpy.__file__).parents[1]), encoding="utf-8")
    needs = {Requirement(line).name for line in PROJECT["project"]["dependencies"]}
    extras = {Requirement(line).name for line in PROJECT["project"]["optional-dependencies"]["all"]}
    assert not needs & extras
    hidden = [MODULES.get(name, name) for name in extras]
    code = TEN_LINES.format(hidden=hidden, data=str(ROOT / "data/hsb_snapshot.csv"))
    # -P: the folder that it runs in is not looked in.
    run = subprocess.run([python, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    file, criterion, intervals, p_value = json.loads(run.stdout)
    assert Path(file).is_relative_to(site)
    expected = lme4["models"]["random_coefficients"]["REML"]["criterion"]
    assert criterion == pytest.approx(expected, abs=1e-6)
    profiles = json.loads((ROOT / "tests/reference/profile_intervals.json").read_text(encoding="utf-8"))["models"]
    theirs = [[row["lower"], row["upper"]] for row in profiles["random_coefficients"]["intervals"]]
    widths = np.diff(theirs)
    # lme4 interpolates its profile: tests/inference/test_profile_intervals.py.
    assert (np.abs(np.array(intervals) - theirs) < 2e-3 * widths).all()
    # pbkrtest's gamma and the mixture lie at 0.0047; the Monte Carlo error of 10,000 replicates is 0.0007.
    assert p_value == pytest.approx(0.0047, abs=0.003)
