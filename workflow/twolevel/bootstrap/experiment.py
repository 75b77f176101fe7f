"""What a bootstrap simulates and fits, and its fingerprint."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Any

import numpy as np

from twolevel.bootstrap.replicates import Target
from twolevel.bootstrap.simulate import Simulator, View, projection
from twolevel.likelihood.crossproducts import CrossProducts
from twolevel.likelihood.deviance import from_lme4, pack
from twolevel.model.blocks import Blocks
from twolevel.model.design import Design, Floats

# A search starts with every random effect at least this large, relative to the residual. At a variance of zero it would
# start on a saddle, where the gradient is zero.
LEAST_START = 0.1

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Experiment:
    """What is simulated, and which models are fitted to it.

    Attributes
    ----------
    name : names the random streams
    simulator : of the first model's responses
    targets : the models, the one simulated from first
    """

    name: str
    simulator: Simulator
    targets: tuple[Target, ...]


def target(data: CrossProducts, lower: Floats, *, reml: bool) -> Target:
    """A model to fit to simulated data, searched from near the factor `lower` (q, q) in the coordinates of `data`."""
    raised = lower + np.diag(np.maximum(LEAST_START - np.diag(lower), 0.0))
    return Target(data=data, start=pack(raised, data.blocks), reml=reml)


def experiment_of(
    name: str,
    designs: tuple[Design, ...],
    data: tuple[CrossProducts, ...],
    lowers: Sequence[Floats],
    sigma: float,
    *,
    reml: bool,
) -> Experiment:
    """Responses simulated from the fit of the first model, to which each of the models is fitted.

    Parameters
    ----------
    name : names the random streams
    designs, data : the models, on the same observations and groups
    lowers : of each fit, the relative covariance factor (q, q) in the coordinates of its cross-products
    sigma : residual standard deviation of the first
    reml : by which estimator all are fitted
    """
    targets = tuple(target(of, lower, reml=reml) for of, lower in zip(data, lowers, strict=True))
    return Experiment(name, projection(designs, data).simulator(lowers[0], sigma), targets)


def comparison_experiment(
    name: str,
    designs: tuple[Design, Design],
    data: tuple[CrossProducts, CrossProducts],
    fits: Sequence[Mapping[str, Any]],
) -> Experiment:
    """Responses simulated from a null model, to which it and its alternative are fitted by the estimator of the fits.

    Parameters
    ----------
    fits : theta, sigma and estimator of both, as in `fit.json`
    """
    lowers = [from_lme4(fit["theta"], of) for of, fit in zip(data, fits, strict=True)]
    return experiment_of(name, designs, data, lowers, fits[0]["sigma"], reml=fits[0]["estimator"] == "REML")


def fingerprint(experiment: Experiment, seed: int, inner: int = 0) -> str:
    """SHA-256 of everything on which the replicates depend."""
    digest = sha256(f"{experiment.name} {seed} {inner}".encode())
    for name, array in sorted(to_arrays(experiment).items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def to_arrays(experiment: Experiment) -> dict[str, np.ndarray]:
    """An experiment as named arrays, to be stored."""
    simulator = experiment.simulator
    arrays = {
        "name": np.array(experiment.name),
        "root": simulator.root,
        "residual_variance": np.array(simulator.residual_variance),
        "residual_df": np.array(simulator.residual_df),
    }
    for i, (view, of) in enumerate(zip(simulator.views, experiment.targets, strict=True)):
        arrays |= {f"{i} z": view.z, f"{i} x": view.x, f"{i} start": of.start, f"{i} reml": np.array(of.reml)}
        arrays |= {f"{i} {field.name}": np.asarray(getattr(of.data, field.name)) for field in fields(CrossProducts)}
    return arrays


def from_arrays(arrays: Arrays) -> Experiment:
    """The experiment that `to_arrays` stored."""
    count = sum(name.endswith(" start") for name in arrays)
    return Experiment(
        name=str(arrays["name"]),
        simulator=Simulator(
            root=arrays["root"],
            residual_variance=float(arrays["residual_variance"]),
            residual_df=int(arrays["residual_df"]),
            views=tuple(View(arrays[f"{i} z"], arrays[f"{i} x"]) for i in range(count)),
        ),
        targets=tuple(
            Target(
                data=CrossProducts(**stored_fields(CrossProducts, arrays, i) | {"blocks": _blocks(arrays, i)}),
                start=arrays[f"{i} start"],
                reml=bool(arrays[f"{i} reml"]),
            )
            for i in range(count)
        ),
    )


def stored_fields(stored: type, arrays: Arrays, i: int) -> dict[str, Any]:
    """The fields of a dataclass of target i; numbers were stored as arrays without dimensions."""
    values = {field.name: arrays[f"{i} {field.name}"] for field in fields(stored)}
    return {name: value if value.ndim else value.item() for name, value in values.items()}


def _blocks(arrays: Arrays, i: int) -> Blocks:
    return tuple(arrays[f"{i} blocks"].tolist())
