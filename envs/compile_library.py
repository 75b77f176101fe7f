"""Compile the library's loops, so that the first run need not; what is compiled is kept beside the source.

A change of the library compiles what it changes at its next use.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))

from twolevel.bootstrap.experiment import target
from twolevel.bootstrap.replicates import replicate_fits
from twolevel.bootstrap.simulate import projection
from twolevel.bootstrap.streams import stream_key
from twolevel.likelihood.crossproducts import cross_products
from twolevel.model.formula import build_design

# Any data will do: eight groups of five.
random = np.random.Generator(np.random.Philox(1))
table = pd.DataFrame({"g": np.repeat(list("abcdefgh"), 5), "x": random.normal(size=40), "y": random.normal(size=40)})
design = build_design("y ~ x + (x | g)", table)
data = cross_products(design)
replicate_fits(
    projection((design,), (data,)).simulator(np.eye(2), 1.0),
    (target(data, np.eye(2), reml=True),),
    stream_key(1, "compile"),
    range(1, 2),
)
