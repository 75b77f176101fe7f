"""What a study may add to the report: its story, and tables of its own (docs/studies.md)."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the main process reads what tables there are, and starts faster without these
    import pandas as pd

    from twolevel.output.words import Labels
    from twolevel.report.comparison import Comparison
    from twolevel.report.model import Model
    from twolevel.report.sections import Section


@dataclass(frozen=True)
class Material:
    """What a story is told from.

    Attributes
    ----------
    config : what the page is given of the configuration
    labels : what that calls things
    models, comparisons : by their names in the configuration
    figures : their names, and for each its kind and the model that it shows, if any
    explained : rows of `variance_explained.csv`
    observations : the prepared table
    constrained : `constrained.json` of each model
    ledger : `ledger.csv` as text, where there is one
    tables : what `StudyTables` made, by name
    """

    config: Mapping[str, Any]
    labels: "Labels"
    models: Mapping[str, "Model"]
    comparisons: Mapping[str, "Comparison"]
    figures: Mapping[str, tuple[str, str | None]]
    explained: Sequence[Mapping[Any, Any]]
    observations: "pd.DataFrame"
    constrained: Mapping[str, Mapping[str, Any]]
    ledger: "pd.DataFrame | None"
    tables: Mapping[str, "pd.DataFrame"]


@dataclass(frozen=True)
class Narrative:
    """A story, told.

    Attributes
    ----------
    summary : the opening, a sentence or a few each
    sections : all sections of the page, in order: those of `twolevel.report.sections` and of the study
    story : what the study's templates find under the name `story`
    appendix : what the appendix has beside what every appendix has
    shown : the models that have a heading on the page, with the anchor `model-` and their name
    inserts : templates of the study that stand in sections of every report, by place: `data` (before the table of
        columns), `after_tests` (below the comparisons), `intervals`, `sources` (before the methods)
    placed : figures that a template of the study shows
    explained_in : the section that tells why, by the id of a claim in `errata.csv`
    published_in : where models have their `published_name`: "the article"
    """

    summary: list[str]
    sections: Sequence["Section"]
    story: Any
    appendix: Sequence["Section"] = ()
    shown: Collection[str] = ()
    inserts: Mapping[str, str] = field(default_factory=dict)
    placed: Collection[str] = ()
    explained_in: Mapping[str, str] = field(default_factory=dict)
    published_in: str = "the publication"


@dataclass(frozen=True)
class StudyTables:
    """Tables that only the study needs, made by a rule of their own.

    Attributes
    ----------
    made : what is shown of each table in Snakemake's report, by its path in `results/` without `.csv`
    reads : files in the study's folder that they are made from, beside the data
    heading, caption : of all of them in Snakemake's report
    settings : picks from the configuration what `make` needs, and raises UserError where that does not fit
    make : makes the tables from the prepared table, the files of `reads` by name, and the settings
    """

    made: Mapping[str, str]
    reads: Sequence[str]
    heading: str
    caption: str
    settings: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    make: Callable[["pd.DataFrame", Mapping[str, Path], Mapping[str, Any]], Mapping[str, "pd.DataFrame"]]
