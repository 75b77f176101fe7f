"""Random numbers: those of a replicate follow from its number, whichever job draws them and in whatever order."""

from hashlib import sha256

import numpy as np

from twolevel.model.design import Floats

# About how many normals are drawn from one stream. To set up a stream takes as long as to draw a thousand.
NORMALS = 10_000


def stream_key(seed: int, what: str) -> int:
    """Key of the streams of one simulation, 128 bits: from the root seed and what is simulated."""
    return int.from_bytes(sha256(f"{seed} {what}".encode()).digest()[:16], "little")


def sharing(n_normals: int) -> int:
    """How many replicates with `n_normals` normals each share a stream."""
    return max(1, NORMALS // n_normals)


def draw(key: int, replicates: range, n_normals: int, df: int) -> tuple[Floats, Floats]:
    """Standard normals (R, n_normals) and a chi-square with `df` degrees of freedom (R,), a row for each replicate.

    Replicates that follow each other share a stream: NumPy's generator SFC64, seeded through its `SeedSequence` with
    the key and the stream's number. The stream gives the chi-squares of all its replicates, then their normals.
    """
    normals, chi_squares = np.empty((len(replicates), n_normals)), np.zeros(len(replicates))
    share, row = sharing(n_normals), 0
    while row < len(replicates):
        stream, before = divmod(replicates[row], share)
        here = slice(row, min(row + share - before, len(replicates)))
        generator = np.random.Generator(np.random.SFC64(np.random.SeedSequence(key, spawn_key=(stream,))))
        if df:
            chi_squares[here] = generator.chisquare(df, share)[before : before + here.stop - row]
        generator.standard_normal(before * n_normals)
        generator.standard_normal(out=normals[here])
        row = here.stop
    return normals, chi_squares
