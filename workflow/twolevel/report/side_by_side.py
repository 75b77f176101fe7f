"""Models side by side as the page shows them: few columns to a table, in each row the digits that its errors allow."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from string import ascii_lowercase

from twolevel.errors import listed
from twolevel.output.numbers import decimals, fixed, share
from twolevel.output.side_by_side import Row, side_by_side
from twolevel.report.model import Model

# More columns than these do not fit on paper.
MOST_COLUMNS = 5

_TITLES = {
    "intraclass_correlation": "Intraclass correlation",
    "r2_marginal": "R² marginal",
    "r2_conditional": "R² conditional",
    "reml_criterion": "REML criterion",
    "ml_deviance": "−2 log L (ML)",
    "ml_aic": "AIC (ML)",
    "ml_aicc": "AICc (ML)",
    "ml_bic": "BIC (ML)",
    "npar": "Parameters",
}

# What is shown of a cell: the number, and what stands under it.
Cell = tuple[str, str]
EMPTY: Cell = ("", "")


@dataclass(frozen=True)
class Line:
    """A row.

    Attributes
    ----------
    label : what it is of
    term : whether that is a name from the formula
    cells : one for each model
    marks : of criteria, the letter of each model's family; none where all can be compared
    """

    label: str
    term: bool
    cells: tuple[Cell, ...]
    marks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """One table.

    Attributes
    ----------
    models : its columns
    parts : the heading of each part with its rows
    reml_marked, ml_marked : whether criteria of that kind carry marks, since not all of them can be compared
    """

    models: tuple[Model, ...]
    parts: tuple[tuple[str, tuple[Line, ...]], ...]
    reml_marked: bool
    ml_marked: bool

    @property
    def by_ml(self) -> str:
        """The models whose estimates are by ML; empty where all are by REML."""
        by_ml = [model.called for model in self.models if model.fit["estimator"] == "ML"]
        return listed(by_ml) if by_ml else ""


def sheets(models: Mapping[str, Model], observations: str, groups: str) -> list[Sheet]:
    """Set all models side by side, in as few tables as there must be.

    Parameters
    ----------
    observations, groups : what level-1 rows and level-2 units are called, as plurals
    """
    rows = side_by_side({name: model.fit for name, model in models.items()})
    titles = _TITLES | {"n_obs": observations.capitalize(), "n_groups": groups.capitalize()}
    count = ceil(len(models) / MOST_COLUMNS)
    size = ceil(len(models) / max(count, 1))
    several = [*models.values()]
    return [_sheet(rows, tuple(several[i : i + size]), titles) for i in range(0, len(several), size)]


def _sheet(rows: Sequence[Row], models: tuple[Model, ...], titles: Mapping[str, str]) -> Sheet:
    names = [model.name for model in models]

    def of(part: str, *statistics: str) -> list[list[Row]]:
        """The rows of these statistics, each term's together, that a model of this table has."""
        found = [[row for row in rows if row.part == part and row.statistic == statistic] for statistic in statistics]
        return [[*together] for together in zip(*found, strict=True) if {*names} & {*together[0].numbers}]

    def plain(part: str, write: Callable[[float], str], *statistics: str) -> list[Line]:
        return [
            Line(titles[row.statistic], False, tuple((write(row.numbers[name]), "") for name in names))
            for statistic in statistics
            for (row,) in of(part, statistic)
        ]

    families = {row.statistic: _marks(row.numbers) for row in rows if row.statistic.endswith("_family")}
    reml, ml = families["reml_family"], families["ml_family"]
    parts = {
        "Fixed effects": [_fixed(names, *both) for both in of("fixed", "estimate", "std_error")],
        "Variances": [_variance(models, *both) for both in of("random", "variance", "sd")],
        "Correlations": [_correlation(names, row) for (row,) in of("random", "correlation")],
        "The whole model": [
            *plain("share", share, "intraclass_correlation", "r2_marginal", "r2_conditional"),
            *_marked(plain("criterion", _criterion, "reml_criterion"), names, reml),
            *_marked(plain("criterion", _criterion, "ml_deviance", "ml_aic", "ml_aicc", "ml_bic"), names, ml),
            *plain("size", "{:,}".format, "npar", "n_obs", "n_groups"),
        ],
    }
    return Sheet(
        models=models,
        parts=tuple((heading, tuple(found)) for heading, found in parts.items() if found),
        reml_marked=any(reml.values()),
        ml_marked=any(ml.values()),
    )


def _fixed(names: Sequence[str], estimates: Row, errors: Row) -> Line:
    """Estimates with standard errors in brackets, all with the decimals that show two digits of the smallest error."""
    places = decimals([errors.numbers.get(name) for name in names], 2)
    cells = [
        (fixed(estimates.numbers[name], places), f"({fixed(errors.numbers[name], places)})")
        if name in errors.numbers
        else EMPTY
        for name in names
    ]
    return Line(estimates.term, True, tuple(cells))


def _variance(models: Sequence[Model], variances: Row, sds: Row) -> Line:
    """Variances with standard deviations, with the decimals that show three digits of the smallest."""
    zero = {model.name for model in models if variances.term in model.zero_variances}
    places, sd_places = (
        decimals(value for model in models if (value := row.numbers.get(model.name)) and model.name not in zero)
        for row in (variances, sds)
    )
    cells = [
        EMPTY
        if model.name not in variances.numbers
        else ("0", "SD 0")
        if model.name in zero
        else (fixed(variances.numbers[model.name], places), f"SD {fixed(sds.numbers[model.name], sd_places)}")
        for model in models
    ]
    return Line(variances.term, variances.term != "Residual", tuple(cells))


def _correlation(names: Sequence[str], row: Row) -> Line:
    cells = [(fixed(row.numbers[name], 2), "") if name in row.numbers else EMPTY for name in names]
    return Line(row.term, True, tuple(cells))


def _criterion(value: float) -> str:
    return fixed(value, 1)


def _marks(families: Mapping[str, float]) -> dict[str, str]:
    """A letter for each family of models, by model; none where there is one family alone."""
    several = len({*families.values()}) > 1
    return {name: _letter(int(number)) if several else "" for name, number in families.items()}


def _letter(number: int) -> str:
    """A to z, then aa, ab and so on."""
    before, last = divmod(number - 1, len(ascii_lowercase))
    return (_letter(before) if before else "") + ascii_lowercase[last]


def _marked(lines: Sequence[Line], names: Sequence[str], marks: Mapping[str, str]) -> list[Line]:
    letters = tuple(marks[name] for name in names)
    return [replace(line, marks=letters if any(letters) else ()) for line in lines]
