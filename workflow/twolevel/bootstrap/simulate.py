"""Cross-products of simulated data, drawn without simulating the data.

Everything that the likelihood needs of a response y is Z_j'y, X'y and y'y. Project y_j on the columns of [Z_j, X_j],
through F_j with F_jF_j' = [Z_j, X_j]'[Z_j, X_j] and as many columns as these have rank. If the true relative
covariance matrix is S, the projection is h_j ~ N(0, sigma^2 (I + F_Zj'S F_Zj)), F_Zj being the rows of F_j for Z_j.
Then [Z_j, X_j]'y_j = F_j h_j, and y'y = sum_j h_j'h_j + sigma^2 chi^2, with a chi-square on n - sum_j rank F_j
degrees of freedom for all that the likelihood does not see. The cost does not depend on the number of observations.

The fixed part X beta is left out: the criterion does not depend on it, and it only adds to the estimates.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from twolevel.likelihood.crossproducts import CrossProducts, grouped
from twolevel.likelihood.groupwise import in_blocks, out_of_blocks
from twolevel.model.design import Design, Floats

# A column depends on those before it in a group if they leave of it less than this share of the group's largest.
# ASSUME: predictors that vary by less than a hundred-thousandth of their size within a group do not vary there.
RANK = 1e-10


@dataclass(frozen=True)
class View:
    """How one model sees a simulated response.

    Attributes
    ----------
    z, x : (n, q, r, B), (n, p, r, B), in blocks of groups: Z_j'y_j and X_j'y_j are their products with r standard
        normals for each group, in the coordinates of the model's `CrossProducts`
    """

    z: Floats
    x: Floats


@dataclass(frozen=True)
class Simulator:
    """What the response of one model is simulated from, and how it and other models see the response.

    Attributes
    ----------
    root : (n, r, r, B) lower triangular: times r standard normals for each group, the projection h_j
    residual_variance, residual_df : of the chi-square for all that no model sees
    views : one for each model; the first is the model simulated from
    """

    root: Floats
    residual_variance: float
    residual_df: int
    views: tuple[View, ...]


@dataclass(frozen=True)
class Projection:
    """What simulations from one model, seen by several, have in common, whatever the true variances are.

    Attributes
    ----------
    z, x : (J, q, r), (J, p, r) for each model: the rows of F_j for its Z_j and X_j, in the coordinates of its
        `CrossProducts`
    used : (J, r) which columns of F_j there are: as many as its rank
    residual_df : of the chi-square for all that no model sees
    """

    z: tuple[Floats, ...]
    x: tuple[Floats, ...]
    used: np.ndarray
    residual_df: int

    def simulator(self, lower: Floats, sigma: float) -> Simulator:
        """Set the true variances: small matrix products for each group, whatever the number of observations.

        Parameters
        ----------
        lower : (q, q) relative covariance factor of the first model, in the coordinates of its cross-products
        sigma : residual standard deviation
        """
        spread = np.einsum("jab,ac->jbc", self.z[0], lower)
        covariance = np.eye(self.used.shape[1]) + spread @ np.swapaxes(spread, 1, 2)
        root = sigma * np.linalg.cholesky(covariance) * self.used[:, :, None]
        views = [View(in_blocks(z @ root), in_blocks(x @ root)) for z, x in zip(self.z, self.x, strict=True)]
        return Simulator(in_blocks(root), sigma**2, self.residual_df, tuple(views))


def projection(designs: tuple[Design, ...], data: Sequence[CrossProducts]) -> Projection:
    """Project on the columns of some models: O(n) once, and a factorisation for each group.

    Parameters
    ----------
    designs, data : the models, on the same observations and groups, and their cross-products; the first is the one
        to simulate from
    """
    first = designs[0]
    columns = [
        part
        for design, of in zip(designs, data, strict=True)
        for part in (design.z @ np.linalg.inv(of.s), design.x @ np.linalg.inv(of.r))
    ]
    whole = np.hstack(columns)
    factors, ranks = _factors(grouped(whole, whole, first))
    parts = np.split(factors, np.cumsum([part.shape[1] for part in columns])[:-1], axis=1)
    used = np.arange(factors.shape[2]) < ranks[:, None]
    return Projection(tuple(parts[::2]), tuple(parts[1::2]), used, len(first.y) - int(ranks.sum()))


def simulated(
    simulator: Simulator, view: View, data: CrossProducts, normals: Floats, chi_square: float, beta: Floats
) -> CrossProducts:
    """One simulated response as a model's cross-products, where a data set is used only once.

    Parameters
    ----------
    view, data : of the model, and what its design says; what `data` says of the observed response is replaced
    normals, chi_square : (n r B,) and a number, as `streams.draw` gives them for one replicate
    beta : (p,) true fixed effects in the units of X
    """
    h = normals.reshape(len(simulator.root), -1, simulator.root.shape[-1])
    projected = np.einsum("narb,nrb->nab", simulator.root, h)
    zty = out_of_blocks(np.einsum("narb,nrb->nab", view.z, h), len(data.zty))
    yty = float((projected**2).sum() + simulator.residual_variance * chi_square)
    return replace(data, zty=zty, xty=np.einsum("narb,nrb->a", view.x, h), yty=yty, ols=beta)


def _factors(grams: Floats) -> tuple[Floats, np.ndarray]:
    """F_j (J, k, r) with F_jF_j' = gram_j, columns beyond the rank zero; and the ranks.

    Cholesky's factor, in which a column that depends on those before it has no pivot. Unlike eigenvectors it is unique:
    other units of a predictor, or another processor's rounding, change the last digits of what is simulated, no more.
    """
    sizes = np.sqrt(np.diagonal(grams.sum(axis=0)))
    left = grams / np.outer(sizes, sizes)
    least = RANK * np.diagonal(left, axis1=1, axis2=2).max(axis=1)
    factors, ranks, groups = np.zeros_like(grams), np.zeros(len(grams), dtype=int), np.arange(len(grams))
    for a in range(len(sizes)):
        kept = left[:, a, a] > least
        column = np.where(kept, 1.0 / np.sqrt(np.where(kept, left[:, a, a], 1.0)), 0.0)[:, None] * left[:, :, a]
        factors[groups, :, ranks] = sizes * column
        left -= column[:, :, None] * column[:, None, :]
        ranks += kept
    return factors[:, :, : ranks.max()], ranks
