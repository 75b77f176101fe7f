"""The project itself, on the tasks that the peers have.

python benchmarks/ours.py RESPONSES         as a peer: warm, timed inside
python benchmarks/ours.py test|intervals    the task once, from reading the data; timed from outside
"""

import sys
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))
import twolevel
from common import SNAPSHOT, Array, Task, main
from twolevel.bootstrap.replicates import Replicates, Target, replicate_fits
from twolevel.bootstrap.simulate import projection
from twolevel.bootstrap.streams import stream_key
from twolevel.fitting.search import descend
from twolevel.likelihood.crossproducts import CrossProducts, cross_products
from twolevel.likelihood.deviance import factor, pack, profile
from twolevel.model.design import Design
from twolevel.model.formula import build_design
from twolevel.model.parameters import parameter_values

NULL = "mathach ~ cses + (1 | school)"
FULL = "mathach ~ cses + minority + (1 | school)"
COEFFICIENTS = "mathach ~ cses + (cses | school)"
SAMPLES = {"test": 1000, "intervals": 500}


@dataclass(frozen=True)
class Fitted:
    """A model, and its optimum theta (k,) in the coordinates of the cross-products."""

    design: Design
    reml: bool

    @cached_property
    def data(self) -> CrossProducts:
        """Its cross-products."""
        return cross_products(self.design)

    @cached_property
    def theta(self) -> Array:
        """Where a search from the identity ends."""
        start = pack(np.eye(len(self.data.s)), self.data.blocks)
        return descend(self.data, self.reml, "identity", start).theta

    def refit(self, y: Array) -> "Fitted":
        """The same model for another response."""
        return Fitted(replace(self.design, y=y), self.reml)


def read(formula: str, reml: bool) -> Fitted:
    """Read the data and build a model."""
    table = pd.read_csv(SNAPSHOT, dtype={"school": str})
    table["minority"] = pd.Categorical(table["minority"], ["No", "Yes"])
    return Fitted(build_design(formula, table), reml)


def bootstrap(models: list[Fitted], samples: int, seed: int, threads: int = 1) -> tuple[Replicates, ...]:
    """Simulate from the first model and fit all of them."""
    first = models[0]
    at = profile(first.theta, first.data, first.reml)
    project = projection(tuple(model.design for model in models), [model.data for model in models])
    simulate = project.simulator(factor(first.theta, first.data.blocks), at.sigma)
    targets = tuple(Target(model.data, model.theta, model.reml) for model in models)
    return replicate_fits(simulate, targets, stream_key(seed, "benchmark"), range(samples), threads)


def statistics(null: Fitted, full: Fitted, samples: int, seed: int, threads: int = 1) -> Array:
    """Likelihood ratio statistics of minority."""
    at_null, at_full = bootstrap([null, full], samples, seed, threads)
    return at_null.criterion - at_full.criterion


def intervals(model: Fitted, samples: int, seed: int, threads: int = 1) -> Array:
    """Replicates of PARAMETERS."""
    truth = profile(model.theta, model.data, model.reml).beta
    (found,) = bootstrap([model], samples, seed, threads)
    return as_parameters(model, found, truth)


def as_parameters(model: Fitted, found: Replicates, truth: Array) -> Array:
    """Bring replicates to PARAMETERS."""
    lower = np.asarray(np.linalg.solve(model.data.s, factor(found.theta, model.data.blocks)), dtype=np.float64)
    return parameter_values(
        lower, found.sigma, truth + np.linalg.solve(model.data.r, found.delta.T).T, model.data.blocks
    )


def statistic(null: Fitted, full: Fitted, y: Array) -> float:
    """Likelihood ratio statistic of minority for one response."""
    at_null, at_full = (profile(model.theta, model.data, False) for model in (null.refit(y), full.refit(y)))
    return at_null.criterion - at_full.criterion


def estimate(model: Fitted, y: Array) -> list[float]:
    """PARAMETERS for one response."""
    again = model.refit(y)
    at = profile(again.theta, again.data, again.reml)
    lower = again.data.own_units(factor(again.theta, again.data.blocks))
    return list(map(float, parameter_values(lower, at.sigma, at.beta, again.data.blocks)))


if __name__ == "__main__":
    if sys.argv[1] == "test":
        statistics(read(NULL, reml=False), read(FULL, reml=False), SAMPLES["test"], seed=1)
    elif sys.argv[1] == "intervals":
        intervals(read(COEFFICIENTS, reml=True), SAMPLES["intervals"], seed=1)
    else:
        null, full, slopes = read(NULL, reml=False), read(FULL, reml=False), read(COEFFICIENTS, reml=True)
        how = "replicate_fits"
        tasks = []
        for threads in (1, 2):
            test_task = partial(statistics, null, full, threads=threads)
            intervals_task = partial(intervals, slopes, threads=threads)
            refits = (partial(statistic, null, full), partial(estimate, slopes))
            tasks += [
                Task("test", how, test_task, refits[0], SAMPLES["test"], repeats=15, threads=threads),
                Task("intervals", how, intervals_task, refits[1], SAMPLES["intervals"], repeats=15, threads=threads),
            ]
        main("this project", *tasks, version=twolevel.__version__)
