# Draw every figure, one job each. `kind` in config.yaml names the module of the library that draws it.

# What each kind reads, by the names of the arguments of its `draw`.
FIGURE_TABLES = {
    "scatter": ["observations"],
    "group_lines": ["observations"],
    "group_lines_by_category": ["observations"],
    "ols_vs_mixed": ["observations", "fixed_effects", "fit"],
    "qq_level1": ["residuals", "fit"],
    "residuals_vs_fitted": ["residuals", "fit"],
    "qq_level2": ["group_effects", "fit"],
}


def figure_tables(wildcards):
    """The tables that the kind of this figure reads."""
    figure = config["figures"][wildcards.figure]
    model = f"results/models/{figure.get('model')}"
    files = {
        "observations": TABLE,
        "fixed_effects": f"{model}/fixed_effects.csv",
        "residuals": f"{model}/residuals.parquet",
        "group_effects": f"{model}/{GROUP}_effects.csv",
        "fit": f"{model}/fit.json",
    }
    return {name: files[name] for name in FIGURE_TABLES[figure["kind"]]}


def figure_library(wildcards):
    """What the script imports, and the kind's own module: a change of another kind does not redraw this one."""
    kind = config["figures"][wildcards.figure]["kind"]
    return library("draw_figure", also=[f"twolevel.figures.{kind}"])


def figure_names():
    """What the configuration calls things, for titles, axes and captions."""
    columns = config["data"]["columns"] | config["derive"]
    return {
        "group": config["data"]["group"],
        "group_noun": config["data"]["group_noun"],
        "observation_noun": config["data"]["observation_noun"],
        "columns": {
            name: column["label"]
            for name, column in columns.items()
            if "label" in column
        },
        "levels": {
            name: column.get("levels") or column.get("labels")
            for name, column in columns.items()
            if "levels" in column or "labels" in column
        },
    }


rule draw_figure:
    input:
        unpack(figure_tables),
        library=figure_library,
    output:
        svg=report(
            "results/figures/{figure}.svg",
            caption="../report/captions/figure.rst",
            category="Figures",
            labels=lambda wildcards, params: {
                "figure": wildcards.figure.replace("_", " "),
                "model": params.settings.get("model", "none"),
            },
        ),
        png="results/figures/{figure}.png",
        words="results/figures/{figure}.json",
    log:
        "logs/draw_figure/{figure}.log",
    benchmark:
        "logs/benchmarks/draw_figure/{figure}.tsv"
    conda:
        "../../envs/pipeline.yaml"
    params:
        settings=lambda wildcards: config["figures"][wildcards.figure],
        names=figure_names(),
    message:
        "Draw figure {wildcards.figure}"
    script:
        "../scripts/draw_figure.py"
