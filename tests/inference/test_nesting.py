"""Which models are nested by their covariance matrices, and how many variances the null model sets to zero."""

import numpy as np
import pandas as pd
import pytest
from independent import in_blocks, side_by_side
from twolevel.errors import UserError
from twolevel.inference.compare import added_random_effects, likelihood_ratio
from twolevel.model.blocks import Blocks
from twolevel.model.design import Design
from twolevel.model.formula import build_design


def table() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    x, t = rng.normal(size=(2, 120))
    level = rng.integers(0, 3, 120)
    dummies = {f"d{i}": (level == i).astype(float) for i in range(3)}
    return pd.DataFrame(
        {"g": np.repeat(np.arange(12), 10).astype(str), "x": x, "t": t, "y": rng.normal(size=120)} | dummies
    )


def design_of(random: str, blocks: Blocks, fixed: str = "x + t") -> Design:
    return in_blocks(build_design(f"y ~ {fixed} + ({random} | g)", table()), blocks)


INTERCEPT = design_of("1", (1,))
X_INDEPENDENT, X = design_of("x", (1, 1)), design_of("x", (2,))
ALL_INDEPENDENT, PAIR_AND_T, ALL = (design_of("x + t", blocks) for blocks in ((1, 1, 1), (2, 1), (3,)))
X_AND_PAIR = design_of("x + t", (1, 2))
SLOPE = design_of("0 + x", (1,))
LEVELS = design_of("0 + d0 + d1 + d2", (3,))
INTERCEPT_AND_LEVELS = side_by_side(INTERCEPT, LEVELS)

# Added parameters, and how many variances of the alternative are zero under the null model.
NESTED = {
    "a slope independent of the intercept": (INTERCEPT, X_INDEPENDENT, 1, 1),
    "a slope correlated with the intercept": (INTERCEPT, X, 2, 1),
    "a covariance": (X_INDEPENDENT, X, 1, 0),
    "all three covariances": (ALL_INDEPENDENT, ALL, 3, 0),
    "two covariances of one effect": (PAIR_AND_T, ALL, 2, 0),
    "one covariance of three": (ALL_INDEPENDENT, X_AND_PAIR, 1, 0),
    "a third, independent of a pair": (X, PAIR_AND_T, 1, 1),
    "a third, correlated with a pair": (X, ALL, 3, 1),
    "a third and a covariance": (X_INDEPENDENT, ALL, 4, 1),
    "a third to two that stay independent": (X_INDEPENDENT, ALL_INDEPENDENT, 1, 1),
    "a third that goes with one of two": (SLOPE, X_AND_PAIR, 3, 2),
    "two at once": (INTERCEPT, ALL_INDEPENDENT, 2, 2),
    "two at once, correlated": (INTERCEPT, ALL, 5, 2),
    "an intercept that is the sum of indicators": (INTERCEPT, LEVELS, 5, 2),
}


def compared(null: Design, alternative: Design, df: int = 1):
    fits = [{"estimator": "ML", "criterion": 10.0 - i, "npar": 5 + i * df} for i in range(2)]
    return likelihood_ratio("mine", fits[0], fits[1], (null, alternative))


@pytest.mark.parametrize("case", NESTED)
def test_nested_models(case: str) -> None:
    null, alternative, df, added = NESTED[case]
    assert sum(n * (n + 1) // 2 for n in alternative.blocks) - sum(n * (n + 1) // 2 for n in null.blocks) == df
    assert added_random_effects(null, alternative) == added
    assert compared(null, alternative, df).on_boundary == (added > 0)
    with pytest.raises(UserError, match=r"not nested: the null model has effects, or covariances"):
        compared(alternative, null)


NOT_NESTED = {
    "a covariance against a variance": (X, ALL_INDEPENDENT),
    "pairs that are not the same": (PAIR_AND_T, X_AND_PAIR),
    "other slopes": (design_of("0 + t", (1,)), X),
}


@pytest.mark.parametrize("case", NOT_NESTED)
def test_models_that_are_not_nested(case: str) -> None:
    for pair in (NOT_NESTED[case], NOT_NESTED[case][::-1]):
        with pytest.raises(UserError, match="not nested"):
            compared(*pair)


def test_one_model_in_two_wordings_is_the_same() -> None:
    # The levels' covariance matrix has room for the intercept's variance.
    for pair in ((INTERCEPT_AND_LEVELS, LEVELS), (LEVELS, INTERCEPT_AND_LEVELS), (X_INDEPENDENT, X_INDEPENDENT)):
        with pytest.raises(UserError, match="the two models are the same"):
            compared(*pair)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e12])
def test_units_do_not_matter(scale: float) -> None:
    moved = table().assign(x=lambda of: scale * of["x"], t=lambda of: 2000 + of["t"])
    alone = build_design("y ~ x + t + (1 | g)", moved)
    whole = build_design("y ~ x + t + (x + t | g)", moved)
    assert added_random_effects(alone, whole) == 2
    assert added_random_effects(in_blocks(whole, (1, 1, 1)), whole) == 0
    assert added_random_effects(alone, in_blocks(whole, (1, 1, 1))) == 2
    # A fixed effect in large units hides no other one.
    without = build_design("y ~ x + (1 | g)", moved)
    with pytest.raises(UserError, match="not nested"):
        compared(alone, without)
    assert not compared(without, alone).on_boundary


def test_a_shift_of_a_predictor_is_another_model_without_the_covariance() -> None:
    # (x || g) depends on where x has its zero, (x | g) does not.
    moved = table().assign(x=table()["x"] + 1)
    shifted = build_design("y ~ x + t + (x | g)", moved)
    with pytest.raises(UserError, match="not nested"):
        compared(X_INDEPENDENT, in_blocks(shifted, (1, 1)))
    assert added_random_effects(X_INDEPENDENT, shifted) == 0
