# The audit of optimisers: where MixedLM ends by each of its methods, and a search within lme4's bounds, for every model.
# `snakemake audit`, a target of its own, since it takes as long as everything else together.
#
# The report has a section on it where its results are found and are about the present fits, as it has on the calibration.

AUDITED = config["optimiser_audit"]
AUDIT_FIGURES = [
    figure
    for figure, settings in config["figures"].items()
    if settings["kind"] == "optimiser_audit"
]


if AUDITED:

    rule audit_optimisers:
        input:
            table=TABLE,
            fit="<results>/models/{model}/fit.json",
            library=library("audit_optimisers"),
        output:
            trials="<results>/models/{model}/optimiser_audit.csv",
            seconds="<results>/models/{model}/optimiser_audit_seconds.csv",
        log:
            "<logs>/audit_optimisers/{model}.log",
        benchmark:
            "<logs>/benchmarks/audit_optimisers/{model}.tsv"
        conda:
            "../../envs/pipeline.yaml"
        threads: 1
        resources:
            **needs(600, 10),
        params:
            methods=AUDITED["methods"],
        message:
            "Audit the optimisers of {wildcards.model}"
        script:
            "../scripts/audit_optimisers.py"

    rule gather_audit:
        input:
            fits=of_models("fit.json"),
            trials=of_models("optimiser_audit.csv"),
            seconds=of_models("optimiser_audit_seconds.csv"),
            library=library("gather_audit"),
        output:
            about="<results>/optimiser_audit.json",
            trials=reported(
                "<results>/optimiser_audit.csv",
                "optimiser_audit",
                "Checks",
                "optimisers",
                table="where each search ended",
            ),
            seconds=reported(
                "<results>/optimiser_audit_seconds.csv",
                "optimiser_audit_seconds",
                "Checks",
                "optimisers",
                table="seconds",
            ),
        log:
            "<logs>/gather_audit.log",
        benchmark:
            "<logs>/benchmarks/gather_audit.tsv"
        conda:
            "../../envs/pipeline.yaml"
        threads: 1
        resources:
            **needs(200),
        message:
            "Gather the audit of optimisers"
        script:
            "../scripts/gather_audit.py"

    if AUDIT_FIGURES:

        rule draw_audit:
            input:
                **figure_tables(AUDIT_FIGURES),
                library=figure_library(AUDIT_FIGURES),
            output:
                **figure_outputs(AUDIT_FIGURES),
            log:
                "<logs>/draw_audit.log",
            benchmark:
                "<logs>/benchmarks/draw_audit.tsv"
            conda:
                "../../envs/pipeline.yaml"
            threads: 1
            resources:
                **needs(500),
            params:
                **figure_params(AUDIT_FIGURES),
            message:
                "Draw the audit of optimisers"
            script:
                "../scripts/draw_figures.py"


AUDIT = []
if AUDITED:
    AUDIT += rules.gather_audit.output
    if AUDIT_FIGURES:
        AUDIT += rules.draw_audit.output
