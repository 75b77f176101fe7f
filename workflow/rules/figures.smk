# Draw every figure, one job each. `kind` in config.yaml names the module of the library that draws it.


rule draw_figure:
    input:
        unpack(figure_tables),
        library=figure_library,
    output:
        svg=reported(
            "<results>/figures/{figure}.svg",
            "figure",
            "Figures",
            shown_in_figure,
            figure="{figure}",
        ),
        png="<results>/figures/{figure}.png",
        words="<results>/figures/{figure}.json",
    log:
        "<logs>/draw_figure/{figure}.log",
    benchmark:
        "<logs>/benchmarks/draw_figure/{figure}.tsv"
    conda:
        "../../envs/pipeline.yaml"
    params:
        settings=lambda wildcards: config["figures"][wildcards.figure],
        names=configured_names(config),
    message:
        "Draw figure {wildcards.figure}"
    script:
        "../scripts/draw_figure.py"
