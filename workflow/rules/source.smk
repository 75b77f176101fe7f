# Where the data come from: the address, asked before a run is planned, the snapshot, or a file.
from functools import cache

from updates import ask, usable_copy

# What each mode needs beside the table's path and its groups: a change of anything else does not fetch the data again.
MODE_KEYS = {
    "auto": ("url", "sha256", "snapshot"),
    "download": ("url", "sha256"),
    "snapshot": ("snapshot",),
}
# How to read the file, where it is said.
READING = [
    key
    for key in ("separator", "decimal", "encoding", "sheet")
    if key in config["data"]
]
FETCH = {
    key: config["data"][key]
    for key in (
        "mode",
        "group",
        *MODE_KEYS.get(config["data"]["mode"], ()),
        *READING,
    )
}


def mended(sha256):
    """What a person does about a file at data.url with that hash, which is not the one in the configuration."""
    old = FETCH["sha256"]
    places = [
        f"line {number} of {seen(file)}"
        for file in map(Path, CONFIG_FILES)
        if file.is_file()
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1)
        if old in line
    ]
    folder = os.path.relpath(Path.cwd(), workflow.rundir)
    where = "" if folder == "." else f" --directory {shlex.quote(folder)}"
    value = shlex.quote(f'data={{"sha256": "{sha256}"}}')
    return (
        f"To see what changed, with the earlier results left as they are:\n"
        f"  snakemake --cores 1{where} --config results=new_file {value} -- source\n"
        f"To take the new file, put its SHA-256 into {' and '.join(places) or 'data.sha256'}. "
        "To go on without it, set data.mode: snapshot."
    )


@cache  # Snakemake asks for a job's inputs more than once
def read_from():
    """The file that the data are read from: the copy of what data.url serves, else the snapshot or the person's own.

    A run asks the url first. A dry run, and jobs, which read this file too, take what is there.
    """
    if "url" in FETCH:
        if (
            workflow.is_main_process
            and workflow.execution_settings
            and not workflow.dryrun
        ):
            try:
                if told := ask(FETCH, mended):
                    logger.warning(told)
            except UserError as error:
                # Snakemake would add a traceback to whatever is raised here.
                logger.error(f"error: {error}")
                sys.exit(1)
        if copy := usable_copy(FETCH):
            return dict(downloaded=[local(str(copy))])
    # Where there is no such file, the script says what the choices are; but a rule of the workflow that this is a module
    # of may make the file.
    files = [
        local(file)
        for file in (FETCH["mode"], FETCH.get("snapshot", ""))
        if Path(file).is_file() or not (ALONE or file in ("", *MODE_KEYS))
    ]
    return dict(file=files)
