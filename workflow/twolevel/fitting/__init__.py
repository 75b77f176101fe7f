"""A fit: the optimum found and confirmed. May use the packages up to likelihood.

search, fit         the optimum from several starts: the estimates, and whether they can be trusted
mixedlm, confirm    statsmodels' fit of record: whether it stays there
effects             empirical Bayes effects, fitted values
"""
