"""The ledger: every number that a source printed, what the results say of it, and a verdict.

The modules in the order in which they build on each other:

rows          the printed numbers, and what is known of some of them, read and checked
solution      the numbers of one model at one point, as a summary has them
inventory     all results that a printed number may come from
quantities    where each printed quantity stands in them
printing      a number as R printed it
monte_carlo   how far a run of the source's size can lie from ours
witness       the nearest point to an optimum at which numbers come out as printed
accounting    the numbers of one model: at the optimum, or near it, or not
verdicts      the rules, and the ledger itself
"""
