"""Independent blocks of random effects: which elements of a covariance matrix, and of its factor, are free.

Random effects of one block may be correlated, those of different blocks are not. `(x | g)` is one block of two, `(2,)`;
`(x || g)` is two blocks of one, `(1, 1)`. The covariance matrix T is block diagonal in the order of Z's columns, and so
is its factor. The free elements are the lower triangles of the blocks, column by column, block after block, as in lme4.
The whole lower triangle, read column by column, has them in the same order.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

# Sizes of the blocks, in the order of the columns of Z.
Blocks = tuple[int, ...]

Places = NDArray[np.intp]


@cache  # a search asks at each of its points
def places(blocks: Blocks) -> tuple[Places, Places]:
    """Rows and columns (k,), (k,) of the free elements of a lower triangle, in the order of theta; read only."""
    columns, rows = np.triu_indices(sum(blocks))
    found = rows[free_elements(blocks)], columns[free_elements(blocks)]
    for index in found:
        index.flags.writeable = False
    return found


def free_elements(blocks: Blocks) -> Places:
    """Where the free elements (k,) stand in the whole lower triangle, taken column by column."""
    columns, rows = np.triu_indices(sum(blocks))
    block = np.repeat(np.arange(len(blocks)), blocks)
    return np.flatnonzero(block[rows] == block[columns])


def slices(blocks: Blocks) -> tuple[slice, ...]:
    """The positions of each block's random effects."""
    ends = np.cumsum(blocks).tolist()
    return tuple(slice(end - size, end) for size, end in zip(blocks, ends, strict=True))


def covariance_directions(blocks: Blocks) -> NDArray[np.float64]:
    """Symmetric matrices E_r with ones at each free place of the lower triangle, row by row, (k, q, q)."""
    rows, columns = np.tril_indices(sum(blocks))
    block = np.repeat(np.arange(len(blocks)), blocks)
    rows, columns = (places[block[rows] == block[columns]] for places in (rows, columns))
    directions = np.zeros((len(rows), sum(blocks), sum(blocks)))
    number = np.arange(len(rows))
    directions[number, rows, columns] = directions[number, columns, rows] = 1.0
    return directions
