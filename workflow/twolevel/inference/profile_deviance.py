"""The ML deviance with one parameter held at a value and the others at their best: the profile of that parameter.

The deviance is -2 log-likelihood, as in lme4's `profile`. The other parameters are found by Newton's method on exact
derivatives. Holding a parameter is made easy by a choice of coordinates:

    SD              Z's basis is turned so that this random effect comes first: its SD is then sigma theta_1, up to a
                    factor, and theta_1 is replaced by value / sigma
    correlation     the two effects come first: a correlation of sin(omega) makes theta linear in what is left free
    sigma           the deviance with sigma not profiled out
    fixed effect    its column leaves X, and what it explains leaves y; all in cross-products
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from twolevel.inference.descent import NotConvergedError, Objective, descend
from twolevel.likelihood.crossproducts import CrossProducts, triangular
from twolevel.likelihood.deviance import factor, n_theta, pack, profile, solve
from twolevel.model.blocks import Blocks, slices
from twolevel.model.design import Floats
from twolevel.model.parameters import Parameter

# A value far from the estimate is approached in this many steps: a search from the fit can end in a local minimum.
CONTINUATION = 3


@dataclass(frozen=True)
class Held:
    """The deviance with one parameter held, on a scale on which its signed root is nearly straight.

    Attributes
    ----------
    at : value on that scale -> the deviance over the free coordinates
    value : from that scale to the parameter's own
    estimate, step : where the fit has it; how far to look first
    lowest, highest : the ends of the parameter's range
    start : the free coordinates at the fit
    others : free coordinates to start from as well, far from the fit
    ceiling : what the minimum cannot exceed, whatever the value
    """

    at: Callable[[float], Objective]
    value: Callable[[float], float]
    estimate: float
    step: float
    start: Floats
    others: tuple[Floats, ...]
    lowest: float = -np.inf
    highest: float = np.inf
    ceiling: float = np.inf


def profile_deviance_at(data: CrossProducts, theta: Floats, parameter: Parameter, value: float) -> float:
    """Least deviance (-2 log-likelihood, ML) with one parameter held at a value.

    Parameters
    ----------
    data : the cross-products
    theta : (k,) the optimum by ML, in the coordinates of `data`: where the search starts
    parameter : one of `parameters`
    value : on the parameter's own scale

    Raises
    ------
    ProfileError
        No minimum could be found.
    """
    scaled = {"correlation": np.arcsin, "sigma": np.log}.get(parameter.kind, float)(value)
    return least_of_all(hold(parameter, data, theta), float(scaled))[0]


def optimum(data: CrossProducts, theta: Floats) -> tuple[float, Floats]:
    """The optimum to rounding, from one that is nearly so."""
    return descend(partial(_deviance, data, 0.0), theta)


def hold(parameter: Parameter, data: CrossProducts, theta: Floats) -> Held:
    """Hold one parameter of a model whose optimum is at `theta`."""
    if parameter.kind == "fixed":
        return _hold_fixed(data, theta, *parameter.index)
    if parameter.kind == "sigma":
        return _hold_sigma(data, theta)
    hold = _hold_sd if parameter.kind == "sd" else _hold_correlation
    return hold(data, theta, *parameter.index)


def least(held: Held, at: float, starts: Sequence[Floats]) -> tuple[float, Floats]:
    """Least deviance with the parameter held, from the best of some starts, and the free coordinates there.

    A search that did not converge is ignored if it had not come lower than one that did.
    """
    objective, ends, unfinished = held.at(at), [], []
    for start in starts:
        try:
            ends.append(descend(objective, start))
        except NotConvergedError as error:
            unfinished.append(error)
    deviance, free = min(ends, key=lambda end: end[0], default=(np.inf, held.start))
    for search in unfinished:
        if search.reached < min(deviance, held.ceiling):
            raise search
    return min(deviance, held.ceiling), free


def least_of_all(held: Held, at: float) -> tuple[float, Floats]:
    """Least deviance with the parameter held, approached from the fit in a few steps, and from elsewhere."""
    free = held.start
    for nearer in np.linspace(held.estimate, at, CONTINUATION + 1)[1:-1]:
        _, free = least(held, nearer, (free,))
    return least(held, at, (free, *held.others))


def _deviance(data: CrossProducts, sigma2: float, theta: Floats) -> tuple[float, Floats, Floats]:
    """-2 log-likelihood at theta, profiled where sigma2 is 0, with derivatives by theta."""
    return solve(theta, data, False, sigma2)[:3]


def _cold(blocks: Blocks) -> tuple[Floats, ...]:
    """Relative covariance factors far from the fit: random effects as large as the residual, and a tenth of that."""
    identity = np.eye(sum(blocks))
    return pack(identity, blocks), pack(0.1 * identity, blocks)


def _hold_fixed(data: CrossProducts, theta: Floats, column: int) -> Held:
    # beta = ols + r^-1 delta, so the coefficient is a row of r^-1 times delta. Turn delta until one element makes it.
    row = np.linalg.inv(data.r)[column]
    turn = np.linalg.qr(np.column_stack([row, np.eye(len(row))]))[0]
    turn[:, 0] *= np.sign(turn[:, 0] @ row)
    ztx, xty = data.ztx @ turn, turn.T @ data.xty
    at = profile(theta, data, reml=False)

    def without(value: float) -> Objective:
        delta = (value - data.ols[column]) / np.linalg.norm(row)
        left = replace(
            data,
            ztx=ztx[:, :, 1:],
            zty=data.zty - ztx[:, :, 0] * delta,
            xty=xty[1:],
            yty=data.yty - 2 * delta * xty[0] + delta**2,
        )
        return partial(_deviance, left, 0.0)

    std_error = float(np.sqrt(at.beta_covariance[column, column]))
    return Held(without, float, float(at.beta[column]), 2 * std_error, theta, _cold(data.blocks))


def _hold_sigma(data: CrossProducts, theta: Floats) -> Held:
    sigma = profile(theta, data, reml=False).sigma

    def at(log_sigma: float) -> Objective:
        return partial(_deviance, data, float(np.exp(2 * log_sigma)))

    step = 2 / np.sqrt(2 * data.n_obs)
    return Held(at, lambda t: float(np.exp(t)), float(np.log(sigma)), step, theta, _cold(data.blocks))


def _hold_sd(data: CrossProducts, theta: Floats, effect: int) -> Held:
    turned, first = _first(data, theta, (effect,))
    scale, sigma = float(turned.s[0, 0]), profile(theta, data, reml=False).sigma

    def at(sd: float) -> Objective:
        return partial(_deviance_with_sd, turned, scale * sd)

    others = tuple(np.append(cold[1:], np.log(sigma)) for cold in _cold(turned.blocks))
    estimate = float(first[0] * sigma / scale)
    step = 0.2 * estimate + 0.05 * sigma / scale
    return Held(at, float, estimate, step, np.append(first[1:], np.log(sigma)), others, lowest=0.0)


def _deviance_with_sd(data: CrossProducts, sd: float, free: Floats) -> tuple[float, Floats, Floats]:
    """-2 log-likelihood with theta_1 = sd / sigma; free are the rest of theta, and log sigma."""
    sigma2 = float(np.exp(2 * free[-1]))
    theta = np.concatenate([[sd / np.sqrt(sigma2)], free[:-1]])
    value, by_theta, hessian = _deviance(data, sigma2, theta)
    # The value is log|V| + n log(2 pi sigma^2) + r^2/sigma^2. A second sigma tells r^2 from log|V|.
    value_2, by_theta_2, _ = _deviance(data, 4 * sigma2, theta)
    misfit = (value - value_2 + data.n_obs * np.log(4.0)) / 0.75
    misfit_by_theta = (by_theta - by_theta_2) / 0.75
    k = len(theta)
    full = np.zeros((k + 1, k + 1))
    full[:k, :k] = hessian
    full[k, :k] = full[:k, k] = -2 * misfit_by_theta
    full[k, k] = 4 * misfit
    gradient = np.append(by_theta, 2 * (data.n_obs - misfit))
    # theta_1 moves with log sigma.
    chain = np.eye(k + 1)[:, 1:]
    chain[0, -1] = -theta[0]
    reduced = chain.T @ full @ chain
    reduced[-1, -1] += gradient[0] * theta[0]
    return value, chain.T @ gradient, reduced


def _hold_correlation(data: CrossProducts, theta: Floats, row: int, column: int) -> Held:
    turned, first = _first(data, theta, (column, row))
    q, k, s = turned.blocks[0], n_theta(turned.blocks), turned.s
    # theta's factor is s L, L in the units of Z: rows (s11 L11), (s21 L11 + s22 L21, s22 L22). The correlation is that
    # of L's rows, sin(omega) where L21 : L22 = sin(omega) : cos(omega). L22 is element q of theta.
    lean = s[1, 0] / s[0, 0]
    along, across = first[1] - lean * first[0], first[q]
    # The two SDs are free up to their sign, which is the correlation's: coordinates whose squares they are have none.
    start = np.concatenate([np.sqrt([first[0], np.hypot(along, across)]), np.delete(first, [0, 1, q])])

    def at(omega: float) -> Objective:
        chain = np.zeros((k, k - 1))
        chain[0, 0], chain[1, 0], chain[1, 1], chain[q, 1] = 1.0, lean, np.sin(omega), np.cos(omega)
        chain[np.delete(np.arange(k), [0, 1, q]), np.arange(2, k - 1)] = 1.0
        return partial(_deviance_along, turned, chain)

    # At worst one of the two SDs is zero, and then the correlation can be anything.
    ceiling = min(_without_effect(data, theta, effect) for effect in (row, column))
    return Held(
        at,
        lambda omega: float(np.sin(omega)),
        float(np.arctan2(along, across)),
        0.3,
        start,
        tuple(np.delete(cold, 1) for cold in _cold(turned.blocks)),
        lowest=-np.pi / 2,
        highest=np.pi / 2,
        ceiling=ceiling,
    )


def _deviance_along(data: CrossProducts, chain: Floats, free: Floats) -> tuple[float, Floats, Floats]:
    """-2 log-likelihood, profiled, with theta = chain (free_1^2, free_2^2, free_3, ...)."""
    square = np.arange(len(free)) < 2
    value, gradient, hessian = _deviance(data, 0.0, chain @ np.where(square, free**2, free))
    slopes, by_linear = np.where(square, 2 * free, 1.0), chain.T @ gradient
    curved = np.outer(slopes, slopes) * (chain.T @ hessian @ chain) + np.diag(np.where(square, 2 * by_linear, 0.0))
    return value, slopes * by_linear, curved


def _without_effect(data: CrossProducts, theta: Floats, effect: int) -> float:
    """Least deviance of the model without one of its random effects, one that has others in its block."""
    turned, first = _first(data, theta, (effect,))
    size, *others = turned.blocks
    left = replace(
        turned,
        ztz=turned.ztz[:, 1:, 1:],
        ztx=turned.ztx[:, 1:],
        zty=turned.zty[:, 1:],
        s=turned.s[1:, 1:],
        blocks=(size - 1, *others),
    )
    starts = (first[size:], *_cold(left.blocks))
    return min(descend(partial(_deviance, left, 0.0), start)[0] for start in starts)


def _first(data: CrossProducts, theta: Floats, effects: tuple[int, ...]) -> tuple[CrossProducts, Floats]:
    """Turn the basis of Z so that some random effects of one block come first; theta in its coordinates.

    Their block comes first, and in it they do, and s is lower triangular. So the relative covariance factor in the
    units of Z is, too, and its first row alone makes the first row of theta's factor. The diagonals of that part of s
    and of the factor are positive.
    """
    number, block = next(pair for pair in enumerate(slices(data.blocks)) if effects[0] < pair[1].stop)
    effects_of_block, size = range(len(data.s))[block], data.blocks[number]
    order = [*effects, *(effect for effect in effects_of_block if effect not in effects)]
    others = [effect for effect in range(len(data.s)) if effect not in effects_of_block]
    own, own_s = np.linalg.qr(data.s[block, order][:, ::-1])
    signs = np.where(np.diag(own_s) < 0, -1.0, 1.0)
    turn, s = np.zeros_like(data.s), np.zeros_like(data.s)
    turn[block, :size], s[:size, :size] = (own * signs)[:, ::-1], (own_s * signs[:, None])[::-1, ::-1]
    turn[others, np.arange(size, len(data.s))], s[size:, size:] = 1.0, data.s[np.ix_(others, others)]
    blocks = (size, *data.blocks[:number], *data.blocks[number + 1 :])
    lower = turn.T @ factor(theta, data.blocks)[:, [*effects_of_block, *others]]
    return replace(data.in_basis(turn, s), blocks=blocks), pack(triangular(lower), blocks)
