"""Intraclass correlation, marginal and conditional R2."""

import json
from pathlib import Path

import numpy as np
import pytest
from twolevel.inference.r2 import variance_shares

# Rscript tests/reference/variance_components.R: from the model matrices and lme4's estimates.
REFERENCE = json.loads(
    (Path(__file__).resolve().parents[1] / "reference/variance_components.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", REFERENCE)
def test_r_gives_the_same(name, models) -> None:
    ours, theirs = variance_shares(models[name].design, models[name].reml), REFERENCE[name]["shares"]
    # lme4's and our theta agree to about 1e-6.
    for share, value in theirs.items():
        assert getattr(ours, share) == pytest.approx(value, rel=1e-6, abs=1e-15)


def test_without_predictors_it_is_the_intraclass_correlation(models) -> None:
    fitted = models["one_way_anova"]
    ours = variance_shares(fitted.design, fitted.reml)
    # Raudenbush & Bryk 2002, p. 71: 8.61 / (8.61 + 39.15) = 0.18, to the decimals that they print.
    assert ours.intraclass_correlation == pytest.approx(0.18, abs=0.005)
    assert ours.r2_marginal == 0
    assert ours.r2_conditional == ours.intraclass_correlation


def test_the_variance_of_the_response_is_what_the_whole_adds_up_to(models) -> None:
    fitted = models["random_coefficients"]
    ours = variance_shares(fitted.design, fitted.reml)
    whole = fitted.reml.sigma**2 / (1 - ours.r2_conditional)
    # A model that fits reproduces the variance of y; the schools' sizes differ, so to a few per cent.
    assert whole == pytest.approx(np.var(fitted.design.y, ddof=1), rel=0.03)
