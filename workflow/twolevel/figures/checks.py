"""The checks of a model on one page: residuals, random effects, and the influence of groups."""

from collections.abc import Mapping
from typing import Any

from twolevel.figures.drawing import Drawing
from twolevel.figures.effect_names import effect_names
from twolevel.figures.influence import add_influence
from twolevel.figures.qq_panel import add_qq, count_outside
from twolevel.figures.residuals_vs_fitted import add_residuals
from twolevel.figures.style import heading, new_figure, style
from twolevel.figures.tables import Table, numbers, texts
from twolevel.output.words import Labels, clean, percent, wrap

_WIDTH, _HEIGHT, _HEADING = 7.4, 2.7, 1.3  # inches, of two panels, of a panel, and of what stands above them
_MOST_GROUPS = 10


@style()
def draw(
    residuals: Table, group_effects: Table, influence: Table, fit: Mapping[str, Any], labels: Labels, *, model: str
) -> Drawing:
    """Residuals against fitted values and normal quantiles, each random effect's normal quantiles, Cook's distance.

    Parameters
    ----------
    residuals : the model's fitted value and residual of every observation.
    group_effects : term and effect of every group.
    influence : estimates without each group, with Cook's distance.
    fit : the model's formula, response, estimator, terms, meanings, and covariance of the fixed effects.
    labels : what things are called.
    model : the model's name in the configuration.
    """
    outcome, terms = clean(fit["response"]), fit["random_terms"]
    rows = -(-(3 + len(terms)) // 2)
    figure = new_figure(_WIDTH, _HEADING + _HEIGHT * rows)
    panels = list(figure.subplots(rows, 2, squeeze=False).ravel())
    for axes in panels[3 + len(terms) :]:
        axes.set_visible(False)
    values = numbers(residuals, "residual")
    cloud, _, _ = add_residuals(panels[0], numbers(residuals, "fitted"), values, outcome, size=8)
    panels[0].set_title("level-1 residuals", fontsize=10)
    plot, quantiles = add_qq(panels[1], values, wrap(f"residual ({outcome})", 28), size=6)
    panels[1].set_title("level-1 residuals", fontsize=10)
    outside = [f"residuals {percent(count_outside(plot), len(values))}"]
    all_terms, effects = texts(group_effects, "term"), numbers(group_effects, "effect")
    for axes, term in zip(panels[2:], terms, strict=False):
        name, _ = effect_names(term, fit)
        plot, _ = add_qq(axes, effects[all_terms == term], "effect", size=12)
        axes.set_title(wrap(f"random {name}", 40), fontsize=10)
        outside.append(f"{name} {percent(count_outside(plot), len(plot.sample))}")
    distances, moved = add_influence(panels[2 + len(terms)], influence, fit, labels, _MOST_GROUPS)
    panels[2 + len(terms)].set_title(wrap(f"{labels.group_noun.plural} left out", 40), fontsize=10)

    everybody, groups = labels.observation_noun.count(len(values)), labels.group_noun.count(fit["n_groups"])
    title = f"Checks of {labels.model(model)}"
    of_residuals = {f"residuals: {what}": drawn for what, drawn in cloud.items()}
    heading(figure, title, of_residuals | quantiles | distances, across=3)
    alt = (
        f"Panels: residuals of {everybody} against fitted values; normal quantile-quantile plots of residuals and "
        f"random effects; Cook’s distance of the {labels.group_noun.plural} with the largest."
    )
    caption = (
        f"Checks of {labels.model(model)}: {everybody} in {groups}. Outside the 95 % band of a normal sample: "
        f"{', '.join(outside)}. {moved}"
    )
    return Drawing(figure, title, alt, caption)
