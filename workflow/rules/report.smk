# The report: a page, an appendix beside it, and the page on paper.
import shutil

# The template of the page, then all that it is made of.
TEMPLATES = [of_checkout("workflow/report/report.html.j2")] + sorted(
    of_checkout(path)
    for path in (CHECKOUT / "workflow/report").rglob("*")
    if path.name.endswith((".html.j2", ".css", ".js"))
    if path.name != "report.html.j2"
)
# Templates of the study's own, which others include as study/<name>.
STUDY_TEMPLATES = (
    sorted(map(of_checkout, STUDY.glob("templates/*.html.j2"))) if STUDY else []
)


rule render_report:
    input:
        provenance="<results>/data/provenance.json",
        table=TABLE,
        descriptives="<results>/data/descriptives.csv",
        fits=of_models("fit.json"),
        fixed_effects=of_models("fixed_effects.csv"),
        random_effects=of_models("random_effects.csv"),
        variance_components=of_models("variance_components.csv"),
        intervals=of_models("intervals.csv"),
        # Not the groups' own lines, which can be thousands.
        supplements=[
            path
            for file in SUPPLEMENTS
            if file != "own_lines.csv"
            for path in of_models(file)
        ],
        bootstraps=of_models("bootstrap.parquet"),
        constrained=of_models("constrained.json"),
        variance_explained="<results>/models/variance_explained.csv",
        comparisons=of_comparisons("comparison.json"),
        comparison_tables=of_comparisons("table.csv"),
        tests=of_comparisons("tests.csv"),
        reference_distributions=of_comparisons("reference_distribution.parquet"),
        ledger=LEDGER[:1],
        study_tables=STUDY_TABLES,
        errata=ERRATA,
        pictures=expand("<results>/figures/{figure}.svg", figure=DRAWN),
        words=expand("<results>/figures/{figure}.json", figure=DRAWN),
        templates=TEMPLATES,
        study_templates=STUDY_TEMPLATES,
        library=library("render_report", part="narrative"),
    output:
        page="<results>/report.html",
        appendix="<results>/appendix.html",
    log:
        "<logs>/render_report.log",
    benchmark:
        "<logs>/benchmarks/render_report.tsv"
    group:
        SHORT
    conda:
        "../../envs/pipeline.yaml"
    threads: 1
    resources:
        **needs(800),
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


# The browser that prints the page; without one there is no PDF, and nothing else is missing (Debian: apt install chromium).
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = next(filter(shutil.which, BROWSERS), None)


if BROWSER:

    rule print_report:
        input:
            page=rules.render_report.output.page,
            library=library("print_report"),
        output:
            "<results>/report.pdf",
        log:
            "<logs>/print_report.log",
        benchmark:
            "<logs>/benchmarks/print_report.tsv"
        group:
            SHORT
        conda:
            "../../envs/pipeline.yaml"
        threads: 1
        resources:
            **needs(2500, 5),
        params:
            browser=BROWSER,
        message:
            "Print the report"
        script:
            "../scripts/print_report.py"


REPORT_PDF = list(rules.print_report.output) if BROWSER else []


# What the two targets below need: they render and print the report that they ask for again, with what they made.
AGAIN = {
    **dict(rules.render_report.input.items()),
    "report": list(rules.render_report.output),
    "printed": REPORT_PDF,
}


# Without an output, as the calibration (calibration.smk). Where no method is configured, it finds nothing new.
rule audit:
    input:
        **AGAIN,
        audit=AUDIT,
    log:
        "<logs>/audit.log",
    conda:
        "../../envs/pipeline.yaml"
    threads: 1
    resources:
        **needs(2500, 5),
    params:
        config=rules.render_report.params.config,
        browser=BROWSER,
    message:
        "Render the report with the audit of optimisers"
    script:
        "../scripts/render_report.py"
