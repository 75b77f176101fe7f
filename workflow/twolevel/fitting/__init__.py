"""A fit: the optimum found and confirmed. May use the packages up to likelihood.

search     the optimum from several starts
mixedlm    statsmodels' fit of record
fit        both together: the estimates that are reported, and whether they can be trusted
effects    empirical Bayes effects, fitted values
"""
