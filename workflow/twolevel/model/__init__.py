"""A model as it is written and as matrices. May use data.

derive                 columns made from others, and one row per group
expression, parser     R's expressions, as they are printed; read from text
formula_parts          lme4's formula taken apart; its terms by R's rules: expansion
formula_check          what can be said of a formula before there are data
values, variables      the value of an expression; numbers, factors and bases over rows
functions, bases       what a formula may call
coding                 columns of a design, coded and named as R does
formula, design        lme4's formula to design matrices; what cannot be estimated: estimable
blocks                 independent blocks of random effects
new_data               the same for rows that a model was not fitted to
terms, hierarchy       what a term is made of; which level each belongs to
parameters             SDs, correlations, sigma, fixed effects: named and ordered as lme4 does
predictions            what the fixed effects predict
"""
