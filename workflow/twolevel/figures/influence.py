"""How much each group moves the fixed effects of a model: Cook's distance, the largest first."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from twolevel.figures.drawing import Drawing
from twolevel.figures.style import BLUE, MOST_NAMED, VERMILION, WIDTH, heading, new_figure, style
from twolevel.figures.tables import Floats, Table, numbers, sparse, texts
from twolevel.output.words import Labels, clean, number, shorten

_ROW, _HEADING = 0.17, 1.4  # inches, of a group and of what stands around them

_HELD: dict[str, Any] = {"linestyle": "", "marker": "o", "markersize": 5, "color": BLUE}
_REFITTED: dict[str, Any] = {"linestyle": "", "marker": "D", "markersize": 7, "markeredgecolor": VERMILION}
_REFITTED |= {"markerfacecolor": "none", "markeredgewidth": 1.4}
_RULE: dict[str, Any] = {"color": VERMILION, "linewidth": 1.2, "linestyle": (0, (4, 1.6))}


@style()
def draw(influence: Table, fit: Mapping[str, Any], labels: Labels, *, model: str) -> Drawing:
    """Cook's distance of the groups where it is largest, at most forty, with their names.

    Parameters
    ----------
    influence : estimates without each group, with Cook's distance.
    fit : the model's formula and estimator, fixed terms and their covariance.
    labels : what things are called.
    model : the model's name in the configuration.
    """
    shown = min(MOST_NAMED, len(_distances(influence, "held")[0]))
    figure = new_figure(WIDTH, _HEADING + _ROW * max(shown, 8))
    key, found = add_influence(figure.subplots(), influence, fit, labels, shown)
    groups = labels.group_noun.count(fit["n_groups"])
    title = f"What leaving out one of {groups} changes"
    heading(figure, title, key, across=2)
    alt = f"Dots at the {shown} largest distances of {groups}, on lines from zero; a dashed line is a rule of thumb."
    caption = (
        f"Cook’s distance of {groups} in {labels.model(model)}: how far the fixed effects move where a "
        f"{labels.group_noun.singular} is left out, in their own uncertainty. {found}"
    )
    return Drawing(figure, title, alt, caption)


def add_influence(
    axes: Axes, influence: Table, fit: Mapping[str, Any], labels: Labels, most: int
) -> tuple[dict[str, Artist], str]:
    """Draw the distances of at most `most` groups in axes that are there; return the key and what is found."""
    names, distance = _distances(influence, "held")
    refitted = dict(zip(*_distances(influence, "refitted"), strict=True))
    order = np.argsort(-np.nan_to_num(distance), kind="stable")[: min(most, len(names))]
    place = np.arange(len(order))
    rule = 4 / len(names)
    axes.hlines(place, 0, distance[order], color=BLUE, linewidth=1)
    axes.plot(distance[order], place, **_HELD)
    anew = np.array([refitted.get(name, np.nan) for name in names[order]])
    axes.plot(anew, place, **_REFITTED)
    axes.axvline(rule, **_RULE)
    axes.set_yticks(place, [shorten(name, 16) for name in names[order]], fontsize=8 if len(order) > 12 else None)
    axes.set(ylim=(len(order) - 0.4, -0.6), xlabel="Cook’s distance")
    axes.set_xlim(left=0)
    axes.grid(visible=False, axis="y")
    key: dict[str, Artist] = {
        "distance, variances held": Line2D([], [], **_HELD),
        "distance, all fitted anew": Line2D([], [], **_REFITTED),
        "rule of thumb": Line2D([], [], **_RULE),
    }
    return key, _found(names, distance, influence, fit, labels)


def _distances(influence: Table, components: str) -> tuple[NDArray[np.str_], Floats]:
    """Names and distances of the groups left out in that way, each once."""
    mine = texts(influence, "components") == components
    names = texts(influence, "group")[mine]
    _, first = np.unique(names, return_index=True)
    return names[np.sort(first)], sparse(influence, "cooks_distance")[mine][np.sort(first)]


def _found(names: NDArray[np.str_], distance: Floats, influence: Table, fit: Mapping[str, Any], labels: Labels) -> str:
    """How many groups are above the rule of thumb, and what leaving out the most influential one does."""
    noun = labels.group_noun
    if not np.isfinite(distance).any():
        return f"No {noun.singular} can be left out: without it, not all fixed effects can be estimated."
    rule = 4 / len(names)
    above = int((distance > rule).sum())
    several = f"{noun.count(above)} {'has' if above == 1 else 'have'}" if above else f"No {noun.singular} has"
    said = f"{several} a distance above 4/{len(names):,} (dashed)."
    most = int(np.nanargmax(distance))
    mine = (texts(influence, "group") == names[most]) & (texts(influence, "components") == "held")
    moved = numbers(influence, "without")[mine] - numbers(influence, "estimate")[mine]
    errors = np.sqrt(np.diag(np.array(fit["fixed_effects_covariance"])))
    term = int(np.argmax(np.abs(moved) / errors))
    said += (
        f" The largest, {number(distance[most], 2)}, is that of {noun.singular} {clean(names[most])}: without it, "
        f"{clean(fit['fixed_terms'][term])} is {number(abs(moved[term]) / errors[term], 2)} standard errors "
        f"{'higher' if moved[term] > 0 else 'lower'}."
    )
    if lost := int(np.isnan(distance).sum()):
        said += f" Without {noun.count(lost)} not all fixed effects can be estimated."
    return said
