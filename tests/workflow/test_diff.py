"""`make diff` between lme4's reference data and a copy with one altered outcome, held to lme4's own fits of both."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import diff_runs
import fit_model
import pandas as pd
import pytest
from conftest import ROOT
from fitted import SUPPLEMENTS
from twolevel.data.columns import check_columns
from twolevel.errors import UserError
from twolevel.model.derive import derive

# The 101st student, who is in school 1296, gets the highest score that there is.
ROW, SCHOOL, SCORE = 100, "1296", 24.99
MODELS = ("one_way_anova", "means_by_sector", "random_coefficients")
# Each fixed effect's move in units of its first standard error, by lme4.
R = """
library(lme4)
formulas <- list(one_way_anova = mathach ~ (1 | school), means_by_sector = mathach ~ sector + (1 | school),
                 random_coefficients = mathach ~ cses + (cses | school))
read <- function(file) {
  d <- read.csv(file, stringsAsFactors = FALSE)
  d$sector <- factor(d$sector, c("Public", "Catholic"))
  d$cses <- d$ses - ave(d$ses, d$school)
  d
}
files <- commandArgs(trailingOnly = TRUE)
old <- read(files[1]); new <- read(files[2])
fit <- function(f, d) lmer(f, d, control = lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-9)))
moves <- lapply(formulas, function(f) {
  a <- fit(f, old); b <- fit(f, new)
  as.list((fixef(b) - fixef(a)) / sqrt(diag(as.matrix(vcov(a)))))
})
cat(jsonlite::toJSON(moves, digits = NA, auto_unbox = TRUE))
"""


def results(folder: Path, raw: pd.DataFrame, config: dict[str, Any]) -> Path:
    """The part of a run's results that the comparison needs: the data, and three models."""
    prepared = folder / "data/hsb.parquet"
    (folder / "data/raw").mkdir(parents=True)
    raw.to_parquet(folder / "data/raw/table.parquet", index=False)
    (folder / "data/provenance.json").write_text(json.dumps({"group": "school"}), encoding="utf-8")
    checked = check_columns(raw, config["data"]["columns"], "school", keep=config["derive"], name="the copy")
    derive(checked, "school", config["derive"]).to_parquet(prepared, index=False)
    for model in MODELS:
        made = folder / "models" / model
        made.mkdir(parents=True)
        names = ("fit.json", "fixed_effects.csv", "random_effects.csv", "variance_components.csv", "constrained.json")
        others = {"summary": "summary.txt", "group_effects": "school_effects.csv", "residuals": "residuals.parquet"}
        others |= {name: f"{name}.csv" for name in ("influence", *SUPPLEMENTS)}
        files = {Path(name).stem: name for name in names} | others | {"experiment": "experiment.npz"}
        output = SimpleNamespace(**{part: str(made / name) for part, name in files.items()})
        formula = config["models"][model]["formula"]
        fit_model.main(model, str(prepared), output, formula, "school", {"random_starts": 1, "seed": 1}, "hsb")
    return folder


@pytest.fixture(scope="module")
def runs(config: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The results from the snapshot, and from a copy with one altered outcome; the two files beside them."""
    folder = tmp_path_factory.mktemp("runs")
    raw = pd.read_csv(ROOT / "data/hsb_snapshot.csv", dtype=str)
    altered = raw.copy()
    altered.loc[ROW, "mathach"] = str(SCORE)
    for name, table in (("old", raw), ("new", altered)):
        table.to_csv(folder / f"{name}.csv", index=False)
    return results(folder / "old", raw, config), results(folder / "new", altered, config)


@pytest.mark.slow
def test_one_altered_outcome_is_found_with_its_row_its_school_and_what_it_moved(
    runs: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = diff_runs.diff(str(runs[0]), str(runs[1]), [])
    assert said.startswith(f"1 row is altered: mathach in 1. It is in school {SCHOOL}. ")
    table = pd.read_csv("diff.csv")
    (row,) = table[table["part"] == "data"].itertuples()
    old = pd.read_csv(ROOT / "data/hsb_snapshot.csv")
    assert old.loc[ROW, "school"] == int(SCHOOL)
    assert (row.where, row.row, row.column) == (SCHOOL, f"row {ROW + 1}", "mathach")
    assert (float(row.before), float(row.after)) == (old.loc[ROW, "mathach"], SCORE)
    page = Path("diff.html").read_text(encoding="utf-8")
    assert f"<td>row {ROW + 1}</td><td>row altered</td><td>mathach</td>" in page
    # Backwards, what was new is old.
    assert diff_runs.diff(str(runs[1]), str(runs[0]), []).startswith("1 row is altered: mathach in 1.")


@pytest.mark.slow
@pytest.mark.needs_r
def test_estimates_moved_by_as_many_standard_errors_as_lme4_says(
    runs: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rscript: str
) -> None:
    monkeypatch.chdir(tmp_path)
    said = diff_runs.diff(str(runs[0]), str(runs[1]), [])
    (tmp_path / "moves.R").write_text(R, encoding="utf-8")
    files = [str(folder.with_suffix(".csv")) for folder in runs]
    answer = subprocess.run([rscript, "moves.R", *files], capture_output=True, text=True, check=True)
    theirs = {(model, term): move for model, of in json.loads(answer.stdout).items() for term, move in of.items()}
    table = pd.read_csv("diff.csv")
    ours = {(row.where, row.row): row.standard_errors for row in table[table["part"] == "estimate"].itertuples()}
    assert set(ours) == set(theirs)
    for key, move in theirs.items():
        # lme4's search stops within about 1e-6 of an estimate.
        assert ours[key] == pytest.approx(move, rel=1e-3, abs=1e-5), key
    model, term = max(theirs, key=lambda key: abs(theirs[key]))
    assert f"the one that moved most is {term} of {model}, from " in said
    assert table[table["part"] == "estimate"].iloc[0]["row"] == term


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"is neither a folder of results \(it has no data/provenance.json\) nor an acc"
    ):
        diff_runs.diff(str(tmp_path), str(tmp_path), [])
    script = ROOT / "workflow/scripts/diff_runs.py"
    done = subprocess.run([sys.executable, script, "", ""], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "error: Say which two folders, as in: make diff OLD=results_before NEW=results\n"
