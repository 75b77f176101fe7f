# The data: obtained, checked, completed.
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


rule fetch_data:
    input:
        # So that an update of it is seen.
        unpack(lambda wildcards: read_from()),
        library=library("fetch_data"),
    output:
        raw=RAW,
        provenance=reported(
            "<results>/data/provenance.json", "provenance", "Data", table="provenance"
        ),
    log:
        "<logs>/fetch_data.log",
    benchmark:
        "<logs>/benchmarks/fetch_data.tsv"
    conda:
        "../../envs/pipeline.yaml"
    threads: 1
    resources:
        **needs(400, 5),
    params:
        data=FETCH,
    message:
        "Obtain the data (data.mode: {params.data[mode]})"
    script:
        "../scripts/fetch_data.py"


rule prepare_data:
    input:
        raw=RAW,
        provenance="<results>/data/provenance.json",
        # Tables of groups that recipes take columns from; where there is none, the script says so.
        joined=[
            local(file)
            for file in dict.fromkeys(
                recipe["join"]
                for recipe in config["derive"].values()
                if "join" in recipe
            )
            if Path(file).is_file() or not ALONE
        ],
        library=library("prepare_data"),
    output:
        table=TABLE,
        # In a folder of its own: groups may be called what the data are.
        text=f"<results>/data/text/{config['data']['name']}.csv",
        groups=reported(GROUP_TABLE, "groups", "Data", table=GROUPS),
    log:
        "<logs>/prepare_data.log",
    benchmark:
        "<logs>/benchmarks/prepare_data.tsv"
    conda:
        "../../envs/pipeline.yaml"
    threads: 1
    resources:
        **needs(400),
    params:
        # Labels are for readers: without them a new one does not prepare the data again.
        data={
            "group": config["data"]["group"],
            "missing": config["data"]["missing"],
            "columns": {
                name: {key: value for key, value in column.items() if key != "label"}
                for name, column in config["data"]["columns"].items()
            },
        },
        derive={
            name: {key: value for key, value in recipe.items() if key != "label"}
            for name, recipe in config["derive"].items()
        },
    message:
        "Check the data and derive columns"
    script:
        "../scripts/prepare_data.py"
