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
        fits=expand("results/models/{model}/fit.json", model=config["models"]),
        fixed_effects=expand(
            "results/models/{model}/fixed_effects.csv", model=config["models"]
        ),
        variance_components=expand(
            "results/models/{model}/variance_components.csv", model=config["models"]
        ),
        intervals=expand("results/models/{model}/intervals.csv", model=config["models"]),
        bootstraps=expand(
            "results/models/{model}/bootstrap.parquet", model=config["models"]
        ),
        variance_explained="results/models/variance_explained.csv",
        comparisons=expand(
            "results/comparisons/{comparison}/comparison.json",
            comparison=config["comparisons"],
        ),
        comparison_tables=expand(
            "results/comparisons/{comparison}/table.csv",
            comparison=config["comparisons"],
        ),
        tests=expand(
            "results/comparisons/{comparison}/tests.csv",
            comparison=config["comparisons"],
        ),
        reference_distributions=expand(
            "results/comparisons/{comparison}/reference_distribution.parquet",
            comparison=config["comparisons"],
        ),
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
