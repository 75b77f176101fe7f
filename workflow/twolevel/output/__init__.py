"""A fit written for people and for programs. May use the packages up to optimisers.

results, summary, rformat    tables and JSON; lme4's summary text
equations, mathml            a model's equations
words, numbers               what things are called; numbers as a reader wants them
"""
