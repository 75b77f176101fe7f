"""A model as it is written and as matrices. May use data.

derive                 columns made from others, and one row per group
formula, design        lme4's formula to design matrices
new_data               the same for rows that a model was not fitted to
terms, hierarchy       what a term is made of; which level each belongs to
parameters             SDs, correlations, sigma, fixed effects: named and ordered as lme4 does
predictions            what the fixed effects predict
"""
