"""Designs with independent blocks of random effects, and what lme4, lmerTest and pbkrtest make of them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from twolevel.model.blocks import Blocks
from twolevel.model.design import Design
from twolevel.model.formula import build_design

FOLDER = Path(__file__).parent / "reference"

# Rscript tests/reference/independent_blocks.R
REFERENCE = json.loads((FOLDER / "independent_blocks.json").read_text(encoding="utf-8"))

# Rscript tests/reference/independent_blocks_bounds.R: profile bounds that lme4's interpolation misses, by model,
# parameter and side.
EXACT_BOUNDS = {
    (row["model"], row["parameter"], row["side"]): row["value"]
    for row in json.loads((FOLDER / "independent_blocks_bounds.json").read_text(encoding="utf-8"))["bounds"]
}

BLOCKS: dict[str, Blocks] = {"sleep": (1, 1), "three": (1, 1, 1), "pair_and_one": (2, 1), "one_and_pair": (1, 2)}


def in_blocks(design: Design, blocks: Blocks) -> Design:
    """The same random effects, those of different blocks independent."""
    return replace(design, blocks=blocks)


def side_by_side(*designs: Design) -> Design:
    """One model with the random effects of all, each model's a block; the rest is the first one's."""
    first = designs[0]
    return replace(
        first,
        z=np.hstack([design.z for design in designs]),
        random_factors=tuple(factors for design in designs for factors in design.random_factors),
        factors={name: values for design in designs for name, values in design.factors.items()},
        blocks=tuple(design.z.shape[1] for design in designs),
    )


def sleepstudy() -> pd.DataFrame:
    """lme4's data set (Belenky et al. 2003), as independent_blocks.R writes it."""
    return pd.read_csv(FOLDER / "sleepstudy.csv", dtype={"Subject": str})


def reference_design(name: str, hsb: pd.DataFrame) -> Design:
    """A model of the reference values, with `minorityYes` the dummy that the R script makes."""
    if name == "sleep":
        whole = build_design("Reaction ~ Days + (Days | Subject)", sleepstudy())
    else:
        table = hsb.assign(minorityYes=(hsb["minority"] == "Yes").astype(float))
        whole = build_design("mathach ~ cses + minorityYes + (cses + minorityYes | school)", table)
    formula = REFERENCE["models"][name]["formula"]
    return replace(in_blocks(whole, BLOCKS[name]), formula=formula)


def factor_and_intercept(hsb: pd.DataFrame) -> Design:
    """An intercept, a slope, and both indicators of minority, whose sum is the intercept's column."""
    fixed = "mathach ~ cses + minority"
    parts = [build_design(f"{fixed} + ({term} | school)", hsb) for term in ("1", "0 + cses", "0 + minority")]
    return side_by_side(*parts)
