# Draw the figures: all of one model, of one comparison or of the data in one job, since starting one takes longer than
# drawing. `kind` in config.yaml names the module of the library that draws it.

# Those of the audit are drawn where it is asked for.
DRAWN = [
    figure
    for figure, settings in config["figures"].items()
    if settings["kind"] != "optimiser_audit"
]
FIGURE_GROUPS = {}
for figure in DRAWN:
    FIGURE_GROUPS.setdefault(figure_group(figure), []).append(figure)


for number, (about, figures) in enumerate(FIGURE_GROUPS.items(), 1):

    rule:
        name:
            f"draw_figures_{number}"
        input:
            **figure_tables(figures),
            library=figure_library(figures),
        output:
            **figure_outputs(figures),
        log:
            f"<logs>/draw_figures/{about}.log",
        benchmark:
            f"<logs>/benchmarks/draw_figures/{about}.tsv"
        group:
            SHORT
        conda:
            "../../envs/pipeline.yaml"
        threads: 1
        resources:
            **needs(500),
        params:
            **figure_params(figures),
        message:
            f"Draw {', '.join(figures)}"
        script:
            "../scripts/draw_figures.py"
