# The run and the accepted one: what differs, whether anything does, and the run recorded as the next accepted one.

# Where the accepted run is, in the folder that Snakemake works in, as the data are.
ACCEPTED = config["accepted"] or "accepted"
ACCEPTED_FILES = [
    local(str(file)) for file in sorted(Path(ACCEPTED).rglob("*")) if file.is_file()
]
# What tells the rows of the data apart.
ROWS = dict(group=config["data"]["group"], key=config["data"]["key"])
CONTRACT = of_checkout("workflow/changes/tolerances.yaml")


rule tell_changes:
    input:
        run=compared_results,
        # It says which folder has the results.
        provenance=rules.fetch_data.output.provenance,
        contract=CONTRACT,
        accepted=ACCEPTED_FILES,
        template=of_checkout("workflow/changes/changes.html.j2"),
        library=library("tell_changes"),
    output:
        page="<results>/changes.html",
        table=reported("<results>/changes.csv", "changes", "Data", table="changes"),
    log:
        "<logs>/tell_changes.log",
    benchmark:
        "<logs>/benchmarks/tell_changes.tsv"
    group:
        SHORT
    conda:
        "../../envs/pipeline.yaml"
    threads: 1
    resources:
        **needs(500),
    params:
        **ROWS,
        accepted=lambda wildcards: ACCEPTED,
        # `snakemake audit` draws them, and the accepted run has them.
        apart=AUDIT_FIGURES,
    message:
        "Tell how the run differs from the accepted one"
    script:
        "../scripts/tell_changes.py"


# Every run has it where there is an accepted run.
CHANGES = list(rules.tell_changes.output) if ACCEPTED_FILES else []


# Without an output, a benchmark's among them, all three below run whenever they are asked for.
rule source:
    input:
        raw=RAW,
        provenance=rules.fetch_data.output.provenance,
        accepted=ACCEPTED_FILES,
        library=library("hold_data"),
    log:
        "<logs>/source.log",
    conda:
        "../../envs/pipeline.yaml"
    threads: 1
    resources:
        **needs(500),
    params:
        **ROWS,
        accepted=lambda wildcards: ACCEPTED,
    message:
        "Compare the data with those of the accepted run"
    script:
        "../scripts/hold_data.py"


BASELINE = dict(
    run=lambda wildcards: [*compared_results(wildcards), *AUDIT],
    provenance=rules.fetch_data.output.provenance,
    changes=CHANGES,
    contract=CONTRACT,
    library=library("hold_to_baseline"),
)
# Results that rest on these by design are not compared where they have changed.
SETTINGS = {
    "bootstrap.replicates": config["bootstrap"]["replicates"],
    "bootstrap.seed": config["bootstrap"]["seed"],
    "intervals.level": config["intervals"]["level"],
    "optimiser_audit.methods": AUDITED["methods"] if AUDITED else None,
}
HELD = dict(
    settings=SETTINGS,
    accepted=lambda wildcards: ACCEPTED,
    named=config["accepted"] is not None,
    **ROWS,
)


rule verify:
    input:
        **BASELINE,
    log:
        "<logs>/verify.log",
    conda:
        "../../envs/pipeline.yaml"
    threads: 1
    resources:
        **needs(500),
    params:
        **HELD,
        record=False,
    message:
        "Hold the results to the accepted run"
    script:
        "../scripts/hold_to_baseline.py"


rule accept:
    input:
        **BASELINE,
    log:
        "<logs>/accept.log",
    conda:
        "../../envs/pipeline.yaml"
    threads: 1
    resources:
        **needs(500),
    params:
        **HELD,
        record=True,
    message:
        "Record the results as the accepted run"
    script:
        "../scripts/hold_to_baseline.py"
