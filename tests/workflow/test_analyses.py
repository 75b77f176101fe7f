"""One checkout serves many analyses: its own, by --directory, by --configfile and as a module, at the same time."""

import json
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest
import yaml
from conftest import NOT_COPIED, ROOT, digests, run_snakemake

pytestmark = pytest.mark.slow

STUDY = ROOT / "studies/sleepstudy"
# Its own rule comes first and makes the table; its report rule asks for what the module makes.
OUTER = """
configfile: "mine.yaml"


rule everything:
    input:
        "sleep/results/report.html",


rule table:
    input:
        "raw.csv",
    output:
        "tables/sleepstudy.csv",
    shell:
        "cp {input} {output}"


module twolevel:
    snakefile:
        SNAKEFILE
    config:
        config["sleep"]
    prefix:
        "sleep"


use rule * from twolevel as twolevel_*
"""


def study(**changes: Any) -> dict[str, Any]:
    """The study's configuration, which leaves most sections out, with a short bootstrap."""
    config = yaml.safe_load((STUDY / "config.yaml").read_text(encoding="utf-8"))
    return {**config, "bootstrap": {"replicates": 99, "parts": 1}, **changes}


# Two of its models, enough to see that the numbers are the same.
FEW = {
    "random_intercept": {"formula": "Reaction ~ Days + (1 | Subject)"},
    "random_slope": {"formula": "Reaction ~ Days + (Days | Subject)"},
}
# Of HSB a model from the data to its intervals, a comparison and its figure.
OF_HSB = [
    "results/models/random_coefficients/intervals.csv",
    "results/comparisons/cses_slope_variance/tests.csv",
    "results/figures/reference_cses_slope_variance.svg",
]


class Analysis(NamedTuple):
    """An analysis in a folder: where Snakemake is called, with which options, and where the results are to be."""

    folder: Path
    place: Path
    options: list[str]
    results: Path


def run(analysis: Analysis, *options: str) -> subprocess.CompletedProcess[str]:
    """Snakemake, called as the analysis wants it."""
    return run_snakemake(analysis.place, "--cores", "1", *analysis.options, *options)


def by_directory(folder: Path, config: dict[str, Any], snakefile: Path) -> Analysis:
    """Called from elsewhere."""
    write(folder / "config.yaml", config)
    options = ["--snakefile", str(snakefile), "--directory", folder.name]
    return Analysis(folder, folder.parent, options, folder / "results")


def by_configfile(folder: Path, config: dict[str, Any], snakefile: Path) -> Analysis:
    """In a folder whose config.yaml has models of other names, with a value on top."""
    write(folder / "config.yaml", study(models={"another": {"formula": "Reaction ~ (1 | Subject)"}}, comparisons={}))
    write(folder / "choices/mine.yaml", {"results": "made/by configfile", **config})
    options = ["--snakefile", str(snakefile), "--configfile", "choices/mine.yaml"]
    options += ["--config", "intervals={'level': 0.9}"]
    return Analysis(folder, folder, options, folder / "made/by configfile")


def by_module(folder: Path, config: dict[str, Any], snakefile: Path) -> Analysis:
    """In another workflow, which makes the table and puts the results under a prefix."""
    (folder / "Snakefile").write_text(OUTER.replace("SNAKEFILE", repr(str(snakefile))), encoding="utf-8")
    (folder / "data/sleepstudy.csv").rename(folder / "raw.csv")
    write(folder / "mine.yaml", {"sleep": {**config, "data": {**config["data"], "mode": "tables/sleepstudy.csv"}}})
    return Analysis(folder, folder, [], folder / "sleep/results")


WAYS = {"directory": by_directory, "configfile": by_configfile, "module": by_module}


def write(file: Path, config: dict[str, Any]) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(yaml.safe_dump(config), encoding="utf-8")


def prepared(way: str, top: Path, config: dict[str, Any], checkout: Path = ROOT) -> Analysis:
    """A folder with the data and what that way of calling the checkout needs."""
    folder = top / f"by {way}"
    (folder / "data").mkdir(parents=True)
    shutil.copy(STUDY / "data/sleepstudy.csv", folder / "data")
    return WAYS[way](folder, config, checkout / "Snakefile")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Analysis]:
    """The study, run in the three ways from one checkout, in which HSB is run on one core at the same time."""
    checkout = tmp_path_factory.mktemp("analyses") / "check out"
    shutil.copytree(ROOT, checkout, ignore=NOT_COPIED)
    top, few = checkout / "studies", study(models=FEW)
    analyses = {way: prepared(way, top, study() if way == "directory" else few, checkout) for way in WAYS}
    of_hsb = ["--config", 'data={"mode": "snapshot"}', "--", *OF_HSB]
    analyses["hsb"] = Analysis(checkout, checkout, of_hsb, checkout / "results")
    with ThreadPoolExecutor(len(analyses)) as at_once:
        for done in at_once.map(run, analyses.values()):
            assert done.returncode == 0, done.stdout + done.stderr
    return analyses


@pytest.mark.parametrize("way", WAYS)
def test_the_results_are_where_the_analysis_is(way: str, runs: dict[str, Analysis]) -> None:
    analysis = runs[way]
    names = {path.name for path in analysis.folder.iterdir()}
    assert (
        names
        == {
            "directory": {"config.yaml", "data", "results", "logs", ".snakemake"},
            "configfile": {"config.yaml", "choices", "data", "made", ".snakemake"},
            "module": {"Snakefile", "mine.yaml", "raw.csv", "tables", "data", "sleep", ".snakemake"},
        }[way]
    )
    logs = {"directory": "logs", "configfile": "made/by configfile/logs", "module": "sleep/logs"}[way]
    assert (analysis.folder / logs / "fit_model/random_slope.log").is_file()
    page = (analysis.results / "report.html").read_text(encoding="utf-8")
    assert "Reaction times in a study of sleep deprivation" in page


@pytest.mark.parametrize("way", WAYS)
def test_a_second_run_does_nothing(way: str, runs: dict[str, Analysis]) -> None:
    done = run(runs[way], "--dry-run")
    assert "Nothing to be done" in done.stdout + done.stderr


def test_hsb_on_one_core_beside_them_has_the_bytes_of_its_run_alone_on_two(
    runs: dict[str, Analysis], results: Path
) -> None:
    beside, alone = digests(runs["hsb"].results), digests(results)
    assert "models/random_coefficients/bootstrap.parquet" in beside
    assert [file for file in beside if beside[file] != alone[file]] in ([], ["data/provenance.json"])
    stories = [json.loads((of / "data/provenance.json").read_text()) for of in (runs["hsb"].results, results)]
    for story in stories:
        del story["obtained_at"]
    assert stories[0] == stories[1]
    # Nothing of the others is among its logs, and no lock is left.
    logs = {path.name for path in (runs["hsb"].folder / "logs/fit_model").iterdir()}
    assert logs == {f"{model}.log" for model in ("random_coefficients", "random_intercept")}
    assert not [*runs["hsb"].folder.glob("**/.snakemake/locks/*")]


def test_each_way_gives_the_same_numbers(runs: dict[str, Analysis]) -> None:
    def numbers(results: Path) -> dict[str, bytes]:
        files = [file for model in FEW for file in results.glob(f"models/{model}/*")]
        files += results.glob("comparisons/**/*")
        return {
            str(file.relative_to(results)): file.read_bytes()
            for file in files
            # Intervals are of another level in one of them, see below.
            if file.is_file() and file.name not in ("intervals.csv", "robust.csv")
        }

    by_directory = numbers(runs["directory"].results)
    assert len(by_directory) == 2 * 18 + 5  # each model but its intervals; the comparison
    assert numbers(runs["configfile"].results) == by_directory
    assert numbers(runs["module"].results) == by_directory


def test_a_configfile_takes_the_place_of_config_yaml_and_values_come_on_top(runs: dict[str, Analysis]) -> None:
    models = {path.parent.name for path in runs["configfile"].results.glob("models/*/fit.json")}
    assert models == {*FEW}
    level = {way: set(pd.read_csv(runs[way].results / "models/random_slope/intervals.csv")["level"]) for way in WAYS}
    assert level == {"directory": {0.95}, "configfile": {0.9}, "module": {0.95}}


def test_sections_that_are_left_out_make_nothing(runs: dict[str, Analysis]) -> None:
    made = {path.name for path in runs["directory"].results.iterdir()}
    assert made - {"report.pdf"} == {
        "appendix.html",
        "comparisons",
        "data",
        "figures",
        "models",
        "report.html",
    }  # figures: the checks of every model


def test_estimates_are_lme4_s(runs: dict[str, Analysis]) -> None:
    # lme4 1.1-31, R 4.2.2, whose search was made as fine as it goes:
    # Rscript -e 'library(lme4); options(digits = 12)
    #   fine <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10))
    #   for (f in paste("Reaction ~", c("1 + (1 | Subject)", "Days + (1 | Subject)", "Days + (Days | Subject)"))) {
    #     m <- lmer(f, sleepstudy, control = fine); print(REMLcrit(m)); print(fixef(m)); print(sqrt(diag(vcov(m))))
    #     print(as.data.frame(VarCorr(m))) }'
    expected = {
        "empty": (1904.32651707, [298.507891667], [9.04993620292], [35.7538486943, 44.2590689610]),
        "random_intercept": (
            1786.46508539,
            [251.405104848, 10.4672859596],
            [9.74671634386, 0.804221428178],
            [37.1238271281, 30.9912338691],
        ),
        "random_slope": (
            1743.62827196,
            [251.405104848, 10.4672859596],
            [6.82455577628, 1.54578893243],
            [24.7404476166998, 5.9221332595791, 0.0655513428535, 25.5918158926241],
        ),
    }
    results = runs["directory"].results
    for model, (criterion, estimates, errors, spread) in expected.items():
        fit = json.loads((results / f"models/{model}/fit.json").read_text(encoding="utf-8"))
        # The criterion is flat at the optimum: it agrees to more digits than the places do.
        assert fit["criterion"] == pytest.approx(criterion, abs=1e-7)
        fixed = pd.read_csv(results / f"models/{model}/fixed_effects.csv")
        assert fixed["estimate"].tolist() == pytest.approx(estimates, rel=1e-7)
        assert fixed["std_error"].tolist() == pytest.approx(errors, rel=1e-6)
        random = pd.read_csv(results / f"models/{model}/random_effects.csv")
        assert random["sdcor"].tolist() == pytest.approx(spread, rel=1e-6)
    # Rscript -e 'library(lme4); a <- lmer(Reaction ~ Days + (1 | Subject), sleepstudy)
    #   b <- lmer(Reaction ~ Days + (Days | Subject), sleepstudy); print(anova(a, b, refit = FALSE)$Chisq, digits = 12)'
    test = json.loads((results / "comparisons/slope_variance/comparison.json").read_text(encoding="utf-8"))
    assert test["statistic"] == pytest.approx(42.836813435, abs=1e-6)


@pytest.mark.parametrize(
    ("way", "names"),
    [
        ("directory", "by directory/config.yaml is not as it should be"),
        ("configfile", "choices/mine.yaml is not as it should be"),
        ("module", "the config of the module twolevel (mine.yaml) is not as it should be"),
    ],
)
def test_a_mistake_is_named_with_its_file(way: str, names: str, tmp_path: Path) -> None:
    done = run(prepared(way, tmp_path, study(figure={})), "--dry-run")
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert names in said
    assert "the top level: unknown key figure (did you mean 'figures'?)" in said
    assert "Traceback" not in said


def test_a_config_without_keys_is_named(tmp_path: Path) -> None:
    analysis = prepared("directory", tmp_path, study())
    (tmp_path / "by directory/config.yaml").write_text("")
    done = run(analysis, "--dry-run")
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "by directory/config.yaml holds nothing; expected keys and their values" in said
    assert "Traceback" not in said


def test_two_analyses_are_modules_of_one_workflow(tmp_path: Path) -> None:
    both = prepared("module", tmp_path, study())
    config = yaml.safe_load((both.folder / "mine.yaml").read_text(encoding="utf-8"))
    small = {"models": {"empty": {"formula": "Reaction ~ (1 | Subject)"}}, "comparisons": {}, "bootstrap": {"parts": 3}}
    write(both.folder / "mine.yaml", {**config, "other": {**config["sleep"], **small}})
    other = OUTER[OUTER.index("module twolevel:") :].replace("twolevel", "other").replace('"sleep"', '"other"')
    outer = (OUTER + other).replace("SNAKEFILE", repr(str(ROOT / "Snakefile")))
    (both.folder / "Snakefile").write_text(outer, encoding="utf-8")
    done = run(both, "--dry-run", "--quiet", "host", "--", "everything", "other_all")
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    counts = dict(line.split() for line in said.splitlines() if len(line.split()) == 2)
    assert (counts["table"], counts["twolevel_fit_model"], counts["other_fit_model"]) == ("1", "3", "1")
    # Each bootstrap is split as its own configuration says: in one part, which needs no job of its own, or in three.
    assert (counts.get("twolevel_simulate_replicates"), counts["other_simulate_replicates"]) == (None, "3")
    assert "other/results/models/empty/summary.txt" in said
