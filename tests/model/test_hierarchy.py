"""Taking a combined formula apart into its levels."""

import numpy as np
import pandas as pd
from twolevel.model.formula import build_design
from twolevel.model.hierarchy import level1_coefficients, level2_design


def test_intercepts_and_slopes_as_outcomes(hsb: pd.DataFrame) -> None:
    # Raudenbush & Bryk 2002, chapter 4: beta_0j and beta_1j are both predicted by MEAN SES and SECTOR.
    design = build_design("mathach ~ cses*mean.ses + cses*sector + (cses | school)", hsb)
    intercept, slope = level1_coefficients(design)
    assert (intercept.name, slope.name) == ("(Intercept)", "cses")
    assert intercept.predictors == slope.predictors == ((), ("mean.ses",), ("sectorCatholic",))
    assert [design.fixed_terms[c] for c in slope.columns] == ["cses", "cses:mean.ses", "cses:sectorCatholic"]
    assert (intercept.random, slope.random) == (0, 1)


def test_a_level1_effect_without_random_part(hsb: pd.DataFrame) -> None:
    design = build_design("mathach ~ cses + minority + (cses | school)", hsb)
    by_name = {c.name: c.random for c in level1_coefficients(design)}
    assert by_name == {"(Intercept)": 0, "cses": 1, "minorityYes": None}


def test_a_random_effect_without_fixed_part(hsb: pd.DataFrame) -> None:
    design = build_design("mathach ~ mean.ses + (cses | school)", hsb)
    slope = level1_coefficients(design)[1]
    assert (slope.name, slope.columns, slope.random) == ("cses", (), 1)


def test_the_order_of_a_product_does_not_matter(hsb: pd.DataFrame) -> None:
    design = build_design("mathach ~ minority*cses + (cses*minority | school)", hsb)
    coefficients = level1_coefficients(design)
    assert [c.name for c in coefficients] == ["(Intercept)", "minorityYes", "cses", "minorityYes:cses"]
    assert [c.random for c in coefficients] == [0, 2, 1, 3]


def test_level2_design_rebuilds_the_combined_design(hsb: pd.DataFrame) -> None:
    # Where every fixed effect predicts a random coefficient, X_j = Z_j W_j.
    design = build_design("mathach ~ cses*mean.ses + cses*sector + (cses | school)", hsb)
    w = level2_design(design)
    rebuilt = np.einsum("nq,nqp->np", design.z, w[design.group_index])
    np.testing.assert_allclose(rebuilt, design.x, rtol=1e-15, atol=0)
