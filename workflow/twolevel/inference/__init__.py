"""What a fit says of the parameters. May use the packages up to fitting.

information, fixed_tests              what the data say about the variances; t tests of fixed effects that heed it
compare                               likelihood ratio tests of nested models
variance_explained, reliability, r2   against a baseline; what the HLM program prints; ICC, marginal and conditional R2
influence                             estimates without each group; Cook's distance
reported, intervals                   what a fit reports; intervals from replicates and by Wald; of a proportion
descent, profile_deviance,            the deviance with one parameter held, the others at their best;
profile_intervals                     where it has risen enough
"""
