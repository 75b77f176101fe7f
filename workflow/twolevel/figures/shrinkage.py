"""How far empirical Bayes draws each group's own OLS line towards the average one."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from scipy.special import chdtri

from twolevel.figures.drawing import Drawing
from twolevel.figures.ols import average_line, fit_group_lines
from twolevel.figures.style import BLACK, BLUE, VERMILION, WIDTH, halo, heading, new_figure, style
from twolevel.figures.tables import Floats, Table, numbers, sparse, texts
from twolevel.output.words import Labels, clean, number, sentence, shorten, without_line, wrap

_OWN: dict[str, Any] = {"linestyle": "", "marker": "o", "markersize": 4, "markerfacecolor": "white"}
_OWN |= {"markeredgecolor": "#767676", "markeredgewidth": 0.9}
_SHRUNKEN: dict[str, Any] = {"linestyle": "", "marker": "o", "markersize": 3.4, "color": BLUE, "markeredgewidth": 0}
_MOVE: dict[str, Any] = {"color": "#9CC7E3", "linewidth": 0.7}
_AVERAGE: dict[str, Any] = {"linestyle": "", "marker": "X", "markersize": 11, "color": VERMILION}
_AVERAGE |= {"markeredgecolor": "white", "markeredgewidth": 1}
_ELLIPSE: dict[str, Any] = {"color": BLACK, "linewidth": 1.5, "linestyle": (0, (4, 1.6))}


@style()
def draw(
    observations: Table,
    group_effects: Table,
    fixed_effects: Table,
    variance_components: Table,
    fit: Mapping[str, Any],
    labels: Labels,
    *,
    model: str,
    x: str,
    y: str,
) -> Drawing:
    """Intercept and slope of each group by OLS, and a line from there to its empirical Bayes coefficients.

    The ellipse holds 95 % of the groups' true coefficients, by the estimates: those beta with
    (beta - gamma)' T^-1 (beta - gamma) at most the chi-square(2) distribution's 0.95 quantile.

    Parameters
    ----------
    observations : the prepared data.
    group_effects : group, term and coefficient of every group.
    fixed_effects : term and estimate of each fixed effect.
    variance_components : term and reliability of each random effect.
    fit : the model's formula, response, estimator, random terms and their covariance.
    labels : what things are called.
    model : the model's name in the configuration.
    x, y : columns of the predictor and the outcome, the model's own.
    """
    centre = average_line(fixed_effects, x)
    lines = fit_group_lines(texts(observations, labels.group), numbers(observations, x), numbers(observations, y))
    own = np.column_stack([lines.intercept, lines.slope])[lines.has_line]
    shrunken = np.column_stack([_coefficients(group_effects, lines.group, t) for t in fit["random_terms"]])
    shrunken = shrunken[lines.has_line]
    outline = _ellipse([centre.intercept, centre.slope], np.array(fit["random_effects_covariance"]))

    groups = labels.group_noun.count(len(own))
    title = f"Shrinkage of {groups}: from OLS to empirical Bayes"
    figure = new_figure(WIDTH, 4.6)
    axes = figure.subplots()
    _draw_moves(axes, own, shrunken)
    axes.plot(*outline.T, path_effects=halo(3.4), **_ELLIPSE)
    axes.plot(centre.intercept, centre.slope, **_AVERAGE)
    outcome, predictor = clean(y), clean(x)
    axes.set(xlabel=wrap(f"intercept ({outcome})", 50), ylabel=wrap(f"slope ({outcome} per unit of {predictor})", 36))
    key: dict[str, Artist] = {
        "its own OLS line": Line2D([], [], **_OWN),
        "fixed effects": Line2D([], [], **_AVERAGE),
        "empirical Bayes": Line2D([], [], **(_MOVE | _SHRUNKEN | {"linestyle": "-"})),
        f"95 % of {shorten(labels.group_noun.plural, 20)}, by the model": Line2D([], [], **_ELLIPSE),
    }
    heading(figure, title, key, across=2)

    skipped = without_line(len(lines.group) - len(own), labels, x)
    moved = np.abs(shrunken - own)[:, 1]
    found = _spread(own, shrunken, variance_components, x) + _by_size(lines.n[lines.has_line], moved, labels)
    one = labels.group_noun.singular
    alt = f"Intercepts and slopes of {groups}: a line leads from each {one}’s OLS estimate to its empirical Bayes one."
    caption = f"{sentence(groups)} in {labels.model(model)}. {found}{skipped}"
    return Drawing(figure, title, alt, caption)


def _coefficients(group_effects: Table, groups: NDArray[np.str_], term: str) -> Floats:
    """Empirical Bayes coefficients of one term, in the order of `groups`."""
    mine = texts(group_effects, "term") == term
    found = dict(zip(texts(group_effects, "group")[mine], numbers(group_effects, "coefficient")[mine], strict=True))
    return np.array([found[group] for group in groups])


def _ellipse(centre: list[float], covariance: Floats) -> Floats:
    """Outline of the ellipse that holds 95 % of a normal distribution; flat where the matrix is singular."""
    variances, directions = np.linalg.eigh(covariance)
    angle = np.linspace(0, 2 * np.pi, 121)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    radii = np.sqrt(chdtri(2, 0.05) * np.maximum(variances, 0))
    return np.asarray(centre + circle * radii @ directions.T)


def _draw_moves(axes: Axes, own: Floats, shrunken: Floats) -> None:
    """A line from each group's own coefficients to the shrunken ones, and both ends."""
    axes.add_collection(LineCollection(list(np.stack([own, shrunken], axis=1)), zorder=2, capstyle="round", **_MOVE))
    axes.plot(*own.T, **_OWN)
    axes.plot(*shrunken.T, **_SHRUNKEN)
    axes.autoscale_view()


def _spread(own: Floats, shrunken: Floats, variance_components: Table, x: str) -> str:
    """How far the coefficients vary by either estimate, and how reliable the groups' own are."""
    if len(own) < 2:
        return ""
    names = texts(variance_components, "term").tolist()
    reliability = dict(zip(names, sparse(variance_components, "reliability").tolist(), strict=True))
    said = []
    for column, (term, name) in enumerate((("(Intercept)", "intercepts"), (x, f"slopes of {clean(x)}"))):
        before, after = (number(float(values[:, column].std(ddof=1)), 3) for values in (own, shrunken))
        known = f" (reliability {number(reliability[term], 3)})" if np.isfinite(reliability[term]) else ""
        said.append(f"The {name} have an SD of {before} by OLS, {after} by empirical Bayes{known}.")
    return " ".join(said)


def _by_size(n: NDArray[np.int64], moved: Floats, labels: Labels) -> str:
    """How far the slopes of small and of large groups move; empty where there are few groups, or all of one size."""
    quarter, order = len(n) // 4, np.argsort(n, kind="stable")
    if quarter < 2 or np.ptp(n) == 0:
        return ""
    small, large = order[:quarter], order[-quarter:]
    return (
        f" Slopes move by {number(moved[small].mean(), 3)} on average in the {labels.group_noun.count(quarter)} with "
        f"the fewest {labels.observation_noun.plural}, by {number(moved[large].mean(), 3)} in as many with the most."
    )
