"""A section of the page."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """A section: the anchor, the heading, and the template of what stands under it."""

    id: str
    title: str
    template: str


INTERVALS = Section("intervals", "Intervals and their methods", "sections/intervals.html.j2")
