"""The values that the functions of a formula work on, and what they take as arguments."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twolevel.model.design import Floats


class FunctionError(Exception):
    """What is wrong with a call, in words; the caller knows the formula and the place."""


class DataError(FunctionError):
    """A call that fails on these values of the columns, and could succeed on others."""


@dataclass(frozen=True)
class Number:
    """Numbers (n,), NaN where missing; a comparison or a column of truth values is `logical`, 0 or 1."""

    numbers: Floats
    logical: bool = False


@dataclass(frozen=True)
class Factor:
    """A categorical variable: codes (n,) of its levels, -1 where missing, and how to code it where it is not plain.

    Attributes
    ----------
    contrast : "treatment", "sum" or "helmert", as R's contr.* of that name
    base : of treatment contrasts, the level compared with, counted from 0
    of_numbers : whether the levels are numbers that the data happen to have
    numbered : whether the columns of treatment contrasts have the numbers of their levels, as R's `C()` makes them
    """

    codes: NDArray[np.intp]
    levels: tuple[str, ...]
    contrast: str = "treatment"
    base: int = 0
    numbered: bool = False
    of_numbers: bool = False

    def place(self, level: Any, what: str = "") -> int:
        """The place of a level, counted from 0, by its name or by its number, which `what` says what it is."""
        if isinstance(level, str):
            if level in self.levels:
                return self.levels.index(level)
            problem = f"there is no level {level!r}; there are {', '.join(self.levels)}"
        else:
            number = whole(level, what)
            if number <= len(self.levels):
                return number - 1
            problem = f"{what} is {number}, and there are {len(self.levels)} levels"
        raise (DataError if self.of_numbers else FunctionError)(problem)


@dataclass(frozen=True)
class Basis:
    """Several columns (n, k) that stand for one variable."""

    columns: Floats
    names: tuple[str, ...]


Value = Number | Factor | Basis


def contrast_columns(factor: Factor) -> dict[str, Floats]:
    """Each column of a factor's contrasts as (levels,) values, by the name that R gives it."""
    k = len(factor.levels)
    if factor.contrast == "treatment":
        kept = [level for level in range(k) if level != factor.base]
        names = [str(level + 1) if factor.numbered else factor.levels[level] for level in kept]
        return dict(zip(names, np.eye(k)[kept], strict=True))
    if factor.contrast == "sum":
        return {str(i + 1): np.eye(k)[i] - np.eye(k)[k - 1] for i in range(k - 1)}
    # Helmert: each level against the mean of those before it, in R's scale.
    return {str(i): i * np.eye(k)[i] - (np.arange(k) < i) for i in range(1, k)}


def number_of(x: Any, what: str = "x") -> Floats:
    """The numbers of a column of numbers."""
    if isinstance(x, Number):
        return x.numbers
    kind = "a factor" if isinstance(x, Factor) else "not a column of numbers"
    raise FunctionError(f"{what} is {kind}; expected a column of numbers")


def alphabetical(levels: Iterable[str]) -> tuple[str, ...]:
    """Texts in the order of the alphabet, small letters before capital ones, as R's sort has them in most languages."""
    return tuple(sorted(levels, key=lambda level: (level.casefold(), level.swapcase())))


def as_factor(x: Number) -> Factor:
    """A logical as the factor that R makes of it in a model: FALSE, TRUE."""
    return Factor(np.where(np.isnan(x.numbers), -1, x.numbers).astype(np.intp), ("FALSE", "TRUE"))


def scalar(value: Any, what: str) -> float:
    """One number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FunctionError(f"{what} is {shown(value)}; expected one number")
    return float(value)


def whole(value: Any, what: str, least: int = 1) -> int:
    """One whole number, from `least` to 1000."""
    number = scalar(value, what)
    if not least <= number <= 1000 or number != int(number):
        raise FunctionError(f"{what} is {shown(value)}; expected a whole number from {least} to 1000")
    return int(number)


def truth(value: Any, what: str) -> bool:
    """TRUE or FALSE."""
    if not isinstance(value, bool):
        raise FunctionError(f"{what} is {shown(value)}; expected TRUE or FALSE")
    return value


def listed(value: Any) -> tuple[Any, ...]:
    """One value, or several by `c()`, as a tuple."""
    return value if isinstance(value, tuple) else (value,)


def shown(value: Any) -> str:
    """A value as a message shows it."""
    return f"{value!r}" if isinstance(value, int | float | str | tuple) else "a column"
