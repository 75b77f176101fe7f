"""The sections of the page and of its appendix, and which of them shows a figure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """A section: the anchor, the heading, the template of what stands under it, and what the contents must have."""

    id: str
    title: str
    template: str
    needs: str = ""


DATA = Section("data", "The data", "sections/data.html.j2")
COMPARISONS = Section("comparisons", "Model comparison", "sections/comparisons.html.j2", needs="comparisons")
DIAGNOSTICS = Section("diagnostics", "Diagnostics", "sections/diagnostics.html.j2", needs="diagnostics")
SIDE_BY_SIDE = Section("side-by-side", "The models side by side", "sections/side_by_side.html.j2", needs="several")
CHECKS = Section("checks", "How the results were checked", "sections/checks.html.j2")
SOURCES = Section("sources", "References", "sections/sources.html.j2")

# The page for any data.
GENERIC = (
    DATA,
    Section("models", "The models", "sections/models.html.j2"),
    SIDE_BY_SIDE,
    COMPARISONS,
    DIAGNOSTICS,
    CHECKS,
    SOURCES,
)

APPENDIX = (
    Section("reading", "How to read the tables", "sections/reading.html.j2"),
    Section("glossary", "Glossary", "sections/glossary.html.j2"),
    Section("descriptives", "The data in numbers", "sections/descriptives.html.j2", needs="descriptives"),
    Section("models-in-full", "Every model in full", "sections/models_in_full.html.j2"),
    Section("comparisons-in-full", "Every test in full", "sections/comparisons_in_full.html.j2", needs="comparisons"),
    Section("variance-explained", "Variance explained", "sections/variance_explained.html.j2", needs="explained"),
    Section("intervals", "Confidence intervals", "sections/intervals.html.j2"),
    Section("calibration", "How far the tests can be trusted", "sections/calibration.html.j2", needs="calibration"),
    Section("errata", "Errors in the sources", "sections/errata.html.j2", needs="errata"),
    Section("ledger", "The ledger of printed numbers", "sections/ledger.html.j2", needs="ledger"),
    Section("optimum", "Convergence and optimisers", "sections/optimum.html.j2"),
    Section("provenance", "Where the data came from", "sections/provenance.html.j2"),
)

# The kinds that check a model as a whole.
WHOLE = ("checks", "influence")

# Which section shows a figure: every configured one has exactly one place.
_PLACES = {
    "pictures": ("scatter", "group_lines", "group_lines_by_category"),
    "intervals": ("interval_methods", "bootstrap_distribution"),
    "diagnostics": (*WHOLE, "qq_level1", "residuals_vs_fitted", "qq_level2"),
    "comparisons": ("reference_distribution",),
    "optimum": ("optimiser_audit", "wall"),
}


def place(kind: str, model: str | None, checked_apart: Collection[str]) -> str:
    """Name the section of a kind of figure; one of a model, and of no other section, stands with its model.

    Parameters
    ----------
    checked_apart : the models of which the checks stand in the appendix, under "in_full"
    """
    if kind in WHOLE and model in checked_apart:
        return "in_full"
    known = (section for section, kinds in _PLACES.items() if kind in kinds)
    return next(known, "pictures" if model is None else "models")


def those_with(sections: Sequence[Section], there: Mapping[str, object]) -> list[Section]:
    """The sections whose needs are met: what they need is there, and not empty."""
    return [section for section in sections if not section.needs or there[section.needs]]
