"""Cluster-robust standard errors, against their definition written out with whole matrices."""

import numpy as np
import pytest
from factors_and_levels import table_of
from twolevel.fitting.fit import fit_model
from twolevel.inference.robust import robust
from twolevel.likelihood.crossproducts import cross_products
from twolevel.model.formula import build_design


def inverse_root(matrix):
    values, vectors = np.linalg.eigh(matrix)
    kept = values > 1e-9 * values[-1]
    return (vectors[:, kept] / np.sqrt(values[kept])) @ vectors[:, kept].T


class Dense:
    """CR0 and CR2 with matrices n by n (Pustejovsky & Tipton 2018, equations 4 to 11), weights V^-1."""

    def __init__(self, design, fit, clubsandwich=False):
        self.x, n = design.x, len(design.y)
        same = design.group_index[:, None] == design.group_index
        self.v = design.z @ fit.covariance @ design.z.T * same + fit.sigma**2 * np.eye(n)
        self.w = np.linalg.inv(self.v)
        self.m = np.linalg.inv(self.x.T @ self.w @ self.x)
        residuals = design.y - self.x @ fit.beta
        hat = self.x @ self.m @ self.x.T @ self.w
        self.scores, self.plain, self.rows, self.mean = [], [], [], np.zeros_like(self.m)
        for j in range(design.group_index.max() + 1):
            rows = np.flatnonzero(design.group_index == j)
            v, x = self.v[np.ix_(rows, rows)], self.x[rows]
            kept = v - x @ self.m @ x.T
            chol = np.linalg.cholesky(v)
            if clubsandwich:  # D'B^(-1/2)D with D the upper Cholesky factor, B = D kept D'
                a = chol @ inverse_root(chol.T @ kept @ chol) @ chol.T
            else:
                inverse = np.linalg.inv(chol)
                a = chol @ inverse_root(inverse @ kept @ inverse.T) @ inverse
            weights = x.T @ np.linalg.inv(v) @ a
            self.scores.append(weights @ residuals[rows])
            self.plain.append(x.T @ np.linalg.inv(v) @ residuals[rows])
            self.mean += weights @ kept @ weights.T
            self.rows.append(weights @ (np.eye(n) - hat)[rows])

    def std_error(self, scores):
        return np.sqrt(np.diag(self.m @ np.einsum("ja,jb->ab", scores, scores) @ self.m))

    def df(self):
        found = []
        for c in range(len(self.m)):
            forms = np.array([self.m[c] @ rows for rows in self.rows])
            products = forms @ self.v @ forms.T
            found.append(np.trace(products) ** 2 / (products**2).sum())
        return found


def fit_of(formula, table):
    design = build_design(formula, table)
    data = cross_products(design)
    return design, data, fit_model(design, data, reml=True, random_starts=2, seed=1)


FORMULAS = ("y ~ x + w + arm + (x | clinic)", "y ~ x*dose + (1 | clinic)", "y ~ x + site + (x || clinic)")


@pytest.mark.parametrize("formula", FORMULAS)
def test_they_are_the_definition_with_whole_matrices(formula) -> None:
    design, data, fit = fit_of(formula, table_of("factors"))
    ours, dense = robust(design, data, fit), Dense(design, fit)
    # Both are direct computations; the inverse of V, 239 by 239, costs the dense one some digits.
    np.testing.assert_allclose(ours.cr0_std_error, dense.std_error(dense.plain), rtol=1e-7)
    np.testing.assert_allclose(ours.tests.std_error, dense.std_error(dense.scores), rtol=1e-7)
    np.testing.assert_allclose(ours.tests.df, dense.df(), rtol=1e-7)
    # Where the working model is right CR2 has no bias: its mean is M itself.
    np.testing.assert_allclose(dense.m @ dense.mean @ dense.m, dense.m, rtol=1e-8, atol=1e-10)


def test_clubsandwich_s_choice_of_the_adjustment_is_close() -> None:
    """It takes the Cholesky factor of V_j into the root; standard errors differ by less than 1 %, and df by 0.5 %."""
    design, data, fit = fit_of(FORMULAS[0], table_of("factors"))
    ours, theirs = robust(design, data, fit), Dense(design, fit, clubsandwich=True)
    np.testing.assert_allclose(ours.tests.std_error, theirs.std_error(theirs.scores), rtol=1e-2)
    np.testing.assert_allclose(ours.tests.df, theirs.df(), rtol=5e-3)


def test_the_order_of_rows_does_not_matter() -> None:
    table = table_of("factors")
    one, other = (robust(*fit_of(FORMULAS[0], t)) for t in (table, table.sample(frac=1, random_state=3)))
    np.testing.assert_allclose(other.tests.std_error, one.tests.std_error, rtol=1e-6)  # the optima's agreement
    np.testing.assert_allclose(other.tests.df, one.tests.df, rtol=1e-6)


def test_a_group_alone_in_what_a_coefficient_says() -> None:
    """One clinic alone decides a coefficient: its residuals say nothing of it, and the rest stays defined."""
    table = table_of("factors")
    table = table.assign(first=(table["clinic"] == "c05").astype(float) * table["x"])
    design, data, fit = fit_of("y ~ x + first + (1 | clinic)", table)
    ours = robust(design, data, fit)
    assert np.isfinite(ours.tests.std_error).all()
    assert np.isfinite(ours.tests.df[:2]).all()


def test_they_hold_where_the_working_model_does_not() -> None:
    """20 groups with a slope that the model leaves out: CR2's t test rejects a true hypothesis about 5 % of the time.

    The model's own test rejects far too often. Of 400 data sets a true rate of 5 % rejects between 0.0225 and 0.085 in
    99.5 % of runs (R: qbinom(c(0.0025, 0.9975), 400, 0.05) / 400).
    """
    rng = np.random.default_rng(11)
    design, _, _ = fit_of("y ~ x + (1 | clinic)", table_of("factors"))
    rejected = np.zeros(2)
    for _ in range(400):
        slopes = rng.normal(size=(24, 2)) @ np.diag([1.0, 0.8])
        y = slopes[design.group_index, 0] + slopes[design.group_index, 1] * design.x[:, 1] + rng.normal(size=239)
        table = table_of("factors").assign(y=y)
        own, data, fit = fit_of("y ~ x + (1 | clinic)", table)
        plain = abs(fit.beta[1]) > 1.96 * np.sqrt(fit.beta_covariance[1, 1])
        rejected += [robust(own, data, fit).tests.p_value[1] < 0.05, plain]
    assert 0.0225 <= rejected[0] / 400 <= 0.085
    assert rejected[1] / 400 > 0.2


def test_cr0_is_the_sandwich_of_a_balanced_mean() -> None:
    """By hand: for the mean of J equal groups CR0 is the root of the sum of squared deviations of means over J^2."""
    design, data, fit = fit_of("Reaction ~ 1 + (1 | Subject)", table_of("sleepstudy"))
    means = table_of("sleepstudy").groupby("Subject")["Reaction"].mean()
    ours = robust(design, data, fit)
    assert ours.cr0_std_error[0] == pytest.approx(np.sqrt(((means - means.mean()) ** 2).sum()) / 18, rel=1e-6)
    # CR2 is then the plain standard error of 18 means, on 17 degrees of freedom.
    assert ours.tests.std_error[0] == pytest.approx(means.std() / np.sqrt(18), rel=1e-6)
    assert ours.tests.df[0] == pytest.approx(17, rel=1e-9)
