# Likelihood ratio tests of nested models; bootstraps of models and of comparisons, split over jobs where they are long.

if SPLIT:

    scattergather:
        bootstrap=PARTS,


TESTS = dict(
    reference="<results>/comparisons/{comparison}/reference_distribution.parquet",
    tests=reported(
        "<results>/comparisons/{comparison}/tests.csv",
        "tests",
        "Comparisons",
        "{comparison}",
        table="tests",
    ),
)


rule compare_models:
    input:
        table=TABLE,
        fits=compared("fit.json"),
        library=library("compare_models"),
    output:
        **({} if SPLIT else TESTS),
        comparison="<results>/comparisons/{comparison}/comparison.json",
        table=reported(
            "<results>/comparisons/{comparison}/table.csv",
            "comparison",
            "Comparisons",
            "{comparison}",
            table="likelihood ratio test",
        ),
        experiment="<results>/comparisons/{comparison}/experiment.npz",
    log:
        "<logs>/compare_models/{comparison}.log",
    benchmark:
        "<logs>/benchmarks/compare_models/{comparison}.tsv"
    group:
        LONG
    conda:
        "../../envs/pipeline.yaml"
    threads: 1
    resources:
        **needs(BOOTSTRAP_MB, 2 if SPLIT else BOOTSTRAP_MINUTES),
    params:
        settings=lambda wildcards: config["comparisons"][wildcards.comparison],
        bootstrap={} if SPLIT else BOOTSTRAP,
    message:
        "Compare {params.settings[null_model]} with {params.settings[alternative_model]} by {params.settings[estimator]}"
    script:
        "../scripts/compare_models.py"


if SPLIT:

    rule simulate_replicates:
        input:
            experiment="<results>/{experiment}/experiment.npz",
            library=library("simulate_replicates"),
        output:
            temp("<results>/{experiment}/replicates/{scatteritem}.npz"),
        log:
            "<logs>/simulate_replicates/{experiment}/{scatteritem}.log",
        benchmark:
            "<logs>/benchmarks/simulate_replicates/{experiment}/{scatteritem}.tsv"
        wildcard_constraints:
            experiment="(models|comparisons)/[^/]+",
        group:
            LONG
        conda:
            "../../envs/pipeline.yaml"
        threads: 1
        resources:
            **needs(BOOTSTRAP_MB, BOOTSTRAP_MINUTES),
        params:
            **BOOTSTRAP,
        message:
            "Bootstrap {wildcards.experiment}: part {wildcards.scatteritem} of {params.replicates} replicates"
        script:
            "../scripts/simulate_replicates.py"

    rule gather_intervals:
        input:
            experiment="<results>/models/{model}/experiment.npz",
            fit="<results>/models/{model}/fit.json",
            fixed_effects="<results>/models/{model}/fixed_effects.csv",
            parts=bootstrap_files("models/{model}"),
            library=library("gather_intervals"),
        output:
            **INTERVALS,
        log:
            "<logs>/gather_intervals/{model}.log",
        benchmark:
            "<logs>/benchmarks/gather_intervals/{model}.tsv"
        group:
            LONG
        conda:
            "../../envs/pipeline.yaml"
        threads: 1
        resources:
            **needs(BOOTSTRAP_MB, GATHER_MINUTES),
        params:
            **BOOTSTRAP,
            level=config["intervals"]["level"],
        message:
            "Intervals of {wildcards.model} by bootstrap, profile likelihood and standard errors"
        script:
            "../scripts/gather_intervals.py"

    rule gather_tests:
        input:
            experiment="<results>/comparisons/{comparison}/experiment.npz",
            comparison="<results>/comparisons/{comparison}/comparison.json",
            parts=bootstrap_files("comparisons/{comparison}"),
            library=library("gather_tests"),
        output:
            **TESTS,
        log:
            "<logs>/gather_tests/{comparison}.log",
        benchmark:
            "<logs>/benchmarks/gather_tests/{comparison}.tsv"
        group:
            LONG
        conda:
            "../../envs/pipeline.yaml"
        threads: 1
        resources:
            **needs(BOOTSTRAP_MB, GATHER_MINUTES),
        params:
            **BOOTSTRAP,
        message:
            "Test {wildcards.comparison} by bootstrap"
        script:
            "../scripts/gather_tests.py"
