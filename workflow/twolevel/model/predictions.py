"""What the fixed effects of a fitted model predict for any values of its predictors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from twolevel.model.design import Floats
from twolevel.model.terms import Factor, read_meanings

# Codings in which the variable's value does not determine the column's.
UNREAD = ("contrast", "basis")


@dataclass(frozen=True)
class FixedPart:
    """The fixed part of a fitted model.

    Attributes
    ----------
    products : what is multiplied to make each of the p columns of the design: columns of the table, or levels of them
    beta : (p,) fixed effects
    covariance : (p, p) of the fixed effects
    """

    products: tuple[tuple[Factor, ...], ...]
    beta: Floats
    covariance: Floats

    @property
    def predictors(self) -> tuple[Factor, ...]:
        """The factors of all products, each once."""
        return tuple(dict.fromkeys(factor for product in self.products for factor in product))

    def rows(self, values: Mapping[str, ArrayLike]) -> Floats:
        """Rows (n, p) of the design where each predictor has these values, numbers or levels: one each, or n."""
        columns = [
            np.prod(np.broadcast_arrays(1.0, *(_values(factor, values) for factor in product)), axis=0)
            for product in self.products
        ]
        return np.stack(np.broadcast_arrays(*columns), axis=-1)

    def estimate(self, contrasts: Floats) -> tuple[Floats, Floats]:
        """Estimates and standard errors (n,) of linear combinations (n, p) of the fixed effects."""
        variances = np.einsum("na,ab,nb->n", contrasts, self.covariance, contrasts)
        return contrasts @ self.beta, np.sqrt(variances)


def fixed_part(fit: Mapping[str, Any]) -> FixedPart:
    """Read the fixed part of a model from `fit.json`.

    Parameters
    ----------
    fit : hierarchy, meanings, fixed effects and their covariance
    """
    meanings = read_meanings(fit["meanings"])
    products: dict[int, Sequence[str]] = {
        column: [*coefficient["factors"], *factors]
        for coefficient in fit["hierarchy"]
        for column, factors in coefficient["predictors"]
    }
    return FixedPart(
        products=tuple(tuple(meanings[name] for name in products[k]) for k in sorted(products)),
        beta=np.array(fit["fixed_effects"]),
        covariance=np.array(fit["fixed_effects_covariance"]),
    )


def _values(factor: Factor, values: Mapping[str, ArrayLike]) -> Floats:
    given = np.asarray(values[factor.column])
    return (given == factor.level if factor.level is not None else given).astype(float)
