"""The criterion that is minimised. May use data and model.

crossproducts   what the likelihood needs of the data, group by group
groupwise       sums over groups, compiled
deviance        the profiled REML and ML criterion with its derivatives
newton          one search, from one start
"""
