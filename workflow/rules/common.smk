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
