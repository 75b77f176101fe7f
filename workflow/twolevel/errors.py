"""The one exception that speaks to a person."""


class UserError(Exception):
    """Something that a person can mend: data, configuration, a formula, a missing tool, no network.

    The message is the whole of what they see, so it names the file, the key or the column, says what was
    found and what was expected, and how to mend it. Anything else that goes wrong is a bug and keeps its
    traceback.
    """
