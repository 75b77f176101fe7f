# The ledger: every number that a source printed, computed from the results, with a verdict. Other data have none.

SOURCE = config["ledger"]
LEDGER = ["<results>/ledger.csv", "<results>/witnesses.json"] if SOURCE else []
# The models by the names that the source gave them.
SOURCE_NAMES = {
    name.strip(): model
    for model, settings in config["models"].items()
    for name in settings.get("published_name", "").split(",")
    if name.strip()
}


if SOURCE:

    rule write_ledger:
        input:
            published=local(SOURCE["published"]),
            verdicts=local(SOURCE["verdicts"]),
            table=TABLE,
            groups=GROUP_TABLE,
            fits=of_models("fit.json"),
            constrained=of_models("constrained.json"),
            fixed_effects=of_models("fixed_effects.csv"),
            random_effects=of_models("random_effects.csv"),
            intervals=of_models("intervals.csv"),
            bootstrap=of_models("bootstrap.parquet"),
            variance_explained="<results>/models/variance_explained.csv",
            comparison_tables=of_comparisons("table.csv"),
            reference_distributions=of_comparisons("reference_distribution.parquet"),
            library=library("write_ledger", part="quantities"),
        output:
            ledger=reported(
                "<results>/ledger.csv",
                "ledger",
                "Checks",
                "published numbers",
                table="ledger",
            ),
            witnesses="<results>/witnesses.json",
        log:
            "<logs>/write_ledger.log",
        benchmark:
            "<logs>/benchmarks/write_ledger.tsv"
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
            sampled_groups=[
                figure["sample"]
                for figure in config["figures"].values()
                if "sample" in figure
            ],
        message:
            "Account for every number in {input.published}"
        script:
            "../scripts/write_ledger.py"
