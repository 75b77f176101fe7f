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

Pure functions and small frozen dataclasses throughout: no files, no Snakemake, no printing.
"""

__version__ = "0.1.0"
