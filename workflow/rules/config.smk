# The configuration of this analysis, checked: config.yaml in the folder that Snakemake works in, or what --configfile names
# in its place, or what another workflow gives to this one as a module. What --config says comes on top of the first two.
import os
import sys
from pathlib import Path

import yaml

# The folder of the Snakefile. Neither the working folder nor `workflow.basedir` is that in a module.
CHECKOUT = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parents[1]
sys.path.insert(0, str(CHECKOUT / "workflow"))

from locks import take_over
from snakemake.logging import logger
from snakemake.settings.enums import Quietness
from terminal import closing_lines, report_line, take_over as speak_plainly
from twolevel.data.config import check_config, with_defaults, with_values
from twolevel.errors import UserError
from twolevel.data.yaml_text import check_yaml

# Whether this is the workflow that runs, not a module of another one.
ALONE = workflow.modifier.is_main_snakefile()

# Jobs on other machines read this file too: the lock is the main process's, for as long as it lives. Another workflow
# looks after its own.
RUN_LOCK = take_over(Path(".snakemake")) if ALONE and workflow.is_main_process else None

# A run says what a person reads; whoever asks for more gets Snakemake's own words, as does a dry run.
SAID = workflow.output_settings
PLAINLY = not (SAID.dryrun or SAID.verbose or SAID.printshellcmds) and set(
    SAID.quiet or ()
) <= {Quietness.HOST}
STAGES = (
    speak_plainly(logger) if ALONE and workflow.is_main_process and PLAINLY else None
)

# Snakemake merges what --configfile names with what a Snakefile names: two analyses would become one.
CONFIG_FILES = (
    workflow.overwrite_configfiles or ["config.yaml"] if ALONE else workflow.configfiles
)


def seen(file):
    """A file's path from where the command was typed, as a message has it."""
    path = os.path.relpath(file, workflow.rundir)
    return str(file) if path.startswith("..") else path


# First the text: Snakemake's own reader does not say where a mistake is, and takes the last of two equal keys.
try:
    for file in map(Path, CONFIG_FILES):
        if file.is_file() and file.suffix != ".json":
            check_yaml(file.read_bytes(), seen(file))
except UserError as error:
    raise WorkflowError(str(error)) from None


if ALONE and not workflow.overwrite_configfiles:

    configfile: "config.yaml"


CONFIG_NAME = " and ".join(map(seen, CONFIG_FILES))
if not ALONE:
    CONFIG_NAME = f"the config of the module {__name__} ({CONFIG_NAME or 'no file'})"

try:
    schema = yaml.safe_load(
        (CHECKOUT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8")
    )
    config = with_defaults(with_values(config, schema), schema)
    # Jobs on other machines read a configuration that the main process has found in order.
    plans = None
    if workflow.is_main_process:
        from planned import (
            mistaken_plans as plans,
        )  # here, since it takes longer than all the rest of a job's start
    check_config(config, schema, CONFIG_NAME, plans)
except UserError as error:
    raise WorkflowError(str(error)) from None


RESULTS = Path(config["results"])


# Where the analysis is: each path in a rule begins with one of these, or is of the checkout or of the configuration.
pathvars:
    results=config["results"],
    # Beside other results in the same folder, the logs go with their results.
    logs="logs" if config["results"] == "results" else f"{config['results']}/logs",


def of_checkout(path):
    """A file of the checkout, as seen from the working folder; `local`, since the prefix of a module is not for it."""
    return local(os.path.relpath(CHECKOUT / path))


# Snakemake would take what an earlier run made from another file for up to date, and not say that this one is missing.
# The rules of another workflow may yet make the file.
for section, keys in {
    "ledger": ("published", "verdicts", "errata"),
}.items():
    for key in keys:
        file = (config[section] or {}).get(key)
        if ALONE and file and not Path(file).is_file():
            raise WorkflowError(
                f"{section}.{key}: there is no file {file!r} here; correct the path, or set {section}: null. "
                f"Paths are relative to the folder that Snakemake works in, {Path.cwd()}."
            )
