"""A publication's numbers and claims held against a run. It uses the library, which knows nothing of it.

The ledger, in the order in which its modules build on each other:

printed_numbers  the printed numbers, and what is known of some of them, read and checked
solution         the numbers of one model at one point, as a summary has them
inventory        all results that a printed number may come from
quantities       where each printed quantity stands in them
printing         a number as R printed it
monte_carlo      how far a run of the source's size can lie from ours
witness          the nearest point to an optimum at which numbers come out as printed
accounting       the numbers of one model: at the optimum, or near it, or not
verdicts         the rules, and the ledger itself
ledger_tables    the ledger and its witnesses as tables

The errata, statements of a source that its own numbers or the data contradict:

run              what evidence is computed from, by the names that the source gave its models
claims           the claims read, checked, and set beside their evidence, which a study computes (docs/studies.md)
"""
