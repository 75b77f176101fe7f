"""Random effects of one term, a value per group, against the normal distribution."""

from collections.abc import Mapping
from typing import Any

from twolevel.figures.drawing import Drawing
from twolevel.figures.effect_names import effect_names
from twolevel.figures.qq_panel import describe, draw_qq
from twolevel.figures.style import style
from twolevel.figures.tables import Table, numbers, texts
from twolevel.output.words import Labels, sentence, wrap


@style()
def draw(group_effects: Table, fit: Mapping[str, Any], labels: Labels, *, model: str, term: str) -> Drawing:
    """Normal QQ plot of the empirical Bayes effects of one random term.

    Parameters
    ----------
    group_effects : term and effect of every group.
    fit : the model's formula, response, estimator and meanings.
    labels : what things are called.
    model : the model's name in the configuration.
    term : the random term, as lme4 writes it.
    """
    terms = texts(group_effects, "term")
    values = numbers(group_effects, "effect")[terms == term]
    name, unit = effect_names(term, fit)
    effects = f"random {name}"
    groups = labels.group_noun.count(len(values))
    title = f"Empirical Bayes {effects} of {groups}"
    figure, plot = draw_qq(values, title, wrap(f"effect ({unit})", 36), size=18)
    found = describe(plot, labels.group_noun.plural)
    alt = f"Normal quantile-quantile plot of {groups}, with a line and a band around it."
    caption = (
        f"{sentence(effects)} of {groups} in {labels.model(model)}, by empirical Bayes, against the normal "
        f"distribution, with the line through the quartiles and the pointwise 95 % band of a normal sample. {found}"
    )
    return Drawing(figure, title, alt, caption)
