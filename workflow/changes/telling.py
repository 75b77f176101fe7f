"""The message that results are not as accepted: first what they were made from, then what moved."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from changes.differences import Moved

MOST_LINES = 50


@dataclass(frozen=True)
class MadeFrom:
    """What results were made from.

    Attributes
    ----------
    data : SHA-256 of the prepared table, as in the fits' fingerprints
    settings : values of the configuration on which some results depend by design, by their names
    """

    data: str
    settings: Mapping[str, Any]

    def changed(self, now: "MadeFrom") -> frozenset[str]:
        """Which settings have another value now."""
        names = {*self.settings, *now.settings}
        return frozenset(name for name in names if self.settings.get(name) != now.settings.get(name))


def told(differences: Sequence[Moved], accepted: MadeFrom, found: MadeFrom, unseen: int) -> str:
    """Everything that is not as accepted, the first cause first; empty where all is.

    Parameters
    ----------
    differences : what has moved
    accepted, found : what the baseline and the results were made from
    unseen : how many rows were left out, since they rest on settings that have changed
    """
    lines = []
    if found.data != accepted.data:
        lines.append(
            f"The data are not those of the baseline: the prepared table has SHA-256 {found.data}, the baseline's has "
            f"{accepted.data}. "
            + ("All that follows may come from that." if differences else "No accepted value moved with them.")
        )
    left_out = f": of the accepted rows {unseen}, which rest on such settings, were not compared" if unseen else ""
    lines += [
        f"{name} is {found.settings.get(name)}, and the baseline was made with {accepted.settings.get(name)}{left_out}."
        for name in sorted(accepted.changed(found))
    ]
    return "\n".join([*lines, *_listed(differences)])


def _listed(differences: Sequence[Moved]) -> list[str]:
    """A line for each difference; where there are many, for the first of them, and then how many each file has more."""
    lines = [str(difference) for difference in differences[:MOST_LINES]]
    rest = Counter(difference.file for difference in differences[MOST_LINES:])
    if rest:
        lines.append(f"and {rest.total()} more:")
        lines += [f"  {count} in results/{file}" for file, count in rest.most_common(MOST_LINES)]
    if len(rest) > MOST_LINES:
        lines.append(f"  and in {len(rest) - MOST_LINES} more files")
    return lines
