"""The criterion that is minimised. May use data and model.

crossproducts   what the likelihood needs of the data, group by group
groupwise       sums over groups, compiled
few_effects     the same sums for one or two random effects, faster
derivatives     gradient and Hessian from the sums
deviance        the profiled REML and ML criterion with its derivatives
newton          one search, from one start
"""
