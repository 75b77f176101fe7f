"""The fits of tests/reference/factors_and_levels.R, and what R says of them."""

import json
from functools import cache
from pathlib import Path

import pandas as pd
from twolevel.fitting.fit import Fit, fit_model
from twolevel.likelihood.crossproducts import CrossProducts, cross_products
from twolevel.model.design import Design
from twolevel.model.formula import build_design

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = json.loads((ROOT / "tests/reference/factors_and_levels.json").read_text(encoding="utf-8"))
MODELS = REFERENCE["models"]
LEVELS = {
    "arm": ["No", "Yes"],
    "dose": ["low", "mid", "high"],
    "site": ["urban", "rural"],
    "sector": ["Public", "Catholic"],
}
TABLES = {
    "sleepstudy": "tests/reference/sleepstudy.csv",
    "intercepts_and_slopes": "data/hsb_snapshot.csv",
}


@cache
def table_of(name: str) -> pd.DataFrame:
    """The data of a case, with factors as R has them."""
    table = pd.read_csv(ROOT / TABLES.get(name, "tests/reference/cases/clinics.csv"))
    known = {column: pd.Categorical(table[column], levels) for column, levels in LEVELS.items() if column in table}
    return table.assign(**known)


@cache
def fitted(name: str, estimator: str = "REML") -> tuple[Design, CrossProducts, Fit]:
    """A case, fitted."""
    design = build_design(MODELS[name]["formula"], table_of(name))
    data = cross_products(design)
    return design, data, fit_model(design, data, reml=estimator == "REML", random_starts=2, seed=1)
