"""Leaving groups out: against R, and against designs that lack their rows."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from independent import sleepstudy
from twolevel.fitting.fit import Fit, fit_model
from twolevel.inference.influence import MOST_REFITTED, Influence, influence
from twolevel.likelihood.crossproducts import CrossProducts, cross_products
from twolevel.likelihood.deviance import from_lme4, pack, profile
from twolevel.model.design import Design
from twolevel.model.formula import build_design
from twolevel.model.parameters import parameter_values

SLOPES = "Reaction ~ Days + (Days | Subject)"
CLINICS = "y ~ x * arm + dose + (x | clinic)"


def fitted(formula: str, table: pd.DataFrame, reml: bool = True) -> tuple[Design, CrossProducts, Fit, Influence]:
    design = build_design(formula, table)
    data = cross_products(design)
    fit = fit_model(design, data, reml=reml, random_starts=1, seed=1)
    return design, data, fit, influence(design, data, fit)


def clinics() -> pd.DataFrame:
    """Unbalanced: 20 clinics of unlike sizes, a slope that differs, factors."""
    table = pd.read_csv(ROOT / "tests/reference/cases/clinics.csv")
    return table.drop(index=range(3, 40, 4))


def test_estimates_without_a_group_are_r_s() -> None:
    # lme4 1.1-31, R 4.2.2; influence() of lme4 refits in this way, and its cooks.distance has another factor:
    # Rscript -e 'library(lme4); options(digits = 12)
    #   fine <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10))
    #   m <- lmer(Reaction ~ Days + (Days | Subject), sleepstudy, control = fine)
    #   for (s in c("309", "337")) {
    #     r <- update(m, data = subset(sleepstudy, Subject != s)); e <- fixef(m) - fixef(r)
    #     print(fixef(r)); print(as.data.frame(VarCorr(r))$sdcor); print(e %*% solve(as.matrix(vcov(m)), e) / 2) }'
    expected = {
        "309": [[254.131584813, 10.9499624599], [22.5966478911, 5.73527013782, -0.118428845094, 26.2456460549],
                0.148524797071],
        "337": [[249.128691765, 9.96383372549], [23.6110846566, 5.71272761366, -0.0941544677233, 26.0345536997],
                0.125997337388],
    }  # fmt: skip
    design, _, _, found = fitted(SLOPES, sleepstudy())
    refits = {design.group_labels[refit.group]: refit for refit in found.refits}
    assert len(refits) == MOST_REFITTED
    for group, (beta, (intercept, slope, correlation, sigma), distance) in expected.items():
        theirs = [intercept, correlation, slope, sigma, *beta]
        # bobyqa places theta, and with it SDs, to about 1e-6.
        np.testing.assert_allclose(refits[group].parameters, theirs, rtol=5e-6, atol=2e-6)
        assert refits[group].cooks_distance == pytest.approx(distance, rel=1e-6)
        # These data are balanced: the fixed effects without a person do not depend on the variances.
        at = design.group_labels.index(group)
        np.testing.assert_allclose(found.beta[at], beta, rtol=1e-6)
        assert found.cooks_distance[at] == pytest.approx(distance, rel=1e-6)


def rows_without(design: Design, group: int) -> Design:
    """The design of the other groups' rows, its columns as they were."""
    kept = design.group_index != group
    index = design.group_index[kept]
    return replace(
        design, y=design.y[kept], x=design.x[kept], z=design.z[kept], group_index=index - (index > group),
        group_labels=(*design.group_labels[:group], *design.group_labels[group + 1 :]),
    )  # fmt: skip


@pytest.mark.parametrize("reml", [True, False])
def test_held_variances_are_those_of_all_groups(reml: bool) -> None:
    design, _, fit, found = fitted(CLINICS, clinics(), reml)
    for group in range(len(design.group_labels)):
        rest = cross_products(rows_without(design, group))
        held = profile(pack(from_lme4(fit.theta, rest), rest.blocks), rest, reml)
        # Solved anew from the rows and by taking sums away: rounding, beside estimates of order 1.
        np.testing.assert_allclose(found.beta[group], held.beta, rtol=1e-8, atol=1e-9)
        moved = fit.beta - held.beta
        distance = moved @ np.linalg.solve(fit.beta_covariance, moved) / len(moved)
        assert found.cooks_distance[group] == pytest.approx(distance, rel=1e-7)


@pytest.mark.parametrize("reml", [True, False])
def test_refits_are_fits_of_the_other_rows(reml: bool) -> None:
    design, _, _, found = fitted(CLINICS, clinics(), reml)
    largest = np.argsort(-found.cooks_distance)[:MOST_REFITTED]
    assert [refit.group for refit in found.refits] == largest.tolist()
    for refit in found.refits:
        rest = rows_without(design, refit.group)
        data = cross_products(rest)
        fit = fit_model(rest, data, reml=reml, random_starts=4, seed=1)
        values = parameter_values(data.own_units(fit.lower), fit.sigma, fit.beta, rest.blocks)
        # Both searches end where the gradient is below 1e-3 (FLAT); that leaves theta to about 1e-6.
        np.testing.assert_allclose(refit.parameters, values, rtol=1e-5, atol=1e-5)


def test_what_one_group_alone_tells_cannot_be_estimated_without_it() -> None:
    table = sleepstudy().assign(only=lambda t: (t["Subject"] == "309").astype(float))
    design, _, _, found = fitted("Reaction ~ Days + only + (1 | Subject)", table)
    at = design.group_labels.index("309")
    assert np.isnan(found.beta[at]).all()
    assert np.isnan(found.cooks_distance[at])
    assert np.isfinite(np.delete(found.cooks_distance, at)).all()
    assert at not in [refit.group for refit in found.refits]


def test_two_groups_leave_no_variance_without_one() -> None:
    table = sleepstudy().query("Subject in ('308', '309')")
    _, _, _, found = fitted("Reaction ~ Days + (1 | Subject)", table)
    assert np.isfinite(found.beta).all()
    assert found.refits == ()
