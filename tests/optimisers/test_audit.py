"""The audit of optimisers: what it records is what MixedLM says, and what it says of that follows the records."""

import json
from dataclasses import replace
from types import SimpleNamespace

import gather_audit
import numpy as np
import pandas as pd
import pytest
from statsmodels.regression.mixed_linear_model import MixedLM, MixedLMParams
from twolevel.optimisers.audit import Trial, audit_optimisers, audit_table, seconds_table
from twolevel.report.optimiser_audit import read_audit

pytestmark = pytest.mark.filterwarnings("ignore")  # statsmodels' own, of calls that go wrong on purpose


def audited(models, name, methods=("bfgs", "lbfgs")):
    fitted = models[name]
    relative = fitted.reml.covariance / fitted.reml.sigma**2
    trials = audit_optimisers(fitted.design, fitted.data, relative, methods)
    return {(trial.method, trial.start): trial for trial in trials}


@pytest.fixture(scope="module")
def one_way(models):
    return audited(models, "one_way_anova")


def direct(fitted, cov_re=None, **options):
    """An independent route: statsmodels as its documentation has it."""
    design = fitted.design
    if cov_re is not None:
        fixed = np.zeros(design.x.shape[1])
        options["start_params"] = MixedLMParams.from_components(fe_params=fixed, cov_re=cov_re)
    groups = np.asarray(design.group_labels)[design.group_index]
    return MixedLM(design.y, design.x, groups=groups, exog_re=design.z).fit(reml=True, **options)


def test_what_is_recorded_is_what_statsmodels_gives(models, one_way) -> None:
    fitted = models["one_way_anova"]
    optimum = fitted.reml.covariance / fitted.reml.sigma**2
    for method, start, fit in (
        ("plain", "identity", direct(fitted)),
        ("bfgs", "tenth", direct(fitted, 0.1 * np.eye(1), method="bfgs")),
        ("lbfgs", "tenth", direct(fitted, 0.1 * np.eye(1), method="lbfgs")),
        ("bfgs", "optimum", direct(fitted, optimum, method="bfgs")),
    ):
        trial = one_way[method, start]
        assert trial.criterion == -2 * fit.llf  # the same computation: not a bit apart
        assert trial.converged == fit.converged


def test_an_infinite_likelihood_that_says_converged_is_recorded_as_both(models, one_way) -> None:
    # DESIGN section 2: the null model by lbfgs, converged True, llf inf.
    fit = direct(models["one_way_anova"], method="lbfgs")
    assert fit.llf == np.inf
    trial = one_way["lbfgs", "identity"]
    assert (trial.criterion, trial.converged) == (-np.inf, True)
    assert "Random effects covariance is singular" in trial.messages


def test_the_profiled_searches_end_at_the_optimum(models, one_way) -> None:
    optimum = models["one_way_anova"].reml.criterion
    for method in ("bounded", "unbounded"):
        trial = one_way[method, "identity"]
        assert trial.criterion == pytest.approx(optimum, abs=1e-6)  # lme4's tolerance is 1e-8 of a step
        assert trial.converged
        assert trial.evaluations > 3
    assert len(one_way) == 3 * 3 + 2


def test_evaluations_are_those_of_scipy(models, one_way) -> None:
    # scipy counts its calls of the function and of its gradient; the result computes the criterion once more.
    fit = direct(models["one_way_anova"], 0.1 * np.eye(1), method="bfgs", full_output=True)
    (counted,) = fit.hist
    trial = one_way["bfgs", "tenth"]
    assert (trial.evaluations, trial.gradients) == (counted["fcalls"] + 1, counted["gcalls"])


@pytest.mark.slow
def test_the_plain_call_goes_on_where_its_first_method_does_not_converge(models) -> None:
    # means_by_sector: bfgs from the identity stops 3.16 above the optimum and says so; the plain call goes on.
    fitted = models["means_by_sector"]
    found = audited(models, "means_by_sector", methods=("bfgs",))
    first, plain = found["bfgs", "identity"], found["plain", "identity"]
    assert not first.converged
    assert first.criterion - fitted.reml.criterion == pytest.approx(3.1636, abs=1e-3)
    assert plain.evaluations > first.evaluations
    fit = direct(fitted)
    assert (plain.criterion, plain.converged) == (-2 * fit.llf, fit.converged)
    # Where it converges, it is the plain call: not run twice.
    assert found["plain", "tenth"] == replace(found["bfgs", "tenth"], method="plain")


def test_a_breakdown_is_recorded_with_its_message(models, monkeypatch) -> None:
    def broken(*_, **__):
        raise np.linalg.LinAlgError("Singular matrix")

    monkeypatch.setattr("twolevel.optimisers.audit.CountedMixedLM.fit", broken)
    found = audited(models, "one_way_anova", methods=("nm",))
    trial = found["nm", "identity"]
    assert np.isnan(trial.criterion)
    assert not trial.converged
    assert trial.messages == ("Singular matrix",)


def test_a_start_on_the_boundary_is_recorded(models) -> None:
    # A singular T has no inverse: MixedLM stays where it starts and says that its likelihood there is infinite.
    fitted = models["one_way_anova"]
    trials = audit_optimisers(fitted.design, fitted.data, np.zeros((1, 1)), ["bfgs"])
    (trial,) = (trial for trial in trials if (trial.method, trial.start) == ("bfgs", "optimum"))
    assert trial.criterion == -np.inf
    assert "singular" in trial.messages[0]


def trial(method="bfgs", start="identity", above=0.0, converged=True, evaluations=10, program="statsmodels"):
    return Trial(program, method, start, 1000.0 + above, converged, evaluations, 5, 0.1, ("careful", "twice"))


def test_tables_have_their_columns_and_distances() -> None:
    trials = [trial(above=2.5), trial(above=-np.inf), trial(above=np.nan)]
    table = audit_table("null", trials, 1000.0)
    said = ["criterion", "above_optimum", "converged", "evaluations", "gradients", "messages"]
    assert list(table) == ["model", "program", "method", "start", *said]
    assert table["above_optimum"].tolist()[0] == 2.5
    assert table["above_optimum"].isna().tolist() == [False, True, True]
    assert table["criterion"].tolist()[1] == -np.inf
    assert table["messages"].tolist() == ["careful; twice"] * 3
    times = seconds_table("null", trials)
    assert list(times) == ["model", "program", "method", "start", "seconds"]
    assert times["seconds"].tolist() == [0.1] * 3


def test_models_are_gathered_as_they_are_written(tmp_path) -> None:
    paths = []
    for name in ("a", "b"):
        paths.append(str(tmp_path / f"{name}.csv"))
        audit_table(name, [trial(above=1 / 3)], 1000.0).to_csv(paths[-1], index=False, lineterminator="\n")
    fits = [tmp_path / name / "fit.json" for name in ("a", "b")]
    for fit in fits:
        fit.parent.mkdir()
        fit.write_text(json.dumps({"fingerprint": {"data": fit.parent.name}}), encoding="utf-8")
    out = SimpleNamespace(**{name: tmp_path / f"{name}.csv" for name in ("trials", "seconds", "about")})
    gather_audit.main(list(map(str, fits)), paths, paths, out)
    assert json.loads(out.about.read_text())["models"] == {"a": {"data": "a"}, "b": {"data": "b"}}
    expected = pd.concat([audit_table(name, [trial(above=1 / 3)], 1000.0) for name in ("a", "b")])
    assert (tmp_path / "trials.csv").read_text() == expected.to_csv(index=False, lineterminator="\n")


# --- what the report says of it


def table(**trials):
    """`optimiser_audit.csv` of these models; every trial that is not named ends at the optimum."""
    usual = [trial(method, start) for start in ("identity", "tenth", "optimum") for method in ("plain", "bfgs", "nm")]
    usual += [trial(method, program="profiled") for method in ("bounded", "unbounded")]
    parts = []
    for model, changes in trials.items():
        changed = {(t.method, t.start): t for t in changes}
        parts.append(audit_table(model, [changed.get((t.method, t.start), t) for t in usual], 1000.0))
    return pd.concat(parts, ignore_index=True)


def said(made) -> str:
    return " ".join(read_audit(made).sentences).replace("\xa0", " ")


def test_where_all_is_well_it_is_said() -> None:
    text = said(table(a=[], b=[]))
    for sentence in (
        "Plain MixedLM.fit(), from its own start, found the optimum of all 2 models.",
        "From the identity, its own start, every method of MixedLM (bfgs and nm) found the optimum of every model.",
        "From the optimum every method of MixedLM (bfgs and nm) found the optimum of every model.",
        "Of all 18 searches by MixedLM.fit(), none missed the optimum.",
        "without bounds, from the identity, found the optimum of every model.",
        "Every search that was tried from the identity found the optimum of every model.",
    ):
        assert sentence in text
    assert "finite" not in text


def test_misses_are_counted_and_named() -> None:
    made = table(
        a=[trial("plain", above=200.75, converged=False), trial("bfgs", above=200.75, converged=False)],
        b=[trial("plain", above=0.24), trial("bfgs", above=-np.inf), trial("nm", above=0.009, converged=False)],
        c=[trial("bounded", above=8.25, program="profiled")],
    )
    text = said(made)
    for sentence in (
        "missed the optimum of 2 of 3 models, by the most in a (by 200.75); in 1 of these 2 it said that it had",
        "its own start, MixedLM found the optimum of every model by nm; it missed it by bfgs (in 2 of 3)",
        "From a tenth of the identity every method of MixedLM (bfgs and nm) found the optimum of every model.",
        "Of all 27 searches by MixedLM.fit(), 4 missed the optimum, and 2 of these said “converged”; of the 23 that "
        "found it, 1 said that they had not.",
        "1 ended without a finite criterion (the log-likelihood was infinite, or the computation broke down), and 1 of",
        "Of the searches that were tried from the identity, MixedLM by nm and this project's Newton search found the "
        "optimum of every model; each of the others missed one.",
    ):
        assert sentence in text
    bfgs = next(s for s in read_audit(made).searches["the identity"] if s.method == "bfgs")
    assert bfgs.worst is not None
    assert (len(bfgs.missed), bfgs.misled, bfgs.worst.model) == (2, 1, "b")  # nothing is farther than not finite


def test_a_lower_criterion_than_the_optimum_s_is_no_success_unsaid() -> None:
    text = said(table(a=[trial("nm", above=-0.5)]))
    assert (
        "ended below what is called the optimum here, which it therefore is not: a (MixedLM, nm, 0.50 lower)." in text
    )
    assert "ended below" not in said(table(a=[trial("nm", above=-1e-9)]))


def test_one_model_is_spoken_of_as_one() -> None:
    assert "found the optimum of the one model." in said(table(a=[]))
    text = said(table(a=[trial("plain", above=3.0)]))
    assert "missed the optimum in a (by 3.00), and it said that it had converged." in text


def test_where_every_default_misses_it_is_said() -> None:
    every = [trial(method, above=1.0) for method in ("plain", "bfgs", "nm", "bounded", "unbounded")]
    text = said(table(a=every))
    assert "Every search that was tried from the identity missed an optimum." in text
    assert "its own start, MixedLM missed an optimum by every method: bfgs (in 1 of 1) and nm (in 1 of 1)." in text
