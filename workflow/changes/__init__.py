"""What has changed since a run was accepted: the baseline, and which numbers differ from it by more than rounding.

In the order of use: `contract` says which files, rows and columns, and how far each may move; `rows` reads them from
the results and from the baseline, and writes the baseline; `differences` finds what moved; `telling` puts it into
words. Of the library, only `errors` is used.
"""
