# Fit every model, one job each, and measure the variance that each explains against its baseline.


# What a paper sets beside a fit (twolevel/output/supplements.py).
SUPPLEMENTS = (
    "term_tests.csv",
    "marginal_means.csv",
    "contrasts.csv",
    "predictions.csv",
    "robust.csv",
    "single_level.csv",
    "single_level_test.csv",
    "own_lines.csv",
)
INTERVALS = dict(
    replicates="<results>/models/{model}/bootstrap.parquet",
    intervals=reported(
        "<results>/models/{model}/intervals.csv",
        "intervals",
        "Models",
        "{model}",
        table="intervals",
    ),
)


rule fit_model:
    input:
        table=TABLE,
        library=library("fit_model"),
    output:
        **{
            Path(file).stem: reported(
                f"<results>/models/{{model}}/{file}",
                Path(file).stem,
                "Models",
                "{model}",
                table=Path(file).stem.replace("_", " "),
            )
            for file in SUPPLEMENTS
        },
        **({} if SPLIT else INTERVALS),
        summary=reported(
            "<results>/models/{model}/summary.txt",
            "summary",
            "Models",
            "{model}",
            table="summary as lme4 prints it",
        ),
        fit="<results>/models/{model}/fit.json",
        constrained="<results>/models/{model}/constrained.json",
        fixed_effects=reported(
            "<results>/models/{model}/fixed_effects.csv",
            "fixed_effects",
            "Models",
            "{model}",
            table="fixed effects",
        ),
        random_effects=reported(
            "<results>/models/{model}/random_effects.csv",
            "random_effects",
            "Models",
            "{model}",
            table="random effects",
        ),
        variance_components=reported(
            "<results>/models/{model}/variance_components.csv",
            "variance_components",
            "Models",
            "{model}",
            table="variance components",
        ),
        group_effects=reported(
            f"<results>/models/{{model}}/{GROUP}_effects.csv",
            "group_effects",
            "Models",
            "{model}",
            table="empirical Bayes effects",
        ),
        influence=reported(
            "<results>/models/{model}/influence.csv",
            "influence",
            "Models",
            "{model}",
            table="influence of groups",
        ),
        residuals="<results>/models/{model}/residuals.parquet",
        experiment="<results>/models/{model}/experiment.npz",
    log:
        "<logs>/fit_model/{model}.log",
    benchmark:
        "<logs>/benchmarks/fit_model/{model}.tsv"
    # Before all else: what is long waits for a fit, and would be waited for if it started last.
    priority: 2
    group:
        LONG
    conda:
        "../../envs/pipeline.yaml"
    threads: 1
    resources:
        **needs(600, 2 if SPLIT else BOOTSTRAP_MINUTES),
    params:
        bootstrap={} if SPLIT else BOOTSTRAP,
        formula=lambda wildcards: config["models"][wildcards.model]["formula"],
        group=config["data"]["group"],
        estimator=lambda wildcards: config["models"][wildcards.model].get(
            "estimator", "REML"
        ),
        predict=lambda wildcards: config["models"][wildcards.model].get("predict", []),
        level=config["intervals"]["level"],
        optimiser=config["optimiser"],
        data_name=config["data"]["name"],
    message:
        "Fit {wildcards.model}: {params.formula}"
    script:
        "../scripts/fit_model.py"


rule set_side_by_side:
    input:
        fits=of_models("fit.json"),
        library=library("set_side_by_side"),
    output:
        reported(
            "<results>/models/side_by_side.csv",
            "side_by_side",
            "Models",
            "all models",
            table="models side by side",
        ),
    log:
        "<logs>/set_side_by_side.log",
    benchmark:
        "<logs>/benchmarks/set_side_by_side.tsv"
    group:
        SHORT
    conda:
        "../../envs/pipeline.yaml"
    threads: 1
    resources:
        **needs(400),
    message:
        "Set the models side by side"
    script:
        "../scripts/set_side_by_side.py"


rule explain_variance:
    input:
        fits=of_models("fit.json"),
        random_effects=of_models("random_effects.csv"),
        library=library("explain_variance"),
    output:
        reported(
            "<results>/models/variance_explained.csv",
            "variance_explained",
            "Models",
            "all models",
            table="variance explained",
        ),
    log:
        "<logs>/explain_variance.log",
    benchmark:
        "<logs>/benchmarks/explain_variance.tsv"
    group:
        SHORT
    conda:
        "../../envs/pipeline.yaml"
    threads: 1
    resources:
        **needs(400),
    params:
        baselines={
            model: settings["baseline"]
            for model, settings in config["models"].items()
            if "baseline" in settings
        },
    message:
        "Measure the variance explained against each model's baseline"
    script:
        "../scripts/explain_variance.py"
