"""What the tests of the library share: the prepared table, lme4's reference values, and each model fitted once."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from twolevel.data.columns import check_columns
from twolevel.data.source import read_table
from twolevel.fitting.confirm import confirm
from twolevel.fitting.effects import GroupEffects, group_effects
from twolevel.fitting.fit import Fit, fit_model
from twolevel.likelihood.crossproducts import CrossProducts, cross_products
from twolevel.model.derive import derive
from twolevel.model.design import Design
from twolevel.model.formula import build_design

ROOT = Path(__file__).resolve().parents[1]

# What fit_model writes beside the estimates, each as a CSV file.
SUPPLEMENTS = (
    *("term_tests", "marginal_means", "contrasts", "predictions", "robust"),
    *("single_level", "single_level_test", "own_lines"),
)


@dataclass(frozen=True)
class Fitted:
    """A model, fitted by both estimators as the pipeline fits it."""

    design: Design
    data: CrossProducts
    reml: Fit
    ml: Fit

    @property
    def effects(self) -> GroupEffects:
        return group_effects(self.design, self.data, self.reml.lower, self.reml.at)


def confirmed(design: Design, data: CrossProducts, **options: Any) -> Fit:
    """Fit a model as the pipeline does, statsmodels' word included."""
    return confirm(design, data, fit_model(design, data, **options))


def fitted_by_both(design: Design, **options: Any) -> Fitted:
    data = cross_products(design)
    return Fitted(design, data, *(confirmed(design, data, reml=reml, **options) for reml in (True, False)))


class Models:
    """The config's models by name, each fitted when it is first asked for."""

    def __init__(self, config: dict[str, Any], table: pd.DataFrame) -> None:
        self.config, self.table = config, table
        self.fitted = cache(self._fit)

    def _fit(self, name: str) -> Fitted:
        design = build_design(self.config["models"][name]["formula"], self.table)
        return fitted_by_both(design, **self.config["optimiser"])

    def __getitem__(self, name: str) -> Fitted:
        return self.fitted(name)


@pytest.fixture(scope="session")
def hsb(config: dict[str, Any]) -> pd.DataFrame:
    """The prepared table, made from the snapshot."""
    data, path = config["data"], ROOT / config["data"]["snapshot"]
    raw = read_table(path.read_bytes(), path.suffix, path.name)
    checked = check_columns(raw, data["columns"], data["group"], keep=config["derive"], name=path.name)
    return derive(checked, data["group"], config["derive"])


@pytest.fixture(scope="session")
def models(config: dict[str, Any], hsb: pd.DataFrame) -> Models:
    return Models(config, hsb)


@pytest.fixture(scope="session")
def lme4() -> dict[str, Any]:
    """Reference values: `Rscript tests/reference/lme4_reference.R` (tests/reference/README.md)."""
    return json.loads((ROOT / "tests/reference/lme4_reference.json").read_text(encoding="utf-8"))
