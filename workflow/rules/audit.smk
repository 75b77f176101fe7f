# The audit of optimisers: where MixedLM ends by each of its methods, and a search within lme4's bounds, for every model.

AUDITED = config["optimiser_audit"]
AUDIT = (
    ["<results>/optimiser_audit.csv", "<results>/optimiser_audit_seconds.csv"]
    if AUDITED
    else []
)


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
        # After the fits, which all else waits for, and before that: the longest of these jobs is the longest of all.
        priority: 1
        conda:
            "../../envs/pipeline.yaml"
        params:
            methods=AUDITED["methods"],
        message:
            "Audit the optimisers of {wildcards.model}"
        script:
            "../scripts/audit_optimisers.py"

    rule gather_audit:
        input:
            trials=of_models("optimiser_audit.csv"),
            seconds=of_models("optimiser_audit_seconds.csv"),
            library=library("gather_audit"),
        output:
            reported(
                AUDIT[0],
                "optimiser_audit",
                "Checks",
                "optimisers",
                table="where each search ended",
            ),
            reported(
                AUDIT[1],
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
        message:
            "Gather the audit of optimisers"
        script:
            "../scripts/gather_audit.py"
