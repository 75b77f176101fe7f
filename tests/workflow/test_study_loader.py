"""A study is found by its path, and loaded part by part."""

import sys
from pathlib import Path

import pytest
from conftest import ROOT
from imports import library_files
from study_loader import find_study, has_part, load_part
from twolevel.errors import UserError


@pytest.fixture
def clinics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of an analysis, with a study that tells a story and gives no evidence."""
    study = tmp_path / "clinics_study"
    study.mkdir()
    (study / "__init__.py").write_text("")
    (study / "words.py").write_text("OPENING = 'Patients in clinics.'\n")
    source = "from clinics_study.words import OPENING\nfrom twolevel.report.study import Narrative\n\n"
    told = "def tell(material):\n    return Narrative([OPENING], (), None)\n"
    (study / "narrative.py").write_text(source + told)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return study


def test_a_study_lies_below_the_working_folder_or_below_the_checkout(clinics: Path) -> None:
    assert find_study("clinics_study") == clinics
    assert find_study("studies/hsb") == ROOT / "studies/hsb"
    with pytest.raises(UserError, match=r"report\.narrative: there is no folder 'studies/none' with a file __init__"):
        find_study("studies/none")


def test_a_part_is_loaded_with_what_it_imports_and_no_other(clinics: Path) -> None:
    narrative = load_part(clinics, "narrative", "tell")(None)
    assert narrative.summary == ["Patients in clinics."]
    assert not has_part(clinics, "evidence")
    assert load_part(clinics, "quantities", "QUANTITIES", {}) == {}
    with pytest.raises(UserError, match=r"narrative.py has no EVIDENCE; docs/studies\.md says what it is"):
        load_part(clinics, "narrative", "EVIDENCE")


def test_a_study_named_as_an_installed_package_is_refused(tmp_path: Path) -> None:
    study = tmp_path / "yaml"
    study.mkdir()
    for name in ("__init__.py", "nodes.py"):
        (study / name).write_text("")
    with pytest.raises(UserError, match="yaml is the name of an installed package too; rename the folder"):
        load_part(study, "nodes", "Node")


def test_a_rule_depends_on_the_part_that_its_script_loads(clinics: Path) -> None:
    files = library_files("render_report", ("clinics_study.narrative",), clinics)
    assert {str(clinics / f"{name}.py") for name in ("__init__", "narrative", "words")} <= set(files)
    assert "workflow/study_loader.py" in files
    hsb = ROOT / "studies/hsb"
    files = library_files("check_errata", ("hsb.evidence",), hsb)
    # By a walk over the imports of the evidence: the search for an optimum, and no sentence of the story.
    assert {"studies/hsb/evidence/optimum.py", "workflow/twolevel/fitting/search.py"} <= set(files)
    assert not any("narrative" in file for file in files)
