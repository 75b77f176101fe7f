"""A section of the page."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """A section: the anchor, the heading, the template of what stands under it, and what the contents must have."""

    id: str
    title: str
    template: str
    needs: str = ""


INTERVALS = Section("intervals", "Intervals and their methods", "sections/intervals.html.j2")
CALIBRATION = Section(
    "calibration", "How far the tests can be trusted", "sections/calibration.html.j2", needs="calibration"
)
ERRATA = Section("errata", "What the sources got wrong", "sections/errata.html.j2", needs="errata")
SIDE_BY_SIDE = Section("side-by-side", "The models side by side", "sections/side_by_side.html.j2")
SOURCES = Section("sources", "Sources", "sections/sources.html.j2")
LEDGER = Section("ledger", "The ledger", "sections/ledger.html.j2", needs="ledger")
