"""What the project makes of a formula beside what R and lme4 make of it (fixtures: tests/reference/README.md)."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from fitted import confirmed
from twolevel.fitting.fit import Fit
from twolevel.likelihood.crossproducts import cross_products
from twolevel.model.design import Design, Floats
from twolevel.model.formula import build_design

SHOWN = [0, 2, 4, 6, 8]  # the rows of random_formulas.R's SHOWN, from 0

# Columns: both sides compute in double precision, the fixture keeps twelve digits.
COLUMN = 1e-9
# bobyqa and our search know the criterion to some 1e-9.
CRITERION = 1e-6
# In standard errors, and in standard deviations of an observation. A criterion is flat at its optimum, so that bobyqa
# places theta no better than to 1e-6; on the 300 formulas the largest differences are 1.4e-6 and 7e-6.
ESTIMATE, SPREAD = 2e-5, 1e-4


def fitted(formula: str, table: pd.DataFrame, group: str) -> tuple[Design, Fit]:
    """Build and fit by REML as the pipeline does."""
    design = build_design(formula, table, group)
    return design, confirmed(design, cross_products(design), reml=True, random_starts=4, seed=2002)


def blocks_of(design: Design, values: Floats) -> list[Floats]:
    """Split columns of `z`, or rows and columns of T, into the independent blocks."""
    ends = np.cumsum(design.blocks)
    slices = [slice(end - size, end) for end, size in zip(ends, design.blocks, strict=True)]
    square = values.shape[0] == values.shape[1] == ends[-1] != len(design.y)
    return [values[part, part] if square else values[:, part] for part in slices]


def design_differences(design: Design, answer: Mapping[str, Any], table: pd.DataFrame) -> list[str]:
    """Name every difference between a design and random_formulas.R's answer."""
    random = [name for block in answer["random"] for name in block]
    facts = {
        "fixed": (list(design.fixed_terms), answer["fixed"]),
        "random": (list(design.random_terms), random),
        "blocks": (list(design.blocks), [len(block) for block in answer["random"]]),
        "dropped": (sorted({*range(len(table))} - {*map(int, design.rows)}), answer["dropped"]),
    }
    found = [f"{what}: {ours}, R has {theirs}" for what, (ours, theirs) in facts.items() if ours != theirs]
    if found:
        return found
    z = [sums for block in answer["z"] for sums in block]
    # R leaves the offset in the response.
    columns = np.column_stack([design.y + design.offset, design.x, design.z])
    shown = np.searchsorted(design.rows, SHOWN)
    for name, ours, theirs in zip(
        [design.response, *answer["fixed"], *random], columns.T, [answer["response"], *answer["x"], *z], strict=True
    ):
        found += _column_differences(name, ours, np.array(theirs), shown)
    if not np.isclose(design.offset.sum(), answer["offset"], rtol=COLUMN, atol=COLUMN):
        found.append(f"offset: sum {design.offset.sum()}, R has {answer['offset']}")
    return found


def _column_differences(name: str, ours: Floats, theirs: Floats, shown: Floats) -> list[str]:
    n, size = len(ours), np.sqrt(np.mean(ours**2))
    made = np.array([ours.sum(), (ours**2).sum(), np.arange(1, n + 1) @ ours, *ours[shown]])
    scale = np.array([n * size, n * size**2, n * n * size, *[size] * len(shown)])
    if (np.abs(made - theirs) <= COLUMN * scale).all():
        return []
    return [f"column {name}: {made}, R has {theirs}"]


def fit_differences(design: Design, fit: Fit, answer: Mapping[str, Any]) -> list[str]:
    """Name every difference between a fit and lme4's; a lower criterion is one too.

    Parameters
    ----------
    answer : `criterion`, `fixef` and `se` in the order of the columns, `sigma`, `covariance` block by block
    """
    gap = fit.criterion - answer["criterion"]
    if abs(gap) > CRITERION:
        return [f"criterion {fit.criterion}, {gap:.3g} {'above' if gap > 0 else 'below'} lme4's"]
    fixef, se = np.array(answer["fixef"]), np.array(answer["se"])
    ours, sigma = np.sqrt(np.diag(fit.beta_covariance)), answer["sigma"]
    found = [
        *_beyond("fixed effects", fit.beta, fixef, ESTIMATE * se),
        *_beyond("standard errors", ours, se, ESTIMATE * se),
        *_beyond("sigma", np.array([fit.sigma]), np.array([sigma]), np.array([SPREAD * sigma])),
    ]
    return found + _covariance_differences(design, fit, [np.array(block) for block in answer["covariance"]], sigma)


def _covariance_differences(design: Design, fit: Fit, theirs: list[Floats], sigma: float) -> list[str]:
    """Compare the covariance that T gives some rows of one group, and T itself where that determines it."""
    ours = blocks_of(design, fit.covariance)
    some = [block[:: max(len(design.y) // 25, 1)] for block in blocks_of(design, design.z)]
    made, expected = (
        np.sum([z @ block @ z.T for z, block in zip(some, covariance, strict=True)], axis=0)
        for covariance in (ours, theirs)
    )
    variances = np.diag(expected) + sigma**2
    found = _beyond("covariances of rows", made, expected, SPREAD * np.sqrt(np.outer(variances, variances)))
    # (1 | g) + (0 + arm | g) has a coefficient for each column, but only two variances and a covariance.
    if np.linalg.matrix_rank(design.z) == design.z.shape[1]:
        for block, expected, z in zip(ours, theirs, blocks_of(design, design.z), strict=True):
            # What a random effect adds to an observation is to be known as well as an observation is.
            spread = np.sqrt(np.diag(expected) + sigma**2 / np.mean(z**2, axis=0))
            found += _beyond("covariances", block, expected, SPREAD * np.outer(spread, spread))
    return found


def _beyond(what: str, ours: Floats, theirs: Floats, tolerance: Floats) -> list[str]:
    if (np.abs(ours - theirs) <= tolerance).all():
        return []
    return [f"{what}: {ours.tolist()}, lme4 has {theirs.tolist()}"]


def as_list(parts: Iterable[str]) -> str:
    """Put differences one a line, for an assertion's message."""
    return "\n".join(parts)
