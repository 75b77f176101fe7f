# The data: obtained, checked, completed.

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


rule fetch_data:
    input:
        # The person's own file or the snapshot, so that an update of it is seen. Where there is none, the script says
        # what the choices are; but a rule of the workflow that this is a module of may make the file.
        file=[
            local(file)
            for file in (FETCH["mode"], FETCH.get("snapshot", ""))
            if Path(file).is_file() or not (ALONE or file in ("", *MODE_KEYS))
        ],
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
        descriptives=reported(
            "<results>/data/descriptives.csv",
            "descriptives",
            "Data",
            table="descriptives",
        ),
        frequencies=reported(
            "<results>/data/frequencies.csv",
            "frequencies",
            "Data",
            table="frequencies",
        ),
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
