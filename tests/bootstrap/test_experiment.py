"""A bootstrap in parts: however it is divided it is the same, and what does not belong together is refused."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from simulated import experiment, unbalanced_table
from twolevel.bootstrap.experiment import Experiment, fingerprint, from_arrays, to_arrays
from twolevel.bootstrap.parts import Part, part_from_arrays, part_to_arrays, run_part, share, unite
from twolevel.bootstrap.replicates import Replicates
from twolevel.errors import UserError
from twolevel.model.formula import build_design

REPLICATES = 83


def made(
    reml: bool = True, sigma: float = 1.5, slope: float = 0.0, name: str = "comparisons/slopes", **table: Any
) -> Experiment:
    """A comparison of a random intercept with a random slope."""
    data = unbalanced_table()
    data = data.assign(**{column: data[column] + change for column, change in table.items()})
    designs = tuple(build_design(formula, data) for formula in ("y ~ x + (1 | g)", "y ~ x + (x | g)"))
    return experiment(designs, (np.eye(1), np.diag([1.0, slope])), sigma, reml=reml, name=name)


def parts_of(of: Experiment, parts: int, replicates: int = REPLICATES, seed: int = 7) -> list[Part]:
    return [run_part(of, seed, share(part, parts, replicates)) for part in range(1, parts + 1)]


@pytest.fixture(scope="module")
def whole() -> tuple[Replicates, ...]:
    return unite(made(), 7, REPLICATES, parts_of(made(), 1)).fits


# ---------------------------------------------------------------------------------------- dividing


@pytest.mark.parametrize("replicates", [1, 2, 7, 39, 40, 10_000])
@pytest.mark.parametrize("parts", [1, 2, 7, 40])
def test_shares_are_all_replicates_once_and_even(parts: int, replicates: int) -> None:
    shares = [share(part, parts, replicates) for part in range(1, parts + 1)]
    assert [number for of in shares for number in of] == list(range(1, replicates + 1))
    sizes = [len(of) for of in shares]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("parts", [1, 7, 40, 100])
def test_parts_make_the_same_bytes(parts: int, whole: tuple[Replicates, ...]) -> None:
    # 100 parts of 83 replicates: some have none.
    of = made()
    stored = [part_from_arrays(part_to_arrays(part)) for part in reversed(parts_of(of, parts))]
    for one, other in zip(whole, unite(from_arrays(to_arrays(of)), 7, REPLICATES, stored).fits, strict=True):
        for field in fields(Replicates):
            ours, theirs = getattr(one, field.name), getattr(other, field.name)
            assert ours.dtype == theirs.dtype
            assert ours.tobytes() == theirs.tobytes(), field.name


def test_an_experiment_is_what_was_stored() -> None:
    of = made()
    again = from_arrays(to_arrays(of))
    assert again.name == of.name
    assert fingerprint(again, 7) == fingerprint(of, 7)
    stored, restored = to_arrays(of), to_arrays(again)
    assert stored.keys() == restored.keys()
    for name, array in stored.items():
        np.testing.assert_array_equal(array, restored[name], err_msg=name)
        assert array.dtype == restored[name].dtype
    assert [target.reml for target in again.targets] == [True, True]


# ---------------------------------------------------------------------------------------- what does not belong together

OTHERS: dict[str, Any] = {
    "another seed": (made, 8),
    "another estimator": (lambda: made(reml=False), 7),
    "another residual SD": (lambda: made(sigma=1.5 + 1e-12), 7),
    "another start": (lambda: made(slope=0.5), 7),
    "another name": (lambda: made(name="comparisons/others"), 7),
    "another predictor": (lambda: made(x=unbalanced_table()["t"]), 7),
    "another response": (lambda: made(y=1e-6 * unbalanced_table()["t"]), 7),
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_part_of_another_bootstrap_is_refused(other: str) -> None:
    make, seed = OTHERS[other]
    parts = parts_of(made(), 3)
    parts[1] = run_part(make(), seed, parts[1].replicates)
    with pytest.raises(UserError) as refused:
        unite(made(), 7, REPLICATES, parts)
    message = str(refused.value)
    assert "comparisons/slopes: bootstrap replicates 28 to 55 were made with another model" in message
    assert parts[1].experiment[:12] in message
    assert fingerprint(made(), 7)[:12] in message
    assert "Delete results/comparisons/slopes/replicates and run snakemake again." in message


def test_parts_that_are_not_all_replicates_once_are_refused() -> None:
    of, parts = made(), parts_of(made(), 4)
    cases = {
        "1-20, 42-62, 63-83": [parts[0], *parts[2:]],  # the second is missing
        "1-20, 21-41, 21-41, 42-62, 63-83": [*parts, parts[1]],  # the second is there twice
        "1-20, 21-41, 42-62": parts[:3],
        "21-41, 42-62, 63-83": parts[1:],
        "1-41, 21-41, 42-62, 63-83": [run_part(of, 7, range(1, 42)), *parts[1:]],  # they overlap
    }
    for found, some in cases.items():
        with pytest.raises(UserError) as refused:
            unite(of, 7, REPLICATES, some)
        expected = f"the parts of the bootstrap hold replicates {found}; expected 1-83, each once. Delete results/"
        assert expected in str(refused.value)
    with pytest.raises(UserError, match="hold replicates 1-20, 21-41, 42-62, 63-83; expected 1-84, each once"):
        unite(of, 7, 84, parts)
    with pytest.raises(UserError, match="expected 1-82, each once"):
        unite(of, 7, 82, parts)
    with pytest.raises(UserError, match="expected 1-83, each once"):
        unite(of, 7, REPLICATES, [])


def test_the_fingerprint_knows_every_number_that_decides_a_replicate() -> None:
    of = made()
    known = {fingerprint(of, 7), fingerprint(of, 8)}
    for name, array in to_arrays(of).items():
        if array.dtype.kind == "U" or not array.size:
            continue
        changed = array.copy()
        flat = changed.reshape(-1)
        flat[-1] = not flat[-1] if array.dtype.kind == "b" else flat[-1] + 1
        known.add(fingerprint(from_arrays({**to_arrays(of), name: changed}), 7))
    changeable = sum(array.dtype.kind != "U" and array.size > 0 for array in to_arrays(of).values())
    assert len(known) == 2 + changeable
    assert fingerprint(replace(of, name="comparisons/others"), 7) not in known
