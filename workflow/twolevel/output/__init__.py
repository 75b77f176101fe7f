"""A fit written for people and for programs. May use the packages up to optimisers.

results, summary, rformat    tables and JSON; lme4's summary text
supplements                  tables that a paper sets beside a fit
equations, mathml            a model's equations
side_by_side                 all models in one table
prepared, r_code,            a model or a test as code to copy
python_code, stata_spss_code
words, numbers               what things are called; numbers as a reader wants them
"""
