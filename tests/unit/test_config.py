"""The configuration's errors say which key, what was found, what was expected."""

from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from twolevel.config import check_config
from twolevel.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))


def test_the_project_s_own_config_is_valid(config) -> None:
    check_config(config, SCHEMA)


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
        ("derive.cses", {"center": "ses"}, "expected one of group_mean, centre_within_group, or cut"),
        ("derive.mean.ses.cat", None, ""),
        ("models", {}, "models: found {}"),
        ("models.bad name", {"formula": "y ~ x"}, "'bad name'; expected a name of letters"),
        ("models.random_coefficients.formula", None, "found nothing; expected an lme4 formula"),
        ("models.random_coefficients.baseline", "one_way", r"there is no model 'one_way' \(did you mean"),
        ("comparisons.minority_effect.estimator", "reml", "found 'reml'; expected ML or REML"),
        (
            "comparisons.minority_effect.null_model",
            "none",
            "comparisons.minority_effect.null_model: there is no model 'none'",
        ),
        ("figures.qq_slopes", {"kind": "qq_level2", "model": "random_coefficients"}, "the key term is missing"),
        ("figures.overall_scatter.x", "csess", r"there is no column 'csess' \(did you mean 'cses'\?\)"),
        ("figures.overall_scatter.kind", "pie", "found 'pie'; expected scatter"),
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


def test_every_key_of_the_config_is_described() -> None:
    def undescribed(schema, path=""):
        for key, value in schema.get("properties", {}).items():
            here = f"{path}.{key}"
            if value.get("type") != "object" and not {"description", "expected", "$ref"} & set(value):
                yield here
            yield from undescribed(value, here)

    assert not list(undescribed(SCHEMA))
