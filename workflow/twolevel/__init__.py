"""Two-level hierarchical linear models: data in, every model at its true optimum, results out.

Read the modules in the order in which data flows:

    yaml_text, config               what a person chose, checked
    source, columns, derive         a table: obtained, checked, completed
    blocks, design, formula,        independent blocks of random effects; lme4's formula to design matrices;
    hierarchy                       which level each term belongs to
    crossproducts                   what the likelihood needs of the data, group by group
    groupwise, deviance, newton     sums over groups, compiled; the profiled criterion with its derivatives; one search
    estimable, identified           random effects that stand there twice; variances that the data do not tell apart
    optimise, bounded, mixedlm, fit its optimum from several starts; lme4's bounded search; statsmodels' fit of record
    optimiser_audit                 where MixedLM's methods and lme4's bounds end, from which start
    point, face, constrained        estimates at any theta; the optimum that lme4's bounds lead to, if another
    effects, variance, compare,     empirical Bayes, variance explained, likelihood ratio tests
    nesting                         and whether one model contains the other
    information, fixed_tests        what the data say about the variances; t tests of fixed effects that heed it
    reliability, shares             what the HLM program prints of each variance; ICC, marginal and conditional R2
    streams, simulate, bootstrap    a random stream for each replicate; simulated cross-products; models fitted to them
    experiment, replicate_tables    a bootstrap in parts that jobs share; its replicates as tables
    bootstrap_test, chi_square,     tests from a simulated reference distribution, and from none;
    proportion                      the interval of a count
    parameters, intervals           SDs, correlations, sigma, fixed effects; their bootstrap and Wald intervals
    descent, profile_deviance,      the deviance with one parameter held, the others at their best;
    profile_intervals               where it has risen enough
    calibration, type_1_error,      data sets simulated from a fit, each with a bootstrap of its own: how often true
    coverage                        null models are rejected and true values covered
    codings, textbook               a textbook's tables, with each way to code a group mean
    results, fingerprint, summary   the fit as tables and as lme4's summary text; what it was computed from
    ledger                          every number that a source printed, accounted for
    errata                          what a source got wrong, each claim with its evidence
    ols, qq, figures                what is drawn, one module per kind of figure
    terms, equations, mathml        a model's equations
    predictions                     what its fixed effects predict
    report                          what a reader reads

Pure functions and small frozen dataclasses throughout: no files, no Snakemake, no printing.
"""

__version__ = "0.1.0"
