"""The one exception that speaks to a person, and how its messages list things."""

from collections.abc import Iterable

# How many rows, groups or values a message shows before it says "...".
SHOWN = 5


class UserError(Exception):
    """Something that a person can mend: data, configuration, a formula, a missing tool, no network.

    The message is the whole of what they see, so it names the file, the key or the column, says what was
    found and what was expected, and how to mend it. Anything else that goes wrong is a bug and keeps its
    traceback.
    """


def counted(count: int, noun: str) -> str:
    """A count and its noun, in the plural where it is not one: `1 row`, `1,234 rows`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def listed(items: Iterable[str], conjunction: str = "and") -> str:
    """Items as a sentence lists them: a, b and c."""
    *most, last = items
    return f"{', '.join(most)} {conjunction} {last}" if most else last


def some(items: Iterable[object], separator: str = ", ") -> str:
    """The first few of some things, for a message."""
    texts = list(map(str, items))
    return separator.join(texts[:SHOWN]) + (f"{separator}..." if len(texts) > SHOWN else "")
