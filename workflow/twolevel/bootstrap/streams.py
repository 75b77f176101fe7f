"""Random numbers: every replicate has a stream of its own, whichever job draws it and in whatever order."""

from hashlib import sha256
from typing import Any

import numpy as np

from twolevel.model.design import Floats


def stream_key(seed: int, what: str) -> np.ndarray:
    """Key of the streams of one simulation, (2,) uint64: from the root seed and what is simulated."""
    return np.frombuffer(sha256(f"{seed} {what}".encode()).digest()[:16], dtype="<u8").astype(np.uint64)


def draw(key: np.ndarray, replicates: range, n_normals: int, df: int) -> tuple[Floats, Floats]:
    """Standard normals (R, n_normals) and a chi-square with `df` degrees of freedom (R,), a row for each replicate.

    The generator is Philox, which turns a key and a counter into random bits (Salmon, Moraes, Dror & Shaw 2011). The
    replicate's number is the third word of the counter, of which a draw advances the first two: streams of different
    replicates cannot meet before 2^128 draws.
    """
    normals, chi_squares = np.empty((len(replicates), n_normals)), np.zeros(len(replicates))
    bits = np.random.Philox(key=key)
    generator, counter = np.random.Generator(bits), [0, 0, 0, 0]
    # Of Python's own integers: setting the state from arrays takes twice as long, a tenth of a replicate.
    state: Any = {**bits.state, "state": {"counter": counter, "key": key.tolist()}, "buffer": [0, 0, 0, 0]}
    for row, replicate in enumerate(replicates):
        counter[2] = replicate
        bits.state = state
        generator.standard_normal(out=normals[row])
        if df:
            chi_squares[row] = generator.chisquare(df)
    return normals, chi_squares
