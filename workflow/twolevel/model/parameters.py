"""The parameters of a model on the scale on which they are reported, as lme4's `confint` names and orders them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from twolevel.model.blocks import Blocks, places
from twolevel.model.design import Floats

Kind = Literal["sd", "correlation", "sigma", "fixed"]

_RANGES: Mapping[Kind, tuple[float, float]] = {
    "sd": (0.0, np.inf),
    "sigma": (0.0, np.inf),
    "correlation": (-1.0, 1.0),
    "fixed": (-np.inf, np.inf),
}


@dataclass(frozen=True)
class Parameter:
    """One parameter.

    Attributes
    ----------
    name : as `confint(oldNames = TRUE)` has it: `.sig01`, `.sigma`, or the fixed effect's term
    label : the same in words
    kind : "sd", "correlation", "sigma" or "fixed"
    index : the random effect of an SD, the two of a correlation, the column of a fixed effect; empty for sigma
    """

    name: str
    label: str
    kind: Kind
    index: tuple[int, ...]

    @property
    def range(self) -> tuple[float, float]:
        """The lowest and highest value that it can have."""
        return _RANGES[self.kind]


def parameters(random_terms: Sequence[str], fixed_terms: Sequence[str], blocks: Sequence[int]) -> tuple[Parameter, ...]:
    """List SDs and correlations in the order of theta, then sigma, then the fixed effects: k + 1 + p of them.

    `blocks` are the sizes of the independent blocks of random effects: only within one are there correlations.
    """
    listed: list[Parameter] = []
    for row, column in _places(tuple(blocks)):
        name = f".sig{len(listed) + 1:02d}"
        if row == column:
            listed.append(Parameter(name, f"SD of {random_terms[row]}", "sd", (row,)))
        else:
            label = f"correlation of {random_terms[row]} with {random_terms[column]}"
            listed.append(Parameter(name, label, "correlation", (row, column)))
    fixed = [Parameter(term, term, "fixed", (column,)) for column, term in enumerate(fixed_terms)]
    return *listed, Parameter(".sigma", "residual SD", "sigma", ()), *fixed


def parameter_values(lower: Floats, sigma: Floats | float, beta: Floats, blocks: Blocks) -> Floats:
    """Values of the parameters, in the order of `parameters`, of one fit or of many at once.

    Parameters
    ----------
    lower : (..., q, q) relative covariance factors, T = sigma^2 lower lower', in the units of Z
    sigma : (...,) residual standard deviations
    beta : (..., p) fixed effects
    blocks : sizes of the independent blocks of random effects

    Returns
    -------
    (..., k + 1 + p), SDs and sigma in units of the response. A correlation beside an SD of zero is NaN.
    """
    norms = np.linalg.norm(lower, axis=-1)
    with np.errstate(invalid="ignore"):
        unit = lower / norms[..., None]
    sigma = np.asarray(sigma)[..., None]
    # lower's rows in units of sigma have T as their inner products, so an SD is a length, a correlation an angle.
    columns = [
        sigma * norms[..., [row]]
        if row == column
        else np.clip((unit[..., row, :] * unit[..., column, :]).sum(axis=-1, keepdims=True), -1.0, 1.0)
        for row, column in _places(blocks)
    ]
    return np.concatenate([*columns, sigma, beta], axis=-1)


def _places(blocks: Blocks) -> list[tuple[int, int]]:
    """Row and column of each element of theta."""
    rows, columns = places(blocks)
    return list(zip(rows.tolist(), columns.tolist(), strict=True))


def correlation(covariance: Floats) -> Floats:
    """Correlations of a covariance matrix; NaN beside a variance of zero, as in lme4."""
    sds = np.sqrt(np.diag(covariance))
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = covariance / np.outer(sds, sds)
    return np.where(np.eye(len(sds), dtype=bool), 1.0, np.clip(scaled, -1.0, 1.0))


def correlation_rows(covariance: Floats, blocks: Blocks) -> list[list[float | None]]:
    """Correlations for JSON, which has no NaN; none between independent blocks of random effects."""
    block = np.repeat(np.arange(len(blocks)), blocks)
    within = np.where(block[:, None] == block, correlation(covariance), np.nan)
    return [[finite(r) for r in row] for row in within]


def finite(value: float) -> float | None:
    """A number for JSON, which has neither infinity nor NaN: both become null."""
    return float(value) if np.isfinite(value) else None
