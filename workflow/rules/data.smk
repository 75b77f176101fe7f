# The data: obtained, checked, completed.


rule fetch_data:
    input:
        # The person's own file or the snapshot, so that an update of it is seen. Where there is none, the script says
        # what the choices are.
        file=[
            file
            for file in (config["data"]["mode"], config["data"].get("snapshot", ""))
            if Path(file).is_file()
        ],
        library=library("fetch_data"),
    output:
        raw="results/data/raw.parquet",
        provenance="results/data/provenance.json",
    log:
        "logs/fetch_data.log",
    benchmark:
        "logs/benchmarks/fetch_data.tsv"
    conda:
        "../../envs/pipeline.yaml"
    params:
        # What the script needs and no more: a new label or noun does not fetch the data again.
        data={
            key: config["data"].get(key)
            for key in ("name", "title", "mode", "url", "sha256", "snapshot", "group")
        },
    message:
        "Obtain the data (data.mode: {params.data[mode]})"
    script:
        "../scripts/fetch_data.py"


rule prepare_data:
    input:
        raw="results/data/raw.parquet",
        provenance="results/data/provenance.json",
        library=library("prepare_data"),
    output:
        table=TABLE,
        groups=GROUP_TABLE,
    log:
        "logs/prepare_data.log",
    benchmark:
        "logs/benchmarks/prepare_data.tsv"
    conda:
        "../../envs/pipeline.yaml"
    params:
        # Labels are for readers: without them a new one does not prepare the data again.
        data={
            "group": config["data"]["group"],
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
