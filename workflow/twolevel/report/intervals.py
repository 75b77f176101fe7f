"""A model's bootstrap and its confidence intervals as the report tells them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from scipy.special import ndtri

from twolevel.model.parameters import Parameter, parameters
from twolevel.output.numbers import NOTHING, decimals, fixed, percent
from twolevel.output.words import METHODS, clean, number

BOOTSTRAPPED = ("basic", "normal")  # the methods whose bounds can lie where the parameter cannot


@dataclass(frozen=True)
class Replicates:
    """How a bootstrap went.

    Attributes
    ----------
    simulated : data sets simulated
    failed : those to which the model could not be fitted
    singular : those, of the others, whose fit is on the boundary
    """

    simulated: int
    failed: int
    singular: int

    @property
    def boundary(self) -> float:
        """Share of the fits that are on the boundary."""
        fitted = self.simulated - self.failed
        return self.singular / fitted if fitted else float("nan")


@dataclass(frozen=True)
class Interval:
    """One interval: its bounds, their Monte Carlo errors where it is simulated, and what is to be said of it."""

    lower: float
    upper: float
    lower_error: float
    upper_error: float
    note: str

    @property
    def length(self) -> float:
        """From bound to bound."""
        return self.upper - self.lower


@dataclass(frozen=True)
class ParameterIntervals:
    """The intervals of one parameter.

    Attributes
    ----------
    parameter : its name, label and kind
    estimate : by REML
    bias : mean of the replicates less the estimate
    level : confidence level
    by_method : the intervals there are
    """

    parameter: Parameter
    estimate: float
    bias: float
    level: float
    by_method: Mapping[str, Interval]

    @property
    def places(self) -> int:
        """Decimals that show two digits of a quarter of the percentile interval, which is about a standard error.

        One replicate alone gives an interval of no length: then three digits of the estimate.
        """
        length = self.by_method["percentile"].length
        return decimals([length / 4], 2) if length > 0 else decimals([self.estimate])

    def text(self, method: str) -> str:
        """An interval as the table has it."""
        interval = self.by_method.get(method)
        if interval is None:
            return NOTHING
        return f"{fixed(interval.lower, self.places)} to {fixed(interval.upper, self.places)}"

    @property
    def error(self) -> float:
        """The larger Monte Carlo error of the percentile bounds."""
        of = self.by_method["percentile"]
        return max(of.lower_error, of.upper_error)

    @property
    def apart(self) -> float:
        """How far a percentile bound is from that of the profile, as a share of the profile interval's length."""
        one, other = self.by_method["percentile"], self.by_method["profile"]
        return max(abs(one.lower - other.lower), abs(one.upper - other.upper)) / other.length

    @property
    def outside(self) -> Iterator[str]:
        """Bounds of bootstrap intervals where the parameter cannot be."""
        low, high = self.parameter.range
        for method in BOOTSTRAPPED:
            interval = self.by_method[method]
            if interval.lower < low or interval.upper > high:
                yield f"{method}, {self.text(method)}"

    @property
    def relative_bias(self) -> float:
        """The bias in standard deviations of the replicates, as the normal interval has them."""
        spread = self.by_method["normal"].length / (2 * float(ndtri((1 + self.level) / 2)))
        return self.bias / spread if spread > 0 else float("nan")


def read_intervals(fit: Mapping[str, Any], table: pd.DataFrame) -> tuple[ParameterIntervals, ...]:
    """Bring together what `intervals.csv` says of each parameter."""
    rows: dict[str, dict[str, dict[Any, Any]]] = {}
    for row in table.to_dict("records"):
        rows.setdefault(row["parameter"], {})[row["method"]] = row
    return tuple(
        ParameterIntervals(
            parameter=parameter,
            **{key: rows[parameter.name]["percentile"][key] for key in ("estimate", "bias", "level")},
            by_method={method: _interval(row) for method, row in rows[parameter.name].items()},
        )
        for parameter in parameters(fit["random_terms"], fit["fixed_terms"], fit["blocks"])
    )


def _interval(row: Mapping[Any, Any]) -> Interval:
    note = row["note"] if isinstance(row["note"], str) else ""
    return Interval(row["lower"], row["upper"], row["lower_monte_carlo_error"], row["upper_monte_carlo_error"], note)


class Bootstrapped(Protocol):
    """What the sentences need of a model."""

    @property
    def called(self) -> str:
        """The model's title, as a sentence has it."""
        ...

    @property
    def intervals(self) -> tuple[ParameterIntervals, ...]:
        """Its intervals."""
        ...

    @property
    def replicates(self) -> Replicates:
        """How its bootstrap went."""
        ...


def enough_replicates(model: Bootstrapped) -> bool:
    """Whether the bounds of percentile intervals lie within what was simulated: 39 replicates at 95 %."""
    fitted = model.replicates.simulated - model.replicates.failed
    return all(fitted + 1 >= 2 / (1 - of.level) - 1e-9 for of in model.intervals)


def interval_sentences(models: Sequence[Bootstrapped]) -> list[str]:
    """What the bootstraps and intervals of all models show; nothing is compared that rests on too few replicates."""
    told = [model for model in models if enough_replicates(model)]
    sentences = [_failures(models), *_few([model for model in models if model not in told])]
    if told:
        sentences += [_boundary(told), *_agreement(told), *_ends(models), _outside(told), *_bias(told)]
        sentences += _monte_carlo(told)
    return [*sentences, *_notes(models)]


def _few(models: Sequence[Bootstrapped]) -> Iterator[str]:
    if models:
        level = models[0].intervals[0].level
        yield (
            f"So few replicates say nothing of the bounds of an interval: at {100 * level:g} % it takes "
            f"{round(2 / (1 - level)) - 1} at the least, and a thousand are better (bootstrap.replicates). Do not "
            f"read the bootstrap's intervals of {_some([model.called for model in models])}."
        )


def _failures(models: Sequence[Bootstrapped]) -> str:
    failed = [model for model in models if model.replicates.failed]
    if not failed:
        return "In every model the search found the optimum of every replicate: none failed."
    which = "; ".join(f"{m.called}, {m.replicates.failed:,} of {m.replicates.simulated:,}" for m in failed)
    return (
        f"Replicates without an optimum, which the intervals leave out: {which}. In the other models none failed."
        if len(failed) < len(models)
        else f"Replicates without an optimum, which the intervals leave out: {which}."
    )


def _boundary(models: Sequence[Bootstrapped]) -> str:
    most = max(models, key=lambda model: np.nan_to_num(model.replicates.boundary))
    if not most.replicates.singular:
        return "No replicate of any model is on the boundary, where a variance is zero or a correlation 1 or −1."
    return (
        "Replicates are on the boundary, where a variance is zero or random effects are tied to each other (as by a "
        f"correlation of 1 or −1), most often in {most.called}: {percent(most.replicates.boundary)}. These are no "
        "failures, but there the estimates pile up, and an interval cannot be taken for that of a normal estimate."
    )


def _each(models: Sequence[Bootstrapped], *kinds: str) -> list[tuple[Bootstrapped, ParameterIntervals]]:
    return [(model, of) for model in models for of in model.intervals if of.parameter.kind in kinds]


def _named(model: Bootstrapped, of: ParameterIntervals) -> str:
    return f"{clean(of.parameter.label)} in {model.called}"


def _some(items: Sequence[str]) -> str:
    """The first three, and how many more there are."""
    more = f"; and {len(items) - 3} more" if len(items) > 3 else ""
    return f"{'; '.join(items[:3])}{more}"


def _agreement(models: Sequence[Bootstrapped]) -> Iterator[str]:
    for kinds, what in (
        (("fixed",), "fixed effects"),
        (("sd", "sigma"), "standard deviations"),
        (("correlation",), "correlations"),
    ):
        apart = [(of.apart, model, of) for model, of in _each(models, *kinds) if np.isfinite(of.apart)]
        if apart:
            most, model, of = max(apart, key=lambda entry: entry[0])
            yield (
                f"For {what} a percentile bound is never farther from the profile bound than {percent(most)} of the "
                f"interval’s length ({_named(model, of)}: {of.text('percentile')} by percentile, "
                f"{of.text('profile')} by profile)."
            )


def _ends(models: Sequence[Bootstrapped]) -> Iterator[str]:
    reached = [
        f"{_named(model, of)}, {of.text('profile')}"
        for model, of in _each(models, "sd", "correlation")
        if of.by_method["profile"].lower == of.parameter.range[0]
        or of.by_method["profile"].upper == of.parameter.range[1]
    ]
    if reached:
        yield (
            "The profile interval goes on to the end of what the parameter can be, since the data do not rule that "
            f"end out: {_some(reached)}."
        )


def _outside(models: Sequence[Bootstrapped]) -> str:
    found = [
        f"{_named(model, of)}: {' and '.join(said)}"
        for model, of in _each(models, "sd", "sigma", "correlation")
        if (said := [*of.outside])
    ]
    if not found:
        return "No basic or normal interval reaches beyond what its parameter can be."
    return f"Basic and normal intervals reach beyond what the parameter can be for {_some(found)}."


def _bias(models: Sequence[Bootstrapped]) -> Iterator[str]:
    known = [
        pair for pair in _each(models, "sd", "sigma", "correlation", "fixed") if np.isfinite(pair[1].relative_bias)
    ]
    if known:
        model, of = max(known, key=lambda pair: abs(pair[1].relative_bias))
        yield (
            f"The largest bias, measured by the spread of the replicates, is that of {_named(model, of)}: its "
            f"replicates are on average {number(abs(of.bias), 2)} {'above' if of.bias > 0 else 'below'} the estimate, "
            f"{number(abs(of.relative_bias), 2)} of their standard deviation."
        )


def _monte_carlo(models: Sequence[Bootstrapped]) -> Iterator[str]:
    pairs = _each(models, "sd", "sigma", "correlation", "fixed")
    shares = [of.error / of.by_method["percentile"].length for _, of in pairs if of.by_method["percentile"].length > 0]
    finite = [share for share in shares if np.isfinite(share)]
    if finite:
        yield (
            "Another bootstrap of as many replicates would move a percentile bound by its Monte Carlo error: at most "
            f"{percent(max(finite))} of an interval’s length."
        )


def _notes(models: Sequence[Bootstrapped]) -> Iterator[str]:
    noted = [
        f"{_named(model, of)}, {METHODS.get(method, method)}: {interval.note}"
        for model, of in _each(models, "sd", "sigma", "correlation", "fixed")
        for method, interval in of.by_method.items()
        if interval.note
    ]
    if noted:
        yield f"Not as they should be: {_some(noted)}."
