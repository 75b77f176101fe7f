"""Mistakes in formulas, comparisons and figures are told together, before a job runs."""

import copy
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from conftest import ROOT, edit, snakemake
from planned import mistaken_plans
from twolevel.data.config import check_config, with_defaults
from twolevel.errors import UserError
from twolevel.model.derive import group_level_columns
from twolevel.model.formula_check import example_table


def test_the_project_s_own_plans_are_in_order(config: dict[str, Any]) -> None:
    assert list(mistaken_plans(config)) == []


def test_every_mistake_is_told_at_once(config: dict[str, Any]) -> None:
    wrong = copy.deepcopy(config)
    wrong["models"] |= {
        "names": {"formula": "mathach ~ cse + foo(ses) + (1 | school)"},
        "group": {"formula": "mathach ~ cses + (1 | sector)"},
        "syntax": {"formula": "mathach ~ cses + (ses | school"},
        "kinds": {"formula": "mathach ~ I(sector + 1) + (ses | school)"},
        "same": {"formula": "mathach ~ cses + ses + mean.ses + (ses | school)"},
        "factor": {"formula": "sector ~ cses + (1 | school)"},
        "level": {"formula": "mathach ~ relevel(sector, 'Privat') + (1 | school)"},
    }
    predict = [{"cses": [0, 1]}, {"ses": 1}, {"sector": "Privat"}, {"mean.ses": "high"}]
    wrong["models"]["intercepts_and_slopes"]["predict"] = predict
    wrong["comparisons"]["not_nested"] = {
        "null_model": "random_coefficients",
        "alternative_model": "random_intercept",
        "estimator": "ML",
    }
    wrong["figures"] |= {
        "no_slope": {"kind": "qq_level2", "model": "random_intercept", "term": "cses"},
        "text": {"kind": "scatter", "x": "sector", "y": "mathach"},
        "outcome": {"kind": "ols_vs_mixed", "model": "random_coefficients", "x": "cses", "y": "ses"},
        "two": {"kind": "ols_vs_mixed", "model": "random_intercept_minority", "x": "cses", "y": "mathach"},
        "slopes": {"kind": "shrinkage", "model": "random_intercept", "x": "cses", "y": "mathach"},
        "lines": wrong["figures"]["fitted_lines"] | {"category": "minority"},
    }
    expected = [
        "models.names.formula: formula 'mathach ~ cse + foo(ses) + (1 | school)', character 11: no column cse",
        "models.names.formula: formula 'mathach ~ cse + foo(ses) + (1 | school)', character 17: foo() is not",
        "models.group.formula: formula 'mathach ~ cses + (1 | sector)', character 23: random effects by 'sector'",
        "models.syntax.formula: formula 'mathach ~ cses + (ses | school', character 18: a bracket is not closed",
        "models.kinds.formula: formula 'mathach ~ I(sector + 1) + (ses | school)', character 13: sector is a factor",
        "models.same.formula: formula 'mathach ~ cses + ses + mean.ses + (ses | school)': fixed effect mean.ses",
        "models.factor.formula: formula 'sector ~ cses + (1 | school)', character 1: sector is not numeric,",
        "models.level.formula: formula 'mathach ~ relevel(sector, 'Privat') + (1 | school)', character 11: relevel(",
        "models.intercepts_and_slopes.predict.1: ses: the model has no such predictor; it has cses, mean.ses, sector.",
        "models.intercepts_and_slopes.predict.2: sector has no level Privat; it has Public, Catholic.",
        "models.intercepts_and_slopes.predict.3: mean.ses: found 'high'; expected finite numbers.",
        "comparisons.not_nested: the models are not nested",
        "figures.no_slope: the model has no random effect of 'cses'; it has (Intercept)",
        "figures.text.x: sector is not a number",
        "figures.outcome: y is ses, but random_coefficients is a model of mathach",
        "figures.two: the figure shows a model whose fixed effects are (Intercept) and cses; those of",
        "figures.slopes: the figure shows a model whose random effects are (Intercept) and cses; those of",
        "figures.lines: category is minority, but the factors of intercepts_and_slopes are: sector",
    ]
    told = list(mistaken_plans(wrong))
    assert len(told) == len(expected)
    for found, start in zip(told, expected, strict=True):
        assert found.startswith(start)


def test_mistakes_of_other_sections_do_not_hide_those_of_formulas(config: dict[str, Any]) -> None:
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))
    wrong = with_defaults(copy.deepcopy(config), schema)
    wrong["figures"]["overall_scatter"]["kind"] = "pie"
    wrong["models"]["one_way_anova"]["formula"] = "mathach ~ nothing + (1 | school)"
    wrong["derive"] |= {"a": {"group_mean": "sector"}, "b": {"centre_within_group": "sex"}}
    with pytest.raises(UserError) as raised:
        check_config(wrong, schema, "mine.yaml", mistaken_plans)
    for said in ("figures.overall_scatter.kind", "no column nothing", "derive.a.group_mean", "derive.b.centre_within"):
        assert said in str(raised.value)
    wrong["models"] = {"a": "mathach ~ ses + (1 | school)"}
    with pytest.raises(UserError, match=r"such as \{formula: 'mathach ~ ses"):
        check_config(wrong, schema, "mine.yaml", mistaken_plans)


@pytest.mark.parametrize(
    ("section", "change", "says"),
    [
        ("derive", {"ses": {"group_mean": "ses"}}, r"\n  derive\.ses: a column cannot be made from itself; .*name\.$"),
        ("derive", {"new": {"formula": "new + 1"}}, r"\n  derive\.new: a column cannot be made from itself; .*name\.$"),
        ("derive", {"n": {"group_size": "ses"}}, r"\n  derive\.n: .* the number of observations of a group; .*name\.$"),
        (
            "derive",
            {"n": {"group_size": "ses"}, "new": {"formula": "new + 1"}},
            r"(?s)derive\.new: a column cannot be made from itself.*\n  derive\.n: .* the number of observations",
        ),
        (
            "models",
            {"m": {"formula": "student ~ ses + (1 | school)"}},
            r"the response student is declared as identifier, .* write type: number for data\.columns\.student\.$",
        ),
        (
            "data",
            {"sheet": "pupils"},
            r"\n  data\.sheet: it is for files that end in \.xlsx or \.ods, and data\.url .*out\.$",
        ),
        ("data", {"mode": "a.csv", "sheet": "one"}, r"\n  data\.sheet: .* and data\.mode is 'a\.csv'; leave it out\.$"),
        (
            "data",
            {"mode": "a.sav", "decimal": ","},
            r"\n  data\.decimal: .* and data\.mode is 'a\.sav'; leave it out\.$",
        ),
        ("data", {"mode": "a.xlsx", "sheet": "one"}, None),
        ("data", {"mode": "a.sav", "encoding": "utf-8"}, None),
    ],
)
def test_what_could_only_fail_later_or_be_ignored_is_told_once(
    section: str, change: dict[str, Any], says: str | None, config: dict[str, Any]
) -> None:
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))
    wrong = with_defaults(copy.deepcopy(config), schema)
    wrong["data"]["columns"]["student"] = {"type": "identifier"}
    wrong[section] |= change
    if says is None:
        check_config(wrong, schema, "mine.yaml", mistaken_plans)
    else:
        with pytest.raises(UserError, match=says):
            check_config(wrong, schema, "mine.yaml", mistaken_plans)


@pytest.mark.parametrize("ranges", [{"at": [0, 1]}, {"quantiles": 3}, {"breaks": 3}])
def test_a_recipe_with_too_few_labels_is_told_once(ranges: dict[str, Any], config: dict[str, Any]) -> None:
    wrong = copy.deepcopy(config)
    wrong["derive"]["part"] = {"cut": "ses", "labels": ["low", "high"], **ranges}
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))
    with pytest.raises(UserError, match=r"derive\.part: 2 labels for 3 \w+; give one label for each\.$"):
        check_config(wrong, schema, "mine.yaml", mistaken_plans)


def test_the_group_is_no_derived_column(config: dict[str, Any]) -> None:
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))
    wrong = with_defaults(copy.deepcopy(config), schema)
    wrong["derive"]["school"] = {"group_mean": "ses"}
    with pytest.raises(UserError, match=r"derive\.school: this is the column of groups"):
        check_config(wrong, schema, "mine.yaml", mistaken_plans)


def test_what_the_data_s_own_values_decide_is_left_to_the_jobs(config: dict[str, Any]) -> None:
    undecided = copy.deepcopy(config)
    undecided["models"] |= {
        "knots": {"formula": "mathach ~ bs(size, knots = c(700, 1200)) + (1 | school)"},
        "threshold": {"formula": "mathach ~ ifelse(size > 9000, 1, 0) + pmin(ses, 4) + ses + (1 | school)"},
        "levels": {"formula": "mathach ~ relevel(factor(size), '100') + C(factor(ses), base = 9) + (1 | school)"},
        "named": {"formula": "mathach ~ I(factor(size) == '100') + (1 | school)"},
        "logs": {"formula": "mathach ~ log(mathach + 2.9) + (1 | school)"},
    }
    assert list(mistaken_plans(undecided)) == []


def test_a_column_that_the_file_has_and_a_recipe_makes_too_is_left_to_the_jobs(config: dict[str, Any]) -> None:
    both = copy.deepcopy(config)
    both["data"]["columns"]["mean.ses"] = {"type": "number", "group_level": True}
    assert "mean.ses" in both["derive"]
    assert list(mistaken_plans(both)) == []
    names = group_level_columns(both["data"]["columns"], both["derive"])
    assert names.count("mean.ses") == 1


@pytest.mark.slow
def test_a_typo_deletes_nothing(tmp_path: Path, finished_run: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(finished_run, project, ignore=shutil.ignore_patterns(".snakemake"))
    edit(
        project / "config.yaml", "formula: mathach ~ cses + (cses | school)", "formula: mathach ~ cses + (cses | schol)"
    )
    before = {path: path.stat().st_mtime_ns for path in project.glob("results/**/*") if path.is_file()}
    run = snakemake(project, "--cores", "2")
    assert run.returncode != 0
    assert "models.random_coefficients.formula" in run.stderr
    assert "'schol', where the column of groups is 'school'" in run.stderr
    assert "Traceback" not in run.stderr
    assert {path: path.stat().st_mtime_ns for path in project.glob("results/**/*") if path.is_file()} == before


def test_an_example_has_what_is_declared() -> None:
    columns = {
        "g": {"type": "identifier"},
        "w": {"type": "number", "min": 5, "max": 6, "group_level": True},
        "a": {"type": "factor", "levels": ["q", "p", "r"]},
    }
    table = example_table(columns, "g")
    assert table["g"].nunique() == 60
    assert table["w"].between(5, 6).all()
    assert (table.groupby("g")["w"].std() == 0).all()
    assert list(table["a"].cat.categories) == ["q", "p", "r"]
    assert set(table["a"]) == {"q", "p", "r"}
    pd.testing.assert_frame_equal(table, example_table(columns, "g"))


def test_every_kind_of_recipe_is_planned_without_the_data(config: dict[str, Any]) -> None:
    recipes = {
        "pupils": {"group_size": "ses"},
        "zn": {"standardise": "pupils", "over": "groups"},  # in the example every group has the same size
        "kind": {"join": "schools.csv", "column": "kind", "levels": ["old", "new"]},
        "beds": {"join": "schools.csv", "column": "beds"},
        "gain": {"formula": "mathach - log(size)"},
        "low": {"recode": "minority", "to": {"No": "other", "Yes": "minor"}},
        "quarter": {"cut": "ses", "quantiles": 4, "labels": ["1", "2", "3", "4"]},
        "before": {"lag": "mathach", "order": "ses"},
    }
    changed = copy.deepcopy(config)
    changed["derive"] |= recipes
    changed["models"]["all"] = {"formula": f"mathach ~ {' + '.join([*recipes][1:])} + (1 | school)"}
    assert list(mistaken_plans(changed)) == []
    changed["derive"]["gain"] = {"formula": "mathach - seconds"}
    assert "derive.gain.formula: formula 'mathach - seconds': no column seconds" in "".join(mistaken_plans(changed))
