"""Read a .parquet or .feather file."""

import io

import pandas as pd

from twolevel.data.reading import Choices, FileRead
from twolevel.errors import UserError


def read(content: bytes, suffix: str, name: str, choices: Choices) -> FileRead:
    """Read the columns that hold one value in each row; whole numbers with missing ones stay whole numbers."""
    import pyarrow
    from pyarrow import feather, parquet, types

    del choices  # such a file says all of itself
    reader = parquet.read_table if suffix == ".parquet" else feather.read_table
    try:
        whole = reader(io.BytesIO(content))
        unreadable = {
            field.name: f"values of the type {field.type}; make one number or text of each before you save it"
            for field in whole.schema
            if types.is_nested(field.type) or types.is_binary(field.type) or types.is_duration(field.type)
        }
        kept = whole.select([i for i, column in enumerate(whole.schema.names) if column not in unreadable])
        # Where values are missing, pandas would make floating point numbers of whole ones, and objects of truth values.
        lacking = {column.type for column in kept.columns if column.null_count}
        nullable = {of: pd.BooleanDtype() for of in lacking if types.is_boolean(of)} | {
            of: pd.api.types.pandas_dtype(str(of).replace("uint", "UInt").replace("int", "Int"))
            for of in lacking
            if types.is_integer(of)
        }
        table = kept.to_pandas(types_mapper=nullable.get)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise UserError(
            f"{name} could not be read as a {suffix} file: {error}\nIt may be damaged, or something else by that name."
        ) from None
    return FileRead(table, unreadable)
