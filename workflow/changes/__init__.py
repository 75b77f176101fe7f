"""What moved since a run was accepted: the baseline, and whether a number is not as it was by more than rounding.

In the order of use: `contract` says which files, rows and columns, and how far each may move; `rows` reads them from
the results and from the baseline, and writes the baseline; `differences` finds what moved; `telling` says it. Of the
library it uses `errors` alone.
"""
