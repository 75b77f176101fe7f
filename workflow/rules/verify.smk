# Hold a whole run to the baseline in tests/accepted/, or record it as the next baseline: two targets of their own.

BASELINE = dict(
    # All but the page: results that its story does not fit are compared too, and named.
    run=lambda wildcards: [
        file
        for file in [*rules.all.input, *AUDIT]
        if file not in [*rules.render_report.output, *REPORT_PDF]
    ],
    # It says which folder has the results.
    provenance=rules.fetch_data.output.provenance,
    # The analysis's own, as its data are.
    contract=local("tests/accepted/tolerances.yaml"),
    library=library("hold_to_baseline"),
)
# Results that rest on these by design are not compared where they have changed.
SETTINGS = {
    "bootstrap.replicates": config["bootstrap"]["replicates"],
    "bootstrap.seed": config["bootstrap"]["seed"],
    "intervals.level": config["intervals"]["level"],
    "optimiser_audit.methods": AUDITED["methods"] if AUDITED else None,
}


# Without an output, a benchmark's among them, both run whenever they are asked for.
rule verify:
    input:
        **BASELINE,
    log:
        "<logs>/verify.log",
    conda:
        "../../envs/pipeline.yaml"
    threads: 1
    resources:
        **needs(300),
    params:
        settings=SETTINGS,
        record=False,
    message:
        "Hold the results to the baseline in tests/accepted/"
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
        **needs(300),
    params:
        settings=SETTINGS,
        record=True,
    message:
        "Record the results as the baseline in tests/accepted/"
    script:
        "../scripts/hold_to_baseline.py"
