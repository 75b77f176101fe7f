"""`make verify` on a finished run: it is as accepted, and whatever moves is named."""

import csv
import json
import logging
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fit_model
import hold_to_baseline
import pandas as pd
import pytest
from conftest import ROOT, edit, snakemake
from twolevel.errors import UserError

pytestmark = pytest.mark.slow

CONTRACT = str(ROOT / "workflow/changes/tolerances.yaml")
ACCEPTED = "studies/hsb/accepted"


@pytest.fixture(scope="module")
def accepted(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the finished run, accepted: its audit has fewer methods than that of the baseline."""
    project = tmp_path_factory.mktemp("accepted") / "project"
    shutil.copytree(finished_run, project, symlinks=True)
    done = snakemake(project, "--cores", "1", "--", "accept", plain=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return project


@pytest.fixture
def project(accepted: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    copy = tmp_path / "project"
    shutil.copytree(accepted, copy, symlinks=True)
    return copy


@pytest.fixture
def run(accepted: Path, tmp_path: Path) -> SimpleNamespace:
    """The results and the baseline, copied, and what verify says of them."""
    copy, baseline = tmp_path / "results", tmp_path / "accepted"
    heavy = shutil.ignore_patterns("*.svg", "*.npz", "report.*")
    shutil.copytree(accepted / "results", copy, ignore=heavy)
    shutil.copytree(accepted / ACCEPTED, baseline)
    settings = json.loads((baseline / "made_from.json").read_text(encoding="utf-8"))["settings"]

    def hold(record: bool = False, **other: Any) -> list[str]:
        files = sorted(str(path) for path in copy.rglob("*") if path.is_file())
        now = hold_to_baseline.made_now(copy, files, settings | other)
        try:
            if record:
                hold_to_baseline.accept(copy, files, CONTRACT, baseline, now, group="school", key=[])
            else:
                hold_to_baseline.verify(copy, files, CONTRACT, baseline, named=True, now=now)
        except UserError as error:
            if not str(error).startswith("the results are not as accepted in"):
                raise
            _, *lines, last = str(error).splitlines()
            assert "make accept" in last
            return lines
        return []

    return SimpleNamespace(results=copy, baseline=baseline, hold=hold)


def said(run: Any) -> list[str]:
    """What verify said, from its log as it is shown where the job failed, once."""
    out = run.stdout + run.stderr
    assert run.returncode != 0
    assert "Traceback" not in out
    assert "is of an earlier run" not in out
    (shown,) = out.split("Error in rule verify:\n")[1:]
    return [line.removeprefix("  ") for line in shown.split("  (log: logs/verify.log)")[0].splitlines()]


# ------------------------------------------------------------------------------------------------- the run as it is


def test_the_run_is_as_accepted_and_accepting_it_changes_the_audit_alone(accepted: Path) -> None:
    story = (accepted / "logs/accept.log").read_text(encoding="utf-8")
    setting, *moved = story.split("What moved:\n")[1].splitlines()
    assert setting.startswith("optimiser_audit.methods is ['bfgs'], and the baseline was made with ['bfgs', 'lbfgs', ")
    named = moved[: moved.index("and 70 more:")]
    assert all(
        re.search(r"optimiser_audit.csv, .* (lbfgs|cg|powell|nm), .*: a row that is missing", line) for line in named
    )
    assert moved[len(named) + 1 :] == ["  70 in results/optimiser_audit.csv"]
    names = {path.relative_to(ROOT / ACCEPTED) for path in (ROOT / ACCEPTED).rglob("*") if path.is_file()}
    ours = {path.relative_to(accepted / ACCEPTED) for path in (accepted / ACCEPTED).rglob("*") if path.is_file()}
    # The audit of one method has another table and another figure.
    audit = {*map(Path, ("optimiser_audit.csv", "figures/optimiser_audit.png"))}
    about = {*map(Path, ("made_from.json", "history.csv"))}
    assert ours == names | audit | about
    for name in names - audit - about:
        assert (accepted / ACCEPTED / name).read_bytes() == (ROOT / ACCEPTED / name).read_bytes(), name
    whole, part = (
        (folder / f"{ACCEPTED}/optimiser_audit.csv").read_text(encoding="utf-8").splitlines()
        for folder in (ROOT, accepted)
    )
    methods = ("plain", "bfgs", "bounded", "unbounded")
    assert part == [line for line in whole if line.startswith("model,") or line.split(",")[2] in methods]


def test_a_run_is_verified_every_time_that_it_is_asked_for_and_accepting_it_changes_no_byte(
    project: Path, accepted: Path
) -> None:
    for _ in range(2):
        verified = snakemake(project, "--cores", "1", "--", "verify")
        assert verified.returncode == 0, verified.stdout + verified.stderr
        assert "  Verify\n" in verified.stdout + verified.stderr
    assert (project / "logs/verify.log").read_text(encoding="utf-8").startswith("Verified: ")
    again = snakemake(project, "--cores", "1", "--", "accept")
    assert again.returncode == 0, again.stdout + again.stderr
    assert (project / "logs/accept.log").read_text(encoding="utf-8").endswith("What moved:\nnothing\n")
    for file in (accepted / ACCEPTED).glob("*.*"):
        assert (project / ACCEPTED / file.name).read_bytes() == file.read_bytes(), file.name


def test_every_accepted_table_is_among_the_results(run: SimpleNamespace, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert run.hold() == []
    values = 0
    for file in run.baseline.glob("*.csv"):
        with file.open(encoding="utf-8", newline="") as table:
            values += sum(len(row) for row in csv.reader(table))
    count = int(caplog.messages[-1].split()[1])
    assert values / 2 < count < values  # keys are not counted


# ------------------------------------------------------------------------------------------ what a person may change


def test_another_printed_value_is_named(project: Path) -> None:
    edit(project / "studies/hsb/published.csv", "12.6370", "12.6371")
    run = snakemake(project, "--cores", "2", "--", "verify")
    assert said(run)[1:-1] == [
        "results/ledger.csv, ch7-013: printed was accepted as 12.6370 and is 12.6371; "
        "verdict was accepted as match and is mismatch",
    ]
    # The ledger itself says it as a warning, and the run goes on to `verify`.
    assert "warning: ch7-013: 12.6371 is printed, 12.6370 computed" in run.stdout + run.stderr


def test_another_formula_is_named_with_every_row_that_quotes_it(project: Path) -> None:
    edit(project / "config.yaml", "mathach ~ sector + (1 | school)", "mathach ~ sector + sex + (1 | school)")
    lines = said(snakemake(project, "--cores", "2", "--", "verify"))
    effects, told = "results/models/means_by_sector/fixed_effects.csv", "\n".join(lines)
    assert f"{effects}, (Intercept): estimate was accepted as 11.3930438784 and is " in told
    assert f"{effects}, sexFemale: a row that is not in the baseline" in told
    for row in ("ch7-028", "ch7-031", "ch7-034"):  # the intercept; the sector's effect; their correlation
        assert re.search(rf"results/ledger.csv, {row}: .*verdict was accepted as match and is mismatch", told), row
    assert len(lines) < 80
    assert re.search(r"^  \d+ in results/models/means_by_sector/intervals.csv$", told, re.MULTILINE)
    # Of other models nothing.
    assert not re.search(r"results/models/(?!means_by_sector/|variance_explained)", told)


def test_another_direction_of_a_factor_is_named(project: Path, config: dict[str, Any]) -> None:
    # One model fitted to the flipped factor; what depends on it is made again by the run.
    table = pd.read_parquet(project / "results/data/hsb.parquet")
    table["sector"] = table["sector"].cat.reorder_categories(["Catholic", "Public"], ordered=True)
    table.to_parquet(project / "flipped.parquet", index=False)
    model = "means_by_sector"
    folder = project / "results/models" / model
    outputs = {path.stem: path for path in folder.iterdir() if path.stem not in ("bootstrap", "intervals")}
    outputs["group_effects"] = outputs.pop("school_effects")
    output = SimpleNamespace(**outputs)
    formula = config["models"][model]["formula"]
    fit_model.main(model, str(project / "flipped.parquet"), output, formula, "school", config["optimiser"], "hsb")
    # The run would fit it again from the table that has not changed: only the ledger is made anew, then held.
    again = snakemake(project, "--cores", "1", "--force", "--allowed-rules", "write_ledger", "--", "results/ledger.csv")
    assert again.returncode == 0, again.stdout + again.stderr
    told = "\n".join(held(project))
    effects = f"results/models/{model}/fixed_effects.csv"
    assert f"{effects}, (Intercept): estimate was accepted as 11.3930438784 and is 14.1979" in told
    assert f"{effects}, sectorCatholic: a row that is missing" in told
    assert f"{effects}, sectorPublic: a row that is not in the baseline" in told
    for row in ("ch7-028", "ch7-031", "ch7-032", "ch7-033", "ch7-034"):
        assert re.search(rf"results/ledger.csv, {row}: .*verdict was accepted as match and is mismatch", told), row


def held(project: Path) -> list[str]:
    """What verify says of the results as they are."""
    accepted, results = project / ACCEPTED, project / "results"
    settings = json.loads((accepted / "made_from.json").read_text(encoding="utf-8"))["settings"]
    files = sorted(str(path) for path in results.rglob("*") if path.is_file())
    now = hold_to_baseline.made_now(results, files, settings)
    with pytest.raises(UserError) as error:
        hold_to_baseline.verify(results, files, CONTRACT, accepted, named=True, now=now)
    return str(error.value).splitlines()


# ------------------------------------------------------------------------------------------- any one number of results


def moving(key: str, column: str) -> Callable[[Path], None]:
    """That column of the row that begins with the key, moved by a hundred thousandth of itself."""

    def change(file: Path) -> None:
        table = pd.read_csv(file)
        row = table.index[table.iloc[:, 0].astype(str) == key][0]
        table.loc[row, column] *= 1 + 1e-5
        table.to_csv(file, index=False)

    return change


NUMBERS = {
    "models/intercepts_and_slopes/fixed_effects.csv": ("cses:mean.ses", "estimate"),
    "models/random_coefficients/random_effects.csv": ("Residual", "sdcor"),
    "models/random_coefficients/variance_components.csv": ("cses", "reliability"),
    "models/variance_explained.csv": ("random_coefficients_minority", "explained"),
    "models/one_way_anova/intervals.csv": (".sig01", "upper"),
    "comparisons/minority_effect/table.csv": ("random_intercept_minority", "chisq"),
    "comparisons/cses_slope_variance/tests.csv": ("Bartlett", "statistic"),
}


@pytest.mark.parametrize("file", NUMBERS)
def test_any_one_estimate_is_named(file: str, run: SimpleNamespace) -> None:
    key, column = NUMBERS[file]
    moving(key, column)(run.results / file)
    (line,) = run.hold()
    assert line.startswith(f"results/{file}, ")
    assert key in line
    assert f": {column} was accepted as " in line
    assert " allowed (" in line


def test_a_criterion_of_ml_is_named(run: SimpleNamespace) -> None:
    file = run.results / "models/random_coefficients/fit.json"
    fit = json.loads(file.read_text(encoding="utf-8"))
    fit["ml"]["criterion"] += 2e-6
    file.write_text(json.dumps(fit), encoding="utf-8")
    (line,) = run.hold()
    assert line.startswith("results/models/random_coefficients/fit.json, ml.criterion: value was accepted as ")


def test_a_model_that_is_gone_is_named_file_by_file(run: SimpleNamespace) -> None:
    shutil.rmtree(run.results / "models/means_by_mean_ses")
    lines = run.hold()
    assert "results/models/means_by_mean_ses/fixed_effects.csv is not among the results (2 rows)" in lines
    assert {line.split("/")[2].split(" ")[0] for line in lines} == {"means_by_mean_ses"}


# --------------------------------------------------------------------------------------------------- data and settings


def test_updated_data_are_said_first(run: SimpleNamespace) -> None:
    for file in run.results.glob("models/*/fit.json"):
        fit = json.loads(file.read_text(encoding="utf-8"))
        fit["fingerprint"]["data"] = "0" * 64
        file.write_text(json.dumps(fit), encoding="utf-8")
    (line,) = run.hold()
    assert line.startswith(f"The data are not those of the baseline: the prepared table has SHA-256 {'0' * 64}")
    moving("(Intercept)", "estimate")(run.results / "models/one_way_anova/fixed_effects.csv")
    first, second = run.hold()
    assert first.endswith("All that follows may come from that.")
    assert second.startswith("results/models/one_way_anova/fixed_effects.csv, (Intercept)")


def test_other_settings_of_the_bootstrap_are_said_once(run: SimpleNamespace) -> None:
    for file in run.results.glob("models/*/intervals.csv"):
        table = pd.read_csv(file)
        bootstrapped = table["method"].isin(["percentile", "basic", "normal"])
        table.loc[bootstrapped, ["lower", "upper", "replicates"]] *= 1.1
        table.to_csv(file, index=False)
    assert len(run.hold()) > 50
    (line,) = run.hold(**{"bootstrap.replicates": 500})
    assert line.startswith("bootstrap.replicates is 500, and the baseline was made with 10000: of the accepted rows ")


def test_the_level_of_the_intervals_is_said_once(run: SimpleNamespace) -> None:
    for table in ("intervals", "contrasts", "robust"):
        for file in run.results.glob(f"models/*/{table}.csv"):
            rows = pd.read_csv(file)
            rows[["lower", "upper"]] *= 0.9
            rows.to_csv(file, index=False)
    assert len(run.hold()) > 50
    (line,) = run.hold(**{"intervals.level": 0.9})
    assert line.startswith("intervals.level is 0.9, and the baseline was made with 0.95: of the accepted rows ")


def test_other_methods_of_the_audit_are_said_once(run: SimpleNamespace) -> None:
    file = run.results / "optimiser_audit.csv"
    table = pd.read_csv(file)
    table[table["method"] != "bfgs"].to_csv(file, index=False)
    assert len(run.hold()) > 20
    (line,) = run.hold(**{"optimiser_audit.methods": []})
    assert line.startswith("optimiser_audit.methods is [], and the baseline was made with ['bfgs']: of the accepted ")


# -------------------------------------------------------------------------------------------------------- acceptance


def test_what_was_accepted_is_no_longer_a_difference(run: SimpleNamespace) -> None:
    file = "models/one_way_anova/fixed_effects.csv"
    moving("(Intercept)", "estimate")(run.results / file)
    before = {path.name: path.read_text(encoding="utf-8") for path in run.baseline.glob("*.csv")}
    assert len(run.hold()) == 1
    run.hold(record=True)
    assert run.hold() == []
    after = {path.name: path.read_text(encoding="utf-8") for path in run.baseline.glob("*.csv")}
    assert {name for name in before if before[name] != after[name]} == {"fixed_effects.csv", "history.csv"}
    *_, last = csv.DictReader(after["history.csv"].splitlines())
    assert "the one that moved most is (Intercept) of one_way_anova, from 12.637 to 12.6371, by" in last["what"]
    one, other = before["fixed_effects.csv"].splitlines(), after["fixed_effects.csv"].splitlines()
    (moved,) = [(a, b) for a, b in zip(one, other, strict=True) if a != b]
    assert moved[0].startswith("one_way_anova,(Intercept),12.63")
    assert moved[0].split(",")[3:] == moved[1].split(",")[3:]


def test_a_table_that_is_no_more_leaves_the_baseline(run: SimpleNamespace) -> None:
    (run.results / "ledger.csv").unlink()
    assert run.hold() == ["results/ledger.csv is not among the results (244 rows)"]
    run.hold(record=True)
    assert not (run.baseline / "ledger.csv").exists()
    assert run.hold() == []


def test_without_a_baseline_it_is_said_how_to_record_one(run: SimpleNamespace) -> None:
    (run.baseline / "made_from.json").unlink()
    with pytest.raises(
        UserError, match=r"(?s)no accepted run in .*/accepted, which the configuration names.*make accept"
    ):
        run.hold()
