# The pipeline: data in, every model at its true optimum, one report out. Run it with `snakemake --cores N`.
# Every choice is in config.yaml; rules are in workflow/rules/, one file per stage.
import time

from snakemake.utils import min_version

min_version("9.27")

# In a module: whether the workflow that uses it has a target already.
FIRST = workflow.default_target is None


include: "workflow/rules/config.smk"
include: "workflow/rules/common.smk"
include: "workflow/rules/source.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/inference.smk"
include: "workflow/rules/ledger.smk"
include: "workflow/rules/audit.smk"
include: "workflow/rules/study.smk"
include: "workflow/rules/errata.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/calibration.smk"
include: "workflow/rules/verify.smk"


rule all:
    default_target: FIRST
    input:
        rules.fetch_data.output,
        rules.prepare_data.output,
        expand(rules.fit_model.output, model=config["models"]),
        rules.set_side_by_side.output,
        rules.explain_variance.output,
        expand(rules.compare_models.output, comparison=config["comparisons"]),
        of_models("bootstrap.parquet"),
        of_models("intervals.csv"),
        of_comparisons("reference_distribution.parquet"),
        of_comparisons("tests.csv"),
        LEDGER,
        STUDY_TABLES,
        ERRATA,
        expand(
            "<results>/figures/{figure}.{ending}",
            figure=DRAWN,
            ending=("svg", "png", "json"),
        ),
        rules.render_report.output,
        REPORT_PDF,
        CHANGES,


# These two are the main workflow's: the words at the top of Snakemake's report, and what is said where a run ends.
if ALONE:

    report: "workflow/report/captions/workflow.rst"

    if STAGES:
        STAGES.idle = lambda: (
            "" if workflow.dag_settings.targets else report_line(RESULTS)
        )


# Unless told otherwise, Snakemake starts at most 100 jobs a second. For that it looks again at what is ready a second
# after each look, so that looks multiply: 769 for the 38 jobs of HSB, which took 4 of 120 seconds of a core.
onstart:
    limiter = getattr(workflow.scheduler, "job_rate_limiter", None)
    if limiter and (limiter.max_jobs, limiter.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None


onsuccess:
    if STAGES and STAGES.planned["All"]:
        print(
            *closing_lines(config, RESULTS, time.time() - STAGES.started),
            sep="\n",
            file=sys.stderr,
        )


onerror:
    page = Path(rules.render_report.output[0])
    old = page.exists() and page.stat().st_mtime < workflow.start_time.timestamp()
    # `verify` does not need the report.
    told = "".join(Path(file).read_text(encoding="utf-8") for file in log)
    if "Error in rule verify:" not in told and "Error in rule source:" not in told:
        print(
            f"The run failed{f'; {page} is of an earlier run' if old else ''}.",
            file=sys.stderr,
        )
    if "Error in rule prepare_data:" in told and ACCEPTED_FILES:
        print(
            "The target `source` says how the data differ from those of the accepted run.",
            file=sys.stderr,
        )
