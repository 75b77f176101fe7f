"""Every claim about the source is shown by the results of a finished run, and each can fail.

The claims are checked anew from those results, one estimate, direction or column of which is changed.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import check_errata
import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from hsb.evidence import EVIDENCE
from published.printed_numbers import read_rows
from published.run import Comparison, Run

pytestmark = pytest.mark.slow

Fit = dict[str, Any]


@pytest.fixture(scope="module")
def run(results: Path, config: dict[str, Any]) -> Run:
    """The finished run."""
    names = {
        name.strip(): model for model, entry in config["models"].items() for name in entry["published_name"].split(",")
    }
    read = lambda model, file: json.loads((results / "models" / model / file).read_text(encoding="utf-8"))  # noqa: E731
    read_test = lambda name: Comparison(  # noqa: E731
        json.loads((results / "comparisons" / name / "comparison.json").read_text(encoding="utf-8"))["statistic"],
        [pd.read_parquet(results / "comparisons" / name / "reference_distribution.parquet")["statistic"].to_numpy()],
    )
    published = pd.read_csv(ROOT / "studies/hsb/published.csv", dtype="str", keep_default_na=False)
    return Run(
        fits={name: read(model, "fit.json") for name, model in names.items()},
        constrained={name: read(model, "constrained.json") for name, model in names.items()},
        residuals={"model3": pd.read_parquet(results / "models/random_coefficients/residuals.parquet")},
        comparisons={
            ("mod3_int_null", "mod3_int"): read_test("minority_effect"),
            ("mod3_null", "model3"): read_test("cses_slope_variance"),
        },
        observations=pd.read_parquet(results / "data/hsb.parquet"),
        group="school",
        printed=tuple(read_rows(published, "published.csv")),
    )


def with_fit(run: Run, model: str, edit: Callable[[Fit], None]) -> Run:
    """The run with one model's fit changed."""
    fit = json.loads(json.dumps(run.fits[model]))
    edit(fit)
    return replace(run, fits={**run.fits, model: fit})


def without_wall(run: Run) -> Run:
    return replace(run, constrained={**run.constrained, "mod3a": run.constrained["model3"]})


def fixed(term: str, value: float) -> Callable[[Fit], None]:
    def edit(fit: Fit) -> None:
        fit["fixed_effects"][fit["fixed_terms"].index(term)] = value

    return edit


def singular(fit: Fit) -> None:
    fit["singular"] = True


def renamed(old: str, new: str) -> Callable[[Fit], None]:
    """One term of a model called something else."""

    def edit(fit: Fit) -> None:
        for key in ("fixed_terms", "random_terms"):
            fit[key] = [new if term == old else term for term in fit[key]]

    return edit


def reprinted(run: Run, quantity: str, printed: str) -> Run:
    """The run beside a source that printed something else."""
    rows = tuple(replace(row, printed=printed) if row.quantity == quantity else row for row in run.printed)
    assert rows != run.printed
    return replace(run, printed=rows)


def with_face(run: Run, edit: Callable[[Fit], None]) -> Run:
    """The run with the constrained fit changed."""
    story = json.loads(json.dumps(run.constrained["mod3a"]))
    edit(story)
    return replace(run, constrained={**run.constrained, "mod3a": story})


def swapped(run: Run) -> Run:
    """Schools' sectors the other way round."""
    other = {"Public": "Catholic", "Catholic": "Public"}
    sector = run.observations["sector"]
    table = run.observations.assign(sector=pd.Categorical(sector.astype(str).map(other), sector.cat.categories))
    return replace(run, observations=table)


def normal_residuals(run: Run) -> Run:
    rng = np.random.default_rng(1)
    table = run.residuals["model3"]
    return replace(run, residuals={"model3": table.assign(residual=rng.standard_normal(len(table)))})


def with_simulated(run: Run, edit: Callable[[Any], Any]) -> Run:
    """The run with other statistics simulated for the test of the random slopes."""
    names = ("mod3_null", "model3")
    found = run.comparisons[names]
    changed = Comparison(found.statistic, [edit(statistics) for statistics in found.simulated])
    return replace(run, comparisons={**run.comparisons, names: changed})


def one_student_each(run: Run) -> Run:
    """A table of one row for each school: 40 rows are 40 schools."""
    return replace(run, observations=run.observations.drop_duplicates("school"))


def level2_u(fit: Fit) -> None:
    """No random effect in the equation of the slope."""
    for entry in fit["hierarchy"]:
        entry["random"] = 0 if entry["term"] == "(Intercept)" else None


def another_formula(fit: Fit) -> None:
    fit["formula"] = "mathach ~ cses + (cses | school)"


def better_without(fit: Fit) -> None:
    fit["ml"]["criterion"] = 1e6


def slope_first(fit: Fit) -> None:
    """A model without an intercept: its slopes are numbered from 1 on, and cses comes second."""
    fit["hierarchy"] = [
        {"term": "x", "factors": ["x"], "predictors": [[0, []]], "random": None},
        {"term": "cses", "factors": ["cses"], "predictors": [[1, []]], "random": 0},
    ]
    fit["random_terms"], fit["blocks"] = ["cses"], [1]
    fit["meanings"] = dict.fromkeys(("x", "cses"), fit["meanings"]["cses"])
    fit["fixed_terms"], fit["fixed_effects"] = ["x", "cses"], [0.0, 1.0]


# For each piece of evidence, what makes it fail.
FALSE: Mapping[str, Callable[[Run], Run]] = {
    "better_optimum": lambda run: with_fit(run, "mod3a", singular),
    "correlations_printed": lambda run: with_face(
        run, lambda story: story["fit"].update(random_effects_correlation=story["fit"]["random_effects_covariance"])
    ),
    "slope_without_effect": lambda run: with_fit(run, "mod3a", better_without),
    "second_fixed_effect": lambda run: with_fit(run, "model3", slope_first),
    "effects_of_betas": lambda run: with_fit(run, "model3", level2_u),
    "minority_not_sex": lambda run: with_fit(run, "mod3a", renamed("minorityYes", "sexFemale")),
    "slope_effect": lambda run: with_fit(run, "mod4", slope_first),
    "weaker_slope": lambda run: with_fit(run, "mod4", fixed("cses:sectorCatholic", 1.6427)),
    "mean_of_reference": swapped,
    "residuals_not_normal": normal_residuals,
    "groups_drawn_twice": one_student_each,
    "statistic_and_p": lambda run: with_simulated(run, lambda simulated: 1.5 * simulated),
    "none_as_large": lambda run: reprinted(run, "PBmodcomp PBtest extremes", "1"),
}


def test_all_claims_are_shown_by_the_finished_run(results: Path) -> None:
    table = pd.read_csv(results / "errata.csv")
    assert len(table) == 13
    assert table["shown"].all()
    assert list(table["id"]) == list(pd.read_csv(ROOT / "studies/hsb/errata.csv")["id"])


def test_the_script_writes_that_table(results: Path, config: dict[str, Any], tmp_path: Path) -> None:
    of_models = lambda file: [str(results / "models" / model / file) for model in config["models"]]  # noqa: E731
    of_tests = lambda file: [str(results / "comparisons" / name / file) for name in config["comparisons"]]  # noqa: E731
    files = SimpleNamespace(
        errata=str(ROOT / "studies/hsb/errata.csv"),
        published=str(ROOT / "studies/hsb/published.csv"),
        table=str(results / "data/hsb.parquet"),
        fits=of_models("fit.json"),
        constrained=of_models("constrained.json"),
        residuals=of_models("residuals.parquet"),
        comparisons=of_tests("comparison.json"),
        reference_distributions=of_tests("reference_distribution.parquet"),
    )
    names = {n.strip(): model for model, entry in config["models"].items() for n in entry["published_name"].split(",")}
    check_errata.main(files, str(tmp_path / "errata.csv"), "studies/hsb", names, config["comparisons"], "school")
    assert (tmp_path / "errata.csv").read_bytes() == (results / "errata.csv").read_bytes()


def test_there_is_a_change_for_every_piece_of_evidence() -> None:
    assert set(FALSE) == set(EVIDENCE)


@pytest.mark.parametrize("name", EVIDENCE)
def test_each_piece_of_evidence_can_fail(name: str, run: Run) -> None:
    assert EVIDENCE[name](run).shown
    found = EVIDENCE[name](FALSE[name](run))
    assert not found.shown
    assert found.evidence


def with_residuals(run: Run, draw: Callable[[np.random.Generator, int], Any], least: float) -> Run:
    """Other residuals, whose scale falls to `least` in the lowest and the highest tenth of the fitted values."""
    table = run.residuals["model3"]
    place = table["fitted"].rank(pct=True)
    scale = np.where((place < 0.1) | (place > 0.9), least, 1.0)
    residual = draw(np.random.default_rng(2), len(table)) * scale
    return replace(run, residuals={"model3": table.assign(residual=residual)})


@pytest.mark.parametrize(
    ("draw", "least", "shown"),
    [
        (lambda rng, n: rng.uniform(-1, 1, n), 0.7, True),  # short tails, less spread at the ends: both parts hold
        (lambda rng, n: rng.uniform(-1, 1, n), 1.0, False),  # the same spread everywhere
        (lambda rng, n: rng.uniform(-1, 1, n), 1.4, False),  # more at the ends
        (lambda rng, n: rng.standard_t(3, n), 0.7, False),  # long tails
    ],
)
def test_the_claim_about_residuals_asks_for_short_tails_and_for_less_spread_at_both_ends(
    run: Run, draw: Callable[[np.random.Generator, int], Any], least: float, shown: bool
) -> None:
    assert EVIDENCE["residuals_not_normal"](with_residuals(run, draw, least)).shown == shown


@pytest.mark.parametrize(
    "edit",
    [
        lambda run: with_face(run, lambda story: story["fit"]["random_effects_correlation"][1].__setitem__(0, -0.5)),
        lambda run: with_fit(run, "mod3a", lambda fit: fit.update(sigma=5.9928)),
        lambda run: reprinted(run, "L1 variance explained (36.700-35.91)/36.700", "0.0278"),
    ],
)
def test_each_part_of_the_claim_about_the_singular_fit_is_asked_for(run: Run, edit: Callable[[Run], Run]) -> None:
    assert not EVIDENCE["better_optimum"](edit(run)).shown


def test_the_share_of_samples_is_the_p_value_in_per_cent(run: Run) -> None:
    """Had the source printed 0.10 %, it would be right but for what it says of the samples."""
    assert not EVIDENCE["none_as_large"](reprinted(run, "% of samples", "0.10")).shown


# What a claim about the source's numbers asks of the data: that they give those numbers.
OTHER_NUMBERS: Mapping[str, Callable[[Run], Run]] = {
    "better_optimum": lambda run: reprinted(run, "REML criterion", "1.0"),
    "weaker_slope": lambda run: with_fit(run, "mod4", fixed("cses:sectorCatholic", -1.5)),
    "mean_of_reference": lambda run: with_fit(run, "MAO_mod", fixed("(Intercept)", 11.4)),
    "statistic_and_p": lambda run: replace(
        run, comparisons={**run.comparisons, ("mod3_null", "model3"): Comparison(9.0, np.zeros(99))}
    ),
    "residuals_not_normal": lambda run: with_fit(run, "model3", lambda fit: fit.update(criterion=1.0)),
    "groups_drawn_twice": lambda run: replace(run, observations=run.observations.iloc[1:]),
    "none_as_large": lambda run: replace(
        run, comparisons={("mod3_int_null", "mod3_int"): Comparison(100.0, np.zeros(99))}
    ),
}


@pytest.mark.parametrize("name", OTHER_NUMBERS)
def test_a_claim_about_numbers_is_not_shown_by_other_ones(name: str, run: Run) -> None:
    assert not EVIDENCE[name](OTHER_NUMBERS[name](run)).shown


@pytest.mark.parametrize("name", ["better_optimum", "correlations_printed"])
def test_without_a_wall_the_numbers_of_the_wall_are_not_there(name: str, run: Run) -> None:
    with pytest.raises(Exception, match="is stopped by none of them in mod3a"):
        EVIDENCE[name](without_wall(run))


def test_the_model_said_to_be_impossible_is_fitted_as_lme4_fits_it(run: Run) -> None:
    # R, lme4 1.1-31, optimizer = "bobyqa" and "nloptwrap" alike: -2 * logLik(lmer(mathach ~ cses + (cses + minority |
    # school), HSB, REML = FALSE)) = 46595.603832; printed in the evidence to two decimals.
    assert "46,595.60" in EVIDENCE["slope_without_effect"](run).evidence


def test_the_evidence_says_the_numbers(run: Run) -> None:
    said = {name: EVIDENCE[name](run).evidence for name in EVIDENCE}
    # DESIGN's facts, measured with lme4 and MixedLM: criteria 46503.38976 and 46495.1402594, cses SD 0.690.
    assert "46,503.39. The optimum has 46,495.14: 8.25 lower, and not singular" in said["better_optimum"]
    # The variance 0.690^2 of the slopes; residual variances 36.700 of model3, 35.680 and 35.914 of mod3a.
    assert "0.48 and their correlation with the intercepts −0.05, against 0.01 and −1.00" in said["better_optimum"]
    assert "explains 2.78 % of the level-1 variance, against 2.14 %" in said["better_optimum"]
    # fixef(mod4): 2.9450 and -1.6427
    assert "2.945 − 1.643 = 1.302 in Catholic schools" in said["weaker_slope"]
    # The figure qq_level1 counts 2,623 of 7,185.
    assert "36.5 %" in said["residuals_not_normal"]
    assert "= 0.000999, which is 0.0999 %" in said["none_as_large"]
    assert "β_0j = γ_00 + u_0j and β_1j = γ_10 + u_1j" in said["effects_of_betas"]
