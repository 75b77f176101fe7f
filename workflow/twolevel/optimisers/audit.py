"""Where the optimisers that a user would try end: MixedLM by its methods, and BOBYQA within lme4's bounds.

Every search gets the model in the units of the data, as a user would give it, and begins at one of three relative
covariance matrices T / sigma^2: the identity, which is the default start of MixedLM and lme4; a tenth of it; the
optimum. MixedLM profiles the fixed effects out, so their starting values do not matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import process_time

import numpy as np
import pandas as pd
from statsmodels.regression.mixed_linear_model import MixedLM, MixedLMParams

from twolevel.fitting.mixedlm import free_parameters, run
from twolevel.fitting.search import FLAT, descend
from twolevel.likelihood.crossproducts import CrossProducts
from twolevel.likelihood.deviance import from_lme4, pack
from twolevel.model.design import Design, Floats
from twolevel.optimisers.bounded import bounded_fit

# `.fit()` without a method tries these in turn, each from where the one before it ended, until one says that it
# converged (statsmodels 0.15).
PLAIN = ("bfgs", "lbfgs", "cg")

IDENTITY = "identity"


@dataclass(frozen=True)
class Trial:
    """One search, by REML.

    Attributes
    ----------
    program : "statsmodels", or "profiled" for the profiled criterion
    method : a method of `MixedLM.fit()`, or "plain" for none; "bounded" (`bounded.bounded_fit`), or "unbounded"
    start : "identity", "tenth" or "optimum"
    criterion : at the end; minus infinity where MixedLM says that the log-likelihood is infinite, not a number where it
        broke down
    converged : what it said
    evaluations, gradients : of the criterion and of its gradient
    seconds : of CPU time, from the data to the result
    messages : its warnings, or why it broke down
    """

    program: str
    method: str
    start: str
    criterion: float
    converged: bool
    evaluations: int
    gradients: int
    seconds: float
    messages: tuple[str, ...] = ()


class CountedMixedLM(MixedLM):  # type: ignore[misc]  # statsmodels has no types
    """MixedLM that counts how often its criterion and its gradient are computed."""

    evaluations = 0
    gradients = 0

    def loglike(self, *args: object, **kwargs: object) -> float:
        """Count one evaluation of the criterion."""
        self.evaluations += 1
        return float(super().loglike(*args, **kwargs))

    def score(self, *args: object, **kwargs: object) -> Floats:
        """Count one evaluation of its gradient."""
        self.gradients += 1
        return np.asarray(super().score(*args, **kwargs))


def audit_optimisers(
    design: Design, data: CrossProducts, relative_covariance: Floats, methods: Sequence[str]
) -> list[Trial]:
    """Try every method of MixedLM from every start, and both searches of the profiled criterion from the identity.

    Parameters
    ----------
    design, data : the model
    relative_covariance : (q, q) T / sigma^2 at the optimum by REML
    methods : of `MixedLM.fit()`; to try none, as a plain call does, comes on top
    """
    starts = {IDENTITY: None, "tenth": 0.1 * np.eye(len(data.s)), "optimum": relative_covariance}
    trials = [trial for name, start in starts.items() for trial in _from_one_start(design, name, start, methods)]
    return [*trials, _bounded(data), _unbounded(data)]


def audit_table(model: str, trials: Sequence[Trial], optimum: float) -> pd.DataFrame:
    """A row for each trial; `above_optimum`, the distance from the optimum's criterion, only where there is one."""
    table = _table(model, trials).drop(columns="seconds")
    above = table["criterion"] - optimum
    table.insert(5, "above_optimum", above.where(np.isfinite(above)))
    return table.assign(messages=table["messages"].map("; ".join))


def seconds_table(model: str, trials: Sequence[Trial]) -> pd.DataFrame:
    """How long each trial took, in seconds of CPU time."""
    return _table(model, trials)[["model", "program", "method", "start", "seconds"]]


def _table(model: str, trials: Sequence[Trial]) -> pd.DataFrame:
    return pd.DataFrame([{"model": model, **vars(trial)} for trial in trials])


def _from_one_start(design: Design, name: str, start: Floats | None, methods: Sequence[str]) -> list[Trial]:
    """The plain call and each method; where the first of the plain call's methods converges, that is the plain call."""
    found = {method: _mixedlm(design, name, start, method) for method in methods}
    first = found.get(PLAIN[0])
    if first is not None and first.converged:
        plain = replace(first, method="plain")
    else:
        plain = _mixedlm(design, name, start, "plain")
    return [plain, *found.values()]


def _mixedlm(design: Design, name: str, start: Floats | None, method: str) -> Trial:
    """Call MixedLM as a user would; without a start it takes the identity. Independent blocks have to be declared."""
    options: dict[str, object] = {"free": free_parameters(design.x.shape[1], design.blocks)}
    options |= {} if method == "plain" else {"method": [method]}
    if start is not None:
        options["start_params"] = MixedLMParams.from_components(fe_params=np.zeros(design.x.shape[1]), cov_re=start)
    began = process_time()
    model = CountedMixedLM(design.y, design.x, groups=design.group_index, exog_re=design.z)
    fit = run(model, reml=True, **options)
    return Trial(
        program="statsmodels",
        method=method,
        start=name,
        criterion=fit.criterion,
        converged=fit.converged,
        evaluations=model.evaluations,
        gradients=model.gradients,
        seconds=process_time() - began,
        messages=fit.messages,
    )


def _bounded(data: CrossProducts) -> Trial:
    bounded_fit(data, reml=True)  # the first call loads what is compiled, which is not to be timed
    began = process_time()
    fit = bounded_fit(data, reml=True)
    seconds = process_time() - began
    criterion = fit.criterion if np.isfinite(fit.criterion) else np.nan
    said = () if fit.converged else (fit.status,)
    # Each evaluation gives the gradient too, but BOBYQA has no use for it.
    return Trial("profiled", "bounded", IDENTITY, criterion, fit.converged, fit.evaluations, 0, seconds, said)


def _unbounded(data: CrossProducts) -> Trial:
    """Our own search from lme4's start: Newton's method, with gradient and Hessian at every step."""
    start = pack(from_lme4(pack(np.eye(len(data.s)), data.blocks), data), data.blocks)
    descend(data, True, IDENTITY, start)
    began = process_time()
    found = descend(data, True, IDENTITY, start)
    seconds = process_time() - began
    said = found.gradient_norm <= FLAT
    counted = found.evaluations
    return Trial("profiled", "unbounded", IDENTITY, found.criterion, said, counted, counted, seconds)
