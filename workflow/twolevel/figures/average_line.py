"""The line that the fixed effects of a model with one predictor make."""

from twolevel.figures.ols import Line
from twolevel.figures.tables import Table, numbers, texts


def average_line(fixed_effects: Table, x: str) -> Line:
    """The fixed effects of a model whose only predictor is `x`, as a line in it.

    Parameters
    ----------
    fixed_effects : term and estimate of each.
    x : the predictor.
    """
    estimates = dict(zip(texts(fixed_effects, "term"), numbers(fixed_effects, "estimate"), strict=True))
    return Line(float(estimates["(Intercept)"]), float(estimates[x]))
