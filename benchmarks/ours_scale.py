"""How this project scales: one size, in a process of its own.

    python benchmarks/ours_scale.py SCHOOLS STUDENTS

prints JSON: seconds to build the design, for the cross-products, for the fit, to prepare the simulation, and for a
replicate.
"""

import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))
from ours import Fitted, bootstrap
from twolevel.model.formula import build_design

# Replicates at HSB's 160 schools; fewer with more schools.
REPLICATES = 4000


def generate(schools: int, students: int) -> pd.DataFrame:
    """Draw data from the estimates for HSB: intercept 12.64, slope 2.19, SDs 2.95, 0.83 and, within schools, 6.06."""
    random = np.random.default_rng(1)
    school = np.arange(students) % schools
    x = random.normal(scale=0.66, size=students)
    intercept, slope = random.normal((12.64, 2.19), (2.95, 0.83), size=(schools, 2)).T
    y = intercept[school] + slope[school] * x + random.normal(scale=6.06, size=students)
    return pd.DataFrame({"y": y, "x": x, "school": school.astype(str)})


if __name__ == "__main__":
    schools, students = map(int, sys.argv[1:])
    warm = Fitted(build_design("y ~ x + (x | school)", generate(10, 200)), reml=True)
    bootstrap([warm], 2, seed=0)  # compiles
    table = generate(schools, students)
    clock = [time.perf_counter()]
    model = Fitted(build_design("y ~ x + (x | school)", table), reml=True)
    clock.append(time.perf_counter())
    model.data  # noqa: B018  (computed at first use)
    clock.append(time.perf_counter())
    model.theta  # noqa: B018
    clock.append(time.perf_counter())
    bootstrap([model], 1, seed=0)  # prepares to simulate
    clock.append(time.perf_counter())
    samples = max(20, REPLICATES * 160 // schools)
    for seed in (1, 2, 3):
        bootstrap([model], samples + 1, seed)
        clock.append(time.perf_counter())
    design, products, fit, one, *all_of_them = np.diff(clock).tolist()
    replicate = (statistics.median(all_of_them) - one) / samples
    seconds = {
        "design_seconds": design,
        "cross_products_seconds": products,
        "fit_seconds": fit,
        "simulator_seconds": one - replicate,
        "replicate_seconds": replicate,
    }
    print(json.dumps(seconds))
