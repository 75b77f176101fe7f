"""The code to copy runs as it stands, from the folder of the analysis, and gives the numbers of the results."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import ROOT
from twolevel.output.prepared import Prepared, Snippet
from twolevel.output.python_code import mixedlm_model, python_model, python_test
from twolevel.output.r_code import SIMULATIONS, r_model, r_test
from twolevel.output.words import configured_names, read_labels

pytestmark = [pytest.mark.slow, pytest.mark.needs_r]

# lme4 stops where its criterion no longer falls by 1e-8 of itself or so; the estimates are then right to some 1e-3
# standard errors. MixedLM starts at four digits and goes on from there.
CRITERION, ERRORS, RELATIVE = 2e-3, 5e-3, 5e-3

# What R says of a model, and of a test, after the code has run.
MODEL = """
list(criterion = REMLcrit(model), estimate = I(unname(fixef(model))),
     std_error = I(unname(sqrt(diag(as.matrix(vcov(model)))))), df = I(unname(coef(summary(model))[, "df"])),
     sd = I(as.data.frame(VarCorr(model))$sdcor))
"""
TEST = """
list(chisq = test$Chisq[2], df = test$Df[2], p_value = test[["Pr(>Chisq)"]][2], simulated = length(simulated))
"""


class Analysis:
    """A folder in which an analysis has run: its configuration, its fits and its tables."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = {"derive": {}, **yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))}
        labels = read_labels(configured_names(self.config))
        name = self.config["data"]["name"]
        files = (f"results/data/text/{name}.csv", f"results/data/{name}.parquet")
        self.prepared = Prepared(*files, labels.group, labels.levels)

    def json(self, path: str) -> Any:
        return json.loads((self.folder / "results" / path).read_text(encoding="utf-8"))

    def table(self, path: str) -> pd.DataFrame:
        return pd.read_csv(self.folder / "results" / path, keep_default_na=False, na_values=[""])

    def fit(self, model: str) -> dict[str, Any]:
        return self.json(f"models/{model}/fit.json")

    def tests(self) -> dict[str, tuple[dict[str, Any], dict[str, Any], Mapping[str, Any]]]:
        """The fits of the two models of each comparison, and its result."""
        return {
            name: (
                self.fit(of["null_model"]),
                self.fit(of["alternative_model"]),
                self.json(f"comparisons/{name}/comparison.json"),
            )
            for name, of in self.config["comparisons"].items()
        }


@pytest.fixture(scope="module")
def sleepstudy(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """The study of that name, run in a copy with a short bootstrap."""
    folder = tmp_path_factory.mktemp("sleep") / "study"
    shutil.copytree(ROOT / "studies/sleepstudy", folder, ignore=shutil.ignore_patterns("results", "logs", ".snakemake"))
    short = ["--config", 'bootstrap={"replicates": 99}']
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--snakefile", str(ROOT / "Snakefile"), *short]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return Analysis(folder)


@pytest.fixture(scope="module", params=["hsb", "sleepstudy"])
def analysis(request: pytest.FixtureRequest) -> Analysis:
    if request.param == "hsb":
        return Analysis(request.getfixturevalue("finished_run"))
    return request.getfixturevalue("sleepstudy")


def in_r(rscript: str, analysis: Analysis, scratch: Path, codes: Mapping[str, str], ask: str) -> dict[str, Any]:
    """Run each code in an environment of its own, then the expression `ask` there."""
    for name, code in codes.items():
        (scratch / f"{name}.R").write_text(code + "\n", encoding="utf-8")
    runner = scratch / "runner.txt"
    runner.write_text(
        f"""
        answers <- list()
        for (name in c({", ".join(f'"{name}"' for name in codes)})) {{
          here <- new.env()
          source(file.path({json.dumps(str(scratch))}, paste0(name, ".R")), local = here)
          answers[[name]] <- eval(quote({ask}), here)
        }}
        cat("ANSWERS", jsonlite::toJSON(answers, digits = NA, auto_unbox = TRUE))
        """,
        encoding="utf-8",
    )
    run = subprocess.run([rscript, str(runner)], cwd=analysis.folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.partition("ANSWERS")[2])


def in_python(analysis: Analysis, snippet: Snippet, ask: str) -> Any:
    """Run a code, then print the expression `ask` as JSON."""
    code = f"{snippet.code}\nimport json\nprint('ANSWER' + json.dumps({ask}))\n"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow")}
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=analysis.folder, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.partition("ANSWER")[2])


def test_r_gives_the_models(analysis: Analysis, rscript: str, tmp_path: Path) -> None:
    fits = {model: analysis.fit(model) for model in analysis.config["models"]}
    codes = {model: r_model(fit, analysis.prepared).code for model, fit in fits.items()}
    answers = in_r(rscript, analysis, tmp_path, codes, MODEL)
    for model, found in answers.items():
        effects = analysis.table(f"models/{model}/fixed_effects.csv")
        assert found["criterion"] == pytest.approx(fits[model]["criterion"], abs=CRITERION), model
        off = (pd.Series(found["estimate"]) - effects["estimate"]).abs() / effects["std_error"]
        assert off.max() < ERRORS, model
        assert found["std_error"] == pytest.approx(effects["std_error"].tolist(), rel=RELATIVE), model
        # lmerTest differentiates numerically where this project has the derivatives.
        assert found["df"] == pytest.approx(effects["df"].tolist(), rel=0.02), model
        sds = analysis.table(f"models/{model}/random_effects.csv")["sdcor"]
        assert found["sd"] == pytest.approx(sds.tolist(), rel=RELATIVE, abs=RELATIVE), model


def test_r_gives_the_tests(analysis: Analysis, rscript: str, tmp_path: Path) -> None:
    """The bootstrap, which would take R an hour, is cut to three data sets: it has to run."""
    codes = {}
    for name, (null, alternative, result) in analysis.tests().items():
        code = r_test(
            null, alternative, result["estimator"], result["added_random_effects"], result["df"], analysis.prepared
        ).code
        assert f"nsim = {SIMULATIONS}" in code
        codes[name] = code.replace(f"nsim = {SIMULATIONS}", "nsim = 3")
    answers = in_r(rscript, analysis, tmp_path, codes, TEST)
    for name, found in answers.items():
        result = analysis.json(f"comparisons/{name}/comparison.json")
        assert found["chisq"] == pytest.approx(result["statistic"], abs=CRITERION), name
        assert found["df"] == result["df"]
        assert found["p_value"] == pytest.approx(result["p_value"], rel=CRITERION), name
        assert found["simulated"] == 3


def test_r_s_mixture_is_ours(sleepstudy: Analysis, rscript: str, tmp_path: Path) -> None:
    """And its bootstrap, which is quick here: of 199 data sets none should reach a statistic of 42.8."""
    ((name, (null, alternative, result)),) = sleepstudy.tests().items()
    code = r_test(null, alternative, "REML", 1, result["df"], sleepstudy.prepared).code
    code = code.replace(f"nsim = {SIMULATIONS}", "nsim = 199")
    code = re.sub(r"^mean\(", "mixture <- mean(", code, flags=re.MULTILINE)
    code = re.sub(r"^\(1 \+", "p <- (1 +", code, flags=re.MULTILINE)
    found = in_r(rscript, sleepstudy, tmp_path, {name: code}, "list(mixture = mixture, p = p)")[name]
    ours = sleepstudy.table(f"comparisons/{name}/tests.csv").set_index("test")["p_value"]
    assert found["mixture"] == pytest.approx(ours["mixture"], rel=CRITERION)
    assert found["p"] == 1 / 200


def test_python_gives_the_models(analysis: Analysis) -> None:
    ask = "[model.criterion, model.fixed_effects[['estimate', 'df', 'kr_df']].to_numpy().tolist()]"
    for model in analysis.config["models"]:
        fit, effects = analysis.fit(model), analysis.table(f"models/{model}/fixed_effects.csv")
        criterion, table = in_python(analysis, python_model(fit, analysis.prepared), ask)
        # The same engine, but other random starts.
        assert criterion == pytest.approx(fit["criterion"], abs=1e-6), model
        for found, expected in zip(table, effects[["estimate", "df", "kr_df"]].to_numpy().tolist(), strict=True):
            assert found == pytest.approx(expected, rel=1e-4, abs=1e-6, nan_ok=True), model


def test_python_gives_the_tests(analysis: Analysis) -> None:
    """Two bootstraps, of which the p values differ by less than four Monte Carlo errors."""
    columns = ["chisq", "df", "p_value", "p_bootstrap", "p_bootstrap_error"]
    ask = f"compare(null, alternative, bootstrap=999).iloc[1][{columns}].astype(float).tolist()"
    for name, (null, alternative, result) in analysis.tests().items():
        snippet = python_test(null, alternative, result["estimator"], 19, analysis.prepared)
        statistic, df, p, bootstrap, error = in_python(analysis, snippet, ask)
        assert statistic == pytest.approx(result["statistic"], abs=1e-6), name
        assert df == result["df"]
        assert p == pytest.approx(result["p_value"], rel=1e-5), name
        ours = analysis.table(f"comparisons/{name}/tests.csv").set_index("test").loc["PBtest"]
        assert abs(bootstrap - ours["p_value"]) < 4 * (error + ours["monte_carlo_error"]), name


def plain_name(of_patsy: str) -> frozenset[str]:
    """The factors of a column, which patsy and MixedLM name in their own way: minority[T.Yes], Q('mean.ses'), Group."""
    name = re.sub(r"Q\('(.*?)'\)|\[T\.(.*?)\]", r"\1\2", of_patsy)
    return frozenset(re.sub("^(Intercept|Group)$", "(Intercept)", name).split(":"))


def test_mixedlm_gives_the_models(analysis: Analysis) -> None:
    ask = """[-2 * result.llf, result.fe_params.to_dict(), result.scale, model.data.exog_re_names,
              result.cov_re.to_numpy().tolist(), (result.scale * start.cov_re).tolist()]"""
    for model in analysis.config["models"]:
        fit, effects = analysis.fit(model), analysis.table(f"models/{model}/fixed_effects.csv")
        snippet = mixedlm_model(fit, analysis.prepared)
        criterion, estimates, variance, names, covariance, start = in_python(analysis, snippet, ask)
        assert criterion == pytest.approx(fit["criterion"], abs=CRITERION), model
        assert variance == pytest.approx(fit["sigma"] ** 2, rel=1e-3), model
        by_name = {plain_name(name): estimate for name, estimate in estimates.items()}
        found = pd.Series([by_name[frozenset(term.split(":"))] for term in effects["term"]])
        assert ((found - effects["estimate"]).abs() / effects["std_error"]).max() < ERRORS, model
        order = [[plain_name(name) for name in names].index(frozenset(term.split(":"))) for term in fit["random_terms"]]
        expected = np.array(fit["random_effects_covariance"])
        # The start is rounded to four digits, and where the search ends the criterion is flat.
        for matrix in (covariance, start):
            assert np.array(matrix)[np.ix_(order, order)] == pytest.approx(expected, rel=RELATIVE, abs=1e-3), model
