"""A bootstrap that can be split over jobs: what is simulated and fitted, its parts, and their union."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from hashlib import sha256
from typing import Any

import numpy as np

from twolevel.bootstrap.replicates import Replicates, Target, joined, replicate_fits
from twolevel.bootstrap.simulate import Simulator, View, projection
from twolevel.bootstrap.streams import stream_key
from twolevel.errors import UserError
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


@dataclass(frozen=True)
class Part:
    """Some replicates of an experiment.

    Attributes
    ----------
    experiment : fingerprint of the experiment and its settings
    replicates : their numbers, counted from 1
    fits : one for each target
    found : what a calibration found in each, as arrays with a row for each replicate, by name
    """

    experiment: str
    replicates: range
    fits: tuple[Replicates, ...]
    found: Arrays = field(default_factory=dict)


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


def run_part(experiment: Experiment, seed: int, replicates: range, threads: int = 1, inner: int = 0) -> Part:
    """Simulate and fit the replicates with these numbers, in `threads` threads.

    `inner` is how many replicates the bootstrap of each of them has, where each is bootstrapped in its turn.
    """
    key = stream_key(seed, experiment.name)
    fits = replicate_fits(experiment.simulator, experiment.targets, key, replicates, threads)
    return Part(fingerprint(experiment, seed, inner), replicates, fits)


def share(part: int, parts: int, replicates: int) -> range:
    """The numbers of the replicates in part 1, 2, ... of `parts` parts."""
    first, end = (replicates * k // parts + 1 for k in (part - 1, part))
    return range(first, end)


def unite(experiment: Experiment, seed: int, replicates: int, parts: Sequence[Part], inner: int = 0) -> Part:
    """All replicates of an experiment, in order; the parameters are those of `run_part`.

    Raises
    ------
    UserError
        A part belongs to another experiment, or replicates are missing or occur more than once.
    """
    expected = fingerprint(experiment, seed, inner)
    for part in parts:
        if part.experiment != expected:
            raise UserError(
                f"{experiment.name}: bootstrap replicates {part.replicates.start} to {part.replicates.stop - 1} were "
                f"made with another model, other data, another seed{' or number of replicates' if inner else ''} "
                f"(fingerprint {part.experiment[:12]}, expected {expected[:12]}). Delete "
                f"results/{experiment.name}/replicates and run snakemake again."
            )
    in_order = sorted(parts, key=lambda part: part.replicates.start)
    numbers = [number for part in in_order for number in part.replicates]
    if numbers != list(range(1, replicates + 1)):
        found = ", ".join(f"{part.replicates.start}-{part.replicates.stop - 1}" for part in in_order)
        raise UserError(
            f"{experiment.name}: the parts of the bootstrap hold replicates {found}; expected 1-{replicates}, each "
            f"once. Delete results/{experiment.name}/replicates and run snakemake again."
        )
    fits = tuple(joined(of) for of in zip(*(part.fits for part in in_order), strict=True))
    rest = {name: np.concatenate([part.found[name] for part in in_order]) for name in in_order[0].found}
    return Part(expected, range(1, replicates + 1), fits, rest)


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
                data=CrossProducts(**_fields(CrossProducts, arrays, i) | {"blocks": _blocks(arrays, i)}),
                start=arrays[f"{i} start"],
                reml=bool(arrays[f"{i} reml"]),
            )
            for i in range(count)
        ),
    )


def part_to_arrays(part: Part) -> dict[str, np.ndarray]:
    """A part as named arrays, to be stored."""
    arrays = {
        "experiment": np.array(part.experiment),
        "replicates": np.array([part.replicates.start, part.replicates.stop]),
    }
    for i, fits in enumerate(part.fits):
        arrays |= {f"{i} {name}": array for name, array in asdict(fits).items()}
    return arrays | {f"found {name}": array for name, array in part.found.items()}


def part_from_arrays(arrays: Arrays) -> Part:
    """The part that `part_to_arrays` stored."""
    count = sum(name.endswith(" criterion") for name in arrays)
    return Part(
        experiment=str(arrays["experiment"]),
        replicates=range(*map(int, arrays["replicates"])),
        fits=tuple(Replicates(**_fields(Replicates, arrays, i)) for i in range(count)),
        found={name.removeprefix("found "): array for name, array in arrays.items() if name.startswith("found ")},
    )


def _blocks(arrays: Arrays, i: int) -> Blocks:
    return tuple(arrays[f"{i} blocks"].tolist())


def _fields(stored: type, arrays: Arrays, i: int) -> dict[str, Any]:
    """The fields of a dataclass of target i; numbers were stored as arrays without dimensions."""
    values = {field.name: arrays[f"{i} {field.name}"] for field in fields(stored)}
    return {name: value if value.ndim else value.item() for name, value in values.items()}
