"""The report on High School and Beyond: its numbers are those of the result files, and its story turns with them."""

import json
import math
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import render_report
from fitted import SUPPLEMENTS
from hsb.narrative import tell
from hsb.tables import MODELS, TABLES
from twolevel.errors import UserError
from twolevel.report.contents import contents
from twolevel.report.page import APPENDIX, PAGE, typographic
from twolevel.report.study import Narrative

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
Config = dict[str, Any]


def files(results: Path, config: Config) -> SimpleNamespace:
    """Paths of what the report reads, as its rule gives them."""
    models = [results / "models" / name for name in config["models"]]
    comparisons = [results / "comparisons" / name for name in config["comparisons"]]
    drawn = [name for name, of in config["figures"].items() if of["kind"] != "optimiser_audit"]
    figures = [results / "figures" / name for name in drawn]
    templates = ROOT / "workflow/report"
    parts = [path for path in templates.rglob("*") if path.name.endswith((".html.j2", ".css", ".js"))]
    optional = {
        "ledger": results / "ledger.csv",
        "errata": results / "errata.csv",
    }
    return SimpleNamespace(
        **{name: [path] if path.exists() else [] for name, path in optional.items()},
        study_tables=[results / f"{name}.csv" for name in TABLES.made],
        study_templates=sorted((ROOT / "studies/hsb/templates").glob("*.html.j2")),
        provenance=results / "data/provenance.json",
        table=results / f"data/{config['data']['name']}.parquet",
        fits=[folder / "fit.json" for folder in models],
        fixed_effects=[folder / "fixed_effects.csv" for folder in models],
        random_effects=[folder / "random_effects.csv" for folder in models],
        variance_components=[folder / "variance_components.csv" for folder in models],
        intervals=[folder / "intervals.csv" for folder in models],
        bootstraps=[folder / "bootstrap.parquet" for folder in models],
        supplements=[folder / f"{name}.csv" for folder in models for name in SUPPLEMENTS if name != "own_lines"],
        descriptives=results / "data/descriptives.csv",
        variance_explained=results / "models/variance_explained.csv",
        comparisons=[folder / "comparison.json" for folder in comparisons],
        comparison_tables=[folder / "table.csv" for folder in comparisons],
        tests=[folder / "tests.csv" for folder in comparisons],
        reference_distributions=[folder / "reference_distribution.parquet" for folder in comparisons],
        constrained=[folder / "constrained.json" for folder in models],
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
    narrative = told(results, config)
    story = narrative.story
    parts = [*narrative.summary, *(value for value in vars(story).values() if isinstance(value, str))]
    if story.wall:
        parts += [*story.wall.sides, *story.wall.changes]
    return " ".join(parts).replace("\xa0", " ")


def both(folder: Path) -> str:
    """The page and its appendix."""
    return "".join((folder / name).read_text(encoding="utf-8") for name in (PAGE, APPENDIX))


def told(results: Path, config: Config) -> Narrative:
    narrative = contents(render_report.read_results(files(results, config), config), tell).narrative
    assert narrative is not None
    return narrative


def summary(results: Path, config: Config) -> list[str]:
    """The sentences that open the page."""
    return [sentence.replace("\xa0", " ") for sentence in told(results, config).summary]


def edit_json(path: Path, change: Callable[[Any], None]) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def edit_ledger(results: Path, rows: str, **changes: str) -> None:
    """Write other texts in the rows of the ledger that a query finds."""
    path = results / "ledger.csv"
    ledger = pd.read_csv(path, dtype=str, keep_default_na=False)
    chosen = ledger.eval(rows, engine="python")
    assert chosen.any()
    for column, text in changes.items():
        ledger.loc[chosen, column] = text
    ledger.to_csv(path, index=False)


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
    html = both(results)
    for model in ("random_coefficients", "random_coefficients_minority", "intercepts_and_slopes"):
        table = pd.read_csv(results / "models" / model / "fixed_effects.csv")
        for row in table.itertuples():
            p = "&lt;\xa00.001" if row.p_value < 0.001 else f"{row.p_value:.3f}"
            cells = [f"{row.estimate:.3f}", f"{row.std_error:.3f}", f"{row.statistic:.2f}", f"{row.df:.1f}", p]
            assert "".join(f"<td>{cell.replace('-', '−')}</td>" for cell in cells) in html
        effects = pd.read_csv(results / "models" / model / "random_effects.csv")
        variances = effects[effects["term_2"].isna()]
        for row in variances.itertuples():
            assert f"<td>{row.vcov:#.4g}</td><td>{row.sdcor:#.4g}</td>" in html
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


def test_the_page_of_the_run_has_the_textbooks_tables(results: Path, config: Config) -> None:
    html = both(results)
    section = html[html.index('<section id="textbook"') :].split("</section>")[0]
    effects = pd.read_csv(results / "textbook/fixed_effects.csv")
    for row in effects.itertuples():
        cells = [f"{row.estimate:.4f}", f"{row.std_error:.4f}", f"{row.statistic:.2f}"]
        assert "".join(f"<td>{cell.replace('-', '−')}</td>" for cell in cells) in section
    parts = pd.read_csv(results / "textbook/variance_components.csv")
    for row in parts[parts["term"] != "Residual"].itertuples():
        assert f"<td>{row.variance:.3f}</td><td>{row.df:.0f}</td><td>{row.chi_square:,.2f}</td>" in section
    # The data's own coding is what the models are: the same characters.
    for model in MODELS:
        own = effects[(effects["coding"] == "sample") & (effects["model"] == model)]
        fitted = pd.read_csv(results / "models" / model / "fixed_effects.csv")
        assert own["estimate"].tolist() == fitted["estimate"].tolist()


def test_the_page_of_the_run_has_the_inference_of_its_files(results: Path, config: Config) -> None:
    html = both(results)
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
        "ends at 46,503.39, 8.25 above the optimum, with θ₂₂ at the bound of zero.",
        # Issue 4: the derivative on both sides of the wall; the vignette prints SD 0.1068 and a correlation of -1.00.
        "with respect to θ₂₂ is +50.4: away from the bound the criterion at first rises, and the search stopped. "
        "With the sign of the second column changed it is −50.4: that way the criterion falls",
        "With θ₂₂ at zero the slopes of SES have a standard deviation of 0.11 over schools, and 95 % of schools would "
        # 1.9047 and 1.9145, and 1.96 times 0.1067 and 0.6905 to either side
        "be expected between 1.70 and 2.11; at the optimum it is 0.69, and they are expected between 0.56 and 3.27.",
        "The correlation −1 of (Intercept) with cses belongs to that point, not to the data",
        # (36.700 - 35.679) / 36.700, and the vignette's (36.700 - 35.91) / 36.700 = 0.0215
        "the level-1 variance falls from 36.70 to 35.68: 2.8 % less.",
        "The vignette has 2.2 %, computed from the rounded variances of the fit",
        "Among schools of one sector, the slope of SES is steeper the higher the mean SES of the school, by 1.04",
        "The slope of SES is weaker in Catholic schools than in Public schools. Where mean SES is 0 it is 1.30 in "
        "Catholic and 2.95 in Public schools, a difference of −1.64",
        # (0.694 - 0.101) / 0.694 and (8.681 - 2.380) / 8.681 of what lme4 prints
        "mean SES and sector together explain 85.4 % of the variance of the slopes and 72.6 % of that of the",
        # 1 + (7185 / 160 - 1) * 8.6140 / (8.6140 + 39.1483), and 7185 over it
        "1 + (44.9 − 1) × 0.180 = 8.9 times that of as many independent students (the design effect): the 7,185 "
        "students tell as much about the overall mean as 806 independent ones.",
        # sqrt(8.681 + 0.694 -+ 2 * 0.0187 * sqrt(8.681 * 0.694)), and lme4's profile interval of the correlation
        "the correlation is 0.02 (95 % profile interval −0.31 to 0.35, so its sign is not known). The SD over schools "
        "is 3.05 points where cses is −1, 2.95 where it is 0 and 3.08 where it is 1.",
        "The two give the same criterion and the same estimates, to eight decimals.",
        "goes with 2.19 points more on average (95 % interval 1.94 to 2.45), and this slope differs between schools "
        f"(bootstrap test, p = {p:.4f}): in 95 % of schools it is expected between 0.56 and 3.83.",
        "is not the best one: its REML criterion, of which lower is better, is 8.25 higher.",
        # The vignette of chapter 7: sectorCatholic 2.8049 alone, and 1.2250 beside mean.ses.
        "Mean achievement in Catholic schools is 2.80 points higher than in Public schools",
        "Between schools of the same mean SES the difference is smaller: 1.23",
        "on average over schools it is 0.90.",  # lambda of HLM's one-way ANOVA: 0.90138
        # Of 500 samples, so that the bounds differ from these by chance.
        "from 500 samples, for the SD of the slopes for example 0.43 to 1.13.",
        "none differs here by more than that explains.",
        "it reports p = 0.001, the smallest that 1,000 can give. With 10,000 it is p = 1/10,001, the smallest",
        f"the chi-square p value, 0.0076, is larger than the simulated one, {p:.4f}.",
        # Minority is not centred: within schools, and between them by the share of minority students.
        "students of a minority score 3.18 points lower than others (95 % interval 2.68 to 3.67), and 2.96 points "
        "lower than others of the same school (95 % interval 2.44 to 3.48)",
        "the coefficient is −2.96 within schools (95 % interval −3.48 to −2.44) and −5.81 between",
        # tapply(slopes, list(sector, category), mean) of the schools' own lm() slopes
        "over all schools 1.19, 2.66 and 1.90; in Public schools 1.57, 3.07 and 2.76 (of 14, 58 and 18); in Catholic "
        "schools 0.12, 1.64 and 1.53 (of 5, 23 and 42).",
    ):
        assert sentence in said
    assert "no accident" not in said  # four of lme4's other optimisers find the optimum within the same bounds
    assert "of one sign" not in said


def test_the_sector_s_slope_turns_with_its_sign(changed: Path, config: Config) -> None:
    edit_effect(changed, "intercepts_and_slopes", "cses:sectorCatholic", -1)
    said = text(changed, config)
    assert "The slope of SES is stronger in Catholic schools than in Public schools" in said
    assert "steeper in Catholic schools (4.59) than in Public schools (2.95)" in said  # 2.945 + 1.643
    assert "weaker" not in said


def test_mean_ses_turns_with_its_sign_and_its_doubt(changed: Path, config: Config) -> None:
    edit_effect(changed, "intercepts_and_slopes", "cses:mean.ses", -1)
    said = text(changed, config)
    assert "the slope of SES is flatter the higher the mean SES of the school" in said
    assert "counts for less where the school is well off" in said
    edit_effect(changed, "intercepts_and_slopes", "cses", -1)
    falling = text(changed, config)
    assert "the slope of SES is steeper the higher the mean SES of the school" in falling
    assert "better off" not in falling
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
    edit_ledger(changed, "id == 'ch8-106'", verdict="mismatch", printed="0.1234567")
    said = text(changed, config)
    assert f"Here 7 of {len(table):,} simulated data sets could not be fitted" in said
    assert "for the SD of the slopes for example 0.12 to 1.13." in said
    assert "1 of the 12 differs by more than that explains." in said
    edit_ledger(changed, "id == 'ch8-107'", verdict="mismatch")
    assert "2 of the 12 differ by more than that explains." in text(changed, config)
    edit_ledger(changed, "id == 'ch8-135'", printed="2000")
    assert "with a bootstrap of 2,000 samples, none of which reaches the data" in text(changed, config)


def test_a_search_that_ends_at_the_optimum_is_said_to(changed: Path, config: Config) -> None:
    path = changed / "models/random_coefficients_minority/fit.json"

    def agree(fit: Any) -> None:
        for default in fit["optimiser"]["defaults"].values():
            default["criterion"] = fit["criterion"]

    edit_json(path, agree)
    said = text(changed, config)
    assert "from the identity and within lme4's bounds, ends at 46,495.14, the same optimum." in said


def test_with_other_data_the_vignette_s_numbers_are_not_held_against_it(changed: Path, config: Config) -> None:
    edit_json(changed / "models/random_coefficients/fit.json", lambda fit: fit.update(criterion=45000.0))
    said = text(changed, config)
    assert "vignette" not in said
    assert "46,503.4" not in said


OF_THE_SAME_DATA = (
    "The sample used here is that of the textbook by Raudenbush and Bryk",
    "Raudenbush and Bryk (2002) explain these models, on these data, in their chapter 4.",
    "The vignette prints",
    "The vignette gives",
    "The vignette tests",
    "The vignette leaves out",
    "The vignette has",
)


def test_a_page_of_other_data_says_nothing_that_only_the_same_data_allow(
    changed: Path, results: Path, config: Config, tmp_path: Path
) -> None:
    def rendered() -> str:
        render_report.main(files(changed, config), config, changed, tmp_path)
        return both(tmp_path)

    html = both(results)
    assert all(sentence in html for sentence in OF_THE_SAME_DATA)
    # A corrected column of minority: of the criteria that are held, only those of the model with minority change.
    edit_json(changed / "models/random_intercept_minority/fit.json", lambda fit: fit["ml"].update(criterion=46513.2))
    other = rendered()
    assert [sentence for sentence in OF_THE_SAME_DATA if sentence in other] == []
    assert "The data used here are not those of the textbook by Raudenbush and Bryk" in other
    assert "Raudenbush and Bryk (2002) explain these models in their chapter 4." in other
    assert "no reason is known" not in other
    # Without a ledger nothing is known of the data, neither that they are the same nor that they are not.
    (changed / "ledger.csv").unlink()
    unknown = rendered()
    assert [sentence for sentence in (*OF_THE_SAME_DATA, "The data used here are not") if sentence in unknown] == []
    assert "explains models of this kind with a sample of it." in unknown


def test_what_a_ledger_has_no_row_for_is_left_out(changed: Path, config: Config) -> None:
    edit_ledger(changed, "model == 'mod3a' or quantity.str.startswith('bootstrap CI')", model="another")
    edit_ledger(changed, "quantity == 'PBmodcomp PBtest samples'", quantity="another")
    story, said = told(changed, config).story, text(changed, config)
    assert story.same_data
    assert story.published == story.printed_intervals == story.printed_test == ""
    assert "The vignette has" not in said
    assert "nan" not in said


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
        edit_json(fit, lambda of: of["meanings"]["sectorPublic"].update(level="Public", reference="Catholic"))
    book = changed / "textbook/fixed_effects.csv"
    book.write_text(book.read_text(encoding="utf-8").replace("sectorCatholic", "sectorPublic"), encoding="utf-8")
    after = text(changed, config)
    assert "The slope of SES is weaker in Catholic schools than in Public schools." in after
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
        del model["published_name"]
    render_report.main(files(results, config), config, results, tmp_path)
    html = both(tmp_path)
    assert "vignette" not in html
    assert all(f'id="model-{name}"' in html for name in config["models"])
    assert html.count("<figure") == len(config["figures"])


def test_five_findings_open_the_page(results: Path, config: Config) -> None:
    html = both(results)
    opening = html[html.index('<section id="summary"') : html.index('<section id="data"')]
    opening = re.sub("<[^>]+>", "", opening)  # terms have links to the glossary
    said = summary(results, config)
    assert len(said) == 5
    assert all(sentence.count(". ") <= 1 and sentence.endswith(".") for sentence in said)
    assert all(typographic(sentence).replace("\xa0", " ") in opening.replace("\xa0", " ") for sentence in said)
    verdicts = pd.read_csv(results / "ledger.csv")["verdict"].value_counts()
    # All of the 244 numbers, of which only those of mod3a are of another fit, and 25 are counts and settings.
    assert said[4].startswith(
        f"Of 219 published results this run finds {verdicts['match']} as printed to the last digit, "
    )
    assert (
        f"{verdicts['not_optimum']} are from a fit that was not at its optimum, 1 is given roughly, 1 is a" in said[4]
    )
    assert said[4].endswith("; 25 more numbers are counts and settings.")


def test_the_fifth_sentence_follows_the_ledger(changed: Path, config: Config) -> None:
    edit_ledger(changed, "id == 'ch8-001'", verdict="mismatch")
    edit_ledger(changed, "model == 'u_mod'", verdict="not_optimum")
    said = summary(changed, config)[4]
    assert "from 2 fits that were not at their optimum" in said
    assert "1 differs for no known reason" in said
    (changed / "ledger.csv").unlink()
    assert summary(changed, config)[4] == "The optimum of each of the 10 models was found and confirmed."
    edit_json(changed / "models/means_by_sector/fit.json", lambda fit: fit.update(doubts=["the gradient is not zero"]))
    assert summary(changed, config)[4] == "Not every fit can be trusted: see “Means by sector”."


def test_without_a_wall_there_is_none_on_the_page(changed: Path, config: Config) -> None:
    path = changed / "models/random_coefficients_minority/constrained.json"
    edit_json(path, lambda story: story.update(fit=None, face=[], walls=[]))
    said = text(changed, config)
    assert told(changed, config).story.wall is None
    assert "derivative" not in said
    edit_json(changed / "models/random_coefficients/fit.json", lambda fit: fit.update(criterion=45000.0))
    # (36.700 - 35.679) / 36.700
    assert "This explains 2.8 % of the variance within schools." in summary(changed, config)[2]


def test_the_wall_is_told_with_other_data_too(changed: Path, config: Config) -> None:
    edit_json(changed / "models/random_coefficients/fit.json", lambda fit: fit.update(criterion=45000.0))

    def turn(story: Any) -> None:
        story["walls"][0]["derivative_column_flipped"] = 2.0
        story["fit"]["fixed_effects"][1] += 1.0

    edit_json(changed / "models/random_coefficients_minority/constrained.json", turn)
    said = text(changed, config)
    assert "The default search of R's lme4 stops short of this fit, by 8.25 in its criterion" in said
    assert "it is +2.0: that way, too, the criterion does not fall at once" in said
    assert "The fixed effects change: the largest shift is 8." in said  # 0.99 of a standard error of 0.123
    assert "published numbers" not in said
    assert "The data are not those of the published analyses, so that of the 219 results printed there" in said


def test_the_means_of_the_sectors_turn_with_their_signs(changed: Path, config: Config) -> None:
    edit_effect(changed, "means_by_sector_and_mean_ses", "sectorCatholic", -1)
    assert "Between schools of the same mean SES it is 1.23 points lower (95 %" in text(changed, config)
    edit_effect(changed, "means_by_sector", "sectorCatholic", -0.1)
    said = text(changed, config)
    assert "Catholic schools is 0.28 points lower than in Public schools (95 % interval −0.59 to 1.15, so its" in said
    assert "Between schools of the same mean SES the difference is larger: −1.23" in said


def test_too_few_replicates_decide_nothing(changed: Path, config: Config) -> None:
    for path in changed.glob("*/*/bootstrap.parquet"):
        pd.read_parquet(path).head(2).to_parquet(path, index=False)
    for path in changed.glob("*/*/reference_distribution.parquet"):
        pd.read_parquet(path).head(2).to_parquet(path, index=False)
    for name in config["comparisons"]:
        edit_test(changed, name, "PBtest", 1 / 3)
    said = text(changed, config)
    assert "whether this slope differs between schools, so few simulated data sets cannot tell." in said
    assert "from 500 samples" not in said
    assert "the simulated one" not in said
    page = contents(render_report.read_results(files(changed, config), config))
    assert all("Monte Carlo" not in sentence and "rejects" not in sentence for sentence in all_sentences(page))
    assert any("So few replicates say nothing of the bounds of an interval" in sentence for sentence in page.intervals)


def all_sentences(page: Any) -> list[str]:
    return [*page.intervals, *(sentence for it in page.comparisons.values() for sentence in it.sentences)]


@pytest.mark.parametrize("narrative", ["studies/hsb", None])
def test_every_model_and_every_figure_has_its_place(
    narrative: str | None, results: Path, config: Config, tmp_path: Path
) -> None:
    config = json.loads(json.dumps(config)) | {"report": {"narrative": narrative}}
    render_report.main(files(results, config), config, results, tmp_path)
    html = both(tmp_path)
    for figure in config["figures"]:
        assert html.count(f'id="figure-{figure}"') == 1, figure
    for name, settings in config["models"].items():
        block = section(html, f"full-{name}")
        title = settings["title"]
        assert re.match(r"\s*<h[34] ", block), name
        for label in ("Level-1 equation", "Level-2 equation", "Combined equation"):
            assert f'aria-label="{label}"' in block, (name, label)
        assert f'<code class="block">{settings["formula"].replace("*", " * ")}</code>' in block or (
            f'<code class="block">{settings["formula"]}</code>' in block
        )
        for caption in (f"Fixed effects of “{title}”", f"Random effects of “{title}”", f"the parameters of “{title}”"):
            assert caption in block, (name, caption)
        meaning = block[block.index("What the estimates say") :]
        assert meaning.count("<li>") >= len(pd.read_csv(results / "models" / name / "fixed_effects.csv"))


def section(html: str, name: str) -> str:
    """What stands in a section, others within it included."""
    start = html.index(">", html.index(f'<section id="{name}"')) + 1
    depth = 1
    for tag in re.finditer(r"<(/?)section\b", html[start:]):
        depth += -1 if tag[1] else 1
        if not depth:
            return html[start : start + tag.start()]
    raise AssertionError(f"{name} has no end")


def test_the_same_results_give_the_same_bytes(
    results: Path, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The code to copy names the table by its path from the working folder. The copy of the project in which the run was
    # has the study too, and the one that is loaded already is another.
    (tmp_path / "results").symlink_to(results)
    monkeypatch.chdir(tmp_path)
    render_report.main(files(Path("results"), config), config, results, tmp_path)
    assert both(tmp_path) == both(results)
