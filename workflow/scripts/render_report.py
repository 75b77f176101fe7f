"""Render the report: an HTML page and its appendix from the results."""

import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import print_report
from _job import NAMES, Column, folder_of, job, read_json, read_jsons, read_table, write_text
from study_loader import find_study, load_part
from twolevel.report.calibration import CalibrationResults
from twolevel.report.contents import Results, contents
from twolevel.report.intervals import Replicates
from twolevel.report.model import ModelTables
from twolevel.report.optimiser_audit import AuditResults
from twolevel.report.page import PAGE, render_pages


def main(files: Any, config: Mapping[str, Any], folder: Path, output: Path) -> None:
    """Write the page and its appendix.

    Parameters
    ----------
    files : paths by what they hold; those of a model or comparison lie in the folder of its name
    config : what the page says of the configuration
    folder : the results, where the calibration and the audit are looked for, which may not have been made
    output : the folder to write both into
    """
    results = replace(
        read_results(files, config),
        calibration=read_calibration(folder / "calibration"),
        optimiser_audit=read_audit(folder, config["figures"]),
    )
    study = config["report"]["narrative"]
    tell = load_part(find_study(study), "narrative", "tell") if study else None
    pages = render_pages(contents(results, tell), read_templates(files.templates, files.study_templates))
    for name, page in pages.items():
        write_text(str(output / name), page)


def read_results(files: Any, config: Mapping[str, Any]) -> Results:
    """Read all that the report is about."""
    return Results(
        config=config,
        provenance=read_json(files.provenance),
        observations=read_table(files.table),
        fits=read_jsons(files.fits),
        model_tables=_model_tables(files),
        variance_explained=read_table(files.variance_explained),
        comparisons=read_jsons(files.comparisons),
        comparison_tables={folder_of(file): read_table(file) for file in files.comparison_tables},
        tests={folder_of(file): read_table(file) for file in files.tests},
        statistics={folder_of(file): Column(file, "statistic") for file in files.reference_distributions},
        pictures={Path(file).stem: Path(file).read_bytes() for file in files.pictures},
        words={Path(file).stem: read_json(file) for file in files.words},
        constrained=read_jsons(files.constrained),
        ledger=pd.read_csv(files.ledger[0], dtype=str, keep_default_na=False) if files.ledger else None,
        study_tables={_in_results(file, files): read_table(file) for file in files.study_tables},
        errata=read_table(files.errata[0]) if files.errata else None,
        prepared=str(files.table),
        descriptives=read_table(files.descriptives),
    )


def _model_tables(files: Any) -> dict[str, ModelTables]:
    """The tables of each model; of the replicates only how they went."""
    lists = (
        files.fixed_effects,
        files.random_effects,
        files.variance_components,
        files.intervals,
        files.bootstraps,
    )
    beside: dict[str, dict[str, pd.DataFrame]] = {}
    for file in files.supplements:
        # `level` is that of a factor here, and may be a number.
        beside.setdefault(folder_of(file), {})[Path(file).stem] = read_table(file, names=(*NAMES, "level"))
    return {
        folder_of(effects): ModelTables(
            read_table(effects),
            read_table(random),
            read_table(parts),
            read_table(bounds),
            _went(replicates),
            beside[folder_of(effects)],
        )
        for effects, random, parts, bounds, replicates in zip(*lists, strict=True)
    }


def _went(path: str) -> Replicates:
    simulated = failed = singular = 0
    for found, at_edge in zip(Column(path, "optimum_found"), Column(path, "singular"), strict=True):
        simulated, failed = simulated + len(found), failed + int((~found).sum())
        singular += int((found & at_edge).sum())
    return Replicates(simulated, failed, singular)


def _in_results(path: str, files: Any) -> str:
    """Name of a table: its path below the results, in which `data/provenance.json` lies, without its ending."""
    return str(Path(path).relative_to(Path(files.provenance).parents[1]).with_suffix(""))


def read_templates(paths: Iterable[str], of_study: Iterable[str] = ()) -> dict[str, str]:
    """Templates by their names: their paths below the folder of the first one, which holds all others.

    Those of the study are called `study/` and their names.
    """
    files = [Path(path) for path in paths]
    named = {str(file.relative_to(files[0].parent)): file for file in files}
    named |= {f"study/{Path(path).name}": Path(path) for path in of_study}
    return {name: file.read_text(encoding="utf-8") for name, file in named.items()}


def read_calibration(folder: Path) -> CalibrationResults | None:
    """Read the calibration; nothing where it is not there, or not yet complete."""
    tables = {name: folder / f"{name}.csv" for name in ("type_1_error", "coverage")}
    if not all(file.is_file() for file in (folder / "calibration.json", *tables.values())):
        return None
    read = {name: read_table(file) for name, file in tables.items()}
    drawn = [name for name, table in read.items() if len(table)]
    if not all((folder / f"{name}{ending}").is_file() for name in drawn for ending in (".svg", ".json")):
        return None
    return CalibrationResults(
        about=read_json(folder / "calibration.json"),
        pictures={name: (folder / f"{name}.svg").read_bytes() for name in drawn},
        words={name: read_json(folder / f"{name}.json") for name in drawn},
        **read,
    )


def read_audit(folder: Path, figures: Mapping[str, Mapping[str, str]]) -> AuditResults | None:
    """Read the audit of optimisers; nothing where it is not there, or not yet complete."""
    drawn = [name for name, settings in figures.items() if settings["kind"] == "optimiser_audit"]
    pictures, words = ({name: folder / f"figures/{name}{end}" for name in drawn} for end in (".svg", ".json"))
    about, table = folder / "optimiser_audit.json", folder / "optimiser_audit.csv"
    if not all(file.is_file() for file in (about, table, *pictures.values(), *words.values())):
        return None
    return AuditResults(
        about=read_json(about),
        table=read_table(table),
        pictures={name: file.read_bytes() for name, file in pictures.items()},
        words={name: read_json(file) for name, file in words.items()},
    )


@contextmanager
def alone() -> Iterator[None]:
    """Wait for another job that renders the same page: the last one then finds what both were to show."""
    with Path(".snakemake", "report.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    with job(snakemake.log[0]):
        files, params = snakemake.input, snakemake.params
        # The rules `calibration` and `audit` have no output: they render the report anew over the one they ask for.
        pages = [Path(page) for page in snakemake.output or files.report]
        folder = pages[0].parent
        with alone():
            made = [page.stat().st_mtime_ns for page in pages if not snakemake.output]
            main(files, params.config, folder, folder)
            if made:
                for printed in files.printed:
                    print_report.main(params.browser, str(folder / PAGE), printed)
                # As old as they were: the next run would take younger pages for a reason to print them again.
                for page, time in zip(pages, made, strict=True):
                    os.utime(page, ns=(time, time))
