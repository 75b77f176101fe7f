"""A fitted model as the report speaks of it: its effects with their symbols and their level."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite, sqrt
from typing import Any

import pandas as pd
from scipy.special import stdtrit

from twolevel.inference.reported import by_estimator
from twolevel.model.expression import deparse, names_in
from twolevel.model.formula_parts import take_apart
from twolevel.model.terms import Factor, read_meanings
from twolevel.output.equations import Equations, equations
from twolevel.output.mathml import Math
from twolevel.output.numbers import decimals
from twolevel.output.words import as_title, clean
from twolevel.report.intervals import ParameterIntervals, Replicates, read_intervals

# In a singular fit, a standard deviation over groups below this share of the standard error of the coefficient's mean
# is zero, whatever the units: of each group's deviations from that mean it then makes no difference that can be seen.
ZERO = 1e-2

# In a singular fit, a correlation this close to 1 or -1 is meant to be it.
TIED = 1e-4

# Standard deviations on either side of a mean that hold 95 % of a normal distribution.
Z = 1.959964

# The level at which tests decide.
ALPHA = 0.05

Factors = tuple[Factor, ...]


def tied_pairs(fit: Mapping[str, Any]) -> list[tuple[str, str, float]]:
    """Pairs of random effects with a correlation of 1 or -1, and that, in a fit or in its constrained one."""
    terms = fit["random_terms"]
    return [
        (terms[k], terms[i], r)
        for i, row in enumerate(fit["random_effects_correlation"])
        for k, r in enumerate(row[:i])
        if r is not None and abs(r) > 1 - TIED
    ]


@dataclass(frozen=True)
class FixedEffect:
    """One fixed effect gamma.

    Attributes
    ----------
    term : as lme4 writes it
    symbol : its gamma
    level1, level2 : what it multiplies, by level; nothing of either for the intercept
    estimate, std_error, statistic : the estimate, its standard error, their ratio
    df, p_value : of its t test by Satterthwaite's method; NaN where that gives none
    kr_std_error, kr_df, kr_p_value : the same by Kenward and Roger's, with a standard error of its own
    """

    term: str
    symbol: Math
    level1: Factors
    level2: Factors
    estimate: float
    std_error: float
    statistic: float
    df: float
    p_value: float
    kr_std_error: float
    kr_df: float
    kr_p_value: float

    @property
    def factors(self) -> Factors:
        """What it multiplies, whatever the level."""
        return (*self.level1, *self.level2)

    @property
    def places(self) -> int:
        """Decimals that show three digits of its standard error."""
        return decimals([self.std_error])

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval by t, with the degrees of freedom of its test; by z where no method gives any."""
        std_error, df, _ = self.best_test
        reach = (Z if self.by_z else float(stdtrit(df, 0.975))) * std_error
        return self.estimate - reach, self.estimate + reach

    @property
    def best_test(self) -> tuple[float, float, float]:
        """Standard error, degrees of freedom and p by Satterthwaite's method, else by Kenward and Roger's."""
        if self.tested or self.by_z:
            return self.std_error, self.df, self.p_value
        return self.kr_std_error, self.kr_df, self.kr_p_value

    @property
    def by_z(self) -> bool:
        """Whether no method gives degrees of freedom, so that its interval is by z."""
        return not self.tested and not self.tested_otherwise

    @property
    def clear(self) -> bool:
        """Whether the interval leaves zero out, as its test's p below 0.05 says too: then the sign is known."""
        lower, upper = self.interval
        return lower > 0 or upper < 0

    @property
    def tested(self) -> bool:
        """Whether Satterthwaite's method gives it degrees of freedom."""
        return isfinite(self.df)

    @property
    def tested_otherwise(self) -> bool:
        """Whether Kenward and Roger's does."""
        return isfinite(self.kr_df)

    @property
    def reversed(self) -> "FixedEffect":
        """The same effect with the two levels of its last factor changed round."""
        *rest, last = self.factors
        turned = (*rest, replace(last, level=last.reference, reference=last.level))
        return replace(
            self,
            level1=turned[: len(self.level1)],
            level2=turned[len(self.level1) :],
            estimate=-self.estimate,
            statistic=-self.statistic,
        )

    @property
    def columns(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Names of the level-1 and of the level-2 columns in it."""
        return tuple(f.column for f in self.level1), tuple(f.column for f in self.level2)


@dataclass(frozen=True)
class RandomEffect:
    """One random effect u_q and the level-1 coefficient that it belongs to.

    Attributes
    ----------
    term, symbol : as lme4 writes it; its variance tau_qq
    level1 : what the coefficient multiplies; nothing for the intercept
    variance, sd : of the effect over groups
    mean : the constant gamma_q0; None where the coefficient has none, or that of another coding
    predicted : whether level-2 predictors say more about the coefficient than its mean
    reliability : how well the groups' own least squares tell their coefficients apart
    chi_square, df, p_value : the test that the variance is zero
    usable_groups : how many groups these rest on
    """

    term: str
    symbol: Math
    level1: Factors
    variance: float
    sd: float
    mean: float | None
    predicted: bool
    reliability: float
    chi_square: float
    df: int
    p_value: float
    usable_groups: int

    @property
    def plausible(self) -> tuple[float, float] | None:
        """Where 95 % of the groups' coefficients are expected (Raudenbush & Bryk 2002, p. 78)."""
        if self.mean is None or self.predicted:
            return None
        return self.mean - Z * self.sd, self.mean + Z * self.sd


@dataclass(frozen=True)
class Model:
    """A model with its estimates by REML, or by ML where the configuration says so.

    Attributes
    ----------
    name, title, published_name, baseline : as in the configuration; without a title there, the name as words
    fit : its `fit.json`
    fixed, random : its effects
    equations : the model as equations
    intervals : of each parameter, by all methods
    replicates : how its bootstrap went
    offsets : the columns in each expression that is added to its equation as it is
    beside : the rows of each table that a paper sets beside a fit, by the tables' names
    """

    name: str
    title: str
    published_name: str | None
    baseline: str | None
    fit: Mapping[str, Any]
    fixed: tuple[FixedEffect, ...]
    random: tuple[RandomEffect, ...]
    equations: Equations
    intervals: tuple[ParameterIntervals, ...]
    replicates: Replicates
    offsets: Mapping[str, frozenset[str]]
    beside: Mapping[str, list[dict[Any, Any]]] = field(default_factory=dict)

    @property
    def predictors(self) -> frozenset[str]:
        """The columns that predict the outcome."""
        return frozenset(f.column for effect in self.fixed for f in effect.factors)

    @property
    def blocks(self) -> list[list[str]]:
        """The terms of each independent block of random effects."""
        terms = iter(self.fit["random_terms"])
        return [[next(terms) for _ in range(size)] for size in self.fit["blocks"]]

    def correlated(self, one: int, other: int) -> bool:
        """Whether two random effects, by their numbers, are of one block."""
        of = [number for number, size in enumerate(self.fit["blocks"]) for _ in range(size)]
        return of[one] == of[other]

    @property
    def called(self) -> str:
        """Its title as a sentence has it."""
        return f"“{self.title}”"

    @property
    def between(self) -> float | None:
        """Share of the variance between groups (intraclass correlation); only without predictors."""
        if {*(e.term for e in self.fixed), *(e.term for e in self.random)} != {"(Intercept)"}:
            return None
        variance, residual = self.random[0].variance, float(self.fit["sigma"]) ** 2
        return variance / (variance + residual)

    @property
    def zero_variances(self) -> tuple[str, ...]:
        """Terms of the random effects whose variance, in a singular fit, is estimated as zero."""
        # Without a fixed intercept, the standard error of a mean of all observations takes the place of its own.
        errors: dict[Factors, float] = {(): float(self.fit["sigma"]) / sqrt(self.fit["n_obs"])}
        errors |= {e.level1: e.std_error for e in self.fixed if not e.level2}
        return tuple(r.term for r in self.random if r.sd <= ZERO * errors.get(r.level1, 0.0))

    @property
    def tied(self) -> tuple[tuple[str, str, float], ...]:
        """Pairs of random effects with variances above zero and a correlation of 1 or -1, and the correlation."""
        return tuple(pair for pair in tied_pairs(self.fit) if not {*pair[:2]} & {*self.zero_variances})

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why its fits, by REML and by ML, cannot be trusted; none where they can."""
        both = (by_estimator(self.fit, estimator) for estimator in ("REML", "ML"))
        return tuple(f"by {fit['estimator']}, {doubt}" for fit in both for doubt in fit["doubts"])

    def effect(self, level1: Sequence[str] = (), level2: Sequence[str] = ()) -> FixedEffect | None:
        """The fixed effect of these columns, whatever the level; None where there is not exactly one."""
        found = [e for e in self.fixed if e.columns == (tuple(level1), tuple(level2))]
        return found[0] if len(found) == 1 else None


@dataclass(frozen=True)
class ModelTables:
    """The tables of one model, by the names of their files, and its bootstrap; `beside` has its supplements."""

    fixed_effects: pd.DataFrame
    random_effects: pd.DataFrame
    variance_components: pd.DataFrame
    intervals: pd.DataFrame
    replicates: Replicates
    beside: Mapping[str, pd.DataFrame] = field(default_factory=dict)


def read_model(name: str, settings: Mapping[str, Any], fit: Mapping[str, Any], tables: ModelTables) -> Model:
    """Bring together what the files of one model say.

    Parameters
    ----------
    name, settings : the model's key and its entry in the configuration
    fit, tables : its `fit.json` and its tables
    """
    meanings = read_meanings(fit["meanings"])

    def read(names: Sequence[str]) -> Factors:
        return tuple(meanings[name] for name in names)

    offsets = _offsets(fit["formula"])
    written = equations(fit["hierarchy"], fit["response"], meanings, fit["blocks"], [*offsets])
    where = {
        column: (read(coefficient["factors"]), read(predictor))
        for coefficient in fit["hierarchy"]
        for column, predictor in coefficient["predictors"]
    }
    columns = ["estimate", "std_error", "statistic", "df", "p_value", "kr_std_error", "kr_df", "kr_p_value"]
    rows = tables.fixed_effects[columns].to_numpy(dtype=float).tolist()
    fixed = tuple(
        FixedEffect(term, symbol, *where[column], *row)
        for column, (term, symbol, row) in enumerate(zip(fit["fixed_terms"], written.fixed_symbols, rows, strict=True))
    )
    return Model(
        name=name,
        title=clean(settings.get("title") or as_title(name)),
        published_name=settings.get("published_name"),
        baseline=settings.get("baseline"),
        fit=fit,
        fixed=fixed,
        random=tuple(
            _random_effect(fit, i, read, fixed, written, component)
            for i, component in enumerate(tables.variance_components.to_dict("records"))
        ),
        equations=written,
        intervals=read_intervals(fit, tables.intervals),
        replicates=tables.replicates,
        offsets=offsets,
        beside={name: table.to_dict("records") for name, table in tables.beside.items()},
    )


def _offsets(formula: str) -> dict[str, frozenset[str]]:
    if "offset" not in formula:
        return {}
    offsets = take_apart(formula).fixed.offsets
    return {deparse(of): frozenset(name.name for name in names_in(of)) for of in offsets}


def _coded_alike(level1: Factors, fixed: Sequence[FixedEffect], random: Sequence[Factors]) -> bool:
    """Whether a level has the same columns beside it in the fixed part and in the random one.

    Where one part has a column for every level and the other has none for the reference level, a column of one name
    is a mean in one and a difference in the other.
    """
    if len(level1) != 1 or level1[0].level is None:
        return True
    both = ([e.level1 for e in fixed if not e.level2], random)
    here, there = (sum(len(of) == 1 and of[0].column == level1[0].column for of in part) for part in both)
    return here == there


def _random_effect(
    fit: Mapping[str, Any],
    index: int,
    read: Callable[[Sequence[str]], Factors],
    fixed: Sequence[FixedEffect],
    written: Equations,
    component: Mapping[Any, Any],
) -> RandomEffect:
    coefficient = next(c for c in fit["hierarchy"] if c["random"] == index)
    constants = [column for column, predictor in coefficient["predictors"] if not predictor]
    level1 = read(coefficient["factors"])
    alike = _coded_alike(level1, fixed, [read(c["factors"]) for c in fit["hierarchy"] if c["random"] is not None])
    variance = fit["random_effects_covariance"][index][index]
    return RandomEffect(
        term=fit["random_terms"][index],
        symbol=written.random_symbols[index],
        level1=level1,
        variance=variance,
        sd=sqrt(variance),
        mean=fixed[constants[0]].estimate if constants and alike else None,
        predicted=len(coefficient["predictors"]) > len(constants),
        **{key: component[key] for key in ("reliability", "chi_square", "df", "p_value", "usable_groups")},
    )
