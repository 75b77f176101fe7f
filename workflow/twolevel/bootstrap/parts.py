"""A bootstrap split over jobs: its parts, their union, and the same replicates block by block."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields

import numpy as np

from twolevel.bootstrap.experiment import Arrays, Experiment, fingerprint, stored_fields
from twolevel.bootstrap.replicates import Replicates, joined, replicate_fits
from twolevel.bootstrap.streams import stream_key
from twolevel.errors import UserError, counted


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
    in_order = sorted(parts, key=place)
    check_parts(experiment, seed, replicates, in_order, inner)
    return _together(in_order)


def place(part: Part) -> tuple[int, int]:
    """Where a part belongs among the others; one without replicates is before those that begin with its number."""
    return part.replicates.start, part.replicates.stop


def check_parts(experiment: Experiment, seed: int, replicates: int, parts: Sequence[Part], inner: int = 0) -> None:
    """Refuse parts that are not all replicates of an experiment in order; what is in the parts is not looked at.

    Raises
    ------
    UserError
        As of `unite`.
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
    ends = [0, *(part.replicates.stop - 1 for part in parts)]
    if ends[-1] != replicates or any(part.replicates.start != end + 1 for part, end in zip(parts, ends, strict=False)):
        found = ", ".join(f"{part.replicates.start}-{part.replicates.stop - 1}" for part in parts)
        raise UserError(
            f"{experiment.name}: the parts of the bootstrap hold replicates {found}; expected 1-{replicates}, each "
            f"once. Delete results/{experiment.name}/replicates and run snakemake again."
        )


def in_blocks(parts: Iterable[Part], size: int) -> Iterator[Part]:
    """The fits of parts that follow each other, `size` replicates at a time: two blocks and a part are in memory.

    What is computed block by block is then the same, whatever the parts are.
    """
    held: list[Part] = []
    room = size
    for part in parts:
        first = 0
        while first < len(part.replicates):
            held.append(_rows(part, first, first + room))
            first, room = first + room, room - len(held[-1].replicates)
            if not room:
                yield _together(held)
                held, room = [], size
        if held:
            held[-1] = _together(held[-1:])  # a copy, so that the part can go before the next is read
        del part
    if held:
        yield _together(held)


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
    """The part that `part_to_arrays` stored.

    Raises
    ------
    ValueError, KeyError
        An array is missing, or has not a row for each replicate.
    """
    count = len({name.split(" ")[0] for name in arrays if name[0].isdigit()})
    rows = int(np.ptp(arrays["replicates"]))
    for name, array in arrays.items():
        if name not in ("experiment", "replicates") and len(array) != rows:
            raise ValueError(f"{name!r} has {counted(len(array), 'row')}, and there are {rows} replicates")
    return Part(
        experiment=str(arrays["experiment"]),
        replicates=range(*map(int, arrays["replicates"])),
        fits=tuple(Replicates(**stored_fields(Replicates, arrays, i)) for i in range(count)),
        found={name.removeprefix("found "): array for name, array in arrays.items() if name.startswith("found ")},
    )


def _together(parts: Sequence[Part]) -> Part:
    """Parts that follow each other, as one."""
    fits = tuple(joined(of) for of in zip(*(part.fits for part in parts), strict=True))
    rest = {name: np.concatenate([part.found[name] for part in parts]) for name in parts[0].found}
    return Part(parts[0].experiment, range(parts[0].replicates.start, parts[-1].replicates.stop), fits, rest)


def _rows(part: Part, first: int, end: int) -> Part:
    """Some rows of a part."""
    fits = tuple(
        Replicates(**{field.name: getattr(of, field.name)[first:end] for field in fields(of)}) for of in part.fits
    )
    return Part(part.experiment, part.replicates[first:end], fits)
