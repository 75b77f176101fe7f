"""`make new`: what it writes is checked as a configuration, says what the file says, and runs as written."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import NOT_COPIED, ROOT, snakemake
from new_study import write_study
from twolevel.data.reading import Choices
from twolevel.errors import UserError


def pupils() -> pd.DataFrame:
    """Pupils in 30 classes, as an SPSS user has them: codes with labels, a pupil's number, missing values."""
    rng = np.random.default_rng(5)
    size = rng.integers(8, 16, 30)
    klass = np.repeat(np.arange(1, 31), size)
    years = rng.integers(2, 25, 30)
    sex, extraversion = rng.integers(0, 2, len(klass)), rng.normal(5, 1.2, len(klass)).round(1)
    slope = 0.5 + rng.normal(0, 0.2, 30)[klass - 1]
    popular = 2 + slope * extraversion + 0.05 * years[klass - 1] + 0.8 * sex + rng.normal(0, 0.7, len(klass))
    table = pd.DataFrame(
        {
            "pupil": np.concatenate([np.arange(1, n + 1) for n in size]).astype(float),
            "class": klass.astype(float),
            "sex": sex.astype(float),
            "extrav": extraversion,
            "texp": years[klass - 1].astype(float),
            "popular": popular.round(2),
            "wave": 1.0,
        }
    )
    table.loc[[3, 50], "extrav"] = np.nan
    return table


@pytest.fixture
def sav(tmp_path: Path) -> Path:
    import pyreadstat

    file = tmp_path / "pupils 2.sav"
    labels = ["number", "class", "sex of the pupil", "extraversion", "teacher's experience", "popularity", "wave"]
    pyreadstat.write_sav(pupils(), file, column_labels=labels, variable_value_labels={"sex": {0: "boy", 1: "girl"}})
    return file


def written(data: Path, folder: Path, **columns: str) -> dict[str, Any]:
    path = write_study(data, columns["group"], columns["response"], "mine", folder, Choices())
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_the_file_s_own_words_are_in_the_configuration(sav: Path, tmp_path: Path) -> None:
    config = written(sav, tmp_path / "studies", group="class", response="popular")
    assert config["data"]["columns"] == {
        "pupil": {"type": "number", "label": "number"},
        "class": {"type": "identifier", "label": "class"},
        "sex": {"type": "factor", "levels": ["boy", "girl"], "label": "sex of the pupil"},
        "extrav": {"type": "number", "label": "extraversion"},
        "texp": {"type": "number", "group_level": True, "label": "teacher's experience"},
        "popular": {"type": "number", "label": "popularity"},
    }
    assert {name: model["formula"] for name, model in config["models"].items()} == {
        "empty": "popular ~ (1 | class)",
        "means_as_outcomes": "popular ~ texp + (1 | class)",
        "random_intercept": "popular ~ extrav_within + (1 | class)",
        "random_coefficients": "popular ~ extrav_within + (extrav_within | class)",
    }
    assert (tmp_path / "studies/mine/data/pupils 2.sav").read_bytes() == sav.read_bytes()
    text = (tmp_path / "studies/mine/config.yaml").read_text(encoding="utf-8")
    assert "2 of" in text.partition("extrav:")[2].partition("\n")[0]
    assert "Left out, with fewer than two different values: wave" in text
    assert text.count("CHOOSE") >= 4


def test_what_has_one_mean_in_every_group_is_not_centred(tmp_path: Path) -> None:
    config = written(ROOT / "studies/sleepstudy/data/sleepstudy.csv", tmp_path, group="Subject", response="Reaction")
    assert "derive" not in config
    assert config["models"]["random_coefficients"]["formula"] == "Reaction ~ Days + (Days | Subject)"


def test_names_that_yaml_and_formulas_cannot_take_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    rows = [f"{g},{['No', 'Yes'][g % 2]},{x * 1.5 + g},{x + 0.5}\n" for g in range(4) for x in range(5)]
    file.write_text('"my group",null,"the: score","x # y"\n' + "".join(rows))
    config = written(file, tmp_path / "studies", group="my group", response="the: score")
    assert list(config["data"]["columns"]) == ["my group", "null", "the: score", "x # y"]
    assert config["data"]["columns"]["null"]["levels"] == ["No", "Yes"]
    assert config["models"]["means_as_outcomes"]["formula"] == "`the: score` ~ null + (1 | `my group`)"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"group": "klass"}, r"GROUP: .* has no column 'klass'; it has pupil, class"),
        ({"response": "sex"}, r"RESPONSE: column 'sex' has ('boy', 'girl'|'girl', 'boy'); expected different numbers"),
    ],
)
def test_what_cannot_be_written_is_named(change: dict[str, str], says: str, sav: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=says):
        written(sav, tmp_path / "studies", **({"group": "class", "response": "popular"} | change))
    assert not (tmp_path / "studies").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("g,x,y\n", r"DATA: .*t\.csv has a header and no rows; expected a row for each observation"),
        ("", r"t\.csv could not be read as a \.csv file: there is nothing in it"),
        ("g,,y\na,1,2\nb,2,3\n", r"DATA: column 2 of .*t\.csv has no name in the header"),
        ("g,x,y\na,1,2\nb,2,2\n", "RESPONSE: column 'y' has '2'; expected different numbers"),
        ("g,x,y\na,1,\nb,2,\n", "RESPONSE: column 'y' has no value; expected different numbers"),
        ("g,x,y\na,1,2\na,2,3\n", "GROUP: column 'g' has one value or none; expected two groups or more"),
        ("g,x,y\na,1,2\na,2,2\nb,1,3\n", "RESPONSE: column 'y' has one value in each g; expected one that varies"),
        ("g,x,y\na,1,2\na,2,.\nb,1,3\n", r"RESPONSE: column 'y' has '\.'; expected different numbers"),
        ('g,x,y\na,1,2\na,2,"n/a\n2"\nb,1,3\n', r"RESPONSE: column 'y' has 'n/a\\n2'; expected different numbers"),
        (f"g,x,y\na,1,2\na,2,{'long' * 20}\nb,1,3\n", r"RESPONSE: column 'y' has '(long){5}\.\.\.'; expected diff"),
        ('g,"x\n",y\na,1,2\na,2,3\nb,1,3\n', r"DATA: column 'x\\n' of .*t\.csv has a line break or a control"),
        ("g,x\x92s,y\na,1,2\na,2,3\nb,1,3\n", r"DATA: column 'x\\x92s' of .*t\.csv has a line break or a control"),
        (
            'g,"x\n(cm)",y\na,1,2\na,2,3\nb,1,3\n',
            r"DATA: column 'x\\n\(cm\)' of .*t\.csv has a line break or a control",
        ),
    ],
)
def test_a_table_that_no_model_can_be_fitted_to_is_refused(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=says):
        written(tmp_path / "t.csv", tmp_path / "studies", group="g", response="y")
    assert not (tmp_path / "studies").exists()


def test_a_response_of_different_whole_numbers_is_a_number(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("g,x,y\n" + "".join(f"{'abc'[i % 3]},{i * i % 7 + 0.5},{i}\n" for i in range(12)))
    config = written(tmp_path / "t.csv", tmp_path / "studies", group="g", response="y")
    assert config["data"]["columns"]["y"]["type"] == "number"


def test_a_response_of_two_values_is_pointed_at(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "g,x,y\n" + "".join(f"{'abc'[i % 3]},{i * i % 7 + 0.5},{i % 2}\n" for i in range(12))
    )
    written(tmp_path / "t.csv", tmp_path / "studies", group="g", response="y")
    line = next(line for line in (tmp_path / "studies/mine/config.yaml").read_text().splitlines() if " y: " in line)
    assert line.endswith("CHOOSE: a linear model, of a response of two values? A logistic one cannot be fitted here")


def test_numbers_with_other_marks_for_missing_values_are_pointed_at(tmp_path: Path) -> None:
    rows = [f"{'abc'[i % 3]},{'.' if i in (2, 5) else i + 0.5},{i}\n" for i in range(12)]
    (tmp_path / "t.csv").write_text("g,x,y\n" + "".join(rows))
    written(tmp_path / "t.csv", tmp_path / "studies", group="g", response="y")
    line = next(line for line in (tmp_path / "studies/mine/config.yaml").read_text().splitlines() if " x: " in line)
    assert line.endswith("CHOOSE: a number, once the file has these otherwise or empty: '.'")


def test_a_word_that_is_no_mark_is_a_level(tmp_path: Path) -> None:
    rows = [f"{'abc'[i % 3]},{('1', '2', '3+')[i // 3 % 3]},{i}\n" for i in range(30)]
    (tmp_path / "t.csv").write_text("g,x,y\n" + "".join(rows))
    config = written(tmp_path / "t.csv", tmp_path / "studies", group="g", response="y")
    assert config["data"]["columns"]["x"]["levels"] == ["1", "2", "3+"]


@pytest.mark.parametrize("mark", ["n/a\nsee: note", "n\x07a", "don\x92t know", "n\x85a"])
def test_a_mark_that_a_comment_cannot_hold_is_shown_escaped(mark: str, tmp_path: Path) -> None:
    cell = f'"{mark}"'
    rows = [f"{'abc'[i % 3]},{cell if i == 7 else i + 0.5},{i}\n" for i in range(30)]
    (tmp_path / "t.csv").write_text("g,x,y\n" + "".join(rows), encoding="utf-8")
    config = written(tmp_path / "t.csv", tmp_path / "studies", group="g", response="y")
    assert config["data"]["columns"]["x"]["type"] == "identifier"
    text = (tmp_path / "studies/mine/config.yaml").read_text(encoding="utf-8")
    assert f"otherwise or empty: {mark!r}\n" in text


@pytest.mark.parametrize("level", ["don\x92t know", "n\x85a", "n\u2028a", "n\ta", "a \U0001f600", "a: {b}, #\"'"])
def test_levels_and_the_file_s_name_are_read_as_they_are(level: str, tmp_path: Path) -> None:
    cells = ['"{}"'.format(level.replace('"', '""')), "b"]
    rows = [f"{'abc'[i % 3]},{cells[i // 3 % 2]},{i}\n" for i in range(30)]
    (tmp_path / "t\n2.csv").write_text("g,x,y\n" + "".join(rows), encoding="utf-8")
    config = written(tmp_path / "t\n2.csv", tmp_path / "studies", group="g", response="y")
    assert set(config["data"]["columns"]["x"]["levels"]) == {level, "b"}
    assert config["data"]["mode"] == "data/t\n2.csv"


def test_a_choice_that_is_not_for_the_file_is_refused(sav: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^--separator: it is for files that end in .*, and DATA is 'pup.*sav'; leave"):
        write_study(sav, "class", "popular", "mine", tmp_path / "studies", Choices(separator=","))


def test_a_study_that_is_there_is_not_written_over(sav: Path, tmp_path: Path) -> None:
    written(sav, tmp_path / "studies", group="class", response="popular")
    with pytest.raises(UserError, match=r"NAME: .*mine is there already"):
        written(sav, tmp_path / "studies", group="class", response="popular")


@pytest.mark.slow
def test_it_runs_as_written(sav: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(ROOT, project, ignore=NOT_COPIED)
    study = write_study(sav, "class", "popular", "mine", project / "studies", Choices()).parent
    choices = ["--config", 'data={"mode": "data/pupils 2.sav"}', 'bootstrap={"replicates": 200}']
    run = snakemake(project, "--cores", "2", "--directory", str(study), *choices)
    assert run.returncode == 0, run.stderr[-3000:]
    assert (study / "results/report.html").is_file()
    # In a balanced view of the data the slope is what they were made with, 0.5, within three standard errors.
    fixed = pd.read_csv(study / "results/models/random_coefficients/fixed_effects.csv").set_index("term")
    slope = fixed.loc["extrav_within"]
    assert abs(slope["estimate"] - 0.5) < 3 * slope["std_error"]
    assert json.loads((study / "results/data/provenance.json").read_text())["unreadable"] == {}
