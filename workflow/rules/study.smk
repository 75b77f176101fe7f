# Tables that only the study needs, for its own story; most studies have none.

OWN = load_part(STUDY, "tables", "TABLES") if STUDY else None
STUDY_TABLES = [f"<results>/{name}.csv" for name in OWN.made] if OWN else []


if OWN:

    try:
        OWN_SETTINGS = OWN.settings(config)
    except UserError as error:
        raise WorkflowError(f"{NARRATIVE}: {error}") from None

    rule make_study_tables:
        input:
            table=TABLE,
            reads=[of_checkout(STUDY / file) for file in OWN.reads],
            library=library("make_study_tables", part="tables"),
        output:
            [
                reported(
                    f"<results>/{name}.csv",
                    "study_tables",
                    "Models",
                    OWN.heading,
                    table=label,
                )
                for name, label in OWN.made.items()
            ],
        log:
            "<logs>/make_study_tables.log",
        benchmark:
            "<logs>/benchmarks/make_study_tables.tsv"
        group:
            SHORT
        conda:
            "../../envs/pipeline.yaml"
        threads: 1
        resources:
            **needs(500),
        params:
            study=lambda _: NARRATIVE,  # a plain text the linter takes for a path of the outputs
            settings=OWN_SETTINGS,
            caption=OWN.caption,
        message:
            "Make the tables of {params.study}"
        script:
            "../scripts/make_study_tables.py"
