# The configuration: read from config.yaml (or what --configfile and --config put in its place) and checked.
import sys
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(workflow.basedir) / "workflow"))

from locks import take_over
from planned import check_plans
from twolevel.data.config import check_config, with_values
from twolevel.errors import UserError
from twolevel.data.yaml_text import check_yaml

# Jobs on other machines read this file too: the lock is the main process's, for as long as it lives.
RUN_LOCK = take_over(Path(".snakemake")) if workflow.is_main_process else None

# First the text: Snakemake's own reader does not say where a mistake is, and takes the last of two equal keys.
try:
    for file in map(Path, ("config.yaml", *workflow.configfiles)):
        if file.is_file() and file.suffix != ".json":
            check_yaml(file.read_bytes(), file.name)
except UserError as error:
    raise WorkflowError(str(error)) from None


configfile: "config.yaml"


try:
    schema = yaml.safe_load(
        Path(workflow.basedir, "workflow/schemas/config.schema.yaml").read_text(
            encoding="utf-8"
        )
    )
    config.update(with_values(config, schema))
    check_config(config, schema)
    if workflow.is_main_process:
        check_plans(config)
except UserError as error:
    raise WorkflowError(str(error)) from None

# Snakemake would take what an earlier run made from another file for up to date, and not say that this one is missing.
for section, keys in {
    "ledger": ("published", "verdicts", "errata"),
    "textbook": ("group_means",),
}.items():
    for key in keys:
        file = (config.get(section) or {}).get(key)
        if file and not Path(file).is_file():
            raise WorkflowError(
                f"{section}.{key}: there is no file {file!r} here; correct the path, or set {section}: null."
            )
