"""The lines that a model's fixed effects predict, by a category and at several values of a level-2 predictor."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from twolevel.figures.drawing import Drawing
from twolevel.figures.predicted import QUARTILES, draw_line, held_values, slope_at
from twolevel.figures.style import BLACK, BLUE, GREEN, MUTED, ORANGE, PURPLE, VERMILION, heading, new_figure, style
from twolevel.figures.tables import Table, levels_of, numbers, of_groups, texts
from twolevel.model.predictions import fixed_part
from twolevel.output.words import Labels, clean, number, shorten

_PALE = 0.22

# Colour and dashes of each level, so that they differ in grey too.
_LOOKS: tuple[dict[str, Any], ...] = (
    {"color": BLUE, "linestyle": "-"},
    {"color": VERMILION, "linestyle": (0, (4, 1.4))},
    {"color": GREEN, "linestyle": (0, (1, 1.2))},
    {"color": PURPLE, "linestyle": (0, (6, 1.5, 1, 1.5))},
    {"color": BLACK, "linestyle": (0, (2, 2))},
    {"color": ORANGE, "linestyle": (0, (8, 2))},
)


@dataclass(frozen=True)
class _Place:
    """A quartile of the level-2 predictor: its name, the value there, and which observations' groups are nearest."""

    name: str
    value: float
    nearest: NDArray[np.bool_]


@style()
def draw(
    observations: Table,
    fit: Mapping[str, Any],
    labels: Labels,
    *,
    model: str,
    x: str,
    y: str,
    category: str,
    at: str,
) -> Drawing:
    """Predicted lines with 95 % bands: a panel for each quartile of `at`, a line for each level of `category`.

    A line spans the middle 95 % of `x` in the groups of its category that are nearest to its quartile. A band is the
    prediction -+ 1.96 standard errors at each point, of the fixed effects alone. Other predictors are held at their
    mean over observations, or at their reference level.

    Parameters
    ----------
    observations : the prepared data.
    fit : the model's formula, response, estimator, hierarchy, fixed effects and their covariance.
    labels : what things are called.
    model : the model's name in the configuration.
    x, y : columns of the predictor and the outcome, the model's own.
    category : column of a factor in the model, the same for every observation of a group.
    at : column of a numeric predictor in the model, the same for every observation of a group.
    """
    fixed = fixed_part(fit)
    held, held_at = held_values(fixed, {x, at, category}, observations)
    levels = levels_of(of_groups(observations, category, labels).astype(str), category, labels, len(_LOOKS))
    places = _places(observations, at, labels)
    xs, of_row = numbers(observations, x), texts(observations, category)

    figure = new_figure()
    panels = figure.subplots(1, len(places), sharex=True, sharey=True, squeeze=False)[0]
    facts = []
    for axes, place in zip(panels, places, strict=True):
        told = []
        for level, look in zip(levels, _LOOKS, strict=False):
            such = xs[place.nearest & (of_row == level)]
            if not len(such):
                continue
            values = held | {at: place.value, category: level}
            first, last = np.quantile(such, [0.025, 0.975])
            band = {"color": look["color"], "alpha": _PALE}
            draw_line(axes, fixed, values, x, (first, last), band=band, line=look)
            told.append(f"{clean(level)} {number(slope_at(fixed, values, x)[0], 3)}")
        axes.set_title(f"{place.name}:\n{shorten(at, 14)} = {number(place.value, 3)}", fontsize=10)
        facts.append(f"At {clean(at)} {number(place.value, 3)} ({place.name}) slopes of {'; '.join(told)}.")
    panels[0].set_ylabel(labels.axis(y, 36))
    figure.supxlabel(labels.axis(x), fontsize="medium")
    title = f"What {labels.model(model)} predicts, by {labels.label(category)}"
    key: dict[str, Artist] = {
        shorten(level, 24): Line2D([], [], linewidth=2.2, **look) for level, look in zip(levels, _LOOKS, strict=False)
    }
    heading(figure, title, key | {"95 % band": Patch(color=MUTED, alpha=_PALE, linewidth=0)}, across=3)

    found = " ".join(facts)
    groups = labels.group_noun.count(len(np.unique(texts(observations, labels.group))))
    what = f"{labels.label(y)} by {labels.label(category)}, at the quartiles of {labels.label(at)}"
    alt = f"{len(places)} panels, each with a line and a band for each of {len(levels)} levels, over {groups}."
    caption = f"Predictions by the fixed effects of {labels.model(model)} with 95 % bands: {what}.{held_at} {found}"
    return Drawing(figure, title, alt, caption)


def _places(observations: Table, at: str, labels: Labels) -> list[_Place]:
    """The quartiles of `at` over groups, coinciding ones once, and the observations of the groups nearest to each."""
    numbers(observations, at)  # refuses text and gaps
    of_group = of_groups(observations, at, labels).astype(float)
    named = {float(np.quantile(of_group, share)): name for name, share in reversed(QUARTILES.items())}
    values = np.array(sorted(named))
    _, group = np.unique(texts(observations, labels.group), return_inverse=True)
    nearest = np.abs(of_group[:, np.newaxis] - values).argmin(axis=1)[group]
    return [_Place(named[value], value, nearest == k) for k, value in enumerate(values.tolist())]
