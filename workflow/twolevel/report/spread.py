"""How far random effects spread, as one table has it: variances and correlations with their intervals."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, isfinite

from markupsafe import Markup

from twolevel.output.mathml import Math
from twolevel.output.numbers import decimals
from twolevel.report.intervals import ParameterIntervals
from twolevel.report.model import Model


@dataclass(frozen=True)
class SpreadRow:
    """A variance or a correlation.

    Attributes
    ----------
    symbol, label : what it is; a correlation has no symbol
    estimate : by REML
    interval : by profile likelihood; None where it was not found
    p_value : of the test that the variance is zero; None where there is none
    """

    symbol: Math | None
    label: Markup
    estimate: float
    interval: tuple[float, float] | None
    p_value: float | None

    @property
    def places(self) -> int:
        """Decimals that show two digits of a quarter of the interval, which is about a standard error.

        Of a variance they show three digits at least.
        """
        least = decimals([self.estimate]) if self.symbol else 0
        if self.interval is None or self.interval[0] == self.interval[1]:
            return least
        return max(least, decimals([(self.interval[1] - self.interval[0]) / 4], 2))


def spread(model: Model) -> Iterator[SpreadRow]:
    """The variances of the random effects, their correlations, and the residual variance.

    A profile interval belongs to the parameter on any scale: that of a variance is that of its SD, squared.
    """
    terms = model.fit["random_terms"]
    for of in sorted(model.intervals, key=lambda of: ("sd", "correlation", "sigma", "fixed").index(of.parameter.kind)):
        match of.parameter.kind:
            case "sd":
                effect = model.random[of.parameter.index[0]]
                label = Markup("variance of <code>{}</code>").format(effect.term)
                zero = effect.term in model.zero_variances
                p = effect.p_value if isfinite(effect.p_value) else None
                yield SpreadRow(effect.symbol, label, 0.0 if zero else effect.variance, _interval(of, 2), p)
            case "correlation":
                pair = [terms[k] for k in of.parameter.index]
                label = Markup("correlation of <code>{}</code> with <code>{}</code>").format(*pair)
                yield SpreadRow(None, label, of.estimate, _interval(of, 1), None)
            case "sigma":
                label = Markup("residual variance")
                yield SpreadRow(model.equations.residual, label, float(of.estimate) ** 2, _interval(of, 2), None)


def _interval(of: ParameterIntervals, power: int) -> tuple[float, float] | None:
    bounds = of.by_method["profile"]
    lower, upper = bounds.lower**power, bounds.upper**power
    return (lower, upper) if -inf < lower <= upper < inf else None
