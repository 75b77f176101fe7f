"""Every group's random coefficients with their intervals, in order: a caterpillar for each random effect."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from twolevel.figures.drawing import Drawing
from twolevel.figures.effect_names import effect_names
from twolevel.figures.style import BLACK, BLUE, MUTED, VERMILION, WIDTH, heading, new_figure, style
from twolevel.figures.tables import Floats, Table, numbers, texts
from twolevel.output.words import Labels, number, percent, sentence, shorten, wrap

_REACH = 1.959963984540054  # the normal distribution's 0.975 quantile
_HEIGHT, _HEADING = 1.9, 1.3  # inches, of a panel and of what stands around them

# Dark and thick with a large dot, or pale and thin with a small one: they differ in grey too.
_CLEAR: dict[str, Any] = {"color": BLUE, "linewidth": 1.6}
_CLEAR_DOT: dict[str, Any] = {"color": BLACK, "marker": "o", "markersize": 2.4}
_UNCLEAR: dict[str, Any] = {"color": "#B0B0B0", "linewidth": 0.9}
_UNCLEAR_DOT: dict[str, Any] = {"color": MUTED, "marker": "o", "markersize": 1.2}
_MEAN: dict[str, Any] = {"color": VERMILION, "linewidth": 1.6}


@style()
def draw(group_effects: Table, fit: Mapping[str, Any], labels: Labels, *, model: str) -> Drawing:
    """Empirical Bayes coefficients of all groups with 95 % intervals, in order: a panel for each random effect.

    The interval is that of a group's effect, u_qj -+ 1.96 times its standard deviation given the data, since the
    question is how the group departs from the mean; what is uncertain about the mean itself is the same for all. It is
    drawn about the mean coefficient gamma_q0; where level-2 predictors give each group a mean of its own, about 0.

    Parameters
    ----------
    group_effects : term, effect and effect_std_error of every group.
    fit : the model's formula, response, estimator, random terms, fixed effects, hierarchy and meanings.
    labels : what things are called.
    model : the model's name in the configuration.
    """
    terms = texts(group_effects, "term")
    effects, errors = numbers(group_effects, "effect"), numbers(group_effects, "effect_std_error")
    listed = fit["random_terms"]
    groups = labels.group_noun.count(int((terms == listed[0]).sum()))
    title = f"{groups} in order, with 95 % intervals"
    figure = new_figure(WIDTH, _HEADING + _HEIGHT * len(listed))
    panels = figure.subplots(len(listed), squeeze=False)[:, 0]
    facts = []
    for axes, term in zip(panels, listed, strict=True):
        mine, mean = terms == term, _mean(fit, term)
        clear = np.sign(effects[mine]) * (np.abs(effects[mine]) > _REACH * errors[mine])
        _draw_panel(axes, effects[mine], errors[mine], clear != 0, mean or 0.0)
        name, unit = effect_names(term, fit)
        centre = "the prediction" if mean is None else f"the mean, {number(mean)},"
        outside = f"outside {_share(clear != 0)}"
        axes.set_title(wrap(f"{name}: {centre} {outside}", 74), fontsize=10)
        axes.set_ylabel(wrap(f"difference ({unit})" if mean is None else unit, 22))
        below, above = int((clear > 0).sum()), int((clear < 0).sum())
        facts.append(f"{sentence(name)}: {centre} lies {outside}, below {below:,} and above {above:,} of them.")
    panels[-1].set_xlabel(f"{shorten(labels.group_noun.plural, 40)}, lowest to highest")
    key: dict[str, Artist] = {
        "interval excludes the mean": _entry(_CLEAR, _CLEAR_DOT),
        "contains it": _entry(_UNCLEAR, _UNCLEAR_DOT),
        "mean": Line2D([], [], **_MEAN),
    }
    heading(figure, title, key, across=3)

    found = " ".join(facts)
    alt = f"A point with a bar for each of {groups}, from lowest to highest, a panel for each random coefficient."
    caption = (
        f"Empirical Bayes coefficients of {groups} in {labels.model(model)}, with 95 % intervals of the "
        f"departure from the mean{_predicted(fit)}. {found}"
    )
    return Drawing(figure, title, alt, caption)


def _mean(fit: Mapping[str, Any], term: str) -> float | None:
    """Mean of a random coefficient over groups; None where anything but a constant predicts it."""
    (coefficient,) = (c for c in fit["hierarchy"] if c["random"] == fit["random_terms"].index(term))
    match coefficient["predictors"]:
        case [[column, []]]:
            return float(fit["fixed_effects"][column])
    return None


def _predicted(fit: Mapping[str, Any]) -> str:
    """What stands in the mean's place for coefficients that have no one mean."""
    if all(_mean(fit, term) is not None for term in fit["random_terms"]):
        return ""
    return ", or, where the fixed effects predict each coefficient, from their prediction"


def _share(clear: NDArray[np.bool_]) -> str:
    return f"{clear.sum():,} of {len(clear):,} intervals ({percent(int(clear.sum()), len(clear))})"


def _draw_panel(axes: Axes, effects: Floats, errors: Floats, clear: NDArray[np.bool_], mean: float) -> None:
    """Draw the intervals from the lowest estimate to the highest."""
    order = np.argsort(effects, kind="stable")
    middle, reach = mean + effects[order], _REACH * errors[order]
    place = np.arange(1, len(order) + 1)
    for bar, dot, drawn in ((_UNCLEAR, _UNCLEAR_DOT, ~clear[order]), (_CLEAR, _CLEAR_DOT, clear[order])):
        axes.vlines(place[drawn], (middle - reach)[drawn], (middle + reach)[drawn], **bar)
        axes.plot(place[drawn], middle[drawn], linestyle="", zorder=4, **dot)
    axes.axhline(mean, zorder=3, **_MEAN)
    axes.set(xlim=(0, len(order) + 1), xticks=[])
    axes.grid(visible=False, axis="x")


def _entry(bar: Mapping[str, Any], dot: Mapping[str, Any]) -> Artist:
    """An interval as the key shows it."""
    colours = {"markerfacecolor": dot["color"], "markeredgecolor": dot["color"]}
    return Line2D([], [], marker=dot["marker"], markersize=dot["markersize"] + 1, **bar, **colours)
