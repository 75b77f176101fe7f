"""Read a .parquet or .feather file."""

import io
from collections.abc import Iterator
from typing import Any

import pandas as pd

from twolevel.data.reading import Choices, FileRead
from twolevel.errors import UserError


def read(content: bytes, suffix: str, name: str, choices: Choices) -> FileRead:
    """Read the columns that hold one value in each row; whole numbers with missing ones stay whole numbers."""
    import pyarrow
    from pyarrow import feather, parquet

    del choices  # such a file says all of itself
    reader = parquet.read_table if suffix == ".parquet" else feather.read_table
    try:
        whole = reader(io.BytesIO(content))
        unreadable = dict(_unreadable(whole.schema))
        kept = whole.select([i for i, column in enumerate(whole.schema.names) if column not in unreadable])
        integers = {
            pyarrow.from_numpy_dtype(dtype.lower()): pd.api.types.pandas_dtype(dtype) for dtype in _integers(kept)
        }
        truth = {pyarrow.bool_(): pd.BooleanDtype()} if _has_missing_truth(kept) else {}
        table = kept.to_pandas(types_mapper=(integers | truth).get)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise UserError(
            f"{name} could not be read as a {suffix} file: {error}\nIt may be damaged, or something else by that name."
        ) from None
    return FileRead(table, unreadable)


def _unreadable(schema: Any) -> Iterator[tuple[str, str]]:
    from pyarrow import types

    for field in schema:
        if types.is_nested(field.type) or types.is_binary(field.type) or types.is_duration(field.type):
            yield field.name, f"values of the type {field.type}; make one number or text of each before you save it"


def _integers(table: Any) -> set[str]:
    """The kinds of whole numbers that lack a value in some column: as floating point numbers they would be rounded."""
    from pyarrow import types

    columns = [table.column(i) for i in range(table.num_columns)]
    return {
        str(c.type).replace("uint", "UInt").replace("int", "Int")
        for c in columns
        if types.is_integer(c.type) and c.null_count
    }


def _has_missing_truth(table: Any) -> bool:
    from pyarrow import types

    columns = (table.column(i) for i in range(table.num_columns))
    return any(types.is_boolean(column.type) and column.null_count for column in columns)
