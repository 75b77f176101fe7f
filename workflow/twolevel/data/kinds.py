"""What a column may be, its values as numbers or as text, and what no declaration can make of it."""

from collections.abc import Iterator, Mapping
from typing import Literal, NotRequired, TypedDict

import numpy as np
import pandas as pd

# From here on two neighbouring whole numbers can be one floating point number.
EXACT = 2**53


class Column(TypedDict):
    """What `data.columns` says of one column."""

    type: Literal["identifier", "factor", "number"]
    levels: NotRequired[list[str]]
    min: NotRequired[float]
    max: NotRequired[float]
    unique: NotRequired[bool]
    group_level: NotRequired[bool]
    label: NotRequired[str]


def as_number(values: pd.Series) -> pd.Series:
    """Return `values` as float64, truth values as 1 and 0; what is missing or not a number becomes NaN."""
    if not pd.api.types.is_numeric_dtype(values):
        values = pd.to_numeric(values.astype("str"), errors="coerce")
    return pd.Series(values.to_numpy(dtype="float64", na_value=np.nan), index=values.index, name=values.name)


def as_text(values: pd.Series) -> pd.Series:
    """Return `values` as text, truth as R writes it, whole numbers without a decimal point (R has them in doubles)."""
    if pd.api.types.is_float_dtype(values):
        present = values.dropna()
        if np.all(np.mod(present, 1) == 0) and present.abs().lt(2**63).all():
            values = values.astype("Int64")
    if pd.api.types.is_bool_dtype(values) and not isinstance(values.dtype, pd.CategoricalDtype):
        values = values.map({True: "TRUE", False: "FALSE"})
    return values.astype("str")


def kind_problems(
    table: pd.DataFrame, columns: Mapping[str, Column], unreadable: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Name the declared columns whose values cannot be what is declared, and say why.

    Parameters
    ----------
    unreadable : columns of the file that were left out, and what each holds
    """
    for name, declared in columns.items():
        if name in unreadable:
            yield name, f"column {name} holds {unreadable[name]}"
        if name not in table:
            continue
        values, kind = table[name], declared["type"]
        if kind == "number" and pd.api.types.is_datetime64_any_dtype(values):
            yield (
                name,
                f"column {name} holds dates, and is declared a number: put a number into the file, such as days since "
                f'the first (in R: as.numeric(x${name} - min(x${name}), units = "days")), or declare a factor',
            )
        elif kind == "number" and isinstance(values.dtype, pd.CategoricalDtype) and _has_words(values):
            levels = ", ".join(map(str, values.cat.categories[:5]))
            yield (
                name,
                f"column {name} has levels or value labels ({levels}), and is declared a number: declare a factor with "
                f"these levels, and make a number of it by derive, as in {{recode: {name}, to: "
                f"{{{values.cat.categories[0]}: 1, ...}}}}",
            )
        elif kind != "number" and pd.api.types.is_float_dtype(values) and values.abs().max() >= EXACT:
            yield (
                name,
                f"column {name} names {'groups or rows' if kind == 'identifier' else 'levels'} by numbers beyond 2^53 "
                "that the file stores as floating point numbers, where two can have become one: save them as text",
            )


def _has_words(values: pd.Series) -> bool:
    categories = values.cat.categories.to_series().astype("str")
    return bool(pd.to_numeric(categories, errors="coerce").isna().any())
