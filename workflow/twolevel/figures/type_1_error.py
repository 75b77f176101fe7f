"""How often tests reject a null model that is true, against the nominal level."""

from typing import Any

from twolevel.figures.drawing import Drawing
from twolevel.figures.rate_rows import AROUND, ROW, draw_rates, key_of, stacked, verdicts
from twolevel.figures.style import MUTED, WIDTH, halo, heading, new_figure, style
from twolevel.figures.tables import Table, numbers, texts
from twolevel.output.words import TESTS, Labels, shorten


@style()
def draw(table: Table, labels: Labels) -> Drawing:  # noqa: ARG001  (every kind is given the labels)
    """Rate of rejection of each test in each comparison, with its 95 % interval: a panel for each nominal level.

    Parameters
    ----------
    table : `type_1_error.csv`.
    labels : what things are called.
    """
    comparisons, tests = texts(table, "comparison"), [TESTS[test] for test in texts(table, "test")]
    nominal, rate, lower, upper = (numbers(table, column) for column in ("nominal", "rate", "lower", "upper"))
    levels = sorted(set(nominal.tolist()), reverse=True)
    first = nominal == levels[0]
    places, names = stacked(comparisons[first].tolist())
    figure = new_figure(WIDTH, AROUND + ROW * (max(places) + 1))
    panels = figure.subplots(1, len(levels), sharey=True, squeeze=False)[0]
    for axes, level in zip(panels, levels, strict=True):
        rows = nominal == level
        draw_rates(axes, places, rate[rows], lower[rows], upper[rows], level)
        axes.set_xlim(left=0)
        axes.set_xlabel(f"rejected at {100 * level:g} % (%)")
    panels[0].set_yticks(places, [test for test, mine in zip(tests, first, strict=True) if mine])
    for name, place in names.items():
        heading_of_rows: dict[str, Any] = {"transform": panels[0].get_yaxis_transform(), "path_effects": halo(3)}
        panels[0].text(0, place, f" {shorten(name, 50)}", color=MUTED, size=9.5, va="center", **heading_of_rows)

    data_sets = int(numbers(table, "data_sets").max())
    of_each = verdicts(nominal, lower, upper)
    title = f"Type I error in {data_sets:,} data sets without the effect"
    key = key_of(of_each)
    heading(figure, title, key, across=len(key))
    alt = f"Dots with bars, one for each test, in a panel for each nominal level; {data_sets:,} data sets."
    caption = (
        f"How often each test rejects a null model that is true, counted in {data_sets:,} data sets simulated from it, "
        "with the 95 % interval of the rate. The dashed line is the nominal level: a test whose interval contains it "
        "is about right."
    )
    return Drawing(figure, title, alt, caption)
