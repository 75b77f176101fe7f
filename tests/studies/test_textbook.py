"""The textbook's tables: known numbers of each coding, what a constant must do, and every mistake's message."""

import subprocess
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import make_study_tables
import numpy as np
import pandas as pd
import pytest
from hsb.tables import MODELS, TABLES, settings
from hsb.textbook.codings import CODINGS, CodedColumns, coded_columns
from hsb.textbook.fits import CodedFit, components, explained, fit_coding, fixed_effects, group_means, recode
from hsb.textbook.section import Textbook, read_textbook
from twolevel.errors import UserError
from twolevel.inference.reliability import variance_components
from twolevel.output.results import fixed_effects_table
from twolevel.output.words import Labels, Noun

ROOT = Path(__file__).resolve().parents[2]
MEANS = ROOT / "studies/hsb/textbook/school_means.csv"
COLUMNS = CodedColumns("ses", "mean.ses", "cses")


@pytest.fixture(scope="module")
def means(hsb: pd.DataFrame) -> pd.DataFrame:
    own = hsb.drop_duplicates("school").set_index("school")["mean.ses"]
    return group_means(pd.read_csv(MEANS, dtype="str"), own, "school", MEANS.name)


@pytest.fixture(scope="module")
def coded(hsb: pd.DataFrame, means: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return recode(hsb, COLUMNS, means)


@pytest.fixture(scope="module")
def fits(coded: dict[str, pd.DataFrame], config: dict[str, Any]) -> list[CodedFit]:
    """Every model in every coding, as the pipeline fits them."""
    return [
        fit_coding(coding, model, config["models"][model]["formula"], coded[coding], **config["optimiser"])
        for coding in CODINGS
        for model in MODELS
    ]


def of(fits: list[CodedFit], coding: str, model: str) -> CodedFit:
    return next(it for it in fits if (it.coding, it.model) == (coding, model))


# ------------------------------------------------------------------------------------------------------ known numbers


# Fixed effects of `intercepts_and_slopes` in our order. File: printed by teaching material for SAS after Singer (1998),
# model mathach = meanses sector cses meanses*cses sector*cses. Mixed: the same
# model with MEANSES, and ses centred on the mean over the students. Tolerance: half a unit of the last digit printed.
PRINTED = {
    "file": {
        "(Intercept)": 12.1136,
        "mean.ses": 5.3391,
        "sectorCatholic": 1.2167,
        "cses": 2.9388,
        "cses:mean.ses": 1.0389,
        "cses:sectorCatholic": -1.6426,
    },
    "mixed": {"(Intercept)": 12.0960, "cses": 2.9388},
}


@pytest.mark.parametrize("coding", PRINTED)
def test_intercepts_and_slopes_have_the_numbers_that_were_printed(coding: str, fits: list[CodedFit]) -> None:
    it = of(fits, coding, "intercepts_and_slopes")
    found = dict(zip(it.design.fixed_terms, it.fit.beta, strict=True))
    for term, printed in PRINTED[coding].items():
        assert found[term] == pytest.approx(printed, abs=5e-5), term
    assert it.fit.trustworthy


def test_means_as_outcomes_have_the_numbers_of_sas_where_sas_stopped(fits: list[CodedFit]) -> None:
    # PROC MIXED, model mathach = meanses (UCLA, "Hierarchical Linear Models by S. Raudenbush and A. Bryk, chapter 4",
    # Table 4.3): variances 2.6357 and 39.1578; 12.6495 (0.1492), 5.8635 (0.3613). It stopped a little short:
    # generalised least squares with its variances gives its coefficients, and the optimum has 12.6494 (0.1493), 5.8635
    # (0.3615). Tolerance: half a unit of the last digit printed.
    it = of(fits, "file", "means_by_mean_ses")
    counts = np.bincount(it.design.group_index)
    sums = np.stack([np.bincount(it.design.group_index, weights=column) for column in (*it.design.x.T, it.design.y)])

    def least_squares(tau: float, sigma2: float) -> tuple[np.ndarray, np.ndarray]:
        # V_j^-1 = (I - J tau / (sigma2 + n_j tau)) / sigma2 for a random intercept
        xy = np.column_stack([it.design.x, it.design.y])
        products = (xy.T @ xy - (sums * (tau / (sigma2 + counts * tau))) @ sums.T) / sigma2
        covariance = np.linalg.inv(products[:2, :2])
        return covariance @ products[:2, 2], np.sqrt(np.diag(covariance))

    estimate, std_error = least_squares(2.6357, 39.1578)
    assert estimate == pytest.approx([12.6495, 5.8635], abs=5e-5)
    assert std_error == pytest.approx([0.1492, 0.3613], abs=5e-5)

    estimate, std_error = least_squares(it.fit.covariance[0, 0], it.fit.sigma**2)
    np.testing.assert_allclose(it.fit.beta, estimate, rtol=1e-9)  # two routes to one linear system
    assert it.fit.beta == pytest.approx([12.6494, 5.8635], abs=5e-5)
    assert np.sqrt(np.diag(it.fit.beta_covariance)) == pytest.approx([0.1493, 0.3615], abs=5e-5)
    assert it.fit.covariance[0, 0] == pytest.approx(2.6387, abs=5e-5)


@pytest.mark.needs_r
def test_lme4_finds_the_same_in_the_recoded_data(
    coded: dict[str, pd.DataFrame], fits: list[CodedFit], rscript: str, tmp_path: Path
) -> None:
    columns = ["mathach", "school", "cses", "mean.ses", "sector"]
    coded["file"][columns].to_csv(tmp_path / "file.csv", index=False)
    code = (
        "d <- read.csv('file.csv', stringsAsFactors = TRUE); d$sector <- relevel(d$sector, 'Public');"
        "m <- lme4::lmer(mathach ~ cses*mean.ses + cses*sector + (cses | school), d,"
        "  control = lme4::lmerControl(optCtrl = list(xtol_abs = 1e-10, ftol_abs = 1e-10)));"
        "write.csv(cbind(lme4::fixef(m), sqrt(diag(as.matrix(vcov(m))))), 'r.csv');"
        "cat(format(c(lme4::REMLcrit(m), as.data.frame(lme4::VarCorr(m))$vcov), digits = 15))"
    )
    run = subprocess.run([rscript, "-e", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    criterion, tau0, tau1, _, residual = map(float, run.stdout.split())
    r = pd.read_csv(tmp_path / "r.csv", index_col=0)
    it = of(fits, "file", "intercepts_and_slopes")
    assert r.index.tolist() == list(it.design.fixed_terms)
    # lme4's tolerances in theta leave its estimates right to about six digits; the criterion is flat there.
    assert it.fit.criterion == pytest.approx(criterion, abs=1e-6)
    np.testing.assert_allclose(it.fit.beta, r.iloc[:, 0], rtol=1e-5)
    np.testing.assert_allclose(np.sqrt(np.diag(it.fit.beta_covariance)), r.iloc[:, 1], rtol=1e-4)
    np.testing.assert_allclose([it.fit.covariance[0, 0], it.fit.sigma**2], [tau0, residual], rtol=1e-4)
    assert it.fit.covariance[1, 1] == pytest.approx(tau1, rel=1e-2)


# ------------------------------------------------------------------------------------------------------- what must be


def test_a_constant_moves_what_it_must_and_nothing_else(hsb: pd.DataFrame, means: pd.DataFrame, models: Any) -> None:
    # m + c and x - c in place of m and x: gamma_00 + gamma_01 m + gamma_02 s + (gamma_10 + gamma_11 m + gamma_12 s) x
    # is the same function of the data with other coefficients, by algebra; a transformation of determinant 1 leaves the
    # REML criterion as it is. T goes with it: tau_00 + 2 c tau_01 + c^2 tau_11. Tolerance: where the searches end.
    c = 0.25
    shifted = means.assign(MEANSES=means["mean.ses"] + c)
    own = models["intercepts_and_slopes"]
    it = fit_coding("file", "m", own.design.formula, recode(hsb, COLUMNS, shifted)["file"], random_starts=0, seed=1).fit
    names = ("(Intercept)", "mean.ses", "sectorCatholic", "cses", "cses:mean.ses", "cses:sectorCatholic")
    g00, g01, g02, g10, g11, g12 = (own.reml.beta[own.design.fixed_terms.index(name)] for name in names)
    expected = {
        "(Intercept)": g00 - c * g01 + c * g10 - c**2 * g11,
        "mean.ses": g01 + c * g11,
        "sectorCatholic": g02 + c * g12,
        "cses": g10 - c * g11,
        "cses:mean.ses": g11,
        "cses:sectorCatholic": g12,
    }
    assert it.criterion == pytest.approx(own.reml.criterion, abs=1e-7)
    assert dict(zip(own.design.fixed_terms, it.beta, strict=True)) == pytest.approx(expected, rel=1e-5)
    (t00, t01), (_, t11) = own.reml.covariance
    assert it.covariance[0, 0] == pytest.approx(t00 + 2 * c * t01 + c**2 * t11, rel=1e-4)
    assert it.covariance[1, 1] == pytest.approx(t11, rel=1e-3)


def test_the_data_s_own_coding_is_what_the_models_are(fits: list[CodedFit], models: Any, config: dict) -> None:
    # To the last digit: the same function on the same numbers.
    effects, parts = fixed_effects(fits), components(fits)
    for name in MODELS:
        fitted = models[name]
        expected = fixed_effects_table(fitted.design, fitted.data, fitted.reml)
        found = effects[(effects["coding"] == "sample") & (effects["model"] == name)]
        for column in ("term", "estimate", "std_error", "statistic", "df", "p_value"):
            assert found[column].tolist() == expected[column].tolist(), (name, column)
        expected = variance_components(fitted.design, fitted.data, fitted.reml)
        found = parts[(parts["coding"] == "sample") & (parts["model"] == name)]
        *rows, residual = found.to_dict("records")
        for column in ("term", "variance", "sd", "df", "chi_square", "p_value", "reliability", "usable_groups"):
            assert [row[column] for row in rows] == expected[column].tolist(), (name, column)
        assert (residual["term"], residual["variance"]) == ("Residual", fitted.reml.sigma**2)
        assert pd.isna([residual["df"], residual["chi_square"], residual["reliability"]]).all()


def test_each_coding_changes_its_columns_alone(hsb: pd.DataFrame, coded: dict[str, pd.DataFrame]) -> None:
    assert list(coded) == list(CODINGS)
    pd.testing.assert_frame_equal(coded["sample"], hsb)
    meanses = hsb["school"].map(pd.read_csv(MEANS, dtype={"school": "str"}).set_index("school")["MEANSES"])
    for coding in ("file", "mixed"):
        assert coded[coding]["mean.ses"].tolist() == meanses.tolist()
    assert coded["file"]["cses"].tolist() == (hsb["ses"] - meanses).tolist()
    assert coded["mixed"]["cses"].tolist() == hsb["cses"].tolist()
    others = [column for column in hsb if column not in ("mean.ses", "cses")]
    for table in coded.values():
        pd.testing.assert_frame_equal(table[others], hsb[others])


def test_variance_explained_is_within_one_coding(fits: list[CodedFit]) -> None:
    table = explained(fits, {"means_by_mean_ses": "one_way_anova", "intercepts_and_slopes": "random_coefficients"})
    rows = table.set_index(["coding", "model", "term"])
    for coding in CODINGS:
        # (tau before - tau after) / tau before (Raudenbush & Bryk 2002, p. 74)
        before = of(fits, coding, "random_coefficients").fit.covariance
        after = of(fits, coding, "intercepts_and_slopes").fit.covariance
        for index, term in enumerate(("(Intercept)", "cses")):
            share = (before[index, index] - after[index, index]) / before[index, index]
            assert rows.loc[(coding, "intercepts_and_slopes", term), "explained"] == pytest.approx(share, rel=1e-12)
    # From the variances that SAS prints (above; Table 4.2), right to three digits: 8.6097 and 2.6357.
    share = (8.6097 - 2.6357) / 8.6097
    assert rows.loc[("file", "means_by_mean_ses", "(Intercept)"), "explained"] == pytest.approx(share, abs=1e-3)


# ----------------------------------------------------------------------------------------------------------- mistakes


OWN = pd.Series([0.1, 0.2, 0.3], index=["1", "2", "3"], name="m")


@pytest.mark.parametrize(
    ("csv", "says"),
    [
        ("g,MEANS,SIZE\n1,0,5\n", "means.csv has the columns g, MEANS, SIZE; expected g and one with the means"),
        ("group,MEANS\n1,0\n", "means.csv has the columns group, MEANS; expected g and one with the means"),
        ("g,m\n1,0\n2,0\n3,0\n", "means.csv: its means are called m, as the data's own are"),
        ("g,MEANS\n1,0\n2,0\n3,0\n2,1\n", "means.csv: g 2 is there twice"),
        ("g,MEANS\n1,0\n2,x\n3,0\n", "means.csv: the MEANS of g 2 is x; expected a number"),
        ("g,MEANS\n1,0\n2,inf\n3,0\n", "means.csv: the MEANS of g 2 is inf; expected a number"),
        (
            "g,MEANS\n2,0\n",
            "means.csv has no MEANS for 2 of 3 groups of the data: g 1, 3. Add them, or set report.narrative: null",
        ),
    ],
)
def test_each_mistake_in_the_file_has_its_message(csv: str, says: str) -> None:
    with pytest.raises(UserError) as caught:
        group_means(pd.read_csv(StringIO(csv), dtype="str"), OWN, "g", "means.csv")
    assert says in str(caught.value)


def test_the_file_may_have_other_groups_in_any_order() -> None:
    made = group_means(pd.read_csv(StringIO("MEANS,g\n9,3\n8,7\n7,1\n6,2\n"), dtype="str"), OWN, "g", "means.csv")
    assert made.to_dict("list") == {"g": ["1", "2", "3"], "m": [0.1, 0.2, 0.3], "MEANS": [7.0, 6.0, 9.0]}


def test_a_school_without_a_mean_ends_the_job_and_writes_nothing(
    hsb: pd.DataFrame, config: dict[str, Any], tmp_path: Path
) -> None:
    updated = hsb.assign(school=hsb["school"].replace("1224", "9999"))
    updated.to_parquet(tmp_path / "hsb.parquet")
    outputs = [str(tmp_path / f"{Path(name).name}.csv") for name in TABLES.made]
    with pytest.raises(UserError, match=r"school_means\.csv has no MEANSES for 1 of 160 groups .*: school 9999\."):
        make_study_tables.main(str(tmp_path / "hsb.parquet"), outputs, "studies/hsb", settings(config))
    assert [path.name for path in tmp_path.iterdir()] == ["hsb.parquet"]


def test_the_columns_are_the_pair_that_is_derived(config: dict) -> None:
    assert coded_columns(config["derive"]) == COLUMNS
    for recipes, found in (
        ({"a": {"group_mean": "x"}, "b": {"centre_within_group": "y"}}, "found none"),
        (
            {"a": {"group_mean": "x"}, "b": {"centre_within_group": "x"}, "c": {"group_mean": "x"}},
            "found a with b, c with b",
        ),
    ):
        with pytest.raises(UserError, match=found):
            coded_columns(recipes)


def test_the_settings_are_those_of_the_book_s_models_alone(config: dict[str, Any]) -> None:
    made = settings(config)
    assert tuple(made["formulas"]) == MODELS
    # Table 4.3 is held against the one-way model, Table 4.5 against random coefficients.
    baselines = {"means_by_mean_ses": "one_way_anova", "random_coefficients": "one_way_anova"}
    assert made["baselines"] == baselines | {"intercepts_and_slopes": "random_coefficients"}
    others = {name: model for name, model in config["models"].items() if name in MODELS}
    assert settings({**config, "models": others}) == made


def test_a_configuration_without_the_book_s_models_or_columns_is_told(config: dict[str, Any]) -> None:
    models = {name: model for name, model in config["models"].items() if name != "one_way_anova"}
    with pytest.raises(UserError, match=r"the textbook.s tables need one_way_anova; add"):
        settings({**config, "models": models})
    with pytest.raises(UserError, match="as group_mean and as centre_within_group; found none"):
        settings({**config, "derive": {"cses": {"centre_within_group": "size"}}})


# --------------------------------------------------------------------------------------------------------- the report


LABELS = Labels("g", Noun("class", "classes"), Noun("pupil", "pupils"))
RECIPES = {"m": {"group_mean": "x"}, "d": {"centre_within_group": "x"}}


def told(estimates: dict[str, dict[str, float]], gaps: list[float], variance: float = 1.0) -> Textbook:
    """The section for one model with these estimates by coding, standard errors of 0.1, and means that differ so."""
    terms = [*estimates["sample"]]
    rows = [
        {"coding": coding, "model": "one", "term": term, "estimate": values[term], "std_error": 0.1, "statistic": 1.0}
        for coding, values in estimates.items()
        for term in terms
    ]
    parts = [
        {"coding": coding, "model": "one", "term": "Residual", "variance": 1.0 if coding == "sample" else variance}
        | dict.fromkeys(("df", "chi_square", "p_value", "reliability"), np.nan)
        for coding in estimates
    ]
    own = np.arange(len(gaps)) / 10
    tables = {
        "textbook/fixed_effects": pd.DataFrame(rows),
        "textbook/variance_components": pd.DataFrame(parts),
        "textbook/variance_explained": pd.DataFrame(columns=["coding", "model", "term", "baseline"]),
        "textbook/group_means": pd.DataFrame({"g": map(str, range(len(gaps))), "m": own, "MEANS": own + gaps}),
    }
    hierarchy = [{"term": "(Intercept)", "predictors": [[index, []] for index in range(len(terms))]}]
    model: Any = SimpleNamespace(
        name="one", title="One", fixed=[], random=[], fit={"fixed_terms": terms, "hierarchy": hierarchy}
    )
    return read_textbook(tables, {"one": model}, RECIPES, LABELS)


def test_the_report_says_whether_a_constant_accounts_for_the_means() -> None:
    same = {coding: {"(Intercept)": 5.0} for coding in CODINGS}
    section = told(same, [0.0065, 0.0055, 0.006])
    assert section.theirs == "MEANS"
    text = " ".join(section.means)
    assert "MEANS of a class less m, the mean over its pupils here, is +0.0060 on average over 3 classes" in text
    assert "from +0.0055 to +0.0065" in text
    # The file's means have four decimals here, so rounding cannot spread the differences over 0.001.
    assert "A constant does not account for that" in text
    text = " ".join(told(same, [0.01, 0.01, 0.01]).means)
    assert "the same mean but for a constant and for rounding: the numbers in the file have 2 decimals" in text
    assert "A constant does not account for that" in " ".join(told(same, [0.1, -0.2, 0.0]).means)


def test_the_report_s_sentences_follow_the_estimates() -> None:
    (model,) = told({coding: {"(Intercept)": 5.0, "z": 1.0} for coding in CODINGS}, [0.01] * 3).models
    assert model.sentences == ["It contains neither of the two columns, so no coding changes anything."]
    (effects,) = [effects for _, effects in model.predicted]
    assert [[row.codings for row in effect.rows] for effect in effects] == [["all"], ["all"]]

    estimates = {
        "sample": {"(Intercept)": 5.0, "m": 2.0, "d": 3.0},
        "file": {"(Intercept)": 5.01, "m": 2.0, "d": 3.05},
        "mixed": {"(Intercept)": 4.98, "m": 2.0, "d": 3.0},
    }
    (model,) = told(estimates, [0.01] * 3, variance=1.03).models
    text = " ".join(model.sentences)
    # 0.01 x (3 - 2) and -0.01 x 2
    assert (
        "5.0000 with the sample coding, 5.0100 with the file coding (+0.0100; a constant alone would give +0.0100)"
        in text
    )
    assert "4.9800 with the mixed coding (−0.0200; a constant alone would give −0.0200)" in text
    assert "Of the other fixed effects d moves the most, by 0.50 of its standard error." in text
    assert "No variance changes by more than 3.0 %." in text
    rows = {effect.term: [row.codings for row in effect.rows] for _, effects in model.predicted for effect in effects}
    assert rows == {"(Intercept)": ["sample", "file", "mixed"], "m": ["all"], "d": ["sample, mixed", "file"]}

    estimates["file"] = estimates["mixed"]
    text = " ".join(told(estimates, [0.01] * 3).models[0].sentences)
    assert "4.9800 with the file and mixed codings" in text
    assert "No other fixed effect moves by as much as 0.001 of its standard error." in text
    assert "No variance changes by as much as 0.1 %." in text
