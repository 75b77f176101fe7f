"""All that the page shows, brought together from results that are already read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

import pandas as pd

from twolevel.data.download import STANDS_IN
from twolevel.data.fingerprint import check_same_data
from twolevel.errors import listed
from twolevel.inference.samples import Sample
from twolevel.output.numbers import percent
from twolevel.output.side_by_side import side_by_side, side_by_side_table
from twolevel.output.words import Labels, Noun, as_title, clean, configured_names, read_labels
from twolevel.report.calibration import Calibration, CalibrationResults, read_calibration
from twolevel.report.comparison import Comparison
from twolevel.report.data import ColumnRow, describe_columns
from twolevel.report.errata import Errata, read_errata
from twolevel.report.files import picture_address, picture_size
from twolevel.report.intervals import interval_sentences
from twolevel.report.ledger import Ledger, read_ledger
from twolevel.report.model import Model, ModelTables, read_model
from twolevel.report.optimiser_audit import AuditResults, OptimiserAudit, read_audit
from twolevel.report.optimum import Audit, audit, optimum_sentences
from twolevel.report.pieces import Pieces, read_pieces
from twolevel.report.prose import outcome
from twolevel.report.sections import APPENDIX, GENERIC, Section, place, those_with
from twolevel.report.study import Material, Narrative


@dataclass(frozen=True)
class Results:
    """What a run left behind, read.

    Attributes
    ----------
    config : the configuration
    provenance : where the data came from
    observations : the prepared table
    fits, model_tables : `fit.json` of each model, and its tables
    variance_explained : the table over all models
    comparisons, comparison_tables, tests : `comparison.json`, `table.csv` and `tests.csv` of each comparison
    statistics : the statistics of its simulated data sets
    pictures, words : the SVG of each figure, and its title, alt text and caption
    constrained : `constrained.json` of each model
    ledger, errata : `ledger.csv` and `errata.csv`, where the configuration asks for them
    study_tables : the tables that only the study has, by their paths in `results/` without `.csv`
    prepared : path of the prepared table from the folder of the analysis
    descriptives : each column's number, mean and spread, overall and by every group-level factor
    calibration, optimiser_audit : what `snakemake calibration` and `snakemake audit` left behind, where they have been
        run
    """

    config: Mapping[str, Any]
    provenance: Mapping[str, Any]
    observations: pd.DataFrame
    fits: Mapping[str, Mapping[str, Any]]
    model_tables: Mapping[str, ModelTables]
    variance_explained: pd.DataFrame
    comparisons: Mapping[str, Mapping[str, Any]]
    comparison_tables: Mapping[str, pd.DataFrame]
    tests: Mapping[str, pd.DataFrame]
    statistics: Mapping[str, Sample]
    pictures: Mapping[str, bytes]
    words: Mapping[str, Mapping[str, str]]
    constrained: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    ledger: pd.DataFrame | None = None
    study_tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    errata: pd.DataFrame | None = None
    prepared: str = "results/data/table.parquet"
    descriptives: pd.DataFrame | None = None
    calibration: CalibrationResults | None = None
    optimiser_audit: AuditResults | None = None


@dataclass(frozen=True)
class Figure:
    """A figure: the section that shows it, its picture as a data address and its size in pixels, its words."""

    name: str
    kind: str
    place: str
    model: str | None
    comparison: str | None
    address: str
    size: tuple[int, int] | None
    alt: str
    caption: str


@dataclass(frozen=True)
class Contents:
    """What the templates are given, under these names.

    `files` has the result tables that the page offers as CSV, by their paths in `results/`; `with_zero` the columns of
    numbers whose values reach to zero or to both sides of it; `notes` what to know of models of such data; `stands_in`
    says that the data are the snapshot for want of a network; `old_audit` that there is an audit of optimisers of other
    fits.
    """

    title: str
    summary: list[str]
    sections: Sequence[Section]
    appendix: Sequence[Section]
    files: Mapping[str, pd.DataFrame]
    calibration: Calibration | None
    ledger: Ledger | None
    optimiser_audit: OptimiserAudit | None
    old_audit: bool
    errata: Errata | None
    labels: Labels
    provenance: Mapping[str, Any]
    stands_in: bool
    library: str
    columns: list[ColumnRow]
    notes: list[str]
    descriptives: list[dict[Any, Any]]
    models: Mapping[str, Model]
    comparisons: Mapping[str, Comparison]
    figures: Mapping[str, Figure]
    explained: Sequence[Sequence[Mapping[Any, Any]]]
    audits: list[Audit]
    optimum: list[str]
    intervals: list[str]
    with_zero: frozenset[str]
    pieces: Pieces
    narrative: Narrative | None
    story: Any
    inserts: Mapping[str, str]


def contents(results: Results, tell: Callable[[Material], Narrative] | None = None) -> Contents:
    """Bring together what the page shows; `tell` is the study's, where the configuration names one.

    Raises
    ------
    UserError
        The models were fitted to different data, or the study's story is not about them.
    """
    config, labels = results.config, read_labels(configured_names(results.config))
    old_audit = results.optimiser_audit is not None and not results.optimiser_audit.is_of(results.fits)
    if old_audit:
        results = replace(results, optimiser_audit=None)
    first, *others = config["models"]
    for other in others:
        check_same_data(results.fits[first], results.fits[other], (first, other))
    models = {
        name: read_model(name, settings, results.fits[name], results.model_tables[name])
        for name, settings in config["models"].items()
    }
    comparisons = {
        name: Comparison(
            name=name,
            title=clean(settings.get("title") or as_title(name)),
            null=models[settings["null_model"]],
            alternative=models[settings["alternative_model"]],
            result=results.comparisons[name],
            table=results.comparison_tables[name],
            tests=results.tests[name],
            statistics=results.statistics[name],
        )
        for name, settings in config["comparisons"].items()
    }
    explained = results.variance_explained.to_dict("records")
    pictures, words = _drawn(results)
    # A page has the checks of one model: of the last where no narrative shows others.
    checked_apart = [*models] if tell else [*models][:-1]
    figures = {
        name: _figure(name, settings, pictures[name], words[name], checked_apart)
        for name, settings in config["figures"].items()
        if name in pictures
    }
    audits = [audit(model) for model in models.values()]
    optional = _optional(results, {name: model.called for name, model in models.items()})
    there = {**optional, "comparisons": comparisons, "explained": explained, "several": len(models) > 1}
    described = (
        []
        if results.descriptives is None
        else results.descriptives.fillna({"by": "", "category": ""}).to_dict("records")
    )
    there["descriptives"] = described
    there["diagnostics"] = any(figure.place in ("diagnostics", "in_full") for figure in figures.values())
    narrative = tell(_material(results, labels, models, comparisons, explained)) if tell else None
    return Contents(
        title=f"{clean(config['data']['title'])}: two-level hierarchical linear models",
        summary=narrative.summary if narrative else _summary(models, comparisons, audits, labels),
        sections=those_with(narrative.sections if narrative else GENERIC, there),
        appendix=those_with([*APPENDIX, *(narrative.appendix if narrative else ())], there),
        files=_files(results),
        **optional,
        old_audit=old_audit,
        labels=labels,
        provenance=results.provenance,
        stands_in=results.provenance["obtained"] == STANDS_IN,
        library=results.fits[first]["fingerprint"]["library"],
        columns=describe_columns(results.observations, config, labels),
        notes=[*dict.fromkeys(clean(note) for fit in results.fits.values() for note in fit.get("notes", ()))],
        descriptives=described,
        models=models,
        comparisons=comparisons,
        figures=figures,
        explained=[[*rows] for _, rows in groupby(explained, key=lambda row: row["model"])],
        audits=audits,
        optimum=optimum_sentences(audits),
        intervals=interval_sentences([*models.values()]),
        with_zero=_with_zero(results.observations),
        pieces=read_pieces(models, comparisons, labels, results.prepared),
        narrative=narrative,
        story=narrative.story if narrative else None,
        inserts=narrative.inserts if narrative else {},
    )


def _material(
    results: Results,
    labels: Labels,
    models: Mapping[str, Model],
    comparisons: Mapping[str, Comparison],
    explained: Sequence[Mapping[Any, Any]],
) -> Material:
    """What the study's story is told from."""
    figures = results.config["figures"]
    return Material(
        config=results.config,
        labels=labels,
        models=models,
        comparisons=comparisons,
        figures={name: (settings["kind"], settings.get("model")) for name, settings in figures.items()},
        explained=explained,
        observations=results.observations,
        constrained=results.constrained,
        ledger=results.ledger,
        tables=results.study_tables,
        prepared=results.prepared,
    )


def _optional(results: Results, called: Mapping[str, str]) -> dict[str, Any]:
    """What a run need not have made, by its field in `Contents`; None where it has not."""
    calibration, audited = None, results.optimiser_audit
    if results.calibration is not None:
        calibration = read_calibration(results.calibration, results.comparisons, results.fits)
    return {
        "calibration": calibration,
        "ledger": None if results.ledger is None else read_ledger(results.ledger),
        "optimiser_audit": None if audited is None else read_audit(audited.table.replace({"model": called})),
        "errata": None if results.errata is None else read_errata(results.errata),
    }


def _with_zero(observations: pd.DataFrame) -> frozenset[str]:
    columns = observations.select_dtypes("number")
    return frozenset(str(name) for name in columns if columns[name].min() <= 0 <= columns[name].max())


def _files(results: Results) -> dict[str, pd.DataFrame]:
    """The result tables that the page offers as they are, by their paths in `results/`."""
    files = {
        "models/variance_explained.csv": results.variance_explained,
        "models/side_by_side.csv": side_by_side_table(side_by_side(results.fits), [*results.fits]),
    }
    for name, tables in results.model_tables.items():
        files[f"models/{name}/fixed_effects.csv"] = tables.fixed_effects
        files[f"models/{name}/random_effects.csv"] = tables.random_effects
        files[f"models/{name}/variance_components.csv"] = tables.variance_components
        files[f"models/{name}/intervals.csv"] = tables.intervals
        files |= {f"models/{name}/{beside}.csv": table for beside, table in tables.beside.items()}
    for name in results.comparisons:
        files[f"comparisons/{name}/table.csv"] = results.comparison_tables[name]
        files[f"comparisons/{name}/tests.csv"] = results.tests[name]
    files |= {f"{name}.csv": table for name, table in results.study_tables.items()}
    if results.calibration is not None:
        files["calibration/type_1_error.csv"] = results.calibration.type_1_error
        files["calibration/coverage.csv"] = results.calibration.coverage
    if results.descriptives is not None:
        files["data/descriptives.csv"] = results.descriptives
    if results.ledger is not None:
        files["ledger.csv"] = results.ledger
    if results.optimiser_audit is not None:
        files["optimiser_audit.csv"] = results.optimiser_audit.table
    return files


def _drawn(results: Results) -> tuple[dict[str, bytes], dict[str, Mapping[str, str]]]:
    """Every picture that the run and the audit drew, and its words."""
    of_audit = results.optimiser_audit
    return (
        {**results.pictures, **(of_audit.pictures if of_audit else {})},
        {**results.words, **(of_audit.words if of_audit else {})},
    )


def _figure(
    name: str, settings: Mapping[str, Any], picture: bytes, words: Mapping[str, str], checked_apart: Sequence[str]
) -> Figure:
    return Figure(
        name=name,
        kind=settings["kind"],
        place=place(settings["kind"], settings.get("model"), checked_apart),
        model=settings.get("model"),
        comparison=settings.get("comparison"),
        address=picture_address(picture),
        size=picture_size(picture),
        alt=words["alt"],
        caption=words["caption"],
    )


def _summary(
    models: Mapping[str, Model],
    comparisons: Mapping[str, Comparison],
    audits: Sequence[Audit],
    labels: Labels,
) -> list[str]:
    """The opening for any data: what was fitted, where the variance lies, what the tests say."""
    counts = {key: sorted({model.fit[key] for model in models.values()}) for key in ("n_obs", "n_groups")}
    observations = _from_to(counts["n_obs"], labels.observation_noun)
    groups = _from_to(counts["n_groups"], labels.group_noun)
    doubted = [a.called for a in audits if a.doubts]
    fitted = "model was" if len(models) == 1 else "models were"
    return [
        f"{len(models)} two-level {fitted} fitted to {observations} in {groups}.",
        *(
            f"Of the variance of {outcome(model, labels)}, {percent(model.between)} lies between "
            f"{labels.group_noun.plural}, the rest within them."
            for model in models.values()
            if model.between is not None
        ),
        *(comparison.sentences[0] for comparison in comparisons.values()),
        f"Not to be trusted: {listed(doubted)}." if doubted else "Every fit was found, and confirmed, at its optimum.",
    ]


def _from_to(counts: Sequence[int], noun: Noun) -> str:
    """How many there are; models that leave out rows with missing values have fewer."""
    last = noun.count(counts[-1])
    return last if len(counts) == 1 else f"{counts[0]:,} to {last}"
