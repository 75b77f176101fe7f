"""High School and Beyond: what only these data need, beside the pipeline that runs for any (docs/studies.md).

evidence     what the vignette gets wrong: a function for each claim of errata.csv
quantities   names of printed numbers that only the vignette uses
narrative    the story that the report tells
templates    the sections of that story
tables       the textbook's tables, made by a rule of their own
textbook     how they are made and shown: codings of the school means, fits, the section
"""
