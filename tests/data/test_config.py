"""The configuration's errors say which key, what was found, what was expected."""

import importlib
import inspect
from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from twolevel.data.config import check_config, with_defaults, with_values
from twolevel.data.yaml_text import check_yaml
from twolevel.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))


def test_the_project_s_own_config_is_valid(config) -> None:
    check_config(config, SCHEMA)


def test_data_of_which_nothing_was_printed_need_no_such_section(config) -> None:
    check_config({**config, "ledger": None}, SCHEMA)
    check_config({key: value for key, value in config.items() if key != "ledger"}, SCHEMA)


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("data.mode", 3, "data.mode: found 3; expected auto, download, snapshot, or the path of a file"),
        ("data.urll", "x", r"data: unknown key urll \(did you mean 'url'\?\)"),
        ("data.sha256", "abc", "data.sha256: found 'abc'; expected 64 hexadecimal digits, or null"),
        ("data.group", "scool", r"data.group: 'scool' is not among data.columns \(did you mean 'school'\?\)"),
        ("data.columns.minority.levels", [False, True], "YAML reads Yes and No without quotes as true and false"),
        ("data.columns.sector", {"type": "factor"}, "data.columns.sector: the key levels is missing"),
        ("derive.cses", {"centre_within_group": "sess"}, r"derive.cses: 'sess' is neither .* \(did you mean 'ses'\?\)"),
        ("derive.cses", {"center": "ses"}, "expected one of group_mean, group_sd, .* or join with column"),
        ("derive.mean.ses.cat", None, ""),
        ("models", {}, "models: found {}"),
        ("models.bad name", {"formula": "y ~ x"}, "'bad name'; expected a name of letters"),
        ("models.random_coefficients.formula", None, "found nothing; expected an lme4 formula"),
        ("models.random_coefficients.baseline", "one_way", r"there is no model 'one_way' \(did you mean"),
        ("models.means_by_mean_ses.estimator", "ML", "one_way_anova is fitted by REML and means_by_mean_ses by ML"),
        ("models.random_coefficients.estimator", "reml", "estimator: found 'reml'; expected REML or ML"),
        (
            "models.random_coefficients.predict",
            {"cses": 1},
            "predict: found .*; expected a list of values of predictors",
        ),
        ("models.random_coefficients.predict", [{"cses": True}], "predict.0.cses: found True .YAML reads Yes and No"),
        ("comparisons.minority_effect.estimator", "reml", "found 'reml'; expected ML or REML"),
        (
            "comparisons.minority_effect.null_model",
            "none",
            "comparisons.minority_effect.null_model: there is no model 'none'",
        ),
        ("ledger", {"published": "data/published.csv"}, "ledger: the key verdicts is missing"),
        (
            "ledger",
            "data/published.csv",
            "found 'data/published.csv'; expected published, verdicts and errata, each the path",
        ),
        ("report.narrative", 3, "report.narrative: found 3; expected the folder of a study"),
        ("optimiser_audit", {"methods": ["newton"]}, "methods.*found 'newton'; expected bfgs, lbfgs, cg, powell or nm"),
        ("optimiser_audit", None, "figures.optimiser_audit: a figure of the kind 'optimiser_audit' needs the audit"),
        ("figures.qq_slopes", {"kind": "qq_level2", "model": "random_coefficients"}, "the key term is missing"),
        ("figures.overall_scatter.x", "csess", r"there is no column 'csess' \(did you mean 'cses'\?\)"),
        (
            "figures.reference_minority_effect.comparison",
            "minority",
            r"there is no comparison 'minority' \(did you mean 'minority_effect'\?\)",
        ),
        (
            "figures.intervals_random_coefficients.model",
            "random_coefficient",
            r"there is no model 'random_coefficient' \(did you mean 'random_coefficients'\?\)",
        ),
        (
            "figures.reference_minority_effect.model",
            "random_intercept",
            "figures.reference_minority_effect: unknown key model; it takes kind, comparison",
        ),
        ("figures.overall_scatter.kind", "pie", "found 'pie'; expected scatter"),
        (
            "figures.qq_slopes.sample",
            3,
            "figures.qq_slopes: unknown key sample; it takes kind, model, term",
        ),
        ("figures.qq_slopes.trem", "x", r"figures.qq_slopes: unknown key trem \(did you mean 'term'\?\)"),
        ("data.columns.sector.max", 3, "data.columns.sector: unknown key max.*; it takes type, levels"),
        ("data.columns.ses.levels", ["a", "b"], "data.columns.ses: unknown key levels.*; it takes type, min, max"),
        ("data.columns.school.min", 3, "data.columns.school: unknown key min"),
        ("data.columns.ses.min", 5, "data.columns.ses: min is 5 and max is 4; no number is in that range"),
        ("data.columns.ses.max", float("nan"), "data.columns.ses.max: found nan; expected a finite number"),
        ("data.columns.ses.min", float("-inf"), "data.columns.ses.min: found -inf; expected a finite number"),
        ("models.random_intercept.baseline", "random_intercept", "a model cannot be its own baseline"),
        ("data.group_noun.singular", "random", "'random' would name the file of the random effects"),
        ("optimiser.random_starts", -1, "found -1; expected a whole number, 0 or more"),
    ],
)
def test_each_mistake_has_its_message(path, value, says, config) -> None:
    changed = deepcopy(config)
    if path == "derive.mean.ses.cat":  # a name with dots, and labels that do not fit the breaks
        changed["derive"]["mean.ses.cat"]["labels"] = ["low", "high"]
        says = "derive.mean.ses.cat: 2 labels for 3 breaks"
    else:
        *parents, last = path.split(".")
        place = changed
        for key in parents:
            place = place[key]
        place[last] = value
    with pytest.raises(UserError, match=says):
        check_config(changed, SCHEMA)


def test_all_mistakes_are_listed_at_once(config) -> None:
    changed = deepcopy(config)
    changed["data"]["mode"], changed["optimiser"]["seed"] = None, "x"
    with pytest.raises(UserError) as caught:
        check_config(changed, SCHEMA)
    assert "data.mode" in str(caught.value)
    assert "optimiser.seed" in str(caught.value)


def test_a_missing_section_is_named(config) -> None:
    with pytest.raises(UserError, match="the top level: the key models is missing"):
        check_config({key: value for key, value in config.items() if key != "models"}, SCHEMA)


def test_a_message_names_the_file(config) -> None:
    with pytest.raises(UserError, match=r"^studies/mine\.yaml is not as it should be:"):
        check_config({**config, "results": ""}, SCHEMA, "studies/mine.yaml")


def test_data_and_models_are_enough(config) -> None:
    # README.md lists the same values.
    completed = with_defaults({"data": config["data"], "models": config["models"]}, SCHEMA)
    check_config(completed, SCHEMA)
    assert {key: value for key, value in completed.items() if key not in ("data", "models")} == {
        "results": "results",
        "accepted": None,
        "derive": {},
        "optimiser": {"random_starts": 4, "seed": 1},
        "comparisons": {},
        "bootstrap": {"replicates": 10_000, "parts": "auto", "seed": 1},
        "intervals": {"level": 0.95},
        "calibration": {"data_sets": 2000, "replicates": 199, "parts": 2, "seed": 1, "models": []},
        "ledger": None,
        "optimiser_audit": None,
        "figures": {},
        "report": {"narrative": None},
    }


def test_defaults_fill_a_section_in_part_and_change_nothing_that_is_said(config) -> None:
    said = {**config, "results": "elsewhere", "data": {**config["data"], "key": [], "missing": "refuse"}}
    assert with_defaults(said, SCHEMA) == said
    completed = with_defaults({**config, "bootstrap": {"replicates": 99}, "derive": None}, SCHEMA)
    assert completed["bootstrap"] == {"replicates": 99, "parts": "auto", "seed": 1}
    assert completed["derive"] == {}


@pytest.mark.parametrize("folder", ["", "/tmp/x", "../x", "a/../b", "a/", ".", "{model}", "<logs>", 3])
def test_results_are_a_folder_below_the_working_folder(folder, config) -> None:
    check_config({**config, "results": "runs/my results.2"}, SCHEMA)
    with pytest.raises(UserError, match=r"results: found .*; expected a folder below the working folder"):
        check_config({**config, "results": folder}, SCHEMA)


def test_a_level_out_of_reach_matters_where_intervals_are_calibrated(config) -> None:
    # 2 / (1 - 0.999) - 1 = 1999 replicates would be needed.
    changed = {**config, "intervals": {"level": 0.999}}
    with pytest.raises(UserError, match=r"calibration\.replicates: found 199; expected 1999 or more"):
        check_config(changed, SCHEMA)
    check_config({**changed, "calibration": {**config["calibration"], "models": []}}, SCHEMA)


def test_every_key_of_the_config_is_described() -> None:
    def undescribed(schema, path=""):
        for key, value in schema.get("properties", {}).items():
            here = f"{path}.{key}"
            if value.get("type") != "object" and not {"description", "expected", "$ref"} & set(value):
                yield here
            yield from undescribed(value, here)

    assert not list(undescribed(SCHEMA))


@pytest.mark.parametrize("name", ["row", "fitted", "residual", "scaled_residual"])
def test_a_group_column_that_would_overwrite_one_of_the_residuals_is_refused(name, config) -> None:
    changed = deepcopy(config)
    changed["data"]["columns"][name] = {"type": "identifier"}
    check_config(changed, SCHEMA)  # any other column may have that name
    changed["data"]["group"] = name
    with pytest.raises(UserError, match=f"data.group: a group column named '{name}' would overwrite"):
        check_config(changed, SCHEMA)


def test_baselines_may_be_each_other_s(config) -> None:
    changed = deepcopy(config)
    changed["models"]["one_way_anova"]["baseline"] = "random_intercept"
    check_config(changed, SCHEMA)


def test_each_kind_of_figure_takes_the_arguments_of_its_module() -> None:
    figures = SCHEMA["properties"]["figures"]["additionalProperties"]
    rules = {kind: rule["then"] for rule in figures["allOf"] for kind in rule["if"]["properties"]["kind"]["enum"]}
    assert sorted(rules) == sorted(figures["properties"]["kind"]["enum"])
    for kind, rule in rules.items():
        arguments = inspect.signature(importlib.import_module(f"twolevel.figures.{kind}").draw).parameters.values()
        settings = {argument.name for argument in arguments if argument.kind is argument.KEYWORD_ONLY}
        # A comparison is not an argument: it only says which tables are drawn.
        assert set(rule["required"]) - {"comparison"} == settings, kind
        assert set(rule["propertyNames"]["enum"]) == {*rule["required"], "kind"}, kind


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 1\nm:\n  x: 1\n  y: 2\n  x: 3\n", "c.yaml, line 5, column 3: the key 'x' is already in line 3"),
        ("a: {b: 1, c: 2, b: 3}\n", "c.yaml, line 1, column 17: the key 'b' is already in line 1"),
        ("a: 1\nlabel: share: of x\n", 'c.yaml, line 2, column 13: this is not YAML: .* value that contains ": "'),
        ("a:\n\tb: 1\n", "c.yaml, line 2, column 1: this is not YAML: .* spaces, not tabs"),
        ("a: [1, 2\n", "c.yaml, line 2, column 1: this is not YAML"),
        ("a: *b\n", "c.yaml, line 1, column 4: this is not YAML: found undefined alias"),
        ("a: \0\n", "c.yaml: not a text in UTF-8"),
        ("a: 2001-02-30\n", "c.yaml: this is not YAML: day is out of range for month. Quote a value"),
        ("", "c.yaml holds nothing; expected keys and their values, at least data: and models:"),
        ("# later\n", "c.yaml holds nothing; expected keys"),
        ("- data\n- models\n", "c.yaml holds a list; expected keys"),
        ("data\n", "c.yaml holds 'data'; expected keys"),
    ],
)
def test_a_mistake_in_the_text_has_its_place(text, says) -> None:
    with pytest.raises(UserError, match=says):
        check_yaml(text.encode(), "c.yaml")


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(UserError, match=r"c\.yaml: not a text in UTF-8"):
        check_yaml("a: \xe9\n".encode("latin-1"), "c.yaml")


def test_the_same_key_in_other_mappings_or_of_another_type_is_no_repetition() -> None:
    check_yaml(b"a: {x: 1}\nb: {x: 1}\n1: c\n'1': d\nm: &m [x]\nn: *m\n", "c.yaml")
    check_yaml((ROOT / "config.yaml").read_bytes(), "config.yaml")


def test_numbers_on_snakemake_s_command_line_are_numbers(config: dict) -> None:
    # snakemake --config 'bootstrap={"replicates": 50, "seed": 1}' gives the numbers inside a section as text.
    changed = deepcopy(config)
    changed["bootstrap"] |= {"replicates": "50", "seed": "1"}
    changed["intervals"]["level"] = "0.9"
    changed["data"]["columns"]["ses"]["min"] = "-4"
    changed["data"]["columns"]["himinty"]["levels"] = ["0", "1"]  # levels are text, and stay it
    meant = with_values(changed, SCHEMA)
    check_config(meant, SCHEMA)
    assert meant["bootstrap"] == config["bootstrap"] | {"replicates": 50, "seed": 1}
    assert meant["intervals"]["level"] == 0.9
    assert meant["data"]["columns"]["ses"]["min"] == -4
    assert meant["data"]["columns"]["himinty"]["levels"] == ["0", "1"]

    for nonsense in ("many", "0.5", ""):
        changed["bootstrap"]["replicates"] = nonsense
        with pytest.raises(UserError, match=r"bootstrap\.replicates: found .*; expected a whole number from 1 to"):
            check_config(with_values(changed, SCHEMA), SCHEMA)


def test_null_on_snakemake_s_command_line_is_nothing(config: dict) -> None:
    changed = deepcopy(config) | dict.fromkeys(("ledger", "optimiser_audit"), "null")
    changed["data"]["sha256"] = changed["report"]["narrative"] = changed["data"]["title"] = "null"
    del changed["figures"]["optimiser_audit"]
    meant = with_values(changed, SCHEMA)
    check_config(meant, SCHEMA)
    assert [meant[key] for key in ("ledger", "optimiser_audit")] == [None, None]
    assert (meant["data"]["sha256"], meant["report"]["narrative"]) == (None, None)
    assert meant["data"]["title"] == "null"  # a title is a text


@pytest.mark.parametrize("written", [1e4, "1e4", "10000.0"])
def test_a_whole_number_may_be_written_as_a_float(written: float | str, config: dict) -> None:
    # A float would end in a traceback where replicates are counted.
    changed = deepcopy(config)
    changed["bootstrap"]["replicates"] = written
    meant = with_values(changed, SCHEMA)
    check_config(meant, SCHEMA)
    assert type(meant["bootstrap"]["replicates"]) is int
    assert meant["bootstrap"]["replicates"] == 10_000


def test_a_level_that_is_no_number_is_refused(config: dict) -> None:
    # YAML's .nan is a number to the schema, and is neither above 0 nor below it.
    config = deepcopy(config)  # it is everybody's
    config["intervals"]["level"] = float("nan")
    with pytest.raises(UserError, match=r"intervals\.level: found nan; expected a number between 0 and 1"):
        check_config(config, SCHEMA)


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        ({"group_mean": "ses", "over": "groups"}, "expected one of group_mean"),
        ({"cut": "ses", "at": [0], "labels": ["low"]}, "derive.new: 1 labels for 2 ranges; give one label for each"),
        ({"cut": "ses", "at": [1, 0], "labels": ["a", "b", "c"]}, r"derive.new.at: found \[1, 0\]; expected finite"),
        ({"cut": "ses", "quantiles": 3, "labels": ["low", "high"]}, "derive.new: 2 labels for 3 quantiles"),
        ({"recode": "sex", "to": {"Male": 0, "Female": "f"}}, "derive.new.to: found texts and numbers"),
        ({"lag": "ses", "order": "sess"}, r"derive.new.order: 'sess' is neither .* \(did you mean 'ses'\?\)"),
        ({"standardise": "ses", "over": "schools"}, "derive.new.over: found 'schools'; expected rows or groups"),
    ],
)
def test_each_mistake_of_a_recipe_has_its_message(recipe, says, config) -> None:
    with pytest.raises(UserError, match=says):
        check_config({**config, "derive": {**config["derive"], "new": recipe}}, SCHEMA)
