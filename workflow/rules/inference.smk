# Likelihood ratio tests of nested models; bootstraps of models and of comparisons, split over jobs.


scattergather:
    bootstrap=config["bootstrap"]["parts"],


rule compare_models:
    input:
        table=TABLE,
        fits=compared("fit.json"),
        library=library("compare_models"),
    output:
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
    conda:
        "../../envs/pipeline.yaml"
    params:
        settings=lambda wildcards: config["comparisons"][wildcards.comparison],
    message:
        "Compare {params.settings[null_model]} with {params.settings[alternative_model]} by {params.settings[estimator]}"
    script:
        "../scripts/compare_models.py"


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
    conda:
        "../../envs/pipeline.yaml"
    params:
        replicates=config["bootstrap"]["replicates"],
        seed=config["bootstrap"]["seed"],
    message:
        "Bootstrap {wildcards.experiment}: part {wildcards.scatteritem} of {params.replicates} replicates"
    script:
        "../scripts/simulate_replicates.py"


rule gather_intervals:
    input:
        experiment="<results>/models/{model}/experiment.npz",
        fit="<results>/models/{model}/fit.json",
        parts=gather.bootstrap(
            "<results>/models/{{model}}/replicates/{scatteritem}.npz"
        ),
        library=library("gather_intervals"),
    output:
        replicates="<results>/models/{model}/bootstrap.parquet",
        intervals=reported(
            "<results>/models/{model}/intervals.csv",
            "intervals",
            "Models",
            "{model}",
            table="intervals",
        ),
    log:
        "<logs>/gather_intervals/{model}.log",
    benchmark:
        "<logs>/benchmarks/gather_intervals/{model}.tsv"
    conda:
        "../../envs/pipeline.yaml"
    params:
        replicates=config["bootstrap"]["replicates"],
        seed=config["bootstrap"]["seed"],
        level=config["intervals"]["level"],
    message:
        "Intervals of {wildcards.model} by bootstrap, profile likelihood and standard errors"
    script:
        "../scripts/gather_intervals.py"


rule gather_tests:
    input:
        experiment="<results>/comparisons/{comparison}/experiment.npz",
        comparison="<results>/comparisons/{comparison}/comparison.json",
        parts=gather.bootstrap(
            "<results>/comparisons/{{comparison}}/replicates/{scatteritem}.npz"
        ),
        library=library("gather_tests"),
    output:
        reference="<results>/comparisons/{comparison}/reference_distribution.parquet",
        tests=reported(
            "<results>/comparisons/{comparison}/tests.csv",
            "tests",
            "Comparisons",
            "{comparison}",
            table="tests",
        ),
    log:
        "<logs>/gather_tests/{comparison}.log",
    benchmark:
        "<logs>/benchmarks/gather_tests/{comparison}.tsv"
    conda:
        "../../envs/pipeline.yaml"
    params:
        replicates=config["bootstrap"]["replicates"],
        seed=config["bootstrap"]["seed"],
    message:
        "Test {wildcards.comparison} by bootstrap"
    script:
        "../scripts/gather_tests.py"
