"""The scripts of the bootstrap on files: the same bytes from any number of parts; damaged or foreign parts refused."""

import copy
import json
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zipfile import ZipFile

import gather_intervals
import gather_tests
import numpy as np
import pandas as pd
import pytest
import simulate_replicates
import yaml
from _job import read_arrays, write_arrays
from simulated import experiment, unbalanced_table
from twolevel.bootstrap.experiment import to_arrays
from twolevel.data.config import check_config
from twolevel.errors import UserError
from twolevel.fitting.search import search, starts
from twolevel.likelihood.crossproducts import cross_products
from twolevel.likelihood.deviance import factor, pack, profile
from twolevel.model.formula import build_design

ROOT = Path(__file__).resolve().parents[2]
REPLICATES = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What fit_model.py and compare_models.py leave for a small data set: as much of it as the bootstrap reads."""
    folder, table = tmp_path_factory.mktemp("bootstrap"), unbalanced_table()
    designs = [build_design(formula, table) for formula in ("y ~ x + (1 | g)", "y ~ x + (x | g)")]
    data = [cross_products(design) for design in designs]
    fits = {reml: [search(of, reml, starts(of, 4, 1)).best for of in data] for reml in (True, False)}
    lowers = [factor(fit.theta, of.blocks) for fit, of in zip(fits[True], data, strict=True)]
    at = [profile(fit.theta, of, True) for fit, of in zip(fits[True], data, strict=True)]
    model = experiment((designs[1],), (lowers[1],), at[1].sigma, reml=True, name="models/slopes")
    comparison = experiment(tuple(designs), tuple(lowers), at[0].sigma, reml=True, name="comparisons/slopes")
    write_arrays(folder / "model.npz", to_arrays(model))
    write_arrays(folder / "comparison.npz", to_arrays(comparison))
    fit = {
        "estimator": "REML",
        "fixed_effects": at[1].beta.tolist(),
        "fixed_effects_covariance": at[1].beta_covariance.tolist(),
        "random_terms": designs[1].random_terms,
        "blocks": designs[1].blocks,
        "fixed_terms": designs[1].fixed_terms,
        "theta": pack(data[1].own_units(lowers[1]), data[1].blocks).tolist(),
        "sigma": at[1].sigma,
        "ml": {"theta": pack(data[1].own_units(factor(fits[False][1].theta, (2,))), (2,)).tolist()},
    }
    (folder / "fit.json").write_text(json.dumps(fit))
    tests = dict.fromkeys(("std_error", "df", "kr_std_error", "kr_df"), 1.0)
    pd.DataFrame({"estimate": at[1].beta, **tests}).to_csv(folder / "fixed_effects.csv", index=False)
    test = {"statistic": at[0].criterion - at[1].criterion, "df": 2, "added_random_effects": 1, "null_model": "null"}
    (folder / "comparison.json").write_text(json.dumps(test))
    return folder


def simulate(
    folder: Path, what: str, parts: int, into: Path, replicates: int = REPLICATES, seed: int = 7
) -> list[Path]:
    into.mkdir(exist_ok=True)
    files = [into / f"{what} {part}-of-{parts}.npz" for part in range(1, parts + 1)]
    for file in files:
        part = file.stem.split()[1]
        simulate_replicates.main(str(folder / f"{what}.npz"), str(file), part, 1, replicates, seed)
    return files


def gather(
    folder: Path, what: str, parts: list[Path], into: Path, replicates: int = REPLICATES, seed: int = 7
) -> list[bytes]:
    """The two tables that are made of the parts, as they are on disk."""
    settings: dict[str, Any] = {"replicates": replicates, "seed": 7}
    files = SimpleNamespace(experiment=folder / f"{what}.npz", parts=parts)
    if what == "model":
        output = SimpleNamespace(replicates=into / "bootstrap.parquet", intervals=into / "intervals.csv")
        files.fit, files.fixed_effects = folder / "fit.json", folder / "fixed_effects.csv"
        gather_intervals.main(files, output, level=0.95, **settings)
    else:
        output = SimpleNamespace(reference=into / "reference_distribution.parquet", tests=into / "tests.csv")
        files.comparison = folder / "comparison.json"
        gather_tests.main(files, output, **settings)
    return [Path(file).read_bytes() for file in vars(output).values()]


@pytest.mark.parametrize("what", ["model", "comparison"])
def test_one_seven_and_forty_parts_are_the_same_files(what: str, folder: Path, tmp_path: Path) -> None:
    one, *others = (gather(folder, what, simulate(folder, what, n, tmp_path), tmp_path) for n in (1, 7, 40, 61))
    for other in others:
        assert other == one


@pytest.mark.parametrize("what", ["model", "comparison"])
def test_block_by_block_the_replicates_are_the_same(
    what: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, rows = gather(folder, what, [], tmp_path)
    whole = pd.read_parquet(BytesIO(table))
    monkeypatch.setattr(simulate_replicates, "BLOCK", 9)  # 60 replicates are six blocks and a shorter one
    parts = [[], *(simulate(folder, what, n, tmp_path) for n in (1, 7))]
    blocks, *others = (gather(folder, what, some, tmp_path) for some in parts)
    for other in others:
        assert other == blocks
    # Sums over other numbers of rows may be rounded otherwise.
    pd.testing.assert_frame_equal(pd.read_parquet(BytesIO(blocks[0])), whole, rtol=1e-12, atol=1e-12)
    pd.testing.assert_frame_equal(*(pd.read_csv(BytesIO(of)) for of in (blocks[1], rows)), rtol=1e-10, atol=1e-12)


def test_the_same_part_is_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    first, again = (simulate(folder, "model", 3, tmp_path / name) for name in ("first", "again"))
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in again]


def test_more_replicates_begin_with_the_fewer(folder: Path, tmp_path: Path) -> None:
    few = read_arrays(simulate(folder, "comparison", 1, tmp_path / "few", 20)[0])
    many = read_arrays(simulate(folder, "comparison", 1, tmp_path / "many", 60)[0])
    for name, array in few.items():
        if array.ndim and name != "replicates":
            np.testing.assert_array_equal(array, many[name][:20], err_msg=name)


@pytest.mark.parametrize("what", ["model", "comparison"])
def test_parts_of_another_seed_or_number_are_refused(what: str, folder: Path, tmp_path: Path) -> None:
    parts = simulate(folder, what, 3, tmp_path)
    (tmp_path / "out").mkdir()
    (other,) = simulate(folder, what, 1, tmp_path / "other", seed=8)
    for some, replicates in (([*parts[:2], other], 60), (parts[:2], 60), ([*parts, parts[0]], 60), (parts, 61)):
        with pytest.raises(
            UserError, match=f"{what}s/slopes.*Delete results/{what}s/slopes/replicates and run snakemake"
        ):
            gather(folder, what, some, tmp_path / "out", replicates)
    assert not list((tmp_path / "out").iterdir()), "something was written before the parts were checked"


# np.load leaves the file of a damaged archive to the garbage collector.
@pytest.mark.filterwarnings("ignore:Exception ignored in.*FileIO", "ignore:unclosed file")
def test_a_damaged_part_is_refused(folder: Path, tmp_path: Path) -> None:
    # Every seventh byte of the numbers changed in turn, and the file cut at every seventh byte.
    (file,) = simulate(folder, "model", 1, tmp_path, replicates=2)
    whole, broken = file.read_bytes(), tmp_path / "broken.npz"
    with ZipFile(file) as archive:
        # A member's header is 30 bytes, its name and an extra field of 20; an array's own header is 128 bytes.
        ends = [(of.header_offset + 30 + len(of.filename) + 128, of.file_size - 128) for of in archive.infolist()]
    places = [place for start, size in ends for place in range(start + 20, start + size, 7)]
    changed = [whole[:i] + bytes([whole[i] ^ 0x15]) + whole[i + 1 :] for i in places]
    cut = [whole[:i] for i in range(0, len(whole), 7)]
    assert len(changed) > 10
    for damaged in (*changed, *cut, b"", b"no archive", b"PK"):
        broken.write_bytes(damaged)
        with pytest.raises(UserError, match=r"broken\.npz cannot be read .*Delete it and run snakemake again"):
            read_arrays(broken)


@pytest.mark.parametrize("name", ["0 criterion", "1 theta", "1 found"])
@pytest.mark.parametrize("rows", [None, 28])
def test_a_part_without_an_array_or_some_of_its_rows_is_refused(
    name: str, rows: int | None, folder: Path, tmp_path: Path
) -> None:
    _, broken = simulate(folder, "comparison", 2, tmp_path)
    arrays = read_arrays(broken)
    kept = {} if rows is None else {name: arrays[name][:rows]}
    write_arrays(broken, {key: array for key, array in arrays.items() if key != name} | kept)
    (tmp_path / "out").mkdir()
    with pytest.raises(UserError, match=rf"2-of-2\.npz cannot be read \(.*{name}.*Delete it and run snakemake again"):
        gather(folder, "comparison", [tmp_path / "comparison 1-of-2.npz", broken], tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("replicates", 0, "found 0; expected a whole number from 1 to 100,000,000"),
        ("replicates", 10**8 + 1, "found 100000001; expected a whole number from 1 to 100,000,000"),
        ("replicates", -5, "found -5; expected a whole number from 1 to 100,000,000"),
        ("replicates", 99.5, "found 99.5; expected a whole number from 1 to 100,000,000"),
        ("replicates", "many", "found 'many'; expected a whole number from 1 to 100,000,000"),
        ("replicates", True, "found True"),
        ("replicates", None, "found nothing"),
        ("parts", 0, "found 0; expected auto, or a whole number from 1 to 10,000"),
        ("parts", -1, "found -1; expected auto, or a whole number from 1 to 10,000"),
        ("parts", 1.5, "found 1.5; expected auto, or a whole number from 1 to 10,000"),
        ("seed", -1, "found -1; expected a whole number, 0 or more"),
        ("seed", 0.5, "found 0.5; expected a whole number, 0 or more"),
    ],
)
def test_nonsense_in_the_configuration_is_refused(key: str, value: Any, found: str, config: dict[str, Any]) -> None:
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))
    check_config(config, schema)
    changed = copy.deepcopy(config)
    changed["bootstrap"][key] = value
    with pytest.raises(UserError) as refused:
        check_config(changed, schema)
    assert f"bootstrap.{key}: {found}" in str(refused.value)
