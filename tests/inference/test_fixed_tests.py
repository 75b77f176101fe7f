"""Tests of fixed effects, against lmerTest and pbkrtest, dense matrices, and a design whose answer is exact."""

import json
import subprocess
from io import StringIO
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from independent import side_by_side
from twolevel.fitting.fit import fit_model
from twolevel.inference.fixed_tests import kenward_roger, satterthwaite, t_tests
from twolevel.likelihood.crossproducts import cross_products
from twolevel.model.formula import build_design
from twolevel.output.results import fixed_effects_table

ROOT = Path(__file__).resolve().parents[2]
# Rscript tests/reference/kenward_roger.R: pbkrtest's vcovAdj and Lb_ddf, lmerTest's summary.
REFERENCE = json.loads((ROOT / "tests/reference/kenward_roger.json").read_text(encoding="utf-8"))["models"]
FORMULAS = {
    name: entry["formula"]
    for name, entry in yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))["models"].items()
}
WHOLE = [name for name in REFERENCE if name in FORMULAS]


def fitted(formula, table, reml=True):
    design = build_design(formula, table)
    data = cross_products(design)
    return design, data, fit_model(design, data, reml=reml, random_starts=2, seed=1)


def column(rows, name):
    return np.array([row[name] for row in rows])


def check_kenward_roger(ours, rows, rtol) -> None:
    for name in ("std_error", "statistic", "df"):
        np.testing.assert_allclose(getattr(ours, name), column(rows, name), rtol=rtol)
    # p falls as t^-df: with t to 60 and df to 7000 its relative error is up to some thousand times that of t and df.
    np.testing.assert_allclose(ours.p_value, column(rows, "p_value"), rtol=1000 * rtol)


# ------------------------------------------------------------------------------------------------------- against R


def test_the_reference_has_the_models_of_the_configuration() -> None:
    assert len(WHOLE) == 4
    assert all(REFERENCE[name]["formula"] == FORMULAS[name] for name in WHOLE)


@pytest.mark.parametrize("name", FORMULAS)
def test_satterthwaite_is_lmertest_s(name, models, lme4) -> None:
    # coef(summary(as_lmerModLmerTest(m))). lmerTest differentiates numerically, twice, a criterion of 47,000: its
    # degrees of freedom are good to about 1e-7 (3e-7 for intercepts_and_slopes), and p to a hundred times that.
    model, rows = models[name], lme4["satterthwaite"][name]
    ours = t_tests(satterthwaite(model.data, model.reml))
    np.testing.assert_allclose(ours.df, column(rows, "df"), rtol=1e-6)
    np.testing.assert_allclose(ours.p_value, column(rows, "p_value"), rtol=1e-4)
    # coef(summary(m)) of lme4; theta there is good to 1e-8 where polished, 1e-6 elsewhere.
    effects = lme4["models"][name]["REML"]["fixed_effects"]
    np.testing.assert_allclose(ours.std_error, column(effects, "std_error"), rtol=1e-6)
    np.testing.assert_allclose(ours.statistic, column(effects, "statistic"), rtol=1e-6)


@pytest.mark.parametrize("name", WHOLE)
def test_kenward_roger_is_pbkrtest_s(name, models) -> None:
    # Closed forms on both sides, at optima that agree to about 1e-8.
    ours = t_tests(kenward_roger(models[name].data, models[name].reml))
    check_kenward_roger(ours, REFERENCE[name]["kenward_roger"], rtol=1e-8)


def test_kenward_roger_of_a_comparison_is_its_f_test(models, lme4) -> None:
    # KRmodcomp(random_intercept_minority, random_intercept): F on 1 and ddf degrees of freedom is the square of t.
    expected = lme4["kenward_roger"]["minority_effect"]
    ours = t_tests(kenward_roger(models["random_intercept_minority"].data, models["random_intercept_minority"].reml))
    assert ours.statistic[2] ** 2 == pytest.approx(expected["Fstat"], rel=1e-8)
    assert ours.df[2] == pytest.approx(expected["ddf"], rel=1e-8)
    assert ours.p_value[2] == pytest.approx(expected["p.value"], rel=1e-5)  # p falls as t^-df


def some_schools(hsb, case):
    first, last = REFERENCE[case]["schools"]
    table = hsb[hsb["school"].isin(hsb["school"].unique()[first - 1 : last])]
    return fitted(REFERENCE[case]["formula"], table)


def test_few_schools(hsb) -> None:
    """Twenty, where the methods differ from each other and from the normal distribution."""
    _, data, fit = some_schools(hsb, "first_20_schools")
    expected = REFERENCE["first_20_schools"]
    check_kenward_roger(t_tests(kenward_roger(data, fit)), expected["kenward_roger"], rtol=1e-8)
    ours = t_tests(satterthwaite(data, fit))
    np.testing.assert_allclose(ours.df, column(expected["satterthwaite"], "df"), rtol=1e-6)
    np.testing.assert_allclose(ours.p_value, column(expected["satterthwaite"], "p_value"), rtol=1e-5)


def test_at_a_singular_fit_kenward_roger_answers_and_satterthwaite_does_not(hsb) -> None:
    design, data, fit = some_schools(hsb, "last_40_schools")
    assert fit.singular
    # lme4's optimum is not polished on the boundary: theta is good to about 1e-6.
    check_kenward_roger(t_tests(kenward_roger(data, fit)), REFERENCE["last_40_schools"]["kenward_roger"], rtol=1e-5)
    ours = t_tests(satterthwaite(data, fit))
    assert np.isnan(ours.df).all()
    assert np.isnan(ours.p_value).all()
    np.testing.assert_allclose(ours.std_error, np.sqrt(np.diag(fit.beta_covariance)), rtol=1e-15)
    written = fixed_effects_table(design, data, fit).to_csv(index=False)
    read = pd.read_csv(StringIO(written), dtype=str, keep_default_na=False)
    assert (read[["df", "p_value"]] == "").all(axis=None)
    assert (read.drop(columns=["df", "p_value"]) != "").all(axis=None)
    # lmerTest takes the correlation for known: more degrees of freedom for the slope than there are schools.
    assert REFERENCE["last_40_schools"]["satterthwaite"][1]["df"] > 600


# --------------------------------------------------------------------------------------------- against dense matrices


@pytest.fixture(scope="module")
def small():
    """Twelve unequal groups, 2 to 13 observations, random intercept and slope, a level-2 predictor."""
    rng = np.random.default_rng(4)
    sizes = np.arange(2, 14)
    group = np.repeat(np.arange(12), sizes)
    u = rng.normal(size=(12, 2)) @ np.array([[1.5, 0.3], [0.0, 0.9]])
    x, w = rng.normal(size=len(group)), rng.normal(size=12)[group]
    y = 1 + 0.5 * x + 0.4 * w + u[group, 0] + u[group, 1] * x + rng.normal(size=len(group))
    return pd.DataFrame({"g": group.astype(str), "x": x, "w": w, "y": y})


class Dense:
    """The model with covariance matrix sum_r gamma_r G_r of y, gamma = (T_11, T_21, T_22, sigma^2), written out."""

    def __init__(self, design):
        self.x, self.y = design.x, design.y
        same, z = design.group_index[:, None] == design.group_index, design.z
        one = [z @ e @ z.T * same for e in (np.diag([1, 0]), np.array([[0, 1], [1, 0]]), np.diag([0, 1]))]
        self.g = np.array([*one, np.eye(len(self.y))])

    def gamma(self, fit):
        return np.array([*fit.covariance[np.tril_indices(2)], fit.sigma**2])

    def beta_covariance(self, gamma):
        return np.linalg.inv(self.x.T @ np.linalg.inv(np.tensordot(gamma, self.g, 1)) @ self.x)

    def criterion(self, gamma, reml):
        """-2 log-likelihood, restricted or not, without constants."""
        sigma = np.tensordot(gamma, self.g, 1)
        inverse, phi = np.linalg.inv(sigma), self.beta_covariance(gamma)
        residual = self.y - self.x @ phi @ self.x.T @ inverse @ self.y
        value = np.linalg.slogdet(sigma)[1] + residual @ inverse @ residual
        return value - np.linalg.slogdet(phi)[1] if reml else value


def differences(function, at, step):
    """Central differences (k, ...) of a function of k parameters."""
    return np.array([(function(at + s) - function(at - s)) / (2 * step) for s in step * np.eye(len(at))])


@pytest.mark.parametrize("reml", [True, False])
def test_satterthwaite_from_finite_differences(small, reml) -> None:
    # 2 v^2 / (g'Cg), C twice the inverse Hessian of the criterion (Kuznetsova, Brockhoff & Christensen 2017).
    design, data, fit = fitted("y ~ x*w + (x | g)", small, reml)
    assert not fit.singular
    dense = Dense(design)
    gamma, step = dense.gamma(fit), 1e-3
    hessian = differences(lambda at: differences(lambda t: dense.criterion(t, reml), at, step), gamma, step)
    gradient = differences(lambda t: np.diag(dense.beta_covariance(t)), gamma, 1e-5)
    variance = np.diag(dense.beta_covariance(gamma))
    expected = 2 * variance**2 / np.einsum("ri,rs,si->i", gradient, 2 * np.linalg.inv(hessian), gradient)
    # A step of 1e-3 in parameters of order 1 costs about 1e-6 by curvature and as much by rounding.
    np.testing.assert_allclose(t_tests(satterthwaite(data, fit)).df, expected, rtol=2e-5)


def dense_kenward_roger(dense, gamma, beta):
    """Standard errors, degrees of freedom and scaled F of each coefficient (Kenward & Roger 1997, their notation)."""
    inverse, phi = np.linalg.inv(np.tensordot(gamma, dense.g, 1)), dense.beta_covariance(gamma)
    x, k = dense.x, len(gamma)
    p = [-x.T @ inverse @ g @ inverse @ x for g in dense.g]
    q = [[x.T @ inverse @ g @ inverse @ h @ inverse @ x for h in dense.g] for g in dense.g]
    information = np.empty((k, k))
    for i, j in product(range(k), repeat=2):
        information[i, j] = np.trace(inverse @ dense.g[i] @ inverse @ dense.g[j]) - np.trace(
            2 * phi @ q[i][j] - phi @ p[i] @ phi @ p[j]
        )
    w = 2 * np.linalg.inv(information)
    terms = [w[i, j] * (q[i][j] - p[i] @ phi @ p[j]) for i, j in product(range(k), repeat=2)]
    adjusted = phi + 2 * phi @ sum(terms) @ phi
    df, f = np.empty(len(beta)), np.empty(len(beta))
    for c, contrast in enumerate(np.eye(len(beta))):
        theta = np.outer(contrast, contrast) / (contrast @ phi @ contrast)
        pairs = list(product(range(k), repeat=2))
        a1 = sum(w[i, j] * np.trace(theta @ phi @ p[i] @ phi) * np.trace(theta @ phi @ p[j] @ phi) for i, j in pairs)
        a2 = sum(w[i, j] * np.trace(theta @ phi @ p[i] @ phi @ theta @ phi @ p[j] @ phi) for i, j in pairs)
        b, g = (a1 + 6 * a2) / 2, (2 * a1 - 5 * a2) / (3 * a2)
        c1, c2, c3 = (part / (3 + 2 * (1 - g)) for part in (g, 1 - g, 3 - g))
        mean = 1 / (1 - a2)
        variance = 2 * (1 + c1 * b) / ((1 - c2 * b) ** 2 * (1 - c3 * b))
        rho = variance / (2 * mean**2)
        df[c] = 4 + 3 / (rho - 1)
        f[c] = df[c] / (mean * (df[c] - 2)) * beta[c] ** 2 / adjusted[c, c]
    return np.sqrt(np.diag(adjusted)), df, f


def test_kenward_roger_from_dense_matrices(small) -> None:
    design, data, fit = fitted("y ~ x*w + (x | g)", small)
    dense = Dense(design)
    std_error, df, f = dense_kenward_roger(dense, dense.gamma(fit), fit.beta)
    ours = t_tests(kenward_roger(data, fit))
    # statsmodels' optimum, in fit.covariance, is within about 1e-7 of the profiled one that `ours` comes from.
    np.testing.assert_allclose(ours.std_error, std_error, rtol=1e-6)
    np.testing.assert_allclose(ours.df, df, rtol=1e-6)
    np.testing.assert_allclose(ours.statistic**2, f, rtol=1e-6)
    # The correction, 0.08 % at least, is not lost in that.
    assert (ours.std_error > 1.0005 * t_tests(satterthwaite(data, fit)).std_error).all()


# ---------------------------------------------------------------------------------------------------- exact, and edges


def test_balanced_groups_have_one_df_less_than_groups() -> None:
    """The mean of J equal groups has a t test on J - 1 degrees of freedom exactly; its standard error has no bias."""
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {"g": np.repeat([*"abcdefgh"], 5), "y": rng.normal(size=40) + np.repeat(rng.normal(size=8), 5)}
    )
    _, data, fit = fitted("y ~ 1 + (1 | g)", table)
    assert not fit.singular
    means = table.groupby("g")["y"].mean()
    for ours in (t_tests(satterthwaite(data, fit)), t_tests(kenward_roger(data, fit))):
        # The optimum's gradient is zero to rounding; statsmodels' beta, in the statistic, to 1e-7.
        assert ours.df[0] == pytest.approx(7, rel=1e-9)
        assert ours.std_error[0] == pytest.approx(means.std() / np.sqrt(8), rel=1e-9)
        assert ours.statistic[0] == pytest.approx(means.mean() / means.std() * np.sqrt(8), rel=1e-6)


def test_balanced_groups_without_variance_keep_their_df_by_kenward_roger() -> None:
    """On the boundary the expected information still counts the groups: J - 1, where lmerTest has n - 1."""
    y = np.tile([1.0, 2.0, 3.0, 4.0, 5.0], 8)
    _, data, fit = fitted("y ~ 1 + (1 | g)", pd.DataFrame({"g": np.repeat([*"abcdefgh"], 5), "y": y}))
    assert fit.singular
    assert t_tests(kenward_roger(data, fit)).df[0] == pytest.approx(7, rel=1e-9)  # rounding
    assert np.isnan(t_tests(satterthwaite(data, fit)).df[0])


@pytest.mark.parametrize("test", [satterthwaite, kenward_roger])
def test_units_do_not_matter(small, test) -> None:
    """A slope's t test is the same in dollars, from an origin far away, and for a response in thousands."""
    ours = t_tests(test(*fitted("y ~ x + w + (x | g)", small)[1:]))
    other_units = small.assign(x=2e6 + 1e4 * small["x"], y=1000 * small["y"])
    others = t_tests(test(*fitted("y ~ x + w + (x | g)", other_units)[1:]))
    for name in ("df", "statistic", "p_value"):
        # The optima agree to about 1e-7, and the intercept is another one.
        np.testing.assert_allclose(getattr(others, name)[1:], getattr(ours, name)[1:], rtol=1e-5)


def test_variances_that_the_design_does_not_tell_apart_do_not_matter() -> None:
    """The slope of a predictor with two values that is constant in groups: three parameters for two variances.

    They are those of the groups with one value and of those with the other, and the tests are those of that model.
    """
    rng = np.random.default_rng(2)
    group = np.repeat(np.arange(20), 6)
    w = (group % 2).astype(float)
    y = rng.normal(size=120) + (1 + w) * rng.normal(size=20)[group]
    table = pd.DataFrame({"g": group.astype(str), "w": w, "other": 1 - w, "y": y})
    _, data, fit = fitted("y ~ w + (w | g)", table)
    assert "do not tell apart all variances" in fit.doubts[0]
    two = side_by_side(*(build_design(f"y ~ w + (0 + {term} | g)", table) for term in ("w", "other")))
    two_data = cross_products(two)
    two_fit = fit_model(two, two_data, reml=True, random_starts=2, seed=1)
    assert two_fit.trustworthy
    for test in (kenward_roger, satterthwaite):
        ours, theirs = t_tests(test(data, fit)), t_tests(test(two_data, two_fit))
        # The optimum is known to 1e-6 in theta.
        np.testing.assert_allclose(ours.df, theirs.df, rtol=1e-5)
        np.testing.assert_allclose(ours.std_error, theirs.std_error, rtol=1e-5)
    # Balanced groups: the mean of those with w = 0 is tested on 10 - 1 degrees of freedom.
    assert t_tests(kenward_roger(two_data, two_fit)).df[0] == pytest.approx(9, rel=1e-9)


def test_kenward_roger_needs_reml(small) -> None:
    _, data, fit = fitted("y ~ x + (x | g)", small, reml=False)
    with pytest.raises(ValueError, match="needs a REML fit, not ML"):
        t_tests(kenward_roger(data, fit))


def test_the_table_has_the_columns_of_the_contract(models) -> None:
    contract = yaml.safe_load((ROOT / "workflow/schemas/tables.yaml").read_text(encoding="utf-8"))
    model = models["random_coefficients"]
    table = fixed_effects_table(model.design, model.data, model.reml)
    assert list(table.columns) == contract["models/*/fixed_effects.csv"]
    assert table.loc[1, ["df", "kr_df"]].tolist() == pytest.approx([155.2, 148.5], abs=0.05)  # kenward_roger.json
    np.testing.assert_allclose(table["statistic"], table["estimate"] / table["std_error"], rtol=1e-15)
    np.testing.assert_allclose(table["kr_statistic"], table["estimate"] / table["kr_std_error"], rtol=1e-15)


@pytest.mark.slow
@pytest.mark.needs_r
def test_r_still_gives_the_reference_values(tmp_path: Path, rscript: str) -> None:
    made = tmp_path / "kenward_roger.json"
    script, snapshot = ROOT / "tests/reference/kenward_roger.R", ROOT / "data/hsb_snapshot.csv"
    subprocess.run([rscript, script, snapshot, made], check=True)
    again = json.loads(made.read_text(encoding="utf-8"))["models"]
    assert again.keys() == REFERENCE.keys()
    for case, method in product(REFERENCE, ("kenward_roger", "satterthwaite")):
        for name in ("df", "p_value"):
            # Another machine's optimum and numerical derivatives: as the tolerances above, and p falls as t^-df.
            there, here = (column(from_r[case][method], name) for from_r in (again, REFERENCE))
            np.testing.assert_allclose(there, here, rtol=1e-5 if name == "df" else 1e-3)
