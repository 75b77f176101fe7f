"""Does any bootstrap replicate miss the optimum that a search from several starts finds?

    PYTHONPATH=workflow:tests nice python tests/reference/multistart_check.py [replicates [random starts]]

fits every model, simulates as the pipeline does, with its seed, and searches again from two fixed and several random
starts (10,000 replicates and 6 unless told otherwise). Prints a line for each model and each comparison: the largest
gap between a replicate's criterion and the best one found, and the numbers of the replicates that miss it by more
than 1e-6. Ends with 1 where there are any.
"""

import sys
from pathlib import Path

import numpy as np
import yaml
from simulated import experiment, gaps
from twolevel.bootstrap.experiment import Experiment
from twolevel.data.columns import check_columns
from twolevel.data.source import read_table
from twolevel.fitting.search import search, starts
from twolevel.likelihood.crossproducts import cross_products
from twolevel.likelihood.deviance import factor, profile
from twolevel.model.derive import derive
from twolevel.model.formula import build_design

ROOT = Path(__file__).resolve().parents[2]
TOLERANCE = 1e-6
CHUNK = 500


def experiments() -> list[Experiment]:
    """Those of the pipeline."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    snapshot = ROOT / config["data"]["snapshot"]
    raw = read_table(snapshot.read_bytes(), snapshot.suffix, snapshot.name)
    checked = check_columns(
        raw, config["data"]["columns"], config["data"]["group"], keep=config["derive"], name=snapshot.name
    )
    table = derive(checked, config["data"]["group"], config["derive"])
    designs = {name: build_design(of["formula"], table) for name, of in config["models"].items()}
    wanted = {f"models/{name}": ((name,), True) for name in designs} | {
        f"comparisons/{name}": ((of["null_model"], of["alternative_model"]), of["estimator"] == "REML")
        for name, of in config["comparisons"].items()
    }
    made = []
    for name, (models, reml) in wanted.items():
        some = tuple(designs[model] for model in models)
        data = tuple(map(cross_products, some))
        optima = [search(of, reml, starts(of, 4, 2002)).best.theta for of in data]
        lowers = tuple(factor(theta, of.blocks) for theta, of in zip(optima, data, strict=True))
        sigma = profile(optima[0], data[0], reml).sigma
        made.append(experiment(some, lowers, sigma, reml=reml, name=name))
    return made


def main(replicates: int = 10_000, random_starts: int = 6) -> int:
    """Print what was found; return 1 where a replicate misses."""
    missed = 0
    for of in experiments():
        chunks = [range(first, min(first + CHUNK, replicates + 1)) for first in range(1, replicates + 1, CHUNK)]
        found = np.concatenate([gaps(of, chunk, random_starts) for chunk in chunks], axis=1)
        for t, gap in enumerate(found):
            misses = np.flatnonzero(gap > TOLERANCE) + 1
            missed += len(misses)
            role = ("", " (null)", " (alternative)")[t + (len(found) > 1)]
            print(  # noqa: T201
                f"{of.name}{role}: {len(misses)} of {replicates} replicates miss {misses[:20].tolist()}; gaps from "
                f"{gap.min():.2e} to {gap.max():.2e}",
                flush=True,
            )
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
