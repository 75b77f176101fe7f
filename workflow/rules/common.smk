# What every stage uses: the checked configuration, the names of files, and what a script imports.
import re
import shlex
import sys
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(workflow.basedir) / "workflow"))

from imports import library_files
from twolevel.config import check_config
from twolevel.errors import UserError

# Snakemake puts the path of Python into a script's command as it is, and a folder's name may hold a space.
sys.executable = shlex.quote(sys.executable)

try:
    with open(
        Path(workflow.basedir) / "workflow/schemas/config.schema.yaml", encoding="utf-8"
    ) as file:
        check_config(config, yaml.safe_load(file))
except UserError as error:
    raise WorkflowError(str(error)) from None

# HSB's groups are schools, so its tables are schools.csv and school_effects.csv; other data have their own.
GROUP, GROUPS = (
    re.sub(r"\W+", "_", config["data"]["group_noun"][number])
    for number in ("singular", "plural")
)
TABLE = f"results/data/{config['data']['name']}.parquet"
GROUP_TABLE = f"results/data/{GROUPS}.csv"


wildcard_constraints:
    model="|".join(map(re.escape, config["models"])),
    comparison="|".join(map(re.escape, config["comparisons"])) or "(?!)",
    figure="|".join(map(re.escape, config["figures"])) or "(?!)",


def library(script, also=()):
    """The library files that a script imports: an input of its rule, so that a change of them reruns it."""
    return library_files(script, tuple(also))


def compared(file):
    """That file of the null model and of the alternative of a comparison."""
    return lambda wildcards: [
        f"results/models/{config['comparisons'][wildcards.comparison][role]}/{file}"
        for role in ("null_model", "alternative_model")
    ]


# What each kind reads, by the names of the arguments of its `draw`.
FIGURE_TABLES = {
    "scatter": ["observations"],
    "group_lines": ["observations"],
    "group_lines_by_category": ["observations"],
    "ols_vs_mixed": ["observations", "fixed_effects", "fit"],
    "qq_level1": ["residuals", "fit"],
    "residuals_vs_fitted": ["residuals", "fit"],
    "qq_level2": ["group_effects", "fit"],
}


def figure_tables(wildcards):
    """The tables that the kind of this figure reads."""
    figure = config["figures"][wildcards.figure]
    model = f"results/models/{figure.get('model')}"
    files = {
        "observations": TABLE,
        "fixed_effects": f"{model}/fixed_effects.csv",
        "residuals": f"{model}/residuals.parquet",
        "group_effects": f"{model}/{GROUP}_effects.csv",
        "fit": f"{model}/fit.json",
    }
    return {name: files[name] for name in FIGURE_TABLES[figure["kind"]]}


def figure_library(wildcards):
    """What the script imports, and the kind's own module: a change of another kind does not redraw this one."""
    kind = config["figures"][wildcards.figure]["kind"]
    return library("draw_figure", also=[f"twolevel.figures.{kind}"])


def figure_names():
    """What the configuration calls things, for titles, axes and captions."""
    columns = config["data"]["columns"] | config["derive"]
    return {
        "group": config["data"]["group"],
        "group_noun": config["data"]["group_noun"],
        "observation_noun": config["data"]["observation_noun"],
        "columns": {
            name: column["label"]
            for name, column in columns.items()
            if "label" in column
        },
        "levels": {
            name: column.get("levels") or column.get("labels")
            for name, column in columns.items()
            if "levels" in column or "labels" in column
        },
    }
