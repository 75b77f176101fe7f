"""Check the text of a YAML file for what its reader would lose or report without a place."""

from typing import Any

import yaml
from yaml.reader import ReaderError

from twolevel.errors import UserError

HINT = 'Quote a value that contains ": " or " #" or begins with a special character; indent with spaces, not tabs.'


def check_yaml(content: bytes, name: str) -> None:
    """Refuse YAML that cannot be read or has no keys, and a key that occurs twice: the first would be lost silently.

    A tag that asks for an object of Python's (`!!python/...`) is refused: only plain values are made.

    Parameters
    ----------
    content : the file's content
    name : what to call the file in an error

    Raises
    ------
    UserError
        File, line and column of the mistake, and how to mend it.
    """
    try:
        found = _UniqueKeys(content, name).get_single_data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f", {_place(mark)}" if mark else ""
        raise UserError(f"{name}{place}: this is not YAML: {error.problem or error.context}. {HINT}") from None
    except ReaderError as error:
        raise UserError(f"{name}: not a text in UTF-8 (position {error.position}): {error.reason}.") from None
    except ValueError as error:  # what looks like a date and is none
        raise UserError(f"{name}: this is not YAML: {error}. {HINT}") from None
    if not isinstance(found, dict):
        kind = {type(None): "nothing", list: "a list"}.get(type(found), repr(found))
        raise UserError(
            f"{name} holds {kind}; expected keys and their values, at least data: and models: (see README)."
        )


class _UniqueKeys(yaml.SafeLoader):
    """A reader of YAML that refuses a repeated key."""

    def __init__(self, content: bytes, name: str) -> None:
        self.called = name
        super().__init__(content)

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        first: dict[tuple[str, str], yaml.Mark] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            here = (key.tag, key.value)
            if here in first:
                raise UserError(
                    f"{self.called}, {_place(key.start_mark)}: the key {key.value!r} is already in line "
                    f"{first[here].line + 1}, and only one can count; remove one, or give it another name."
                )
            first[here] = key.start_mark
        return node


def _place(mark: yaml.Mark) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}"
