"""The baseline that results are held to: which numbers were accepted, and whether one has moved by more than rounding.

In the order of use: `contract` says which files, rows and columns, and how far each may move; `rows` reads them from
the results and from the baseline, and writes the baseline; `compare` finds what moved; `telling` says it.
"""
