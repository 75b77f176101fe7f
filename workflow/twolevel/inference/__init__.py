"""What a fit says of the parameters. May use the packages up to fitting.

information, fixed_tests              what the data say about the variances; t and F tests of fixed effects that heed it
term_tests, marginal_means            joint tests of factors and interactions; means of factors' levels, compared
studentized_range                     by which Tukey adjusts comparisons
robust                                cluster-robust standard errors
single_level, own_lines               least squares of all rows, of the groups' means, and in each group
compare                               likelihood ratio tests of nested models
variance_explained, reliability, r2   against a baseline; what the HLM program prints; ICC, marginal and conditional R2
influence                             estimates without each group; Cook's distance
samples, quantiles                    of any size, in blocks: moments, order statistics; quantiles and their errors
reported, intervals                   what a fit reports; intervals from replicates, by t and by z; of a proportion
descent, profile_deviance,            the deviance with one parameter held, the others at their best;
profile_intervals                     where it has risen enough
"""
