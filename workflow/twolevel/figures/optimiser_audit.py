"""How far from the optimum the searches that a user would try end, and whether they say that they converged."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from twolevel.errors import counted
from twolevel.figures.drawing import Drawing
from twolevel.figures.style import BLUE, MUTED, VERMILION, WIDTH, heading, new_figure, style
from twolevel.figures.tables import Table, sparse, texts
from twolevel.output.words import ELSEWHERE, SEARCHES, STARTS, Labels, number

# Distances below the first are drawn there: they are within tolerances.
LEAST = 1e-6

# Inches for a row, for the head of a panel, and for all else.
ROW, HEAD, AROUND = 0.3, 0.36, 1.6

_FOUND: dict[str, Any] = {"facecolor": "#EDEDED", "edgecolor": "none"}
_SAID: dict[bool, dict[str, Any]] = {
    True: {"marker": "o", "markersize": 5, "markeredgewidth": 0.8},
    False: {"marker": "x", "markersize": 5.5, "markeredgewidth": 1.8},
}


@dataclass(frozen=True)
class _Trial:
    """One mark: the distance from the optimum, NaN where the criterion is not finite."""

    model: str
    method: str
    start: str
    above: float
    converged: bool

    @property
    def missed(self) -> bool:
        """Whether it ended elsewhere."""
        return not self.above <= ELSEWHERE


@style()
def draw(audit: Table, labels: Labels) -> Drawing:  # noqa: ARG001  (every kind is given the labels)
    """A panel for each start, a row for each method, a mark for each model; its shape is what the method said.

    In a row the models stand from top to bottom in their order, so that marks at one place do not hide each other. A
    trial that has no finite criterion is drawn at the right, beyond the scale.

    Parameters
    ----------
    audit : `optimiser_audit.csv`.
    labels : what things are called.
    """
    trials = _trials(audit)
    models = list(dict.fromkeys(trial.model for trial in trials))
    starts = [start for start in STARTS if any(trial.start == start for trial in trials)]
    rows = {
        start: [name for name in SEARCHES if any((t.method, t.start) == (name, start) for t in trials)]
        for start in starts
    }
    largest = max((trial.above for trial in trials if np.isfinite(trial.above)), default=1.0)
    last = 10.0 ** np.ceil(np.log10(max(largest, 1.0)) + 0.25)
    counts = [len(rows[start]) for start in starts]
    figure = new_figure(WIDTH, AROUND + HEAD * len(starts) + ROW * sum(counts))
    grid = figure.subplots(len(starts), 1, sharex=True, squeeze=False, height_ratios=counts)
    for axes, start in zip(grid.ravel(), starts, strict=True):
        mine = [trial for trial in trials if trial.start == start]
        _draw_panel(axes, mine, rows[start], models, float(last))
        axes.set_title(f"Start: {STARTS[start]}", loc="left")
    _mark_ends(grid[-1, 0], float(last))

    several = counted(len(models), "model")
    title = f"Where searches end that a user would try, in {several}"
    heading(figure, title, _key(), across=2)
    missed = [trial for trial in trials if trial.missed]
    misled = sum(trial.converged for trial in missed)
    found = f"{len(missed)} of {len(trials)} searches missed the optimum, and {misled} of these said “converged”."
    alt = f"Rows of marks on a logarithmic scale, in each one for each of {several}."
    caption = (
        f"How far above the lowest REML criterion each search ended, a mark for each of {several}. In "
        f"the grey band, up to {number(ELSEWHERE, 1)}, the optimum was found; at the far right there is no finite "
        "criterion. "
        f"A dot said “converged”, a cross that it had not. {found}"
    )
    return Drawing(figure, title, alt, caption)


def _trials(audit: Table) -> list[_Trial]:
    columns = (texts(audit, name).tolist() for name in ("model", "method", "start"))
    said = np.asarray(audit["converged"]).astype(bool).tolist()
    return [_Trial(*row) for row in zip(*columns, sparse(audit, "above_optimum").tolist(), said, strict=True)]


def _draw_panel(axes: Axes, trials: list[_Trial], rows: list[str], models: list[str], last: float) -> None:
    """Draw the rows of one start."""
    axes.set_xscale("log")
    axes.set_xlim(LEAST / 2.5, last * 12)
    axes.axvspan(LEAST / 2.5, ELSEWHERE, **_FOUND)
    axes.axvline(last, color=MUTED, linewidth=0.8, linestyle=(0, (3, 1.5)))
    # In a row of height 1 the models share the middle 0.7.
    offsets = dict(zip(models, 0.7 * ((np.arange(len(models)) + 0.5) / len(models) - 0.5), strict=True))
    for trial in trials:
        beyond = last * 3.5
        x = min(max(trial.above, LEAST), last) if np.isfinite(trial.above) else beyond
        colour = VERMILION if trial.missed else BLUE
        axes.plot(x, rows.index(trial.method) + offsets[trial.model], color=colour, **_SAID[trial.converged])
    for between in range(1, len(rows)):
        axes.axhline(between - 0.5, color="#BFBFBF", linewidth=0.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), [SEARCHES[name] for name in rows])
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")


def _mark_ends(axes: Axes, last: float) -> None:
    """Label the scale that all panels share."""
    powers = range(int(np.log10(LEAST)), int(np.log10(last)), 2)
    places = [10.0**power for power in powers]
    named = [number(place, 1) if abs(power) <= 4 else f"1e{power}" for power, place in zip(powers, places, strict=True)]
    axes.set_xticks([*places, last * 3.5], [f"≤ {named[0]}", *named[1:], "not finite"])
    axes.minorticks_off()
    axes.set_xlabel("criterion above the optimum (log scale)")


def _key() -> dict[str, Artist]:
    """What the marks mean."""
    said: dict[str, Artist] = {
        "found, said “converged”": Line2D([], [], color=BLUE, linestyle="none", **_SAID[True]),
        "missed, said “converged”": Line2D([], [], color=VERMILION, linestyle="none", **_SAID[True]),
        "said it had not converged": Line2D([], [], color=MUTED, linestyle="none", **_SAID[False]),
    }
    return said | {"the optimum was found": Patch(**_FOUND)}
