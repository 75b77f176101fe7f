"""Which section shows a figure: every configured one has exactly one place."""

PLACES = {
    "pictures": ("scatter", "group_lines", "group_lines_by_category"),
    "intervals": ("interval_methods", "bootstrap_distribution"),
    "diagnostics": ("checks", "qq_level1", "residuals_vs_fitted", "qq_level2", "influence"),
    "comparisons": ("reference_distribution",),
    "optimum": ("optimiser_audit", "wall"),
}


def place(kind: str, model: str | None) -> str:
    """Name the section of a kind of figure; one of a model, and of no other section, stands with its model."""
    known = (section for section, kinds in PLACES.items() if kind in kinds)
    return next(known, "pictures" if model is None else "models")
