# What every stage uses: the names of files, and what a script imports.
import re
import shlex

from imports import library_files
from sizes import (
    WHOLE_RUN_SECONDS,
    asked_for,
    bootstrap_parts,
    bootstrap_seconds,
    calibration_seconds,
    data_bytes,
    run_seconds,
)
from study_loader import find_study, has_part, load_part
from twolevel.output.words import configured_names

# Snakemake puts the path of Python into a script's command as it is, and a folder's name may hold a space. Where this is
# a module that is used twice, the path is quoted already.
if Path(sys.executable).exists():
    sys.executable = shlex.quote(sys.executable)

# Tables of groups are named after them: clinics.csv and clinic_effects.csv, say.
GROUP, GROUPS = (
    re.sub(r"\W+", "_", config["data"]["group_noun"][number])
    for number in ("singular", "plural")
)
# What only this study needs: a story, evidence, tables; most have none (docs/studies.md).
NARRATIVE = config["report"]["narrative"]
try:
    STUDY = find_study(NARRATIVE) if NARRATIVE else None
except UserError as error:
    raise WorkflowError(str(error)) from None
# The raw table has a folder of its own, which no data.name can name.
RAW = "<results>/data/raw/table.parquet"
TABLE = f"<results>/data/{config['data']['name']}.parquet"
GROUP_TABLE = f"<results>/data/{GROUPS}.csv"


DATA_MB = data_bytes(config) / 1e6


def needs(mem_mb, minutes=2):
    """The memory and the minutes of a job on small data, with room to spare, and what its data add to them."""
    return asked_for(mem_mb + 15 * DATA_MB, minutes + DATA_MB / 5)


# On a cluster, where the start of a job takes seconds, jobs of the same group are submitted as one (docs/cluster.md):
# a short run whole, of a long one what follows the fits and the bootstraps.
SHORT = "short"
LONG = SHORT if run_seconds(config) < WHOLE_RUN_SECONDS else None


# Here a download finds the network, which nodes of a cluster may not have.
localrules:
    fetch_data,
    prepare_data,


wildcard_constraints:
    model="|".join(map(re.escape, config["models"])),
    comparison="|".join(map(re.escape, config["comparisons"])) or "(?!)",


def library(script, also=(), part=None):
    """The library files that a script imports: an input of its rule, so that a change of them reruns it.

    Where it loads a part of the study, those of that part too.
    """
    of_study = [f"{STUDY.name}.{part}"] if STUDY and part else []
    return [
        of_checkout(file) for file in library_files(script, (*also, *of_study), STUDY)
    ]


def reported(file, caption, category, subcategory=None, **labels):
    """A result with its place in Snakemake's own report; the caption says what it shows, from the job's parameters."""
    return report(
        file,
        caption=(
            caption
            if isinstance(caption, Path)
            else f"../report/captions/{caption}.rst"
        ),
        category=category,
        subcategory=subcategory,
        labels=labels,
    )


def compared(file):
    """That file of the null model and of the alternative of a comparison."""
    return lambda wildcards: [
        f"<results>/models/{config['comparisons'][wildcards.comparison][role]}/{file}"
        for role in ("null_model", "alternative_model")
    ]


def of_models(file):
    """That file of every model."""
    return expand("<results>/models/{model}/{file}", model=config["models"], file=file)


def of_comparisons(file):
    """That file of every comparison."""
    return expand(
        "<results>/comparisons/{comparison}/{file}",
        comparison=config["comparisons"],
        file=file,
    )


# In one part, the job that uses a bootstrap runs it.
PARTS = bootstrap_parts(config)
SPLIT = PARTS > 1
BOOTSTRAP = {key: config["bootstrap"][key] for key in ("replicates", "seed")}
# Of one job: there and back again in what is made of the replicates, and room to spare.
BOOTSTRAP_MINUTES = 2 + 3 * bootstrap_seconds(config) / PARTS / 60
# A job holds one part at a time. To gather a million replicates takes some three seconds.
BOOTSTRAP_MB = 500 + (config["bootstrap"]["replicates"] / PARTS / 2500 if SPLIT else 0)
GATHER_MINUTES = 2 + config["bootstrap"]["replicates"] / 1e7


def bootstrap_files(folder):
    """The parts of the bootstrap of this model or comparison, where it is split."""
    names = [f"{part}-of-{PARTS}" for part in range(1, PARTS + 1)] if SPLIT else []
    return [f"<results>/{folder}/replicates/{name}.npz" for name in names]


# What each kind reads, by the names of the arguments of its `draw`.
FIGURE_TABLES = {
    "scatter": ["observations"],
    "group_lines": ["observations"],
    "group_lines_by_category": ["observations"],
    "ols_vs_mixed": ["observations", "fixed_effects", "fit"],
    "qq_level1": ["residuals", "fit"],
    "residuals_vs_fitted": ["residuals", "fit"],
    "qq_level2": ["group_effects", "fit"],
    "interval_methods": ["intervals", "fit"],
    "bootstrap_distribution": ["bootstrap", "intervals", "fit"],
    "reference_distribution": ["reference_distribution", "tests", "result"],
    "caterpillar": ["group_effects", "fit"],
    "shrinkage": [
        "observations",
        "group_effects",
        "fixed_effects",
        "variance_components",
        "fit",
    ],
    "fitted_lines": ["observations", "fit"],
    "interaction": ["observations", "fit"],
    "checks": ["residuals", "group_effects", "influence", "fit"],
    "influence": ["influence", "fit"],
    "wall": ["constrained", "fit"],
    "optimiser_audit": ["audit"],
}


def shown_in(figure):
    """The model or comparison that a figure is of; of what shows neither, the data."""
    settings = config["figures"][figure]
    return settings.get("model", settings.get("comparison", "the data"))


def figure_group(figure):
    """The folder of the results that a figure is of; figures of the same one are drawn together."""
    settings = config["figures"][figure]
    roles = [role for role in ("model", "comparison") if role in settings]
    return f"{roles[0]}s/{settings[roles[0]]}" if roles else "data"


def figure_tables(figures):
    """The tables that these figures read, all of the same model, comparison or data."""
    settings = config["figures"][figures[0]]
    model = f"<results>/models/{settings.get('model')}"
    comparison = f"<results>/comparisons/{settings.get('comparison')}"
    files = {
        "observations": TABLE,
        "fixed_effects": f"{model}/fixed_effects.csv",
        "residuals": f"{model}/residuals.parquet",
        "group_effects": f"{model}/{GROUP}_effects.csv",
        "variance_components": f"{model}/variance_components.csv",
        "influence": f"{model}/influence.csv",
        "fit": f"{model}/fit.json",
        "intervals": f"{model}/intervals.csv",
        "bootstrap": f"{model}/bootstrap.parquet",
        "reference_distribution": f"{comparison}/reference_distribution.parquet",
        "tests": f"{comparison}/tests.csv",
        "result": f"{comparison}/comparison.json",
        "constrained": f"{model}/constrained.json",
        "audit": "<results>/optimiser_audit.csv",
    }
    kinds = [config["figures"][figure]["kind"] for figure in figures]
    return {name: files[name] for kind in kinds for name in FIGURE_TABLES[kind]}


def figure_library(figures):
    """What the script imports, and the modules of the kinds: a change of another kind does not redraw these."""
    kinds = sorted({config["figures"][figure]["kind"] for figure in figures})
    return library("draw_figures", also=[f"twolevel.figures.{kind}" for kind in kinds])


def figure_params(figures):
    """What the script is told of these figures."""
    settings = {figure: config["figures"][figure] for figure in figures}
    return dict(
        settings=settings,
        reads={figure: FIGURE_TABLES[of["kind"]] for figure, of in settings.items()},
        names=configured_names(config),
    )


def figure_outputs(figures):
    """The files of these figures."""
    return dict(
        svg=[
            reported(
                f"<results>/figures/{figure}.svg",
                figure_caption(figure),
                "Figures",
                shown_in(figure),
                figure=figure,
            )
            for figure in figures
        ],
        png=[f"<results>/figures/{figure}.png" for figure in figures],
        words=[f"<results>/figures/{figure}.json" for figure in figures],
    )


def figure_caption(figure):
    """A caption of its own for each figure: Snakemake tells a caption which job made the file, but not which file it is."""
    general = (CHECKOUT / "workflow/report/captions/figure.rst").read_text("utf-8")
    own = Path(".snakemake/captions", f"{figure}.rst").absolute()
    text = f"{{%- set name = {figure!r} -%}}\n{general}"
    if workflow.is_main_process and not (
        own.is_file() and own.read_text("utf-8") == text
    ):
        own.parent.mkdir(parents=True, exist_ok=True)
        own.write_text(text, encoding="utf-8")
    return own


def compared_results(wildcards):
    """The results that are compared: all but the pages, so that results that the story does not fit are compared too."""
    pages = [*rules.render_report.output, *REPORT_PDF, *CHANGES]
    return [file for file in rules.all.input if file not in pages]
