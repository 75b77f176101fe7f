"""What has changed since a run was accepted, or between any two runs: data, estimates, verdicts, figures, every value.

In the order of use: `contract` says which files, rows and columns are compared, and how far each may move; `rows` reads
them from the results and from an accepted run; `differences` finds what moved, and `telling` puts it into words for
`make verify`. `digest` is what is remembered of a table; `matching` says which row of one table is which of another,
`names` which column and which level, and `data` how the tables differ. `moves` are estimates in units of their standard
errors, and verdicts; `pictures` are figures. `comparison` has all that differs between two runs; `words` says it in a
paragraph, `listing` as a table, `page` as a page. Of the library, only `errors` is used.
"""
