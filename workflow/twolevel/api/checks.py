"""What a person can get wrong in a call."""

from numbers import Integral

import pandas as pd

from twolevel.errors import UserError


def check_table(what: str, table: object) -> None:
    """Refuse what is no table, or has two columns of one name; `what` names it in the message."""
    if not isinstance(table, pd.DataFrame):
        raise UserError(f"{what} is of type {type(table).__name__}; expected a pandas DataFrame.")
    if twice := sorted({str(name) for name in table.columns[table.columns.duplicated()]}):
        raise UserError(f"{what}: more than one column is called {', '.join(twice)}. Give each a name of its own.")


def check_whole(what: str, value: object, least: int) -> None:
    """Refuse what is no whole number from `least`; `what` names it in the message."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise UserError(f"{what} is {value!r}; expected a whole number, {least} or more.")
