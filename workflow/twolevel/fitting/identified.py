"""Whether the data can tell the elements of the random effects' covariance matrix apart.

Random effects of different blocks may overlap: with `(1 | g) + (0 + dose | g)`, dose a factor, the
indicators of dose sum to the intercept's column, so that what is added to the intercept's variance can be taken from
every element of the other block. Such a model can be fitted. Its fixed effects and their standard errors do not depend
on the split; the variances themselves do.
"""

import numpy as np

from twolevel.likelihood.crossproducts import CrossProducts
from twolevel.model.blocks import covariance_directions
from twolevel.model.design import Floats

# A direction of the covariance matrix of which others leave less than this share, squared, depends on them; rounding
# leaves about 1e-15.
DEPENDENT = 1e-11


def independent_directions(data: CrossProducts) -> Floats:
    """Directions of the covariance matrix, symmetric matrices (m, q, q), that the data tell apart.

    They are those of the free elements, without the ones that depend on earlier ones.
    """
    directions = covariance_directions(data.blocks)
    dependent = [r for r, _ in _dependencies(data, directions)]
    return np.delete(directions, dependent, axis=0)


def overlapping_blocks(data: CrossProducts) -> tuple[tuple[int, ...], ...]:
    """Numbers of the blocks whose covariance matrices the data determine only in sum; none if they determine each."""
    directions = covariance_directions(data.blocks)
    first_rows = directions.any(axis=2).argmax(axis=1)
    number = np.repeat(np.arange(len(data.blocks)), data.blocks)[first_rows]
    found = [tuple(sorted({int(number[d]) for d in (r, *others)})) for r, others in _dependencies(data, directions)]
    return tuple(dict.fromkeys(found))


def _dependencies(data: CrossProducts, directions: Floats) -> list[tuple[int, list[int]]]:
    """Each direction that depends on independent ones before it, and which those are."""
    gram = direction_traces(directions, data.ztz, data.ztz)
    size = np.sqrt(np.diag(gram))
    gram = gram / np.outer(size, size)
    independent: list[int] = []
    found = []
    for r in range(len(gram)):
        weights = np.linalg.lstsq(gram[np.ix_(independent, independent)], gram[independent, r], rcond=None)[0]
        if gram[r, r] - weights @ gram[independent, r] > DEPENDENT:
            independent.append(r)
        else:
            used = np.abs(weights) > np.sqrt(DEPENDENT)
            found.append((r, [other for other, is_used in zip(independent, used, strict=True) if is_used]))
    return found


def direction_traces(directions: Floats, left: Floats, right: Floats) -> Floats:
    """Sum over groups of tr(E_r left_j E_s right_j), (k, k), for directions E_r (k, q, q)."""
    products = np.tensordot(left, right, axes=(0, 0))
    return np.asarray(np.einsum("rab,bcda,scd->rs", directions, products, directions, optimize=True))
