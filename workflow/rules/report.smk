# The report: one page with everything in it.

# The template of the page, then all that it is made of.
TEMPLATES = ["workflow/report/report.html.j2"] + sorted(
    str(path.relative_to(workflow.basedir))
    for path in Path(workflow.basedir, "workflow/report").rglob("*")
    if path.name.endswith((".html.j2", ".css"))
    if path.name != "report.html.j2"
)


rule render_report:
    input:
        provenance="results/data/provenance.json",
        table=TABLE,
        fits=of_models("fit.json"),
        fixed_effects=of_models("fixed_effects.csv"),
        variance_components=of_models("variance_components.csv"),
        intervals=of_models("intervals.csv"),
        bootstraps=of_models("bootstrap.parquet"),
        constrained=of_models("constrained.json"),
        variance_explained="results/models/variance_explained.csv",
        comparisons=of_comparisons("comparison.json"),
        comparison_tables=of_comparisons("table.csv"),
        tests=of_comparisons("tests.csv"),
        reference_distributions=of_comparisons("reference_distribution.parquet"),
        ledger=LEDGER[:1],
        audit=AUDIT[:1],
        textbook=TEXTBOOK,
        errata=ERRATA,
        pictures=expand("results/figures/{figure}.svg", figure=config["figures"]),
        words=expand("results/figures/{figure}.json", figure=config["figures"]),
        templates=TEMPLATES,
        library=library("render_report"),
    output:
        "results/report.html",
    log:
        "logs/render_report.log",
    benchmark:
        "logs/benchmarks/render_report.tsv"
    conda:
        "../../envs/pipeline.yaml"
    params:
        # What the page says of the configuration: not where the data lie or how they are fetched.
        config={
            "data": {
                key: config["data"][key]
                for key in (
                    "title",
                    "group",
                    "group_noun",
                    "observation_noun",
                    "columns",
                )
            },
            **{
                key: config[key]
                for key in ("derive", "models", "comparisons", "figures", "report")
            },
        },
    message:
        "Render the report"
    script:
        "../scripts/render_report.py"
