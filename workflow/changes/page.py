"""All that differs between two runs as a page, the largest on top."""

from base64 import b64encode
from math import isinf
from typing import Any

from jinja2 import Environment, StrictUndefined
from twolevel.errors import counted

from changes.comparison import Comparison
from changes.listing import row_changes
from changes.words import paragraph

# What a page shows of a long list; all of it is in the CSV.
MOST_ROWS = 20


def render(comparison: Comparison, template: str, csv: str) -> str:
    """The page.

    Parameters
    ----------
    comparison : what differs
    template : the page's
    csv : the name of the file that has everything
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template).render(
        comparison=comparison,
        data=comparison.data,
        columns=_columns(comparison),
        rows=_rows(comparison),
        paragraph=paragraph(comparison),
        files=_files(comparison),
        most=MOST_ROWS,
        csv=csv,
        counted=counted,
        isinf=isinf,
        address=lambda png: f"data:image/png;base64,{b64encode(png).decode('ascii')}",
    )


def _rows(comparison: Comparison) -> list[tuple[object, ...]]:
    """The first rows that differ."""
    if comparison.data is None:
        return []
    changes = row_changes(comparison.data, comparison.before.table, comparison.after.table, MOST_ROWS)
    return list(changes.head(MOST_ROWS).itertuples(index=False, name=None))


def _columns(comparison: Comparison) -> list[dict[str, Any]]:
    """The columns whose values differ, and what they hold in both tables."""
    data = comparison.data
    if data is None:
        return []
    altered = data.altered_columns
    old_name = {new: old for old, new in data.columns_renamed.items()}
    shown = []
    for name, after in data.after.columns.items():
        before = data.before.columns.get(old_name.get(name, name))
        if (
            before is not None
            and name != data.after.group
            and (before.mean, before.levels) != (after.mean, after.levels)
        ):
            shown.append({"name": name, "altered": altered.get(name, 0), "before": before, "after": after})
    return sorted(shown, key=lambda column: -int(column["altered"]))


def _files(comparison: Comparison) -> dict[str, int]:
    """How many rows of each file differ, the most first."""
    counts: dict[str, int] = {}
    for line in comparison.rows:
        counts[line.file] = counts.get(line.file, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: -item[1]))
