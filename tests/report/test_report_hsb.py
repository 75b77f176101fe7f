"""The report on High School and Beyond: its numbers are those of the result files, and its story turns with them."""

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import render_report
from twolevel.errors import UserError
from twolevel.report.contents import contents

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
Config = dict[str, Any]


def files(results: Path, config: Config) -> SimpleNamespace:
    """Paths of what the report reads, as its rule gives them."""
    models = [results / "models" / name for name in config["models"]]
    comparisons = [results / "comparisons" / name for name in config["comparisons"]]
    figures = [results / "figures" / name for name in config["figures"]]
    templates = ROOT / "workflow/report"
    parts = [path for path in templates.rglob("*") if path.name.endswith((".html.j2", ".css"))]
    return SimpleNamespace(
        provenance=results / "data/provenance.json",
        table=results / f"data/{config['data']['name']}.parquet",
        fits=[folder / "fit.json" for folder in models],
        fixed_effects=[folder / "fixed_effects.csv" for folder in models],
        variance_components=[folder / "variance_components.csv" for folder in models],
        intervals=[folder / "intervals.csv" for folder in models],
        bootstraps=[folder / "bootstrap.parquet" for folder in models],
        variance_explained=results / "models/variance_explained.csv",
        comparisons=[folder / "comparison.json" for folder in comparisons],
        comparison_tables=[folder / "table.csv" for folder in comparisons],
        tests=[folder / "tests.csv" for folder in comparisons],
        reference_distributions=[folder / "reference_distribution.parquet" for folder in comparisons],
        pictures=[path.with_suffix(".svg") for path in figures],
        words=[path.with_suffix(".json") for path in figures],
        templates=sorted(parts, key=lambda path: path != templates / "report.html.j2"),
    )


@pytest.fixture
def changed(results: Path, tmp_path: Path) -> Path:
    """A copy of the results that a test may change."""
    return Path(shutil.copytree(results, tmp_path / "results"))


def text(results: Path, config: Config) -> str:
    """The sentences of the story, and those that open the page."""
    story = contents(render_report.read_results(files(results, config), config)).hsb
    assert story is not None
    parts = [*story.summary, *(value for value in vars(story).values() if isinstance(value, str))]
    return " ".join(parts).replace("\xa0", " ")


def edit_json(path: Path, change: Callable[[Any], None]) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def edit_test(results: Path, comparison: str, test: str, p_value: float) -> None:
    """Give one test another p value."""
    path = results / "comparisons" / comparison / "tests.csv"
    table = pd.read_csv(path)
    table.loc[table["test"] == test, "p_value"] = p_value
    table.to_csv(path, index=False)


def edit_effect(results: Path, model: str, term: str, factor: float) -> None:
    """Multiply one fixed effect."""
    path = results / "models" / model / "fixed_effects.csv"
    table = pd.read_csv(path)
    table.loc[table["term"] == term, ["estimate", "statistic"]] *= factor
    table.to_csv(path, index=False)


def test_the_page_of_the_run_has_the_numbers_of_its_files(results: Path, config: Config) -> None:
    html = (results / "report.html").read_text(encoding="utf-8")
    for model in ("random_coefficients", "random_coefficients_minority", "intercepts_and_slopes"):
        table = pd.read_csv(results / "models" / model / "fixed_effects.csv")
        for row in table.itertuples():
            p = "&lt;\xa00.001" if row.p_value < 0.001 else f"{row.p_value:.3f}"
            cells = [f"{row.estimate:.3f}", f"{row.std_error:.3f}", f"{row.statistic:.2f}", f"{row.df:.1f}", p]
            assert "".join(f"<td>{cell.replace('-', '−')}</td>" for cell in cells) in html
        effects = pd.read_csv(results / "models" / model / "random_effects.csv")
        variances = effects[effects["term_2"].isna()]
        for row in variances.itertuples():
            assert f"<td>{row.vcov:.3f}</td><td>{row.sdcor:.3f}</td>" in html
        for row in effects[effects["term_2"].notna()].itertuples():
            assert f"<td>{row.sdcor:.2f}</td>".replace("-", "−") in html
        fit = json.loads((results / "models" / model / "fit.json").read_text(encoding="utf-8"))
        assert f"REML criterion {fit['criterion']:,.2f};" in html
    for name in config["comparisons"]:
        table = pd.read_csv(results / "comparisons" / name / "table.csv")
        for row in table.itertuples():
            cells = [
                f"{row.AIC:,.1f}",
                f"{row.BIC:,.1f}",
                f"{row.logLik:,.1f}".replace("-", "−"),
                f"{row.deviance:,.1f}",
            ]
            assert "".join(f"<td>{cell}</td>" for cell in cells) in html
    provenance = json.loads((results / "data/provenance.json").read_text(encoding="utf-8"))
    assert provenance["sha256"] in html
    assert provenance["obtained_at"] not in html
    assert len(html.encode()) < 6e6  # DESIGN: under 6 MB


def test_the_page_of_the_run_has_the_inference_of_its_files(results: Path, config: Config) -> None:
    html = (results / "report.html").read_text(encoding="utf-8")
    for model in ("random_coefficients", "random_coefficients_minority", "intercepts_and_slopes"):
        for row in pd.read_csv(results / "models" / model / "variance_components.csv").itertuples():
            assert f"<td>{row.reliability:.3f}</td><td>{row.chi_square:,.1f}</td><td>{row.df}</td>" in html
        bounds = pd.read_csv(results / "models" / model / "intervals.csv").set_index(["parameter", "method"])
        for parameter in bounds.index.unique("parameter"):
            shown = [bounds.loc[(parameter, method), ["lower", "upper"]] for method in ("percentile", "profile")]
            # Two digits of a quarter of the length: 0.1 and more of it need two decimals, less needs three.
            places = 2 if shown[0]["upper"] - shown[0]["lower"] >= 0.4 else 3
            cells = [" to ".join(f"{bound:.{places}f}" for bound in of) for of in shown]
            assert "".join(f"<td>{cell.replace('-', '−')}</td>" for cell in cells) in html
    for name in config["comparisons"]:
        tests = pd.read_csv(results / "comparisons" / name / "tests.csv").set_index("test")
        assert f"<td>{tests.loc['Bartlett', 'statistic']:.2f}</td><td>{tests.loc['LRT', 'df']:.0f}</td>" in html
    slope = pd.read_csv(results / "comparisons/cses_slope_variance/tests.csv").set_index("test")
    for test in ("LRT", "mixture", "PBtest"):
        assert f"<td>{slope.loc[test, 'p_value']:.4f}</td>" in html


def test_the_story_of_the_run(results: Path, config: Config) -> None:
    p = pd.read_csv(results / "comparisons/cses_slope_variance/tests.csv").set_index("test").loc["PBtest", "p_value"]
    assert 0.002 < p < 0.006  # 0.0042 with a Monte Carlo error of 0.0006
    said = text(results, config)
    for sentence in (
        # 8.6140 / (8.6140 + 39.1483): the vignette of chapter 7 prints the two variances.
        "The variance between schools is estimated at 8.61, that within schools at 39.15: 18.0 % of the whole",
        "sector explains 22.5 %, mean SES 69.4 %, and the two together 73.1 %.",
        # DESIGN section 2: the true optimum of mod3a, and what the vignette prints.
        "prints this model with a REML criterion of 46,503.4 and a warning that the fit is singular",
        "The optimum of this run is 46,495.14, 8.3 lower, and it is not singular.",
        "ends at 46,503.39, 8.25 too high, with θ₂₂ at its bound of zero, where intercepts and slopes of SES have a "
        "correlation of −1.",
        # (36.700 - 35.679) / 36.700, and the vignette's (36.700 - 35.91) / 36.700 = 0.0215
        "the level-1 variance falls from 36.70 to 35.68: 2.8 % less.",
        "The vignette has 2.2 %",
        "cses:mean.ses is positive: the slope of SES is steeper, the higher a school's mean SES among "
        "schools of one sector, by 1.04",
        "cses:sectorCatholic is negative: the slope of SES is weaker in Catholic schools than in Public schools. Where "
        "mean SES is 0 it is 1.30 in Catholic and 2.95 in Public schools, a difference of −1.64",
        "The vignette's text says that the slope is weaker in Public schools.",
        "The two give the same criterion and the same estimates, to eight decimals.",
        "goes with 2.19 points more on average (95 % interval 1.94 to 2.44), and this slope differs between schools "
        f"(bootstrap test, p = {p:.4f}).",
        "on average over schools it is 0.90.",  # lambda of HLM's one-way ANOVA: 0.90138
        # Of 500 samples, so that the bounds differ from these by chance.
        "from 500 samples, for the SD of the slopes for example 0.43 to 1.13.",
        "none differs here by more than that explains.",
        "it reports p = 0.001, the smallest that 1,000 can give. With 10,000 it is p = 1/10,001, the smallest",
        f"the chi-square p value, 0.0076, is larger than the simulated one, {p:.4f}.",
        "students of a minority score 3.18 points lower than others in their school",
    ):
        assert sentence in said


def test_the_sector_s_slope_turns_with_its_sign(changed: Path, config: Config) -> None:
    edit_effect(changed, "intercepts_and_slopes", "cses:sectorCatholic", -1)
    said = text(changed, config)
    assert "cses:sectorCatholic is positive: the slope of SES is stronger in Catholic schools" in said
    assert "steeper in Catholic schools (4.59) than in Public schools (2.95)" in said  # 2.945 + 1.643
    assert "vignette's text says" not in said
    assert "weaker" not in said


def test_mean_ses_turns_with_its_sign_and_its_doubt(changed: Path, config: Config) -> None:
    edit_effect(changed, "intercepts_and_slopes", "cses:mean.ses", -1)
    said = text(changed, config)
    assert "cses:mean.ses is negative: the slope of SES is flatter, the higher a school's mean SES" in said
    assert "counts for less where the school is well off" in said
    edit_effect(changed, "intercepts_and_slopes", "cses:mean.ses", 0.1)
    assert "Whether the slope of SES changes with mean SES is open: −0.10" in text(changed, config)


def test_minority_turns_with_its_sign(changed: Path, config: Config) -> None:
    edit_effect(changed, "random_coefficients_minority", "minorityYes", -1)
    assert "students of a minority score 3.18 points higher than others" in text(changed, config)


def test_a_slope_variance_that_may_be_zero_is_said_to(changed: Path, config: Config) -> None:
    edit_test(changed, "cses_slope_variance", "PBtest", 0.2)
    said = text(changed, config)
    assert "it is not clear that this slope differs between schools (bootstrap test, p = 0.20)" in said
    assert "the chi-square p value, 0.0076, is no larger than the simulated one, 0.2000." in said


def test_bootstraps_that_fail_or_disagree_with_the_vignette_are_said_to(changed: Path, config: Config) -> None:
    path = changed / "comparisons/cses_slope_variance/reference_distribution.parquet"
    table = pd.read_parquet(path)
    table.loc[:6, "statistic"] = math.nan
    table.to_parquet(path, index=False)
    intervals = changed / "models/random_coefficients/intervals.csv"
    bounds = pd.read_csv(intervals)
    bounds.loc[(bounds["parameter"] == ".sig03") & (bounds["method"] == "percentile"), "lower"] = 0.1
    bounds.to_csv(intervals, index=False)
    said = text(changed, config)
    assert f"Here 7 of {len(table):,} simulated data sets could not be fitted" in said
    assert "some differ here by more than that explains." in said


def test_a_search_that_ends_at_the_optimum_is_said_to(changed: Path, config: Config) -> None:
    path = changed / "models/random_coefficients_minority/fit.json"

    def agree(fit: Any) -> None:
        for default in fit["optimiser"]["defaults"].values():
            default["criterion"] = fit["criterion"]

    edit_json(path, agree)
    said = text(changed, config)
    assert "A search within lme4's bounds, from lme4's own start, ends at 46,495.14, the same optimum." in said


def test_with_other_data_the_vignette_s_numbers_are_not_held_against_it(changed: Path, config: Config) -> None:
    edit_json(changed / "models/random_coefficients/fit.json", lambda fit: fit.update(criterion=45000.0))
    said = text(changed, config)
    assert "vignette" not in said
    assert "46,503.4" not in said


def test_levels_in_another_order_say_the_same(changed: Path, config: Config) -> None:
    """With Catholic as the reference the coefficients are others; the schools are not."""
    before = text(changed, config)
    config = json.loads(json.dumps(config))
    config["data"]["columns"]["sector"]["levels"].reverse()
    rename = {"sectorCatholic": "sectorPublic", "cses:sectorCatholic": "cses:sectorPublic"}
    for model in config["models"]:
        path = changed / "models" / model / "fixed_effects.csv"
        table = pd.read_csv(path)
        if "sectorCatholic" not in set(table["term"]):
            continue
        estimate = table.set_index("term")["estimate"]
        for term, contrast in (("(Intercept)", "sectorCatholic"), ("cses", "cses:sectorCatholic")):
            table.loc[table["term"] == term, "estimate"] += estimate.get(contrast, math.nan)
            table.loc[table["term"] == contrast, "estimate"] *= -1
        table["term"] = table["term"].replace(rename)
        table.to_csv(path, index=False)
        bounds = changed / "models" / model / "intervals.csv"
        bounds.write_text(
            bounds.read_text(encoding="utf-8").replace("sectorCatholic", "sectorPublic"), encoding="utf-8"
        )
        fit = changed / "models" / model / "fit.json"
        fit.write_text(fit.read_text(encoding="utf-8").replace("sectorCatholic", "sectorPublic"), encoding="utf-8")
    after = text(changed, config)
    assert (
        "cses:sectorPublic is positive: the slope of SES is weaker in Catholic schools than in Public schools." in after
    )
    assert "flatter in Catholic schools (1.30) than in Public schools (2.95) where mean SES is 0" in before
    assert "flatter in Catholic schools (1.30) than in Public schools (2.95)" in after


@pytest.mark.parametrize("section", ["models", "comparisons", "figures"])
def test_what_the_story_needs_and_lacks_is_named(section: str, results: Path, config: Config) -> None:
    config = json.loads(json.dumps(config))
    missing = {"models": "means_by_sector", "comparisons": "cses_slope_variance", "figures": "ols_vs_mixed"}[section]
    del config[section][missing]
    with pytest.raises(UserError, match=f"narrative 'hsb' needs the {section[:-1]} {missing}. Set narrative to null"):
        text(results, config)


def test_the_generic_report_of_the_same_results_tells_no_story(results: Path, config: Config, tmp_path: Path) -> None:
    config = json.loads(json.dumps(config)) | {"report": {"narrative": None}}
    for model in config["models"].values():
        del model["vignette_name"]
    render_report.main(files(results, config), config, str(results / "calibration"), str(tmp_path / "report.html"))
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "vignette" not in html
    assert all(f'id="model-{name}"' in html for name in config["models"])
    assert html.count("<figure") == len(config["figures"])


def test_the_same_results_give_the_same_bytes(results: Path, config: Config, tmp_path: Path) -> None:
    render_report.main(files(results, config), config, str(results / "calibration"), str(tmp_path / "report.html"))
    assert (tmp_path / "report.html").read_bytes() == (results / "report.html").read_bytes()
