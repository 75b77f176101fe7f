# The data: obtained, checked, completed.


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
