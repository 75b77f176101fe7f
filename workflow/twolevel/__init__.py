"""Two-level hierarchical linear models: from a table to models at their optimum, with tests, figures and a report.

The packages, in the order in which data flow. Each uses `errors` and those above it, never one below:

    data         a table and what a person chose: obtained, checked, completed
    model        lme4's formula to design matrices; terms, parameters, what fixed effects predict
    likelihood   cross-products group by group; the profiled criterion with its derivatives; one search
    fitting      the optimum from several starts; statsmodels' fit of record; empirical Bayes effects
    inference    tests, intervals, reliability, variance explained
    bootstrap    simulated data sets, the models fitted to them, tests and intervals from them, their calibration
    optimisers   where lme4's bounds and MixedLM's methods end instead
    output       the fit as tables, JSON, lme4's summary text and equations; words and numbers
    figures      one module per kind of figure
    report       what a reader reads
    api          what a notebook uses: fit, compare and Result, which are names of this package too

Pure functions and small frozen dataclasses: no Snakemake, no printing, and no files but those that `data` reads.
"""

from importlib import import_module

__version__ = "0.1.0"

# Where the public names are. They are imported when they are first used (PEP 562): what they need takes a second to
# import, and the pipeline's jobs, whose inputs are the files that they import, do without. For type checkers they stand
# in __init__.pyi.
_PUBLIC = {
    "fit": "twolevel.api.fitting",
    "compare": "twolevel.api.comparing",
    "Result": "twolevel.api.result",
    "UserError": "twolevel.errors",
}
__all__ = ["Result", "UserError", "__version__", "compare", "fit"]


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)
