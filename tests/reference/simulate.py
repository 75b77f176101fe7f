"""Responses simulated from two models: each data set is the same on every machine, and is never stored.

    python tests/reference/simulate.py data/hsb_snapshot.csv DIRECTORY

writes DIRECTORY/<model>.f64, all data sets one after the other as little-endian doubles, for simulated_200.R
to read. Tests import `read_schools` and `simulated_response`. README.md beside this file says more.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

DATA_SETS = 200


@dataclass(frozen=True)
class Truth:
    """What the data come from: effects of (1, cses), covariance of the school effects, residual SD."""

    stream: int
    fixed_effects: tuple[float, float]
    covariance: tuple[tuple[float, ...], ...]
    sigma: float


# The REML estimates of lme4_reference.json, rounded. Rounded, so that making that file anew changes nothing
# here.
TRUTH = {
    "random_coefficients": Truth(1, (12.6362, 2.1932), ((8.6810, 0.0468), (0.0468, 0.6940)), 6.0581),
    "random_intercept": Truth(2, (12.6361, 2.1912), ((8.6723,),), 6.0836),
}


@dataclass(frozen=True)
class Schools:
    """The design: the school of each student, numbered in the order of the file, and the student's cses."""

    school: np.ndarray
    cses: np.ndarray


def read_schools(snapshot: Path) -> Schools:
    """Read the design from the project's snapshot."""
    table = pd.read_csv(snapshot, usecols=["school", "cses"])
    return Schools(pd.factorize(table["school"])[0], table["cses"].to_numpy())


def simulated_response(schools: Schools, model: str, data_set: int) -> np.ndarray:
    """Return y (one value per student) of data set 1, 2, ... 200 simulated from `model`.

    Each data set has its own Philox stream, keyed by model and number: the school effects come first, school
    by school, then one residual per student.
    """
    truth = TRUTH[model]
    random = np.random.Generator(np.random.Philox(key=[truth.stream, data_set]))
    factor = np.linalg.cholesky(np.array(truth.covariance))
    standard_effects = random.standard_normal((schools.school.max() + 1, len(factor)))
    coefficients = np.tile(truth.fixed_effects, (len(standard_effects), 1))
    coefficients[:, : len(factor)] += standard_effects @ factor.T
    intercept, slope = coefficients[schools.school].T
    return intercept + slope * schools.cses + truth.sigma * random.standard_normal(len(schools.cses))


def main(snapshot: Path, directory: Path) -> None:
    """Write every data set of both models for R."""
    schools = read_schools(snapshot)
    for model in TRUTH:
        responses = [simulated_response(schools, model, number) for number in range(1, DATA_SETS + 1)]
        np.concatenate(responses).astype("<f8").tofile(directory / f"{model}.f64")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
