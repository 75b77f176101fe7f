# What every stage uses: the names of files, and what a script imports.
import re
import shlex

from imports import library_files
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


wildcard_constraints:
    model="|".join(map(re.escape, config["models"])),
    comparison="|".join(map(re.escape, config["comparisons"])) or "(?!)",
    figure="|".join(map(re.escape, config["figures"])) or "(?!)",


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
        caption=f"../report/captions/{caption}.rst",
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
    "wall": ["constrained", "fit"],
    "optimiser_audit": ["audit"],
}


def figure_tables(wildcards):
    """The tables that the kind of this figure reads."""
    figure = config["figures"][wildcards.figure]
    model = f"<results>/models/{figure.get('model')}"
    comparison = f"<results>/comparisons/{figure.get('comparison')}"
    files = {
        "observations": TABLE,
        "fixed_effects": f"{model}/fixed_effects.csv",
        "residuals": f"{model}/residuals.parquet",
        "group_effects": f"{model}/{GROUP}_effects.csv",
        "variance_components": f"{model}/variance_components.csv",
        "fit": f"{model}/fit.json",
        "intervals": f"{model}/intervals.csv",
        "bootstrap": f"{model}/bootstrap.parquet",
        "reference_distribution": f"{comparison}/reference_distribution.parquet",
        "tests": f"{comparison}/tests.csv",
        "result": f"{comparison}/comparison.json",
        "constrained": f"{model}/constrained.json",
        "audit": "<results>/optimiser_audit.csv",
    }
    return {name: files[name] for name in FIGURE_TABLES[figure["kind"]]}


def shown_in_figure(wildcards):
    """The model or comparison that a figure is of; of what shows neither, the data."""
    figure = config["figures"][wildcards.figure]
    return figure.get("model", figure.get("comparison", "the data"))


def figure_library(wildcards):
    """What the script imports, and the kind's own module: a change of another kind does not redraw this one."""
    kind = config["figures"][wildcards.figure]["kind"]
    return library("draw_figure", also=[f"twolevel.figures.{kind}"])
