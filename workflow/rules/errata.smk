# What the sources got wrong, each claim with its evidence from the results.

ERRATA = ["<results>/errata.csv"] if SOURCE and "errata" in SOURCE else []


if ERRATA and not (STUDY and has_part(STUDY, "evidence")):
    raise WorkflowError(
        "ledger.errata: what computes the evidence is a part of the study that report.narrative names, and there is "
        "none (docs/studies.md); name a study that has it, or leave ledger.errata out."
    )


if ERRATA:

    rule check_errata:
        input:
            errata=local(SOURCE["errata"]),
            published=local(SOURCE["published"]),
            table=TABLE,
            fits=of_models("fit.json"),
            constrained=of_models("constrained.json"),
            residuals=of_models("residuals.parquet"),
            comparisons=of_comparisons("comparison.json"),
            reference_distributions=of_comparisons("reference_distribution.parquet"),
            library=library("check_errata", part="evidence"),
        output:
            reported(
                "<results>/errata.csv",
                "errata",
                "Checks",
                "published numbers",
                table="errata",
            ),
        log:
            "<logs>/check_errata.log",
        benchmark:
            "<logs>/benchmarks/check_errata.tsv"
        group:
            SHORT
        conda:
            "../../envs/pipeline.yaml"
        threads: 1
        resources:
            **needs(600),
        params:
            study=lambda _: NARRATIVE,  # a plain text the linter takes for a path of the outputs
            names=SOURCE_NAMES,
            comparisons=config["comparisons"],
            group=config["data"]["group"],
        message:
            "Check the claims in {input.errata}"
        script:
            "../scripts/check_errata.py"
