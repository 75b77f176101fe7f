# Raudenbush and Bryk's chapter 4 as its tables lay it out, with each coding of the school mean of SES. Other data have none.
from dataclasses import asdict

from twolevel.data.codings import coded_columns

BOOK = config["textbook"]
TEXTBOOK = (
    [
        f"<results>/textbook/{table}.csv"
        for table in (
            "fixed_effects",
            "variance_components",
            "variance_explained",
            "group_means",
        )
    ]
    if BOOK
    else []
)


if BOOK:

    rule fit_textbook:
        input:
            table=TABLE,
            group_means=local(BOOK["group_means"]),
            library=library("fit_textbook"),
        output:
            fixed_effects=reported(
                "<results>/textbook/fixed_effects.csv",
                "textbook",
                "Models",
                "the textbook's",
                table="fixed effects",
            ),
            variance_components=reported(
                "<results>/textbook/variance_components.csv",
                "textbook",
                "Models",
                "the textbook's",
                table="variance components",
            ),
            variance_explained=reported(
                "<results>/textbook/variance_explained.csv",
                "textbook",
                "Models",
                "the textbook's",
                table="variance explained",
            ),
            group_means=reported(
                "<results>/textbook/group_means.csv",
                "textbook",
                "Models",
                "the textbook's",
                table="group means",
            ),
        log:
            "<logs>/fit_textbook.log",
        benchmark:
            "<logs>/benchmarks/fit_textbook.tsv"
        conda:
            "../../envs/pipeline.yaml"
        params:
            group=config["data"]["group"],
            columns=asdict(coded_columns(config["derive"])),
            formulas={
                model: config["models"][model]["formula"] for model in BOOK["models"]
            },
            baselines={
                model: config["models"][model]["baseline"]
                for model in BOOK["models"]
                if config["models"][model].get("baseline") in BOOK["models"]
            },
            optimiser=config["optimiser"],
        message:
            "Fit the textbook's models with the group means of {input.group_means}"
        script:
            "../scripts/fit_textbook.py"
