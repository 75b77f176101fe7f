# How far nominal levels can be trusted: `snakemake calibration`, a target of its own, since it takes minutes.
#
# The report has a section on it where its results are found. They are no input of the rule that renders the report:
# then every run would make them. That rule's script looks for them, and says so where they are of other fits.


scattergather:
    calibration=config["calibration"]["parts"],


CALIBRATION = {
    key: config["calibration"][key] for key in ("data_sets", "replicates", "seed")
}
CALIBRATION_MINUTES = 2 + 3 * calibration_seconds(config) / 60
CALIBRATED_MODELS = config["calibration"]["models"]
STUDIES = [f"comparisons/{name}" for name in config["comparisons"]] + [
    f"models/{name}" for name in CALIBRATED_MODELS
]

CALIBRATION_FIGURES = [
    name
    for name, about in (
        ("type_1_error", config["comparisons"]),
        ("coverage", CALIBRATED_MODELS),
    )
    if about
]


rule calibrate_tests:
    input:
        table=TABLE,
        fits=compared("fit.json"),
        comparison="<results>/comparisons/{comparison}/comparison.json",
        experiment="<results>/comparisons/{comparison}/experiment.npz",
        library=library("calibrate_tests"),
    output:
        temp(
            "<results>/calibration/comparisons/{comparison}/replicates/{scatteritem}.npz"
        ),
    log:
        "<logs>/calibrate_tests/{comparison}/{scatteritem}.log",
    benchmark:
        "<logs>/benchmarks/calibrate_tests/{comparison}/{scatteritem}.tsv"
    conda:
        "../../envs/pipeline.yaml"
    threads: 1
    resources:
        **needs(600, CALIBRATION_MINUTES),
    params:
        **CALIBRATION,
    message:
        "Calibrate the tests of {wildcards.comparison}: part {wildcards.scatteritem} of {params.data_sets} data sets"
    script:
        "../scripts/calibrate_tests.py"


rule calibrate_intervals:
    input:
        table=TABLE,
        fit="<results>/models/{model}/fit.json",
        experiment="<results>/models/{model}/experiment.npz",
        library=library("calibrate_intervals"),
    output:
        temp("<results>/calibration/models/{model}/replicates/{scatteritem}.npz"),
    log:
        "<logs>/calibrate_intervals/{model}/{scatteritem}.log",
    benchmark:
        "<logs>/benchmarks/calibrate_intervals/{model}/{scatteritem}.tsv"
    conda:
        "../../envs/pipeline.yaml"
    threads: 1
    resources:
        **needs(600, CALIBRATION_MINUTES),
    params:
        **CALIBRATION,
        level=config["intervals"]["level"],
    message:
        "Calibrate the intervals of {wildcards.model}: part {wildcards.scatteritem} of {params.data_sets} data sets"
    script:
        "../scripts/calibrate_intervals.py"


rule gather_calibration:
    input:
        comparisons=of_comparisons("comparison.json"),
        tested=of_comparisons("experiment.npz"),
        fits=expand("<results>/models/{model}/fit.json", model=CALIBRATED_MODELS),
        fitted=expand(
            "<results>/models/{model}/experiment.npz", model=CALIBRATED_MODELS
        ),
        parts=[
            part
            for study in STUDIES
            for part in gather.calibration(
                f"<results>/calibration/{study}/replicates/{{scatteritem}}.npz"
            )
        ],
        library=library("gather_calibration"),
    output:
        about="<results>/calibration/calibration.json",
        type_1_error=reported(
            "<results>/calibration/type_1_error.csv",
            "type_1_error",
            "Checks",
            "calibration",
            result="table of type I errors",
        ),
        coverage=reported(
            "<results>/calibration/coverage.csv",
            "coverage",
            "Checks",
            "calibration",
            result="table of coverages",
        ),
    log:
        "<logs>/gather_calibration.log",
    benchmark:
        "<logs>/benchmarks/gather_calibration.tsv"
    conda:
        "../../envs/pipeline.yaml"
    threads: 1
    resources:
        **needs(500),
    params:
        **CALIBRATION,
        level=config["intervals"]["level"],
    message:
        "Count rejections and coverage in {params.data_sets} data sets of each comparison and model"
    script:
        "../scripts/gather_calibration.py"


rule draw_calibration:
    input:
        table="<results>/calibration/{figure}.csv",
        library=lambda wildcards: library(
            "draw_figures", also=[f"twolevel.figures.{wildcards.figure}"]
        ),
    output:
        svg=[
            reported(
                "<results>/calibration/{figure}.svg",
                "calibration",
                "Checks",
                "calibration",
                result="figure of {figure}",
            )
        ],
        png=["<results>/calibration/{figure}.png"],
        words=["<results>/calibration/{figure}.json"],
    log:
        "<logs>/draw_calibration/{figure}.log",
    benchmark:
        "<logs>/benchmarks/draw_calibration/{figure}.tsv"
    wildcard_constraints:
        figure="type_1_error|coverage",
    conda:
        "../../envs/pipeline.yaml"
    threads: 1
    resources:
        **needs(500),
    params:
        settings=lambda wildcards: {wildcards.figure: {"kind": wildcards.figure}},
        reads=lambda wildcards: {wildcards.figure: ["table"]},
        names=configured_names(config),
    message:
        "Draw the calibration: {wildcards.figure}"
    script:
        "../scripts/draw_figures.py"


# Without an output, it renders and prints the report that it asks for again, now that the calibration is there.
rule calibration:
    input:
        **AGAIN,
        calibration=rules.gather_calibration.output,
        drawn=expand(rules.draw_calibration.output, figure=CALIBRATION_FIGURES),
    log:
        "<logs>/calibration.log",
    benchmark:
        "<logs>/benchmarks/calibration.tsv"
    conda:
        "../../envs/pipeline.yaml"
    threads: 1
    resources:
        **needs(2500, 5),
    params:
        config=rules.render_report.params.config,
        browser=BROWSER,
    message:
        "Render the report with the calibration"
    script:
        "../scripts/render_report.py"
