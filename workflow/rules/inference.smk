# Likelihood ratio tests of nested models.


rule compare_models:
    input:
        table=TABLE,
        fits=compared("fit.json"),
        library=library("compare_models"),
    output:
        comparison="results/comparisons/{comparison}/comparison.json",
        table="results/comparisons/{comparison}/table.csv",
    log:
        "logs/compare_models/{comparison}.log",
    benchmark:
        "logs/benchmarks/compare_models/{comparison}.tsv"
    conda:
        "../../envs/pipeline.yaml"
    params:
        settings=lambda wildcards: config["comparisons"][wildcards.comparison],
    message:
        "Compare {params.settings[null_model]} with {params.settings[alternative_model]} by {params.settings[estimator]}"
    script:
        "../scripts/compare_models.py"
