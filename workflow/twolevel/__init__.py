"""Two-level hierarchical linear models: data in, every model at its true optimum, results out.

Read the modules in the order in which data flows:

    source, columns, derive         a table: obtained, checked, completed
    formula, hierarchy              lme4's formula to design matrices; which level each term belongs to
    crossproducts, deviance         what the likelihood needs of the data; the profiled criterion and its gradient
    optimise, mixedlm, fit          its optimum from several starts; statsmodels' fit of record; both weighed
    effects, variance, compare      empirical Bayes, variance explained, likelihood ratio tests
    results, summary                the fit as tables and as lme4's summary text
    equations, figures, report      what a reader sees

Pure functions and small frozen dataclasses throughout: no files, no Snakemake, no printing.
"""

__version__ = "0.1.0"
