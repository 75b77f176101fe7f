"""How often intervals cover the true value of a parameter, against the nominal level."""

from twolevel.figures.drawing import Drawing
from twolevel.figures.rate_rows import AROUND, ROW, draw_rates, key_of, stacked, verdicts
from twolevel.figures.style import WIDTH, heading, new_figure, style
from twolevel.figures.tables import Table, numbers, texts
from twolevel.output.words import METHODS, Labels, wrap

ACROSS = 2


@style()
def draw(table: Table, labels: Labels) -> Drawing:
    """Coverage of each method's interval, with its 95 % interval: a panel for each parameter.

    Parameters
    ----------
    table : `coverage.csv`.
    labels : what things are called.
    """
    models, parameters, names, methods = (texts(table, key) for key in ("model", "parameter", "label", "method"))
    rate, lower, upper = (numbers(table, column) for column in ("coverage", "lower", "upper"))
    level = float(numbers(table, "level")[0])
    panels = list(dict.fromkeys(zip(models.tolist(), parameters.tolist(), strict=True)))
    several = len({model for model, _ in panels}) > 1
    rows = -(-len(panels) // ACROSS)
    methods_used = list(dict.fromkeys(methods.tolist()))
    figure = new_figure(WIDTH, AROUND + rows * (0.7 + ROW * len(methods_used)))
    grid = figure.subplots(rows, ACROSS, sharex=True, sharey=True, squeeze=False)
    places, _ = stacked([""] * len(methods_used))
    for axes, (model, parameter) in zip(grid.ravel(), panels, strict=False):
        mine = (models == model) & (parameters == parameter)
        at = [places[methods_used.index(method)] for method in methods[mine].tolist()]
        draw_rates(axes, at, rate[mine], lower[mine], upper[mine], level)
        label = names[mine][0]
        axes.set_title(wrap(f"{labels.model(model)}: {label}" if several else label, 36), fontsize=10)
        axes.set_yticks(places, [METHODS.get(method, method) for method in methods_used])
    for axes in grid.ravel()[len(panels) :]:
        axes.set_visible(False)
    grid[0, 0].set_ylim(max(places) + 0.7, min(places) - 0.7)
    figure.supxlabel(f"covered by {100 * level:g} % intervals (%)", fontsize="medium")

    data_sets = int(numbers(table, "data_sets").max())
    of_each = verdicts(numbers(table, "level"), lower, upper)
    title = f"Coverage of {100 * level:g} % intervals in {data_sets:,} simulated data sets"
    key = key_of(of_each)
    heading(figure, title, key, across=len(key))
    shown = " and ".join(dict.fromkeys(map(labels.model, models.tolist())))
    alt = f"Dots with bars, one for each method, in a panel for each parameter; {data_sets:,} data sets."
    caption = (
        f"How often the {100 * level:g} % interval of each method covers the true value, counted in {data_sets:,} data "
        f"sets simulated from {shown}, with the 95 % interval of the rate. The dashed line is the nominal level. "
        "Wald intervals are for fixed effects only."
    )
    return Drawing(figure, title, alt, caption)
