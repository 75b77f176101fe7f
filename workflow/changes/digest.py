"""What is remembered of a table, so that a later one can be compared with it: a hash of each value, not the values.

The hash of a number is that of its double, so that a table is the same whether it was read from texts or from numbers.
It is short. It hides nothing: whoever has a guess at a value can check it.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
from twolevel.errors import UserError

# A column with more different values is described by their mean and spread; so is one in which few values repeat.
MOST_LEVELS = 30


@dataclass(frozen=True)
class Column:
    """What a column holds.

    Attributes
    ----------
    kind : number or text
    missing : how many rows have no value
    mean, sd : of numbers
    levels : the different values and their counts, where there are few, in the order of the file
    ordered : whether the file says in which order its levels stand
    """

    kind: str
    missing: int
    mean: float | None = None
    sd: float | None = None
    levels: Mapping[str, int] = field(default_factory=dict)
    ordered: bool = False


@dataclass(frozen=True)
class Digest:
    """A table as it is remembered.

    Attributes
    ----------
    group : the column of groups
    key : the columns that tell rows apart; none where nothing says so
    names : the group and the key of each row as texts, in the file's order
    cells : a hash of each value, 0 for a missing one, in the file's order
    columns : what each column holds
    """

    group: str
    key: tuple[str, ...]
    names: pd.DataFrame
    cells: pd.DataFrame
    columns: Mapping[str, Column]

    def group_sizes(self) -> Mapping[str, int]:
        """How many rows each group has, in the order of the names."""
        return {str(name): int(rows) for name, rows in self.names[self.group].value_counts().sort_index().items()}

    def row_names(self, places: np.ndarray) -> np.ndarray:
        """What the rows at these places are called: by their key, else by their place in the file."""
        if not self.key:
            return np.array([f"row {place + 1}" for place in places], dtype=object)
        keys = self.names[list(self.key)].to_numpy(dtype=object)[places]
        return np.array([", ".join(map(" ".join, zip(self.key, key, strict=True))) for key in keys], dtype=object)


def digest_of(table: pd.DataFrame, group: str, key: Sequence[str] = ()) -> Digest:
    """What is remembered of a table.

    Parameters
    ----------
    table : as it was read, before anything is derived or checked
    group : the column of groups
    key : the columns that tell rows apart

    Raises
    ------
    UserError
        A column is missing, or two rows have the same key.
    """
    for column in (group, *key):
        if column not in table:
            raise UserError(
                f"data.key: the file has no column {column!r}; its columns are {', '.join(map(str, table.columns))}."
            )
    hashed = {str(name): _hashed(table[name]) for name in table.columns}
    names = pd.DataFrame({name: _texts(table[name]) for name in dict.fromkeys((group, *key))})
    if key and (twice := names[list(key)].duplicated()).any():
        of = ", ".join(f"{column} {names[column][twice].iloc[0]}" for column in key)
        raise UserError(
            f"data.key: two rows have {of}; name columns that together tell all rows apart, or leave data.key out."
        )
    return Digest(
        group,
        tuple(key),
        names,
        pd.DataFrame({name: cells for name, (cells, _) in hashed.items()}),
        {name: column for name, (_, column) in hashed.items()},
    )


def level_hash(level: str) -> int:
    """The hash of a value, given as the text that stands in `Column.levels`."""
    cells, _ = _hashed(pd.Series([level]))
    return int(cells[0])


def digest_files(digest: Digest) -> tuple[bytes, dict[str, Any]]:
    """A digest as the bytes of a Parquet file, and the rest of it for a JSON file."""
    named = digest.names.add_prefix("name:").join(digest.cells.add_prefix("cell:"))
    stream = BytesIO()
    named.to_parquet(stream, index=False, compression="zstd")
    # Lists, because a JSON file does not keep the order of names.
    columns = [
        asdict(column) | {"name": name, "levels": [*column.levels.items()]} for name, column in digest.columns.items()
    ]
    return stream.getvalue(), {"group": digest.group, "key": list(digest.key), "columns": columns}


def read_digest(content: bytes, about: Mapping[str, Any]) -> Digest:
    """The digest that `digest_files` wrote."""
    named = pd.read_parquet(BytesIO(content))
    parts = {
        part: named.filter(regex=f"^{part}:").rename(columns=lambda name: name.partition(":")[2])
        for part in ("name", "cell")
    }
    columns = {
        column["name"]: Column(**{of: column[of] for of in column if of != "name"} | {"levels": dict(column["levels"])})
        for column in about["columns"]
    }
    return Digest(about["group"], tuple(about["key"]), parts["name"], parts["cell"], columns)


def _hashed(values: pd.Series) -> tuple[np.ndarray, Column]:
    """The hash of each value, and what the column holds."""
    numbers = _numbers(values)
    missing, levels = int(values.isna().sum()), _levels(values)
    ordered = isinstance(values.dtype, pd.CategoricalDtype)
    if numbers is None:
        codes, uniques = pd.factorize(_texts(values))
        hashes = _hashes_of_texts(np.asarray(uniques, dtype=object))
        cells = np.where(values.isna(), np.uint32(0), hashes[codes]) if len(values) else hashes
        return cells, Column("text", missing, levels=levels, ordered=ordered)
    empty = np.isnan(numbers)
    cells = np.where(empty, np.uint32(0), _short(pd.util.hash_array(numbers + 0.0)))  # -0.0 is 0.0
    there = numbers[~empty]
    mean, sd = (float(there.mean()), float(there.std(ddof=1))) if len(there) > 1 else (None, None)
    return cells, Column("number", missing, mean, sd, levels, ordered)


def _hashes_of_texts(texts: np.ndarray) -> np.ndarray:
    """The hash of each text; of one that is a number that of the number, as in a column where all are."""
    hashes = _short(pd.util.hash_array(texts, categorize=False))
    numbers: dict[int, float] = {}
    for place, text in enumerate(texts):
        with suppress(ValueError):
            numbers[place] = float(text)
    hashes[[*numbers]] = _short(pd.util.hash_array(np.array([*numbers.values()], dtype=float)))
    return hashes


def _levels(values: pd.Series) -> dict[str, int]:
    """The different values and their counts, where there are few."""
    counts = values.dropna().value_counts(sort=False)
    if len(counts) > min(MOST_LEVELS, len(values) / 2):
        return {}
    if not isinstance(values.dtype, pd.CategoricalDtype):
        counts = counts.sort_index()
    return dict(zip(map(_text, counts.index), map(int, counts), strict=True))


def _short(hashes: np.ndarray) -> np.ndarray:
    """32 bits of each hash, never the 0 that stands for a missing value."""
    return np.maximum((hashes >> np.uint64(32)).astype(np.uint32), np.uint32(1))


def _numbers(values: pd.Series) -> np.ndarray | None:
    """The column as doubles, also where it is texts that are all numbers; None for other texts."""
    if pd.api.types.is_bool_dtype(values) or pd.api.types.is_datetime64_any_dtype(values):
        return None
    if pd.api.types.is_numeric_dtype(values):
        return values.to_numpy(dtype=float, na_value=np.nan)
    codes, uniques = pd.factorize(values)
    if not len(uniques):
        return None
    try:
        of_uniques = np.array([float(value) for value in uniques])
    except (TypeError, ValueError):
        return None
    return np.append(of_uniques, np.nan)[codes]


def _texts(values: pd.Series) -> pd.Series:
    """The column as texts, a whole number without decimals; a missing value is an empty text."""
    codes, uniques = pd.factorize(values)
    texts = np.array([*map(_text, uniques), ""], dtype=object)
    return pd.Series(texts[codes], index=values.index, dtype="str")


def _text(value: Any) -> str:
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)
